/* Samples, mutants, children, archids and encodings of the space of transformers, step by step
 * as Archai's Python drew them (transformer_flex_streams.json, golden_transformer_flex.json).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json_data.h"
#include "transformer.h"

static void assert_encoding(archai_space *s, const archai_model *m, const json_t *expected)
{
    float features[64];
    size_t i;
    json_t *v;

    assert_int_equal(s->encoding_size, json_array_size(expected));
    assert_int_equal(archai_space_encode(s, m, features, NULL), 0);
    json_array_foreach((json_t *)expected, i, v)
        assert_true(features[i] == (float)json_number_value(v));
}

/* `expected` is Archai's record of a model; null: it raised. Takes over the model. */
static void assert_model(archai_space *s, int rc, archai_model *m, const json_t *expected,
                         const char *arch_type)
{
    json_t *config;

    if (json_is_null(expected)) {
        assert_int_equal(rc, ARCHAI_ENONE);
        return;
    }
    assert_int_equal(rc, 0);
    assert_string_equal(m->archid, member(expected, "archid"));
    config = json_deep_copy(json_object_get(expected, "config"));
    json_object_set_new(config, "arch_type", json_string(arch_type));
    assert_true(json_equal(m->arch, config));
    json_decref(config);
    assert_encoding(s, m, json_object_get(expected, "encode"));
}

static void replay(const json_t *stream)
{
    const char *type = member(stream, "arch_type");
    const json_t *samples = json_object_get(stream, "random_sample"), *w;
    const json_t *crossed = json_object_get(stream, "crossover");
    archai_space *s =
        open_params(type, json_object_get(stream, "params"), json_object_get(stream, "seed"));
    archai_model m[12], last, child;
    size_t i;

    assert_int_equal(json_array_size(samples), 12);
    json_array_foreach((json_t *)samples, i, w)
        assert_model(s, archai_space_random_sample(s, &m[i], NULL), &m[i], w, type);
    archai_model_copy(&last, &m[0]);
    json_array_foreach(json_object_get(stream, "mutate_chain_from_first_sample"), i, w)
    {
        assert_model(s, archai_space_mutate(s, &last, &child, NULL), &child, w, type);
        if (!json_is_null(w)) {
            archai_model_fini(&last);
            last = child;
        }
    }
    archai_model_fini(&last);
    json_array_foreach((json_t *)crossed, i, w)
    {
        const json_t *pair = json_object_get(w, "parents"),
                     *wanted = json_object_get(w, "child");
        const archai_model *const parents[] = {&m[json_integer_value(json_array_get(pair, 0))],
                                               &m[json_integer_value(json_array_get(pair, 1))]};

        assert_model(s, archai_space_crossover(s, parents, 2, &child, NULL), &child, wanted,
                     type);
        if (!json_is_null(wanted))
            archai_model_fini(&child);
    }
    for (i = 0; i < 12; i++)
        archai_model_fini(&m[i]);
    archai_space_destroy(s);
}

static void streams_are_those_of_archai(void **state)
{
    json_t *streams = load_json_data("transformer_flex_streams.json"), *stream;
    size_t i;

    (void)state;
    json_array_foreach(streams, i, stream) replay(stream);
    assert_int_equal(json_array_size(streams), 8);
    json_decref(streams);
}

/* Two spaces in turn; each step is a sample, "mutate I" or "crossover I,J" of its samples. */
static void the_recorded_steps_are_those_of_archai(void **state)
{
    json_t *golden = load_json_data("golden_transformer_flex.json"), *step, *args = NULL;
    archai_space *s = NULL;
    archai_model samples[8], m;
    size_t i, n = 0;

    (void)state;
    json_array_foreach(json_object_get(golden, "steps"), i, step)
    {
        const char *op = member(step, "op"), *type;
        int a, b;

        if (args == NULL || !json_equal(args, json_object_get(step, "args"))) {
            json_t *params;

            while (n > 0)
                archai_model_fini(&samples[--n]);
            archai_space_destroy(s);
            args = json_object_get(step, "args");
            params = json_copy(args);
            json_object_del(params, "arch_type");
            json_object_del(params, "random_seed");
            s = open_params(member(args, "arch_type"), params,
                            json_object_get(args, "random_seed"));
            json_decref(params);
        }
        type = member(args, "arch_type");
        if (strcmp(op, "sample") == 0) {
            assert_model(s, archai_space_random_sample(s, &samples[n], NULL), &samples[n], step,
                         type);
            n++;
        } else if (sscanf(op, "mutate %d", &a) == 1) {
            assert_model(s, archai_space_mutate(s, &samples[a], &m, NULL), &m, step, type);
            archai_model_fini(&m);
        } else {
            assert_int_equal(sscanf(op, "crossover %d,%d", &a, &b), 2);
            assert_model(
                s,
                archai_space_crossover(
                    s, (const archai_model *const[]){&samples[a], &samples[b]}, 2, &m, NULL),
                &m, step, type);
            archai_model_fini(&m);
        }
    }
    assert_int_equal(i, 14);
    while (n > 0)
        archai_model_fini(&samples[--n]);
    archai_space_destroy(s);
    json_decref(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_those_of_archai),
        cmocka_unit_test(the_recorded_steps_are_those_of_archai),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
