/* One conformance suite for every space in the registry: what algorithms, tools and evaluators
 * rely on. A new space is tested by existing; one that has required keys adds them to
 * `required`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/space.h"
#include "tied_values.h"

enum { SAMPLES = 30 };

/* Keys without a default, and others that keep a model small. */
static const struct {
    const char *name, *keys;
} required[] = {
    {"config", "tree = \"" ARCHAI_TEST_DATA "/config_tree.json\"\n"},
    {"segmentation_dag", "nb_classes = 3\nimg_size = 64 32\nmax_layers = 5\n"},
    {"transformer_flex", "arch_type = gpt2-flex\n"},
};

static const archai_space_ops *ops; /* at work */

static archai_space *open_space(int seed)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {.n = 0};
    archai_space *s = NULL;
    const char *keys = "";
    char text[1024];
    int n;

    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (strcmp(required[i].name, ops->name) == 0)
            keys = required[i].keys;
    n = snprintf(text, sizeof text, "[space]\nname = %s\nseed = %d\n%s", ops->name, seed, keys);
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, &err), 0);
    if (archai_space_create(&s, &ini, NULL, &err) != 0)
        fail_msg("%s: %s", ops->name, err.text);
    archai_ini_free(&ini);
    return s;
}

static void sample(archai_space *s, archai_model *out)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_space_random_sample(s, out, &err) != 0)
        fail_msg("%s: %s", ops->name, err.text);
}

static char *save(archai_space *s, const archai_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *text = NULL;

    if (archai_space_save_arch(s, m, &text, &err) != 0)
        fail_msg("%s: %s", ops->name, err.text);
    return text;
}

/* What save_arch writes, load_arch reads: the same identity and the same text again. */
static void assert_round_trip(archai_space *s, const archai_model *m)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model loaded;
    char *text = save(s, m), *again;

    if (archai_space_load_arch(s, text, strlen(text), &loaded, &err) != 0)
        fail_msg("%s: %s: %s", ops->name, text, err.text);
    assert_string_equal(loaded.archid, m->archid);
    again = save(s, &loaded);
    assert_string_equal(text, again);
    free(again);
    free(text);
    archai_model_fini(&loaded);
    if (archai_space_load_json(s, m->arch, &loaded, &err) != 0)
        fail_msg("%s: %s", ops->name, err.text);
    assert_string_equal(loaded.archid, m->archid);
    archai_model_fini(&loaded);
}

static void assert_model(archai_space *s, const archai_model *m)
{
    assert_non_null(m->arch);
    assert_true(json_is_object(m->metadata));
    assert_true(m->archid[0] != '\0' && strchr(m->archid, '/') == NULL);
    assert_round_trip(s, m);
}

static void the_table_is_complete(void **state)
{
    (void)state;
    assert_int_equal(ops->abi, ARCHAI_SPACE_ABI);
    assert_non_null(ops->help);
    assert_non_null(ops->options);
    assert_non_null(ops->init);
    assert_non_null(ops->random_sample);
    assert_non_null(ops->load_arch);
    assert_true(ops->size >= sizeof(archai_space));
    assert_true(ops->at == NULL || ops->cardinality != NULL);
    for (const archai_option *o = ops->options; o->key != NULL; o++)
        for (const archai_option *c = archai_space_common_options; c->key != NULL; c++)
            assert_string_not_equal(o->key, c->key);
}

static void samples_are_models(void **state)
{
    archai_space *s = open_space(3);

    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        archai_model m;

        sample(s, &m);
        assert_model(s, &m);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

/* Children are models of their own; the parents stay as they were. No child is an answer too.
 */
static void children_leave_their_parents_alone(void **state)
{
    archai_space *s = open_space(5);
    archai_model p[3], child;
    const archai_model *const parents[] = {&p[0], &p[1], &p[2]};
    char *before[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        sample(s, &p[i]);
        before[i] = save(s, &p[i]);
    }
    for (int i = 0; i < 2 * SAMPLES; i++) {
        bool mutate = i % 2 == 0;
        archai_err err = ARCHAI_ERR_INIT;
        int rc = mutate ? archai_space_mutate(s, &p[i % 3], &child, &err)
                        : archai_space_crossover(s, parents, 2 + (size_t)i % 2, &child, &err);

        if (rc == ARCHAI_ENOTSUP) {
            assert_false(archai_space_can(s, mutate ? "mutate" : "crossover"));
            continue;
        }
        if (rc != ARCHAI_ENONE) {
            if (rc != ARCHAI_OK)
                fail_msg("%s: %s", ops->name, err.text);
            assert_model(s, &child);
            archai_model_fini(&child);
        }
    }
    for (int i = 0; i < 3; i++) {
        char *after = save(s, &p[i]);

        assert_string_equal(before[i], after);
        free(after);
        free(before[i]);
        archai_model_fini(&p[i]);
    }
    archai_space_destroy(s);
}

static void a_seed_fixes_the_stream(void **state)
{
    archai_space *s[2] = {open_space(7), open_space(7)};

    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        archai_model m[2], child[2];
        int rc[2];

        for (int k = 0; k < 2; k++) {
            sample(s[k], &m[k]);
            rc[k] = archai_space_mutate(s[k], &m[k], &child[k], NULL);
        }
        assert_string_equal(m[0].archid, m[1].archid);
        assert_int_equal(rc[0], rc[1]);
        if (rc[0] == ARCHAI_OK)
            assert_string_equal(child[0].archid, child[1].archid);
        for (int k = 0; k < 2; k++) {
            archai_model_fini(&m[k]);
            if (rc[k] == ARCHAI_OK)
                archai_model_fini(&child[k]);
        }
    }
    archai_space_destroy(s[0]);
    archai_space_destroy(s[1]);
}

static void encodings_have_a_fixed_length(void **state)
{
    archai_space *s = open_space(11);
    float *out = calloc(s->encoding_size + 2, sizeof *out), *again;

    (void)state;
    again = calloc(s->encoding_size + 1, sizeof *again);
    assert_true((s->encoding_size > 0) == archai_space_can(s, "encode"));
    if (ops->encoding_kinds != NULL) {
        const char *kinds = ops->encoding_kinds(s);

        assert_int_equal(strlen(kinds), s->encoding_size);
        assert_int_equal(strspn(kinds, "cns"), s->encoding_size);
    }
    for (int i = 0; i < SAMPLES && archai_space_can(s, "encode"); i++) {
        archai_model m, loaded;

        sample(s, &m);
        out[s->encoding_size] = 4711.0f; /* not written beyond the end */
        assert_int_equal(archai_space_encode(s, &m, out, NULL), 0);
        assert_true(out[s->encoding_size] == 4711.0f);
        assert_int_equal(archai_space_load_json(s, m.arch, &loaded, NULL), 0);
        assert_int_equal(archai_space_encode(s, &loaded, again, NULL), 0);
        assert_memory_equal(out, again, s->encoding_size * sizeof *out);
        archai_model_fini(&loaded);
        archai_model_fini(&m);
    }
    free(again);
    free(out);
    archai_space_destroy(s);
}

/* Trainable entries of the state_dict, summed, are the parameters; names are found once. */
static void assert_state(const archai_network *net, int64_t params)
{
    archai_state_entry *at;
    int64_t trainable = 0;
    size_t n;

    at = archai_module_state(net->root, &n);
    for (size_t i = 0; i < n; i++) {
        int64_t elements = 1;

        for (int d = 0; d < at[i].ndim; d++)
            elements *= at[i].shape[d];
        if (strstr(at[i].name, "running_") == NULL && at[i].dtype == ARCHAI_F32)
            trainable += elements;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(at[i].name, at[j].name);
    }
    assert_int_equal(trainable - tied_values(net->root), params);
    archai_state_free(at, n);
}

static void descriptions_count_print_and_draw(void **state)
{
    archai_space *s = open_space(13);

    (void)state;
    for (int i = 0; i < SAMPLES && archai_space_can(s, "describe"); i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_model m;
        archai_network net;
        archai_counts counts;
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        sample(s, &m);
        assert_int_equal(archai_space_describe(s, &m, &net, &err), 0);
        if (archai_network_count(&net, &counts, &err) != 0)
            fail_msg("%s: %s: %s", ops->name, m.archid, err.text);
        assert_true(counts.params > 0);
        assert_int_equal(counts.params, archai_module_params(net.root));
        assert_state(&net, counts.params);
        assert_int_equal(archai_network_dot(&net, m.archid, out), 0);
        assert_int_equal(archai_space_print(s, &m, out, &err), 0);
        assert_int_equal(fclose(out), 0);
        assert_non_null(strstr(text, m.archid));
        free(text);
        archai_network_fini(&net);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

static void enumeration_names_each_architecture_once(void **state)
{
    archai_space *s = open_space(1);
    double cardinality = archai_space_cardinality(s);
    char *seen[200];
    size_t n = 0;

    (void)state;
    assert_true(cardinality >= 1.0);
    if (archai_space_can(s, "at")) {
        for (; n < 200 && (double)n < cardinality; n++) {
            archai_model m;

            assert_int_equal(ops->at(s, n, &m, NULL), 0);
            assert_model(s, &m);
            seen[n] = strdup(m.archid);
            for (size_t j = 0; j < n; j++)
                assert_string_not_equal(seen[j], seen[n]);
            archai_model_fini(&m);
        }
        if (cardinality < 0x1p63)
            assert_int_not_equal(
                ops->at(s, (uint64_t)cardinality, &(archai_model){.arch = NULL}, NULL), 0);
    }
    for (size_t i = 0; i < n; i++)
        free(seen[i]);
    archai_space_destroy(s);
}

/* What a space counts by itself is what its network gives, well or not. */
static void assert_counts(archai_space *s, const archai_model *m)
{
    archai_counts a = {.params = 0}, b = {.params = 0};
    archai_network net = {.root = NULL};
    int rc;

    if (!archai_space_can(s, "describe"))
        return;
    rc = archai_space_describe(s, m, &net, NULL);
    if (rc == ARCHAI_OK)
        rc = archai_network_count(&net, &a, NULL);
    archai_network_fini(&net);
    assert_int_equal(archai_space_count(s, m, &b, NULL), rc);
    if (rc != ARCHAI_OK)
        return;
    assert_true(a.params == b.params && a.macs == b.macs && a.flops == b.flops && a.madd == b.madd);
    assert_true(archai_shape_equal(&a.output, &b.output));
}

/* Refused with a reason, or a model that can be used like any other. */
static void try_arch(archai_space *s, const json_t *arch)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_model m;
    float *encoding = calloc(s->encoding_size + 1, sizeof *encoding);
    int rc = archai_space_load_json(s, arch, &m, &err);

    if (rc == ARCHAI_OK) {
        assert_counts(s, &m);
        if (archai_space_can(s, "encode"))
            (void)archai_space_encode(s, &m, encoding, &err);
        archai_model_fini(&m);
    } else {
        assert_int_equal(archai_rc_exit_status(rc), 2);
        assert_true(err.text[0] != '\0');
    }
    free(encoding);
}

static json_t *bad_value(size_t i)
{
    switch (i) {
    case 0:
        return json_null();
    case 1:
        return json_integer(INT64_MAX);
    case 2:
        return json_integer(-1);
    case 3:
        return json_integer(0);
    case 4:
        return json_real(0.5);
    case 5:
        return json_string("nonsense/..");
    case 6:
        return json_array();
    case 7:
        return json_object();
    case 8:
        return json_true();
    case 9:
        return json_pack("[[[{s:[]}]]]", "x");
    default:
        return NULL;
    }
}

/* Every value of an architecture in turn, at any depth, replaced by something else. */
static void spoil(archai_space *s, json_t *root, json_t *at)
{
    json_t *value;

    for (void *i = json_object_iter(at); i != NULL; i = json_object_iter_next(at, i)) {
        json_t *kept = json_incref(json_object_iter_value(i));

        for (size_t b = 0; (value = bad_value(b)) != NULL; b++) {
            (void)json_object_iter_set_new(at, i, value);
            try_arch(s, root);
        }
        (void)json_object_iter_set_new(at, i, kept);
        spoil(s, root, kept);
    }
    for (size_t i = 0; i < json_array_size(at); i++) {
        json_t *kept = json_incref(json_array_get(at, i));

        for (size_t b = 0; (value = bad_value(b)) != NULL; b++) {
            (void)json_array_set_new(at, i, value);
            try_arch(s, root);
        }
        (void)json_array_set_new(at, i, kept);
        spoil(s, root, kept);
    }
}

static void hostile_architectures_do_no_harm(void **state)
{
    archai_space *s = open_space(17);
    json_t *value;

    (void)state;
    for (size_t b = 0; (value = bad_value(b)) != NULL; b++) {
        try_arch(s, value);
        json_decref(value);
    }
    for (int i = 0; i < 5; i++) {
        archai_model m;
        json_t *arch;

        sample(s, &m);
        arch = json_deep_copy(m.arch);
        spoil(s, arch, arch);
        json_decref(arch);
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_complete),
        cmocka_unit_test(samples_are_models),
        cmocka_unit_test(children_leave_their_parents_alone),
        cmocka_unit_test(a_seed_fixes_the_stream),
        cmocka_unit_test(encodings_have_a_fixed_length),
        cmocka_unit_test(descriptions_count_print_and_draw),
        cmocka_unit_test(enumeration_names_each_architecture_once),
        cmocka_unit_test(hostile_architectures_do_no_harm),
    };
    int failed = 0;

    for (size_t i = 0; archai_spaces[i] != NULL; i++) {
        ops = archai_spaces[i];
        failed += cmocka_run_group_tests_name(ops->name, tests, NULL, NULL);
    }
    return failed;
}
