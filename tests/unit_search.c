/* The search around every registered algorithm: duplicates, ends, failures, beginnings.
 *
 * The space is the cnn one with its 192 architectures, small enough to be exhausted. What is
 * true of one algorithm must be true of all, so the tests run over the registry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "small_search.h"
#include "tmpdir.h"

static void fail_always(const archai_trial *c, archai_trial *e, void *context)
{
    (void)c;
    (void)context;
    archai_trial_set_measure(e, "accuracy", NAN);
}

static void fail_first(const archai_trial *c, archai_trial *e, void *context)
{
    if (c->id < 25)
        fail_always(c, e, context);
    else
        accuracy(c, e, context);
}

/* -- inheritance --------------------------------------------------------------------------- */

struct family {
    struct world w;
    size_t children;
};

/* Where the weights of an evaluation would lie. */
static int64_t place_of(int64_t id)
{
    return 1000 + id;
}

static void be_kept(const archai_trial *c, archai_trial *e, void *context)
{
    struct family *f = context;
    json_t *parents = json_loads(c->parents, 0, NULL);
    const char *first = json_string_value(json_array_get(parents, 0));

    assert_true(c->keep && c->max_budget == 0);
    if (first != NULL) {
        const archai_record *r = archai_search_find(&f->w.search, first, 0);

        assert_non_null(r);
        f->children++;
        assert_true(c->begin_at == (r->status == ARCHAI_STATUS_OK ? place_of(r->id) : 0));
    } else {
        assert_true(c->begin_at == 0);
    }
    json_decref(parents);
    accuracy(c, e, NULL);
    assert_true(archai_search_keeps(&f->w.search, e));
    e->stored = place_of(c->id);
}

/* A child begins with the weights of its first parent, whoever breeds; who does not is refused. */
static void children_know_where_their_parents_weights_lie(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            const char *text = config((*ops)->name, schedule, "[train]\ninherit_weights = yes\n");
            struct log log = {.rows = NULL};
            struct family f = {.children = 0};
            archai_err err = ARCHAI_ERR_INIT;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            if (!(*ops)->breeds) {
                assert_int_equal(world_try(&f.w, text, &err), ARCHAI_EINVAL);
                assert_non_null(strstr(err.text, "train.inherit_weights: what "));
                assert_non_null(strstr(err.text, "has no parents to inherit from"));
                continue;
            }
            world_open(&f.w, text);
            drive(&f.w, be_kept, &f, 3, 7, 60, &log);
            assert_true(f.children > 10);
            log_free(&log);
            world_close(&f.w);
        }
}

/* -- ends -------------------------------------------------------------------------------- */

static void a_space_is_tried_to_the_last_one(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (size_t workers = 1; has_schedule(*ops, ARCHAI_ASYNC) && workers < 100;
             workers *= 7) {
            struct log log = {.rows = NULL};
            struct world w;

            world_open(&w, config((*ops)->name, ARCHAI_ASYNC, ""));
            drive(&w, accuracy, NULL, workers, workers, SIZE_MAX, &log);
            assert_string_equal(w.search.done, "all 192 architectures of the space were tried");
            assert_true(log.evaluated >= MODELS);
            assert_int_equal(count_different(&log), log.evaluated);
            assert_int_equal(log.n, log.evaluated);
            log_free(&log);
            world_close(&w);
        }
}

static void constraints_are_kept(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            struct log log = {.rows = NULL};
            struct world w;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            world_open(&w, constrained((*ops)->name, schedule, "", "constraint = 0 30000\n"));
            drive(&w, accuracy, NULL, 8, 77, SIZE_MAX, &log);
            assert_true(log.n > 0);
            for (size_t i = 0; i < log.n; i++)
                assert_true(log.rows[i].values[1] <= 30000);
            assert_true(w.search.rejected > 0);
            if (schedule == 0)
                assert_non_null(
                    strstr(w.search.done, "that satisfy the constraints were tried"));
            log_free(&log);
            world_close(&w);
        }
}

static void an_unsatisfiable_constraint_ends(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            struct log log = {.rows = NULL};
            struct world w;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            world_open(&w, constrained((*ops)->name, schedule, "", "constraint = 0 10\n"));
            drive(&w, accuracy, NULL, 4, 1, SIZE_MAX, &log);
            assert_int_equal(log.n, 0);
            assert_string_equal(
                w.search.done,
                schedule == 0
                    ? "none of the space's 192 architectures satisfies the constraints"
                    : "iteration 0 found no new architecture that satisfies the "
                      "constraints");
            log_free(&log);
            world_close(&w);
        }
}

/* Without enumeration the end is found by drawing in vain. */
static void an_end_without_enumeration(void **state)
{
    const archai_search_settings settings = {.algorithm = "evolution_pareto", .seed = 3};
    struct log log = {.rows = NULL};
    size_t last, known, violating;
    archai_space_ops ops;
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    archai_search_fini(&w.search);
    ops = *w.space->ops;
    ops.at = NULL;
    ops.cardinality = NULL;
    w.space->ops = &ops;
    assert_int_equal(
        archai_search_init(&w.search, w.space, &w.objectives, &settings, &w.ini, NULL),
        ARCHAI_OK);
    drive(&w, accuracy, NULL, 5, 9, SIZE_MAX, &log);
    assert_int_equal(log.evaluated, MODELS);
    assert_int_equal(sscanf(w.search.done,
                            "nothing new among the last %zu proposals: %zu were tried before, "
                            "%zu violate a constraint",
                            &last, &known, &violating),
                     3);
    assert_int_equal(violating, 0);
    assert_true(known > 0 && known == last);
    log_free(&log);
    world_close(&w);
}

static void failures_never_reach_the_front(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++)
            for (int always = 0; always < 2; always++) {
                struct log log = {.rows = NULL};
                struct world w;

                if (!has_schedule(*ops, (archai_schedule)schedule))
                    continue;
                world_open(&w, config((*ops)->name, schedule, ""));
                drive(&w, always ? fail_always : fail_often, NULL, 6, 5, 120, &log);
                assert_true(log.evaluated > 0);
                assert_int_equal(w.search.front.n == 0, always);
                for (size_t i = 0; i < w.search.front.n; i++)
                    assert_int_equal(w.search.records[w.search.front.tags[i]].status,
                                     ARCHAI_STATUS_OK);
                log_free(&log);
                world_close(&w);
            }
}

/* Through, and it says why. */
static bool has_ended(const struct world *w)
{
    return w->search.done[0] != '\0';
}

/* Whatever an objective that is always NaN leaves to propose, the search comes to an end and
 * says why. */
static void an_objective_that_is_always_nan_ends(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            struct log log = {.rows = NULL};
            struct world w;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            world_open(&w, config((*ops)->name, schedule, ""));
            drive(&w, fail_always, NULL, 6, 5, SIZE_MAX, &log);
            assert_true(has_ended(&w));
            assert_int_equal(w.search.front.n, 0);
            assert_null(strstr(w.search.done, "constraint")); /* there is none */
            assert_true(log.evaluated > 0);
            assert_true(log.evaluated <= MODELS);
            for (size_t i = 0; i < log.n; i++)
                assert_int_equal(log.rows[i].status, ARCHAI_STATUS_FAILED);
            if (schedule == ARCHAI_ASYNC)
                assert_int_equal(log.evaluated, MODELS);
            log_free(&log);
            world_close(&w);
        }
}

/* Where nothing is there to breed from after the first iterations, the next ones are random. */
static void generations_that_fail_begin_again(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log log = {.rows = NULL};
        struct world w;

        if (!has_schedule(*ops, ARCHAI_GENERATIONAL) ||
            strcmp((*ops)->name, "successive_halving") == 0)
            continue;
        world_open(&w, config((*ops)->name, ARCHAI_GENERATIONAL, ""));
        drive(&w, fail_first, NULL, 6, 5, SIZE_MAX, &log);
        assert_true(log.evaluated > 25);
        assert_true(w.search.front.n > 0);
        log_free(&log);
        world_close(&w);
    }
}

/* Many more iterations than the space has architectures: each is evaluated at most once per
 * budget. */
static void generations_of_a_small_space_end(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log log = {.rows = NULL};
        struct world w;

        if (!has_schedule(*ops, ARCHAI_GENERATIONAL))
            continue;
        world_open(&w, constrained((*ops)->name, ARCHAI_GENERATIONAL, "num_iters = 60\n",
                                   "constraint = 0 3000\n"));
        drive(&w, accuracy, NULL, 6, 5, SIZE_MAX, &log);
        assert_true(has_ended(&w));
        assert_true(log.evaluated > 0);
        for (size_t i = 0; i < log.n; i++)
            assert_true(log.rows[i].status == ARCHAI_STATUS_OK ||
                        log.rows[i].status == ARCHAI_STATUS_CACHED);
        log_free(&log);
        world_close(&w);
    }
}

/* Settings that do without crossover, for those that would use it. */
static const char *without_crossover(const char *algorithm)
{
    if (strcmp(algorithm, "evolution_pareto") == 0)
        return "num_crossovers = 0\n";
    return strcmp(algorithm, "nsga2") == 0 ? "crossover_prob = 0\n" : "";
}

static void a_space_without_crossover_is_searched(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            archai_search_settings settings = {
                .algorithm = (*ops)->name, .schedule = (archai_schedule)schedule, .seed = 3};
            struct log log = {.rows = NULL};
            archai_err err = ARCHAI_ERR_INIT;
            archai_space_ops without;
            struct world w;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            world_open(&w, config((*ops)->name, schedule, without_crossover((*ops)->name)));
            archai_search_fini(&w.search);
            without = *w.space->ops;
            without.crossover = NULL;
            w.space->ops = &without;
            if (archai_search_init(&w.search, w.space, &w.objectives, &settings, &w.ini,
                                   &err) != ARCHAI_OK)
                fail_msg("%s: %s", (*ops)->name, err.text);
            drive(&w, accuracy, NULL, 5, 9, SIZE_MAX, &log);
            assert_true(has_ended(&w));
            assert_true(log.evaluated > 0);
            log_free(&log);
            world_close(&w);
        }
}

/* -- beginnings -------------------------------------------------------------------------- */

static void assert_refused(const char *text, const char *why)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    assert_int_equal(archai_rc_exit_status(world_try(&w, text, &err)), 2);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", err.text, why);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    assert_refused(config("evolution_paretto", ARCHAI_ASYNC, ""),
                   "t.ini:2: search.algorithm: unknown 'evolution_paretto', expected one of: "
                   "random_search local_search ");
    assert_refused(config("evolution_paretto", ARCHAI_ASYNC, ""),
                   "; did you mean 'evolution_pareto'?");
    assert_refused(config("evolution_pareto", ARCHAI_ASYNC, "init_num_models = 0\n"),
                   "t.ini:5: search.init_num_models: ");
    assert_refused(
        config("local_search", ARCHAI_ASYNC, "initial_population_paths = /nowhere\n"),
        "t.ini:5: search.initial_population_paths: /nowhere: ");
    assert_refused("[search]\n[space]\nname = cnn\n", "nothing to optimise");
    assert_refused("[search]\n[space]\nname = cnn\n[objective.a]\ndirection = up\n",
                   "t.ini:5: objective.a.direction: ");
    assert_refused("[search]\n[space]\nname = cnn\n[objective.a]\ndirection = maximize\n"
                   "constraint = 1\n[objective.b]\ndirection = none\n",
                   "t.ini:6: objective.a.constraint: two numbers");
    assert_refused("[search]\n[space]\nname = cnn\n[objective.a]\ndirection = maximize\n"
                   "constraint = 2 1\n",
                   "t.ini:6: objective.a.constraint: no value can satisfy it");
    assert_refused("[search]\n[space]\nname = cnn\n[objective.a]\ndirection = none\n",
                   "t.ini:5: objective.a.direction: 'none' makes sense with a constraint only");
    assert_refused("[search]\n[space]\nname = cnn\n[objective.a]\ndirection = maximize\n"
                   "expensive = no\n",
                   "t.ini:6: objective.a.expensive: 'no' is for");
}

static int init_without(const char *ability, archai_err *err)
{
    archai_search_settings settings = {.algorithm = "evolution_pareto", .seed = 1};
    archai_space_ops ops;
    struct world w;
    int rc;

    world_open(&w, config("random_search", ARCHAI_ASYNC, ""));
    archai_search_fini(&w.search);
    ops = *w.space->ops;
    if (strcmp(ability, "crossover") == 0)
        ops.crossover = NULL;
    else
        ops.mutate = NULL;
    w.space->ops = &ops;
    rc = archai_search_init(&w.search, w.space, &w.objectives, &settings, &w.ini, err);
    assert_true(rc != ARCHAI_OK);
    settings.algorithm = "local_search";
    if (strcmp(ability, "mutate") == 0)
        rc = archai_search_init(&w.search, w.space, &w.objectives, &settings, &w.ini, err);
    world_close(&w);
    return rc;
}

static void what_a_space_lacks_is_said(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_int_equal(init_without("crossover", &err), ARCHAI_EINVAL);
    assert_string_equal(
        err.text,
        "t.ini:1: search.num_crossovers: space 'cnn' has no crossover; set it to 0");
    assert_int_equal(init_without("mutate", &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:2: search.algorithm: local_search needs mutate, which "
                                  "space 'cnn' does not have");
}

static void given_architectures_come_first(void **state)
{
    static const char *const arch[] = {
        "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}",
        "{\"nb_layers\": 12, \"kernel_size\": 7, \"hidden_dim\": 128}", /* too large */
    };
    char dir[TMPDIR_PATH_MAX], paths[2][TMPDIR_PATH_MAX + 16], more[4 * TMPDIR_PATH_MAX];

    (void)state;
    assert_int_equal(tmpdir_create(dir), 0);
    for (int i = 0; i < 2; i++) {
        FILE *f;

        (void)snprintf(paths[i], sizeof paths[i], "%s/%d.json", dir, i);
        f = fopen(paths[i], "w");
        assert_non_null(f);
        assert_true(fputs(arch[i], f) >= 0);
        assert_int_equal(fclose(f), 0);
    }
    (void)snprintf(more, sizeof more, "initial_population_paths = %s %s\n", paths[0], paths[1]);
    for (int schedule = 0; schedule < 2; schedule++) {
        struct log log = {.rows = NULL};
        struct world w;

        world_open(&w,
                   constrained("evolution_pareto", schedule, more, "constraint = 0 200000\n"));
        drive(&w, accuracy, NULL, 1, 0, 20, &log);
        assert_string_equal(log.rows[0].archid, "L=2, K=3, H=16");
        assert_string_equal(log.rows[0].operator_, "initial");
        assert_int_equal(log.rows[0].status, ARCHAI_STATUS_OK);
        assert_string_equal(log.rows[1].archid, "L=12, K=7, H=128");
        assert_int_equal(log.rows[1].status, ARCHAI_STATUS_INFEASIBLE);
        log_free(&log);
        world_close(&w);
    }
    assert_int_equal(tmpdir_remove(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_know_where_their_parents_weights_lie),
        cmocka_unit_test(a_space_is_tried_to_the_last_one),
        cmocka_unit_test(constraints_are_kept),
        cmocka_unit_test(an_unsatisfiable_constraint_ends),
        cmocka_unit_test(an_end_without_enumeration),
        cmocka_unit_test(failures_never_reach_the_front),
        cmocka_unit_test(an_objective_that_is_always_nan_ends),
        cmocka_unit_test(generations_that_fail_begin_again),
        cmocka_unit_test(generations_of_a_small_space_end),
        cmocka_unit_test(a_space_without_crossover_is_searched),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(what_a_space_lacks_is_said),
        cmocka_unit_test(given_architectures_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
