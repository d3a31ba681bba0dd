/* The segmentation space draws what Archai's does: segmentation_dag_streams.json and
 * golden_segmentation_dag.json are what its code drew, published_archids.json what its
 * documentation prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json_data.h"
#include "segmentation.h"

enum { MAX_MODELS = 64 };

/* Archid and genome, and how many parameters the described network has where it is told. */
static void assert_model(archai_space *s, const json_t *expected, const archai_model *m)
{
    const json_t *params = json_object_get(expected, "num_params");
    const json_t *more = json_object_get(expected, "nparams");
    archai_network net;

    assert_string_equal(m->archid, member(expected, "archid"));
    assert_true(json_equal(m->arch, json_object_get(expected, "config")));
    params = params != NULL ? params : more;
    if (params == NULL)
        return;
    assert_int_equal(archai_space_describe(s, m, &net, NULL), 0);
    assert_int_equal(archai_module_params(net.root), json_integer_value(params));
    archai_network_fini(&net);
}

/* Closed form, description and what Archai measured agree. */
static void assert_madd(archai_space *s, const json_t *expected, const archai_model *m)
{
    int64_t madd = json_integer_value(json_object_get(m->metadata, "macs"));
    archai_network net;
    archai_counts counts;

    if (expected != NULL)
        assert_int_equal(madd, json_integer_value(expected));
    assert_int_equal(archai_space_describe(s, m, &net, NULL), 0);
    assert_int_equal(archai_network_count(&net, &counts, NULL), 0);
    assert_int_equal(counts.madd, madd);
    archai_network_fini(&net);
}

/* Each mutation is of the last child that was not null. */
static void replay_chain(archai_space *s, const json_t *chain, const archai_model *first)
{
    archai_model last, next;
    const json_t *step;
    size_t i;

    archai_model_copy(&last, first);
    json_array_foreach((json_t *)chain, i, step)
    {
        int rc = archai_space_mutate(s, &last, &next, NULL);

        if (json_is_null(step)) {
            assert_int_equal(rc, ARCHAI_ENONE);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_model(s, step, &next);
        assert_string_equal(member(next.metadata, "parent"), member(step, "parent"));
        archai_model_fini(&last);
        last = next;
    }
    archai_model_fini(&last);
}

static void replay_crossovers(archai_space *s, const json_t *list, const archai_model *m,
                              size_t n)
{
    const json_t *step;
    size_t i;

    json_array_foreach((json_t *)list, i, step)
    {
        const archai_model *parents[] = {&m[i % n], &m[(3 * i + 1) % n]};
        const json_t *expected = json_object_get(step, "child");
        archai_model child;
        int rc = archai_space_crossover(s, parents, 2, &child, NULL);

        for (size_t k = 0; k < 2; k++)
            assert_string_equal(parents[k]->archid, json_string_value(json_array_get(
                                                        json_object_get(step, "parents"), k)));
        if (json_is_null(expected)) {
            assert_int_equal(rc, ARCHAI_ENONE);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_model(s, expected, &child);
        assert_string_equal(member(child.metadata, "parents"), member(expected, "parents"));
        archai_model_fini(&child);
    }
}

static void replay_stream(const json_t *stream)
{
    const json_t *samples = json_object_get(stream, "random_sample");
    archai_space *s =
        open_params(json_object_get(stream, "params"), json_object_get(stream, "seed"));
    archai_model m[MAX_MODELS];
    size_t n = json_array_size(samples);

    assert_in_range(n, 1, MAX_MODELS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(archai_space_random_sample(s, &m[i], NULL), 0);
        assert_model(s, json_array_get(samples, i), &m[i]);
        assert_madd(s, NULL, &m[i]);
    }
    replay_chain(s, json_object_get(stream, "mutate_chain_from_first_sample"), &m[0]);
    replay_crossovers(s, json_object_get(stream, "crossover"), m, n);
    for (size_t i = 0; i < n; i++)
        archai_model_fini(&m[i]);
    archai_space_destroy(s);
}

static void streams_are_those_of_archai(void **state)
{
    json_t *streams = load_json_data("segmentation_dag_streams.json"), *stream;
    size_t i;

    (void)state;
    json_array_foreach(streams, i, stream) replay_stream(stream);
    assert_true(json_array_size(streams) > 1);
    json_decref(streams);
}

static int apply(archai_space *s, const json_t *op, const archai_model *m, archai_model *out)
{
    const json_t *of = json_object_get(op, "of");

    if (strcmp(member(op, "op"), "random_sample") == 0)
        return archai_space_random_sample(s, out, NULL);
    if (strcmp(member(op, "op"), "mutate") == 0)
        return archai_space_mutate(s, &m[json_integer_value(of)], out, NULL);
    return archai_space_crossover(
        s,
        (const archai_model *const[]){&m[json_integer_value(json_array_get(of, 0))],
                                      &m[json_integer_value(json_array_get(of, 1))]},
        2, out, NULL);
}

static void replay_run(const json_t *run)
{
    archai_space *s = open_params(json_object_get(run, "args"), NULL);
    archai_model samples[MAX_MODELS];
    size_t n = 0, i;
    const json_t *op;

    json_array_foreach(json_object_get(run, "ops"), i, op)
    {
        bool sampled = strcmp(member(op, "op"), "random_sample") == 0;
        archai_model m;
        int rc = apply(s, op, samples, &m);

        if (member(op, "archid") == NULL) {
            assert_int_equal(rc, ARCHAI_ENONE);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_model(s, op, &m);
        if (sampled)
            assert_madd(s, json_object_get(op, "madd"), &m);
        if (sampled)
            samples[n++] = m;
        else
            archai_model_fini(&m);
    }
    while (n > 0)
        archai_model_fini(&samples[--n]);
    archai_space_destroy(s);
}

static void golden_runs_are_those_of_archai(void **state)
{
    json_t *golden = load_json_data("golden_segmentation_dag.json"), *run;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(golden, "runs"), i, run) replay_run(run);
    json_decref(golden);
}

static void published_archids_are_drawn(void **state)
{
    json_t *published = load_json_data("published_archids.json");
    const json_t *ids = json_object_get(published, "then_ten_samples");
    archai_space *s =
        open_params(json_object_get(published, "params"), json_object_get(published, "seed"));
    archai_model first, m;

    (void)state;
    assert_int_equal(archai_space_random_sample(s, &first, NULL), 0);
    assert_int_equal(archai_space_mutate(s, &first, &m, NULL), 0);
    archai_model_fini(&m);
    archai_model_fini(&first);
    for (size_t i = 0; i < 2 + json_array_size(ids); i++) {
        assert_int_equal(archai_space_random_sample(s, &m, NULL), 0);
        if (i >= 2)
            assert_string_equal(m.archid, json_string_value(json_array_get(ids, i - 2)));
        archai_model_fini(&m);
    }
    archai_space_destroy(s);
    json_decref(published);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_those_of_archai),
        cmocka_unit_test(golden_runs_are_those_of_archai),
        cmocka_unit_test(published_archids_are_drawn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
