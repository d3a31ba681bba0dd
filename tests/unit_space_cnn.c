/* The cnn space against Archai's document: cnn_streams.json is what its code drew, forward.json
 * what PyTorch printed and counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/search/space.h"
#include "json_data.h"

static archai_space *open_space(const char *keys, const archai_data_shape *data)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {.n = 0};
    archai_space *s = NULL;
    char text[512];
    int n = snprintf(text, sizeof text, "[space]\nname = cnn\n%s", keys);

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, &err), 0);
    if (archai_space_create(&s, &ini, data, &err) != 0)
        fail_msg("%s", err.text);
    archai_ini_free(&ini);
    return s;
}

static void list_text(const json_t *params, const char *key, char *out, size_t size)
{
    const json_t *list = json_object_get(params, key);
    size_t used = (size_t)snprintf(out, size, "%s =", key), i;
    json_t *v;

    json_array_foreach((json_t *)list, i, v) used += (size_t)snprintf(
        out + used, size - used, " %" JSON_INTEGER_FORMAT, json_integer_value(v));
}

static void assert_archid(const json_t *list, size_t i, const archai_model *m)
{
    assert_string_equal(m->archid, json_string_value(json_array_get(list, i)));
}

/* 16 samples, a chain of mutations, 13 crossovers of four, one encoding: all on one generator.
 */
static void replay(const json_t *stream)
{
    const json_t *params = json_object_get(stream, "params");
    const json_t *samples = json_object_get(stream, "random_sample");
    const json_t *chain = json_object_get(stream, "mutate_chain_from_first_sample");
    const json_t *crossed = json_object_get(stream, "crossover_of_consecutive_windows_of_4");
    const json_t *encoding = json_object_get(stream, "encode_first_sample");
    char kernels[64], widths[64], keys[256];
    archai_model m[16], child, next;
    float features[3];
    archai_space *s;

    list_text(params, "kernel_list", kernels, sizeof kernels);
    list_text(params, "hidden_list", widths, sizeof widths);
    (void)snprintf(keys, sizeof keys,
                   "seed = %" JSON_INTEGER_FORMAT "\nmin_layers = %" JSON_INTEGER_FORMAT
                   "\nmax_layers = %" JSON_INTEGER_FORMAT "\n%s\n%s\n",
                   json_integer_value(json_object_get(stream, "seed")),
                   json_integer_value(json_object_get(params, "min_layers")),
                   json_integer_value(json_object_get(params, "max_layers")), kernels, widths);
    s = open_space(keys, NULL);
    assert_int_equal(json_array_size(samples), 16);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(archai_space_random_sample(s, &m[i], NULL), 0);
        assert_archid(samples, i, &m[i]);
    }
    archai_model_copy(&child, &m[0]);
    for (size_t i = 0; i < json_array_size(chain); i++) {
        assert_int_equal(archai_space_mutate(s, &child, &next, NULL), 0);
        assert_archid(chain, i, &next);
        archai_model_fini(&child);
        child = next;
    }
    archai_model_fini(&child);
    assert_int_equal(json_array_size(crossed), 13);
    for (size_t i = 0; i < 13; i++) {
        const archai_model *const parents[] = {&m[i], &m[i + 1], &m[i + 2], &m[i + 3]};

        assert_int_equal(archai_space_crossover(s, parents, 4, &child, NULL), 0);
        assert_archid(crossed, i, &child);
        archai_model_fini(&child);
    }
    assert_int_equal(s->encoding_size, 3);
    assert_int_equal(archai_space_encode(s, &m[0], features, NULL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(features[i] == (float)json_number_value(json_array_get(encoding, i)));
    for (size_t i = 0; i < 16; i++)
        archai_model_fini(&m[i]);
    archai_space_destroy(s);
}

static void streams_are_those_of_the_document(void **state)
{
    json_t *streams = load_json_data("cnn_streams.json"), *stream;
    size_t i;

    (void)state;
    json_array_foreach(streams, i, stream) replay(stream);
    assert_true(json_array_size(streams) > 1);
    json_decref(streams);
}

/* The outputs printed in the document itself. */
static void the_document_is_reproduced(void **state)
{
    static const char expected[] =
        "ArchaiModel(\n\tarchid=L=3, K=1, H=64, \n\tmetadata={}, \n\tarch=MyModel(\n"
        "  (model): Sequential(\n"
        "    (0): Conv2d(1, 64, kernel_size=(1, 1), stride=(1, 1))\n"
        "    (1): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "    (2): ReLU()\n"
        "    (3): Conv2d(64, 64, kernel_size=(1, 1), stride=(1, 1))\n"
        "    (4): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "    (5): ReLU()\n"
        "    (6): Conv2d(64, 64, kernel_size=(1, 1), stride=(1, 1))\n"
        "    (7): BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True)\n"
        "    (8): ReLU()\n"
        "    (9): AdaptiveAvgPool2d(output_size=(1, 1))\n"
        "    (10): Conv2d(64, 10, kernel_size=(1, 1), stride=(1, 1))\n"
        "  )\n)\n)";
    archai_space *s = open_space("hidden_list = 32, 64, 128\n", NULL);
    archai_model m, loaded;
    char *text = NULL;
    size_t size;
    FILE *out;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    out = open_memstream(&text, &size);
    assert_int_equal(archai_space_print(s, &m, out, NULL), 0);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
    assert_int_equal(archai_space_save_arch(s, &m, &text, NULL), 0);
    assert_string_equal(text, "{\"nb_layers\": 3, \"kernel_size\": 1, \"hidden_dim\": 64}");
    assert_int_equal(archai_space_load_arch(s, text, strlen(text), &loaded, NULL), 0);
    assert_string_equal(loaded.archid, "L=3, K=1, H=64");
    free(text);
    archai_model_fini(&loaded);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void assert_state(const json_t *expected, const archai_network *net)
{
    archai_state_entry *at;
    size_t n;

    at = archai_module_state(net->root, &n);
    assert_int_equal(n, json_object_size(expected));
    for (size_t i = 0; i < n; i++) {
        const json_t *entry = json_object_get(expected, at[i].name);
        const json_t *shape = json_array_get(entry, 0);

        assert_non_null(entry);
        assert_string_equal(archai_dtype_name(at[i].dtype),
                            json_string_value(json_array_get(entry, 1)));
        assert_int_equal(at[i].ndim, json_array_size(shape));
        for (int d = 0; d < at[i].ndim; d++)
            assert_int_equal(at[i].shape[d],
                             json_integer_value(json_array_get(shape, (size_t)d)));
    }
    archai_state_free(at, n);
}

static void descriptions_are_those_of_pytorch(void **state)
{
    static const char *const cases[] = {"cnn_small", "cnn_kernel1"};
    json_t *forward = load_json_data("forward.json");
    archai_space *s = open_space("", NULL);

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const json_t *c = json_object_get(forward, cases[i]);
        const char *arch = json_string_value(json_object_get(c, "arch"));
        archai_network net;
        archai_counts counts;
        archai_model m;
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        assert_int_equal(archai_space_load_arch(s, arch, strlen(arch), &m, NULL), 0);
        assert_string_equal(m.archid, json_string_value(json_object_get(c, "archid")));
        assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
        assert_int_equal(archai_module_print(net.root, out), 0);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, json_string_value(json_object_get(c, "repr")));
        assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
        assert_int_equal(counts.params, json_integer_value(json_object_get(c, "num_params")));
        assert_int_equal(counts.output.ndim, 1);
        assert_int_equal(counts.output.dim[0], 10);
        assert_state(json_object_get(c, "state_dict"), &net);
        free(text);
        archai_network_fini(&net);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
    json_decref(forward);
}

static void the_data_set_gives_channels_and_classes(void **state)
{
    const archai_data_shape data = {.channels = 3, .height = 32, .width = 32, .num_classes = 7};
    const char *arch = "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 4}";
    archai_space *s = open_space("", &data);
    archai_network net;
    archai_counts counts;
    archai_model m;

    (void)state;
    assert_int_equal(archai_space_load_arch(s, arch, strlen(arch), &m, NULL), 0);
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.params, (3 * 4 * 9 + 4 + 8) + (4 * 4 * 9 + 4 + 8) + (4 * 7 + 7));
    assert_int_equal(counts.macs, (3 * 4 * 9 + 4 * 4 * 9) * 32 * 32 + 4 * 7);
    assert_int_equal(counts.output.dim[0], 7);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

/* PyTorch's padding (k - 1) / 2 shrinks the picture by one pixel a layer when k is even. */
static void even_kernels_shrink_as_in_the_document(void **state)
{
    const char *fits = "{\"nb_layers\": 27, \"kernel_size\": 2, \"hidden_dim\": 1}";
    const char *vanishes = "{\"nb_layers\": 28, \"kernel_size\": 2, \"hidden_dim\": 1}";
    archai_space *s = open_space("", NULL);
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net;
    archai_counts counts;
    archai_model m;

    (void)state;
    assert_int_equal(archai_space_load_arch(s, fits, strlen(fits), &m, NULL), 0);
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    archai_network_fini(&net);
    archai_model_fini(&m);
    assert_int_equal(archai_space_load_arch(s, vanishes, strlen(vanishes), &m, NULL), 0);
    assert_int_equal(archai_space_describe(s, &m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, &err), ARCHAI_EINVAL);
    archai_network_fini(&net);
    archai_model_fini(&m);
    archai_space_destroy(s);
}

static void bad_arch_files_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"nb_layers\": 0, \"kernel_size\": 3, \"hidden_dim\": 4}",
         "1: nb_layers: 0 is outside"},
        {"{\"nb_layers\": 1,\n\"kernel_size\": 3.5,\n\"hidden_dim\": 4}",
         "2: kernel_size: expected"},
        {"{\"nb_layers\": 1,\n\n\"kernel_size\": 3, \"hidden_dim\": -4}", "3: hidden_dim: -4"},
        {"{\"nb_layers\": 1, \"kernel_size\": 3}", "1: hidden_dim: missing"},
        {"{\"nb_layers\": 1, \"kernel_size\": 3, \"hidden_dim\": 4,\n \"hidden\": 4}",
         "2: hidden: unknown"},
        {"{\"nb_layers\": 1000,\n \"kernel_size\": 255, \n\"hidden_dim\": 1000000}",
         "3: hidden_dim: this model has 6.5e+19 parameters, whose weights would take 225 EiB"},
        {"{\"nb_layers\": 99999999999999999999999, \"kernel_size\": 1, \"hidden_dim\": 4}",
         "1: "},
        {"{\"nb_layers\": 1,\n \"nb_layers\": 2, \"kernel_size\": 1, \"hidden_dim\": 4}",
         "2: duplicate"},
        {"[1, 2]", "1: expected an object"},
        {"", "1: "},
        {"nb_layers: 3", "1: "},
    };
    archai_space *s = open_space("", NULL);
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;
    char deep[20000];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = archai_space_load_arch(s, cases[i].text, strlen(cases[i].text), &m, &err);

        assert_int_equal(archai_rc_exit_status(rc), 2);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
    }
    memset(deep, '[', sizeof deep);
    assert_int_equal(archai_space_load_arch(s, deep, sizeof deep, &m, &err), ARCHAI_EFORMAT);
    memset(deep, '\0', sizeof deep);
    assert_int_equal(archai_space_load_arch(s, deep, sizeof deep, &m, &err), ARCHAI_EFORMAT);
    archai_space_destroy(s);
}

static void bad_sections_are_refused_with_line_and_key(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[space]\nname = cnm\n",
         "t.ini:2: space.name: unknown 'cnm', expected one of: cnn segmentation_dag "
         "config natsbench_tss transformer_flex plugin; did you mean 'cnn'?"},
        {"[space]\nseed = 1\n", "t.ini:1: space.name: missing"},
        {"[space]\nname = cnn\nmax_layers = 0\n",
         "t.ini:3: space.max_layers: 0 is outside 1..100000"},
        {"[space]\nname = cnn\nmin_layers = 5\nmax_layers = 4\n",
         "t.ini:4: space.max_layers: 4 is less"},
        {"[space]\nname = cnn\nmin_layers = 13\n", "t.ini:1: space.max_layers: 12 is less"},
        {"[space]\nname = cnn\nkernel_list =\n", "t.ini:3: space.kernel_list: is empty"},
        {"[space]\nname = cnn\nhidden_list = 8 x\n",
         "t.ini:3: space.hidden_list: 'x' is not a number"},
        {"[space]\nname = cnn\nhidden_list = 2000000000\n",
         "t.ini:3: space.hidden_list: the largest model has 2.16e+21 parameters"},
        {"[other]\n", ": section [space] is missing"},
    };
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_ini ini;
        archai_space *s = NULL;
        int rc;

        assert_int_equal(
            archai_ini_parse(&ini, "t.ini", cases[i].text, strlen(cases[i].text), &err), 0);
        rc = archai_space_create(&s, &ini, NULL, &err);
        assert_int_equal(archai_rc_exit_status(rc), 2);
        assert_null(s);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
        archai_ini_free(&ini);
    }
}

static void every_architecture_can_be_named(void **state)
{
    archai_space *s = open_space(
        "min_layers = 2\nmax_layers = 4\nkernel_list = 3 3 5\nhidden_list = 8\n", NULL);
    char *seen[6];

    (void)state;
    assert_true(archai_space_cardinality(s) == 6.0);
    for (size_t i = 0; i < 6; i++) {
        archai_model m;

        assert_int_equal(s->ops->at(s, i, &m, NULL), 0);
        seen[i] = strdup(m.archid);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
        archai_model_fini(&m);
    }
    assert_int_equal(s->ops->at(s, 6, &(archai_model){.arch = NULL}, NULL), ARCHAI_EINVAL);
    for (size_t i = 0; i < 6; i++)
        free(seen[i]);
    archai_space_destroy(s);
}

static void a_cleared_model_has_no_children(void **state)
{
    archai_space *s = open_space("", NULL);
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m, child;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
    archai_model_clear(&m);
    assert_int_equal(archai_space_mutate(s, &m, &child, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "cleared"));
    archai_model_fini(&m);
    archai_space_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_those_of_the_document),
        cmocka_unit_test(the_document_is_reproduced),
        cmocka_unit_test(descriptions_are_those_of_pytorch),
        cmocka_unit_test(the_data_set_gives_channels_and_classes),
        cmocka_unit_test(even_kernels_shrink_as_in_the_document),
        cmocka_unit_test(bad_arch_files_are_refused_with_line_and_key),
        cmocka_unit_test(bad_sections_are_refused_with_line_and_key),
        cmocka_unit_test(every_architecture_can_be_named),
        cmocka_unit_test(a_cleared_model_has_no_children),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
