/* Archai's own algorithms, candidate by candidate.
 *
 * algorithms.json and golden_algorithms.json hold what Archai's Python proposed, iteration by
 * iteration, in order. The generational schedule must propose the same, however many workers
 * there are and in whatever order their results come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/table/table.h"
#include "json_data.h"
#include "world.h"

static const struct {
    size_t workers;
    uint64_t order;
} clusters[] = {{1, 0}, {2, 11}, {4, 12}, {64, 13}};

static size_t add(char *text, size_t size, size_t used, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static size_t add(char *text, size_t size, size_t used, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    used += (size_t)vsnprintf(text + used, size - used, fmt, ap);
    va_end(ap);
    assert_true(used < size);
    return used;
}

static size_t add_values(char *text, size_t size, size_t used, const json_t *object)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)object, key, v) used =
        add(text, size, used, "%s = %lld\n", key, (long long)json_integer_value(v));
    return used;
}

/* -- algorithms.json: accuracy from a table ---------------------------------------------- */

static void look_up(const archai_trial *c, archai_trial *e, void *context)
{
    archai_measure *at = NULL;
    size_t n;

    assert_int_equal(archai_table_find(context, c->model.archid, c->model.arch, &at, &n, NULL),
                     ARCHAI_OK);
    archai_trial_set_measure(e, "accuracy",
                                                   archai_measure_get(at, n, "accuracy"));
    archai_measures_free(at, n);
}

static void config_of(const json_t *run, char *text, size_t size)
{
    size_t used = 0, i;
    json_t *o;

    used = add(text, size, used,
               "[search]\nalgorithm = %s\nschedule = generational\nseed = %lld\n",
               json_string_value(json_object_get(run, "algorithm")),
               (long long)json_integer_value(json_object_get(run, "algorithm_seed")));
    used = add_values(text, size, used, json_object_get(run, "algorithm_params"));
    used = add(text, size, used, "[space]\nname = cnn\nseed = %lld\n",
               (long long)json_integer_value(json_object_get(run, "space_seed")));
    json_array_foreach(json_object_get(run, "objectives"), i, o)
    {
        const json_t *constraint = json_object_get(o, "constraint");

        used = add(text, size, used, "[objective.%s]\ndirection = %s\n",
                   json_string_value(json_object_get(o, "name")),
                   json_string_value(json_object_get(o, "direction")));
        if (json_is_array(constraint))
            used = add(text, size, used, "constraint = %lld %lld\n",
                       (long long)json_integer_value(json_array_get(constraint, 0)),
                       (long long)json_integer_value(json_array_get(constraint, 1)));
    }
}

static void assert_front(const archai_search *s, const json_t *front)
{
    size_t i;
    json_t *member;

    assert_int_equal(s->front.n, json_array_size(front));
    json_array_foreach((json_t *)front, i, member)
    {
        size_t k = 0;

        while (k < s->front.n &&
               strcmp(s->records[s->front.tags[k]].archid, json_string_value(member)) != 0)
            k++;
        assert_true(k < s->front.n);
    }
}

static void assert_run(const json_t *run, archai_table *table, size_t workers, uint64_t order)
{
    char text[4096], seen[256][128];
    struct log log = {.rows = NULL};
    size_t iteration, i, row = 0, n_seen = 0;
    json_t *batch, *archid;
    struct world w;

    config_of(run, text, sizeof text);
    world_open(&w, text);
    drive(&w, look_up, table, workers, order, SIZE_MAX, &log);
    json_array_foreach(json_object_get(run, "evaluated_per_iteration"), iteration, batch)
        json_array_foreach(batch, i, archid)
    {
        size_t k = 0;

        assert_true(row < log.n);
        assert_string_equal(log.rows[row].archid, json_string_value(archid));
        assert_int_equal(log.rows[row].generation, iteration);
        while (k < n_seen && strcmp(seen[k], log.rows[row].archid) != 0)
            k++;
        assert_int_equal(log.rows[row].status,
                         k < n_seen ? ARCHAI_STATUS_CACHED : ARCHAI_STATUS_OK);
        if (k == n_seen)
            (void)snprintf(seen[n_seen++], sizeof *seen, "%s", log.rows[row].archid);
        row++;
    }
    assert_int_equal(log.n, row);
    assert_int_equal(log.evaluated, n_seen);
    assert_int_equal(w.search.n_finished, n_seen);
    assert_front(&w.search, json_object_get(run, "pareto_front"));
    log_free(&log);
    world_close(&w);
}

static void candidates_are_archais(void **state)
{
    json_t *runs = load_json_data("algorithms.json"), *run;
    archai_table *table = NULL;
    size_t i;

    (void)state;
    assert_int_equal(archai_table_open(&table, ARCHAI_TEST_DATA "/cnn_table.csv", NULL),
                     ARCHAI_OK);
    json_array_foreach(runs, i, run) for (size_t k = 0; k < sizeof clusters / sizeof *clusters;
                                          k++)
        assert_run(run, table, clusters[k].workers, clusters[k].order);
    archai_table_close(table);
    json_decref(runs);
}

/* -- golden_algorithms.json: a closed form, with parents --------------------------------- */

static void score(const archai_trial *c, archai_trial *e, void *context)
{
    const int sum = 7 * arch_int(c, "nb_layers") + 3 * arch_int(c, "kernel_size") +
                    arch_int(c, "hidden_dim");

    (void)context;
    archai_trial_set_measure(e, "score", (sum % 101) / 100.0);
}

static const struct {
    const char *run, *settings, *constraint;
} golden[] = {
    {"evolution_pareto",
     "algorithm = evolution_pareto\nnum_iters = 4\ninit_num_models = 6\nnum_random_mix = 3\n"
     "mutations_per_parent = 2\nnum_crossovers = 3\nmax_unseen_population = 8\n",
     ""},
    {"evolution_pareto_constraint_0_200000",
     "algorithm = evolution_pareto\nnum_iters = 4\ninit_num_models = 6\nnum_random_mix = 3\n"
     "mutations_per_parent = 2\nnum_crossovers = 3\nmax_unseen_population = 8\n",
     "constraint = 0 200000\n"},
    {"random_search", "algorithm = random_search\nnum_iters = 3\nsamples_per_iter = 5\n", ""},
    {"local_search",
     "algorithm = local_search\nnum_iters = 4\ninit_num_models = 6\nmutations_per_parent = 2\n",
     ""},
    {"regularized_evolution",
     "algorithm = regularized_evolution\nnum_iters = 6\ninit_num_models = 6\n"
     "pareto_sample_size = 5\nhistory_size = 10\n",
     ""},
};

/* Archai joins the archids of a crossover by a comma, which archids hold too. */
static void assert_parents(const struct log_row *row, const json_t *expected)
{
    const char *one = json_string_value(json_object_get(expected, "parent"));
    const char *two = json_string_value(json_object_get(expected, "parents"));
    json_t *parents = json_loads(row->parents, 0, NULL);
    char joined[512] = "";

    assert_non_null(parents);
    if (json_array_size(parents) == 1)
        (void)snprintf(joined, sizeof joined, "%s",
                       json_string_value(json_array_get(parents, 0)));
    else if (json_array_size(parents) == 2)
        (void)snprintf(joined, sizeof joined, "%s,%s",
                       json_string_value(json_array_get(parents, 0)),
                       json_string_value(json_array_get(parents, 1)));
    assert_string_equal(joined, one != NULL ? one : two != NULL ? two : "");
    assert_string_equal(row->operator_, one != NULL   ? "mutation"
                                        : two != NULL ? "crossover"
                                                      : "random");
    json_decref(parents);
}

static void traces_are_archais(void **state)
{
    json_t *root = load_json_data("golden_algorithms.json");

    (void)state;
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++)
        for (size_t k = 0; k < sizeof clusters / sizeof *clusters; k++) {
            const json_t *rows = json_object_get(json_object_get(root, "runs"), golden[g].run);
            struct log log = {.rows = NULL};
            char text[1024];
            struct world w;
            size_t i;
            json_t *row;

            (void)add(
                text, sizeof text, 0,
                "[search]\nschedule = generational\nseed = 1\n%s[space]\nname = cnn\nseed = 1\n"
                "[objective.cost]\nsource = params\ndirection = minimize\n%s"
                "[objective.score]\ndirection = maximize\n",
                golden[g].settings, golden[g].constraint);
            world_open(&w, text);
            drive(&w, score, NULL, clusters[k].workers, clusters[k].order, SIZE_MAX, &log);
            assert_int_equal(log.n, json_array_size(rows));
            json_array_foreach((json_t *)rows, i, row)
            {
                assert_string_equal(log.rows[i].archid,
                                    json_string_value(json_object_get(row, "archid")));
                assert_int_equal(log.rows[i].generation,
                                 json_integer_value(json_object_get(row, "iter")));
                assert_true(log.rows[i].values[0] ==
                            json_real_value(json_object_get(row, "cost")));
                assert_true(log.rows[i].values[1] ==
                            json_real_value(json_object_get(row, "score")));
                assert_parents(&log.rows[i], row);
            }
            log_free(&log);
            world_close(&w);
        }
    json_decref(root);
}

/* The first `POPULATION` beat all others and each other nowhere. */
enum { POPULATION = 5 };

static void first_ones_stay(const archai_trial *c, archai_trial *e, void *context)
{
    const bool first = c->id < POPULATION;
    const double id = (double)c->id;

    (void)context;
    archai_trial_set_measure(e, "a", first ? id : 100);
    archai_trial_set_measure(e, "b", first ? -id : 100);
}

/* Without generations, too, each member of the front has as many mutants as any other. */
static void local_search_takes_turns(void **state)
{
    struct log log = {.rows = NULL};
    struct world w;

    (void)state;
    world_open(&w, "[search]\nalgorithm = local_search\nschedule = async\nseed = 2\n"
                   "init_num_models = 5\n[space]\nname = cnn\nseed = 3\n"
                   "[objective.a]\ndirection = minimize\n[objective.b]\ndirection = minimize\n");
    drive(&w, first_ones_stay, NULL, 1, 0, POPULATION * 9, &log);
    assert_int_equal(log.n, POPULATION * 9);
    for (size_t i = 0; i < POPULATION; i++) {
        size_t children = 0;

        for (size_t k = POPULATION; k < log.n; k++)
            children += strstr(log.rows[k].parents, log.rows[i].archid) != NULL;
        assert_int_equal(children, 8);
    }
    log_free(&log);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_are_archais),
        cmocka_unit_test(traces_are_archais),
        cmocka_unit_test(local_search_takes_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
