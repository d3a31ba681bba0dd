/* The space natsbench_tss against what CPython's random gives (data/natsbench_tss.json),
 * Archai's documentation, and the published table of its 15,625 cells where that is at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/sha1.h"
#include "core/search/space.h"
#include "json_data.h"

enum { CELLS = 15625 };

static int create(archai_space **out, const char *keys, const archai_data_shape *data,
                  archai_err *err)
{
    archai_ini ini = {.n = 0};
    char text[512];
    int rc, n = snprintf(text, sizeof text, "[space]\nname = natsbench_tss\n%s", keys);

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, err), 0);
    rc = archai_space_create(out, &ini, data, err);
    archai_ini_free(&ini);
    return rc;
}

static archai_space *open_space(const char *keys, const archai_data_shape *data)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    if (create(&s, keys, data, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static const char *arch_str(const archai_model *m)
{
    return json_string_value(json_object_get(m->arch, "arch_str"));
}

static void load(archai_space *s, const char *text, archai_model *out)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_space_load_arch(s, text, strlen(text), out, &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

static void load_cell(archai_space *s, const char *cell, archai_model *out)
{
    char text[256];

    (void)snprintf(text, sizeof text, "{\"arch_str\": \"%s\"}", cell);
    load(s, text, out);
}

/* -- the benchmark's order ------------------------------------------------------------------- */

static void numbers_are_those_of_the_benchmark(void **state)
{
    json_t *data = load_json_data("natsbench_tss.json");
    const json_t *first = json_object_get(data, "first");
    archai_space *s = open_space("", NULL);
    char *all = NULL, sha1[ARCHAI_SHA1_HEX], archid[64];
    size_t size;
    FILE *out = open_memstream(&all, &size);

    (void)state;
    assert_true(archai_space_cardinality(s) == (double)CELLS);
    for (size_t i = 0; i < CELLS; i++) {
        archai_model m, again;

        assert_int_equal(s->ops->at(s, i, &m, NULL), 0);
        (void)snprintf(archid, sizeof archid, "natsbench-tss-%zu", i);
        assert_string_equal(m.archid, archid);
        if (i < json_array_size(first))
            assert_string_equal(arch_str(&m), json_string_value(json_array_get(first, i)));
        (void)fprintf(out, "%s\n", arch_str(&m));
        assert_int_equal(archai_space_load_json(s, m.arch, &again, NULL), 0);
        assert_string_equal(again.archid, archid);
        archai_model_fini(&again);
        archai_model_fini(&m);
    }
    assert_int_equal(fclose(out), 0);
    assert_int_equal(archai_sha1_hex(all, size, sha1, NULL), 0);
    assert_string_equal(sha1, json_string_value(json_object_get(data, "sha1_of_all_lines")));
    free(all);
    archai_space_destroy(s);
    json_decref(data);
}

/* NULL: the file is not at hand. */
static FILE *open_table(void)
{
    const char *folder = getenv("ARCHAI_DATA");
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/nasbench201_cifar10.csv",
                   folder != NULL ? folder : ARCHAI_SOURCE_DIR "/../shared/data");
    return fopen(path, "r");
}

/* Rows: operations of the six edges, accuracy, parameters. */
static void every_row_of_the_published_table_is_that_cell_and_its_network(void **state)
{
    FILE *in = open_table();
    archai_space *s = open_space("", NULL);
    char line[256];
    size_t i = 0;

    (void)state;
    if (in == NULL) {
        archai_space_destroy(s);
        print_message("nasbench201_cifar10.csv is not at hand\n");
        skip();
    }
    assert_non_null(fgets(line, sizeof line, in));
    for (; fgets(line, sizeof line, in) != NULL; i++) {
        char op[6][16], cell[128];
        archai_model m;
        archai_counts counts;
        long params;

        assert_int_equal(sscanf(line, "%15[^,],%15[^,],%15[^,],%15[^,],%15[^,],%15[^,],%*f,%ld",
                                op[0], op[1], op[2], op[3], op[4], op[5], &params),
                         7);
        (void)snprintf(cell, sizeof cell, "|%s~0|+|%s~0|%s~1|+|%s~0|%s~1|%s~2|", op[0], op[1],
                       op[2], op[3], op[4], op[5]);
        assert_int_equal(s->ops->at(s, i, &m, NULL), 0);
        assert_string_equal(arch_str(&m), cell);
        assert_int_equal(archai_space_count(s, &m, &counts, NULL), 0);
        assert_int_equal(counts.params, params);
        archai_model_fini(&m);
    }
    assert_int_equal(i, CELLS);
    (void)fclose(in);
    archai_space_destroy(s);
}

/* -- draws ----------------------------------------------------------------------------------- */

/* The number behind "natsbench-tss-". */
static json_int_t number(const archai_model *m)
{
    json_int_t n = -1;

    assert_int_equal(sscanf(m->archid, "natsbench-tss-%" JSON_INTEGER_FORMAT, &n), 1);
    return n;
}

static void assert_drawn(const json_t *list, size_t i, const archai_model *m)
{
    assert_int_equal(number(m), json_integer_value(json_array_get(list, i)));
}

static void replay(const json_t *stream)
{
    const json_t *samples = json_object_get(stream, "samples");
    const json_t *chain = json_object_get(stream, "mutation_chain_from_first_sample");
    const json_t *crossed = json_object_get(stream, "crossovers");
    const size_t n = json_array_size(samples);
    archai_model *m = calloc(n, sizeof *m), at = {.arch = NULL}, child;
    char keys[64];
    archai_space *s;

    (void)snprintf(keys, sizeof keys, "seed = %" JSON_INTEGER_FORMAT "\n",
                   json_integer_value(json_object_get(stream, "seed")));
    s = open_space(keys, NULL);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(archai_space_random_sample(s, &m[i], NULL), 0);
        assert_drawn(samples, i, &m[i]);
    }
    archai_model_copy(&at, &m[0]);
    for (size_t i = 0; i < json_array_size(chain); i++) {
        assert_int_equal(archai_space_mutate(s, &at, &child, NULL), 0);
        assert_drawn(chain, i, &child);
        archai_model_fini(&at);
        at = child;
    }
    archai_model_fini(&at);
    for (size_t i = 0; i < json_array_size(crossed); i++) {
        const archai_model *const parents[] = {&m[i], &m[i + 1], &m[i + 2], &m[i + 3]};

        assert_int_equal(archai_space_crossover(s, parents, 1 + i % 4, &child, NULL), 0);
        assert_drawn(crossed, i, &child);
        archai_model_fini(&child);
    }
    for (size_t i = 0; i < n; i++)
        archai_model_fini(&m[i]);
    free(m);
    archai_space_destroy(s);
}

static void a_seed_draws_what_archai_draws(void **state)
{
    json_t *data = load_json_data("natsbench_tss.json"), *stream;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(data, "streams"), i, stream) replay(stream);
    assert_int_equal(i, 5);
    json_decref(data);
}

static void mutation_reaches_the_24_neighbours_and_nothing_else(void **state)
{
    enum { DRAWS = 4800, MEAN = DRAWS / 24 };
    archai_space *s = open_space("seed = 5\n", NULL);
    int *times = calloc(CELLS, sizeof *times), reached = 0;
    archai_model parent, child;
    float before[24], after[24];

    (void)state;
    assert_int_equal(s->ops->at(s, 4711, &parent, NULL), 0);
    assert_int_equal(archai_space_encode(s, &parent, before, NULL), 0);
    for (int i = 0; i < DRAWS; i++) {
        int edges = 0;

        assert_int_equal(archai_space_mutate(s, &parent, &child, NULL), 0);
        assert_int_equal(archai_space_encode(s, &child, after, NULL), 0);
        for (int e = 0; e < 6; e++)
            edges += memcmp(before + 4 * e, after + 4 * e, 4 * sizeof *after) != 0;
        assert_int_equal(edges, 1);
        times[number(&child)]++;
        archai_model_fini(&child);
    }
    for (int i = 0; i < CELLS; i++)
        if (times[i] > 0) {
            reached++;
            assert_in_range(times[i], MEAN - 70, MEAN + 70); /* five standard deviations */
        }
    assert_int_equal(reached, 24);
    free(times);
    archai_model_fini(&parent);
    archai_space_destroy(s);
}

static void ten_thousand_samples_are_cells(void **state)
{
    archai_space *s = open_space("seed = 3\n", NULL);
    archai_model m, again;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        assert_in_range(number(&m), 0, CELLS - 1);
        assert_int_equal(archai_space_load_json(s, m.arch, &again, NULL), 0);
        assert_string_equal(m.archid, again.archid);
        archai_model_fini(&again);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

/* -- encoding -------------------------------------------------------------------------------- */

static void assert_bits(archai_space *s, const char *cell, const char *bits)
{
    float out[24];
    archai_model m;

    assert_int_equal(s->encoding_size, 24);
    load_cell(s, cell, &m);
    assert_int_equal(archai_space_encode(s, &m, out, NULL), 0);
    for (size_t i = 0; i < 24; i++)
        assert_true(out[i] == (float)(bits[i] - '0'));
    archai_model_fini(&m);
}

static void encodings_are_archai_s(void **state)
{
    json_t *data = load_json_data("natsbench_tss.json"), *pair;
    archai_space *s = open_space("", NULL);
    size_t i;

    (void)state;
    /* The example in Archai's documentation of its encoding. */
    assert_bits(s,
                "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_"
                "conv_1x1~2|",
                "001000101000000100000100");
    json_array_foreach(json_object_get(data, "encodings"), i, pair)
        assert_bits(s, json_string_value(json_array_get(pair, 0)),
                    json_string_value(json_array_get(pair, 1)));
    archai_space_destroy(s);
    json_decref(data);
}

/* -- network ---------------------------------------------------------------------------------- */

static void data_give_channels_size_and_classes(void **state)
{
    static const archai_data_shape data = {
        .channels = 1, .height = 28, .width = 64, .num_classes = 7};
    static const int expected[2][4] = {{3, 32, 32, 10}, {1, 28, 64, 7}};

    (void)state;
    for (int i = 0; i < 2; i++) {
        archai_space *s = open_space("channels = 4\ncells = 1\n", i == 0 ? NULL : &data);
        archai_network net = {.root = NULL};
        archai_counts counts;
        archai_model m;

        assert_int_equal(s->ops->at(s, 6111, &m, NULL), 0);
        assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
        assert_memory_equal(net.input, expected[i], 3 * sizeof(int));
        assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
        assert_int_equal(counts.output.ndim, 1);
        assert_int_equal(counts.output.dim[0], expected[i][3]);
        archai_network_fini(&net);
        archai_model_fini(&m);
        archai_space_destroy(s);
    }
}

/* -- files ----------------------------------------------------------------------------------- */

static void archai_s_files_are_read(void **state)
{
    static const char *const texts[] = {
        "archid: natsbench-tss-3\ndataset: cifar10\n",
        "archid: natsbench-tss-3\ndataset: ImageNet16-120\ngeneration: 7\nparent: "
        "natsbench-tss-9\n",
        "{\"archid\": \"natsbench-tss-3\"}",
        "arch_str: '|avg_pool_3x3~0|+|skip_connect~0|none~1|+|none~0|none~1|skip_connect~2|'\n",
        "archid: natsbench-tss-3\n"
        "arch_str: '|avg_pool_3x3~0|+|skip_connect~0|none~1|+|none~0|none~1|skip_connect~2|'\n",
    };
    archai_space *s = open_space("", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *saved = NULL;
        archai_model m;

        load(s, texts[i], &m);
        assert_string_equal(m.archid, "natsbench-tss-3");
        assert_int_equal(archai_space_save_arch(s, &m, &saved, NULL), 0);
        assert_string_equal(saved, "{\"arch_str\": \"|avg_pool_3x3~0|+|skip_connect~0|none~1|+|"
                                   "none~0|none~1|skip_connect~2|\"}");
        assert_int_equal(json_object_get(m.metadata, "dataset") != NULL, i < 2);
        free(saved);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void bad_files_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{}", "1: expected an object with arch_str or archid"},
        {"[1]", "1: expected an object with arch_str or archid"},
        {"\narch_st: x\n", "2: arch_st: unknown key; did you mean 'arch_str'?"},
        {"arch_str: 3\n", "1: arch_str: expected a cell, |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"},
        {"arch_str: '|none~0|+|none~0|none~1|+|none~0|none~1|nor_conv3x3~2|'",
         "1: arch_str: unknown operation 'nor_conv3x3', expected one of: none skip_connect "
         "nor_conv_1x1 nor_conv_3x3 avg_pool_3x3; did you mean 'nor_conv_3x3'?"},
        {"arch_str: '|none~0|+|none~0|none~0|+|none~0|none~1|none~2|'",
         "'~0|+|none~0|none~1|none~2|' where ~1| is expected"},
        {"arch_str: '|none~0|+|none~0|none~1|+|none~0|none~1|none~2|+'",
         "'+' where the end is expected"},
        {"arch_str: '|none~0|none~0|none~1|+|none~0|none~1|none~2|'",
         "where +| is expected; a cell reads |op~0|+|op~0|op~1|+|op~0|op~1|op~2|"},
        {"arch_str: ''", "'' where | is expected"},
        {"archid: natsbench-tss-15625\ndataset: cifar10\n",
         "1: archid: expected natsbench-tss-0 to natsbench-tss-15624, got "
         "'natsbench-tss-15625'"},
        {"archid: natsbench-sss-1\n", "archid: expected natsbench-tss-0 to"},
        {"archid: natsbench-tss--1\n", "archid: expected natsbench-tss-0 to"},
        {"archid: natsbench-tss-1x\n", "archid: expected natsbench-tss-0 to"},
        {"archid: natsbench-tss-99999999999999999999\n", "archid: expected natsbench-tss-0 to"},
        {"archid: 5\n", "archid: expected natsbench-tss-0 to"},
        {"archid: natsbench-tss-1\narch_str: "
         "'|none~0|+|none~0|none~1|+|none~0|none~1|none~2|'\n",
         "1: archid: natsbench-tss-1 is |nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|"},
    };
    archai_space *s = open_space("", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_model m;
        int rc = archai_space_load_arch(s, cases[i].text, strlen(cases[i].text), &m, &err);

        assert_int_equal(archai_rc_exit_status(rc), 2);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
    }
    archai_space_destroy(s);
}

static void bad_sections_are_refused(void **state)
{
    static const archai_data_shape small = {
        .channels = 3, .height = 28, .width = 30, .num_classes = 7};
    static const archai_data_shape even = {
        .channels = 1, .height = 28, .width = 28, .num_classes = 7};
    static const struct {
        const char *keys;
        const archai_data_shape *data;
        const char *message;
    } cases[] = {
        {"", &small, "t.ini:1: space.img_size: 30 x 28, expected multiples of 4"},
        {"img_size = 30\n", NULL, "t.ini:3: space.img_size: 30 x 30, expected multiples of 4"},
        {"img_size = 32\n", &even,
         "t.ini:3: space.img_size: 32, but the data set's images are 28 x 28"},
        {"nb_classes = 10\n", &even,
         "t.ini:3: space.nb_classes: 10, but the data set has 7 classes"},
        {"cells = 0\n", NULL, "t.ini:3: space.cells: 0 is outside 1..1000"},
        {"channels = -1\n", NULL, "t.ini:3: space.channels: -1 is outside 1..65536"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_space *s = NULL;

        assert_int_equal(archai_rc_exit_status(create(&s, cases[i].keys, cases[i].data, &err)),
                         2);
        assert_null(s);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
    }
    archai_space_destroy(open_space("nb_classes = 7\nimg_size = 28\n", &even));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_the_benchmark),
        cmocka_unit_test(every_row_of_the_published_table_is_that_cell_and_its_network),
        cmocka_unit_test(a_seed_draws_what_archai_draws),
        cmocka_unit_test(mutation_reaches_the_24_neighbours_and_nothing_else),
        cmocka_unit_test(ten_thousand_samples_are_cells),
        cmocka_unit_test(encodings_are_archai_s),
        cmocka_unit_test(data_give_channels_size_and_classes),
        cmocka_unit_test(archai_s_files_are_read),
        cmocka_unit_test(bad_files_are_refused_with_line_and_key),
        cmocka_unit_test(bad_sections_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
