/* The search around every registered algorithm: duplicates, ends, failures, resume.
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

#include "tmpdir.h"
#include "world.h"

enum { MODELS = 192 };

static const char two_objectives[] = "[space]\nname = cnn\nseed = 5\n"
                                     "[objective.accuracy]\ndirection = maximize\n"
                                     "[objective.params]\ndirection = minimize\n";

/* `last` goes on in the section of params: a constraint. */
static const char *constrained(const char *algorithm, int schedule, const char *more,
                               const char *last)
{
    static char text[65536];

    (void)snprintf(text, sizeof text,
                   "[search]\nalgorithm = %s\nschedule = %s\nseed = 3\n%s%s%s", algorithm,
                   schedule == ARCHAI_ASYNC ? "async" : "generational", more, two_objectives,
                   last);
    return text;
}

static const char *config(const char *algorithm, int schedule, const char *more)
{
    return constrained(algorithm, schedule, more, "");
}

static bool has_schedule(const archai_algorithm_ops *ops, archai_schedule schedule)
{
    return (ops->schedules & (1u << schedule)) != 0;
}

/* Deeper and wider is better, with a wrinkle, so that there are trade-offs. */
static void accuracy(const archai_candidate *c, archai_evaluation *e, void *context)
{
    const int l = arch_int(c, "nb_layers"), k = arch_int(c, "kernel_size"),
              h = arch_int(c, "hidden_dim");

    (void)context;
    assert_int_equal(
        archai_evaluation_set_measure(e, "accuracy",
                                      1 - 1.0 / (l + k + log(h)) + 0.01 * ((l * k) % 3), NULL),
        ARCHAI_OK);
}

static void fail_often(const archai_candidate *c, archai_evaluation *e, void *context)
{
    accuracy(c, e, context);
    if (arch_int(c, "nb_layers") % 3 == 0)
        e->status = ARCHAI_STATUS_FAILED;
    else if (arch_int(c, "nb_layers") % 3 == 1)
        assert_int_equal(archai_evaluation_set_measure(e, "accuracy", NAN, NULL), ARCHAI_OK);
}

static void fail_always(const archai_candidate *c, archai_evaluation *e, void *context)
{
    (void)c;
    (void)context;
    assert_int_equal(archai_evaluation_set_measure(e, "accuracy", NAN, NULL), ARCHAI_OK);
}

static size_t count_different(const struct log *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        size_t k = 0;

        while (k < i && (strcmp(l->rows[k].archid, l->rows[i].archid) != 0 ||
                         l->rows[k].budget != l->rows[i].budget))
            k++;
        n += k == i;
    }
    return n;
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

static void be_kept(const archai_candidate *c, archai_evaluation *e, void *context)
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
            const char *text = constrained((*ops)->name, schedule, "[train]\ninherit_weights = yes\n", "");
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
            assert_int_equal(w.search.by_archid != NULL ? log.n : 0, log.evaluated);
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
                    : "iteration 0 came up with no new architecture that satisfies the "
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
    assert_non_null(strstr(w.search.done, "nothing new among the last"));
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
                   "t.ini:2: search.algorithm: no algorithm 'evolution_paretto'; did you mean "
                   "'evolution_pareto'?");
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
        "t.ini:1: search.num_crossovers: space 'cnn' has no crossover; 0 goes without");
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

/* -- candidates that come back otherwise ------------------------------------------------- */

static void ask_one(struct world *w, archai_candidate *c)
{
    archai_evaluation e;
    archai_ask what;

    assert_int_equal(archai_search_ask(&w->search, &what, c, &e, NULL), ARCHAI_OK);
    assert_int_equal(what, ARCHAI_ASK_CANDIDATE);
}

static void interrupted_and_failed_ones_come_again(void **state)
{
    archai_candidate a, b;
    archai_evaluation e;
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;
    bool again, on_front;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, "retries = 1\n"));
    ask_one(&w, &a);
    assert_int_equal(archai_search_requeue(&w.search, a.id, &err), ARCHAI_OK);
    assert_int_equal(archai_search_requeue(&w.search, a.id, &err),
                     ARCHAI_OK); /* once is enough */
    ask_one(&w, &b);
    assert_int_equal(b.id, a.id);
    assert_string_equal(b.model.archid, a.model.archid);
    assert_string_equal(b.arch, a.arch);
    assert_int_equal(b.seed, a.seed);
    assert_true(json_equal(b.model.arch, a.model.arch));
    assert_true(json_equal(b.model.metadata, a.model.metadata));
    archai_candidate_fini(&b);
    assert_int_equal(archai_search_retry(&w.search, a.id, &again, &err), ARCHAI_OK);
    assert_true(again);
    ask_one(&w, &b);
    assert_int_equal(b.id, a.id);
    archai_candidate_fini(&b);
    assert_int_equal(archai_search_retry(&w.search, a.id, &again, &err), ARCHAI_OK);
    assert_false(again);
    ask_one(&w, &b);
    assert_int_equal(b.id, a.id + 1);

    evaluation_of(&a, &e);
    e.status = ARCHAI_STATUS_FAILED;
    assert_int_equal(archai_search_tell(&w.search, &e, &on_front, &err), ARCHAI_OK);
    assert_false(on_front);
    assert_int_equal(archai_search_tell(&w.search, &e, &on_front, &err), ARCHAI_ENOTFOUND);
    e.id = 99;
    assert_int_equal(archai_search_tell(&w.search, &e, &on_front, &err), ARCHAI_ENOTFOUND);
    assert_int_equal(w.search.n_running, 1);
    assert_int_equal(w.search.n_finished, 1);
    archai_evaluation_fini(&e);
    archai_candidate_fini(&a);
    archai_candidate_fini(&b);
    world_close(&w);
}

/* What takes its worker along every time is handed out again, but not for ever: then it is a failed row. */
static void one_that_is_lost_again_and_again_fails(void **state)
{
    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_evaluation row = {0};
        archai_candidate a, b;
        archai_ask what;
        struct world w;
        bool again, on_front;

        world_open(&w, config("evolution_pareto",
                              schedule == 0 ? ARCHAI_ASYNC : ARCHAI_GENERATIONAL, ""));
        ask_one(&w, &a);
        for (int i = 1; i < ARCHAI_LOSSES_MAX; i++) {
            assert_int_equal(archai_search_lost(&w.search, a.id, &again, &row, &err), ARCHAI_OK);
            assert_true(again);
            ask_one(&w, &b);
            assert_int_equal(b.id, a.id);
            archai_candidate_fini(&b);
        }
        assert_int_equal(w.search.n_finished, 0);
        assert_int_equal(archai_search_lost(&w.search, a.id, &again, &row, &err), ARCHAI_OK);
        assert_false(again);
        assert_int_equal(w.search.n_running, 0);
        assert_int_equal(w.search.n_finished, 1);
        assert_int_equal(row.id, a.id);
        assert_int_equal(row.status, ARCHAI_STATUS_FAILED);
        assert_string_equal(row.archid, a.model.archid);
        assert_string_equal(row.arch, a.arch);
        assert_string_equal(row.error, "lost with the rank that evaluated it, 3 times");
        assert_int_equal(row.n_measures, a.n_measures); /* known without an evaluation */
        for (size_t i = 0; i < a.n_measures; i++) {
            assert_string_equal(row.measures[i].name, a.measures[i].name);
            assert_true(row.measures[i].value == a.measures[i].value);
        }
        assert_int_equal(archai_search_lost(&w.search, a.id, &again, &row, &err),
                         ARCHAI_ENOTFOUND);
        archai_evaluation_fini(&row);

        assert_int_equal(archai_search_ask(&w.search, &what, &b, &row, &err), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_CANDIDATE); /* no second row */
        assert_int_equal(b.id, a.id + 1);
        evaluation_of(&a, &row); /* its worker was not dead after all, but too late */
        assert_int_equal(archai_search_tell(&w.search, &row, &on_front, &err), ARCHAI_ENOTFOUND);
        archai_evaluation_fini(&row);
        archai_candidate_fini(&a);
        archai_candidate_fini(&b);
        world_close(&w);
    }
}

static void verdicts_say_why(void **state)
{
    static const struct {
        double accuracy, loss;
        int status;
        const char *error;
    } cases[] = {
        {0.5, 0.5, ARCHAI_STATUS_OK, ""},
        {NAN, 0.5, ARCHAI_STATUS_FAILED, "accuracy is NaN or missing"},
        {INFINITY, 0.5, ARCHAI_STATUS_FAILED, "accuracy is infinite"},
        {0.5, 2, ARCHAI_STATUS_INFEASIBLE,
         "loss = 2 is outside the constraint [0, 1] of objective l"},
        {0.5, NAN, ARCHAI_STATUS_INFEASIBLE, "loss = nan is outside"},
    };
    struct world w;

    (void)state;
    world_open(&w, "[search]\n[space]\nname = cnn\n[objective.accuracy]\ndirection = maximize\n"
                   "[objective.l]\nsource = loss\ndirection = none\nconstraint = 0 1\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        archai_candidate c;
        archai_evaluation e;
        bool joins, on_front;

        ask_one(&w, &c);
        evaluation_of(&c, &e);
        assert_int_equal(archai_evaluation_set_measure(&e, "accuracy", cases[i].accuracy, NULL),
                         0);
        assert_int_equal(archai_evaluation_set_measure(&e, "loss", cases[i].loss, NULL), 0);
        assert_int_equal(archai_search_judge(&w.search, &e, &joins, NULL), ARCHAI_OK);
        assert_int_equal(e.status, cases[i].status);
        assert_non_null(strstr(e.error != NULL ? e.error : "", cases[i].error));
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
        assert_int_equal(e.status, cases[i].status);
        assert_int_equal(on_front, joins);
        assert_int_equal(joins, i == 0);
        archai_evaluation_fini(&e);
        archai_candidate_fini(&c);
    }
    world_close(&w);
}

/* -- resume ------------------------------------------------------------------------------ */

/* A row as it is read back from the results. */
static void row_of(const struct world *w, const struct log *log, size_t id,
                   archai_evaluation *e)
{
    const struct log_row *r = &log->rows[id];
    long long layers, kernel, width;
    char arch[256];

    assert_int_equal(sscanf(r->archid, "L=%lld, K=%lld, H=%lld", &layers, &kernel, &width), 3);
    (void)snprintf(arch, sizeof arch,
                   "{\"nb_layers\": %lld, \"kernel_size\": %lld, \"hidden_dim\": %lld}", layers,
                   kernel, width);
    *e = (archai_evaluation){.id = (int64_t)id,
                             .status = r->status,
                             .budget = r->budget,
                             .generation = r->generation,
                             .archid = strdup(r->archid),
                             .arch = strdup(arch),
                             .operator_ = strdup(r->operator_),
                             .parents = strdup(r->parents)};
    for (size_t i = 0; i < w->objectives.n; i++)
        assert_int_equal(
            archai_evaluation_set_measure(e, w->objectives.at[i].source, r->values[i], NULL),
            ARCHAI_OK);
}

static void restore_row(struct world *w, const struct log *log, size_t id)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_evaluation e;

    row_of(w, log, id, &e);
    if (archai_search_restore(&w->search, &e, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archai_evaluation_fini(&e);
}

static void resumed_async_repeats_nothing(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log first = {.rows = NULL}, second[2] = {{.rows = NULL}, {.rows = NULL}};
        struct world w;

        if (!has_schedule(*ops, ARCHAI_ASYNC))
            continue;
        world_open(&w, config((*ops)->name, ARCHAI_ASYNC, ""));
        drive(&w, fail_often, NULL, 4, 21, 60, &first);
        world_close(&w);
        for (int i = 0; i < 2; i++) {
            size_t lost = 0;

            world_open(&w, config((*ops)->name, ARCHAI_ASYNC, ""));
            for (size_t id = 0; id < first.n; id++)
                if (id % 13 != 7) /* these were running when it was killed */
                    restore_row(&w, &first, id);
                else
                    lost++;
            drive(&w, fail_often, NULL, 4, 22, 40, &second[i]);
            assert_int_equal(w.search.n_finished, first.n - lost + 40);
            for (size_t id = 0; id < second[i].n; id++)
                for (size_t k = 0; k < first.n && second[i].rows[id].archid[0] != '\0'; k++) {
                    assert_true(id >= first.n || id % 13 == 7); /* a lost id is free again */
                    assert_true(k % 13 == 7 ||
                                strcmp(first.rows[k].archid, second[i].rows[id].archid) != 0 ||
                                first.rows[k].budget != second[i].rows[id].budget);
                }
            world_close(&w);
        }
        assert_int_equal(second[0].n, second[1].n);
        assert_memory_equal(second[0].rows, second[1].rows,
                            second[0].n * sizeof *second[0].rows);
        log_free(&first);
        log_free(&second[0]);
        log_free(&second[1]);
    }
}

static void one_under_way_is_handed_out_first(void **state)
{
    archai_evaluation e = {.id = 41, .status = ARCHAI_STATUS_RUNNING, .budget = 1};
    archai_candidate c;
    struct world w;

    (void)state;
    world_open(&w, config("random_search", ARCHAI_ASYNC, ""));
    e.archid = strdup("L=2, K=3, H=16");
    e.arch = strdup("{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}");
    e.operator_ = strdup("mutation");
    e.parents = strdup("[\"L=1, K=3, H=16\"]");
    assert_int_equal(archai_search_restore(&w.search, &e, NULL), ARCHAI_OK);
    ask_one(&w, &c);
    assert_int_equal(c.id, 41);
    assert_string_equal(c.model.archid, e.archid);
    assert_string_equal(c.operator_, "mutation");
    assert_string_equal(c.parents, e.parents);
    archai_candidate_fini(&c);
    ask_one(&w, &c);
    assert_int_equal(c.id, 42);
    archai_candidate_fini(&c);
    archai_evaluation_fini(&e);
    world_close(&w);
}

/* Killed after any number of results, with holes: the whole is what it would have been. */
static void resumed_generational_is_the_same_search(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++) {
        struct log whole = {.rows = NULL};
        size_t finished;
        struct world w;

        if (!has_schedule(*ops, ARCHAI_GENERATIONAL))
            continue;
        world_open(&w, config((*ops)->name, ARCHAI_GENERATIONAL, ""));
        drive(&w, fail_often, NULL, 1, 0, SIZE_MAX, &whole);
        finished = w.search.n_finished;
        assert_int_equal(finished, count_different(&whole));
        world_close(&w);
        for (size_t stop = 0; stop <= whole.n; stop += 7) {
            struct log rest = {.rows = NULL};
            size_t restored = 0;

            world_open(&w, config((*ops)->name, ARCHAI_GENERATIONAL, ""));
            for (size_t id = 0; id < stop; id++)
                if (id % 5 != 3 || id + 10 < stop) {
                    restore_row(&w, &whole, id);
                    restored++;
                }
            drive(&w, fail_often, NULL, 3, 8, SIZE_MAX, &rest);
            assert_int_equal(w.search.n_records, whole.n);
            assert_int_equal(w.search.n_finished, finished); /* repeated failures not counted */
            for (size_t id = 0; id < rest.n; id++)
                if (rest.rows[id].archid[0] != '\0') {
                    assert_memory_equal(&rest.rows[id], &whole.rows[id], sizeof *whole.rows);
                    restored++;
                }
            assert_int_equal(restored, whole.n);
            log_free(&rest);
            world_close(&w);
        }
        log_free(&whole);
    }
}

static void a_changed_search_is_refused(void **state)
{
    struct log whole = {.rows = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, ""));
    drive(&w, accuracy, NULL, 1, 0, 40, &whole);
    world_close(&w);
    world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, "num_random_mix = 2\n"));
    for (size_t id = 0; id < whole.n; id++)
        restore_row(&w, &whole, id);
    assert_int_equal(archai_search_restore_end(&w.search, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "the configuration or the program has changed since"));
    log_free(&whole);
    world_close(&w);
}

static void saved_generators_go_on(void **state)
{
    struct log whole = {.rows = NULL}, rest = {.rows = NULL};
    archai_err err = ARCHAI_ERR_INIT;
    json_t *saved = NULL, *copy;
    char *text;
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    drive(&w, accuracy, NULL, 1, 0, 50, &whole);
    assert_int_equal(archai_search_save(&w.search, &saved, &err), ARCHAI_OK);
    drive(&w, accuracy, NULL, 1, 0, 50, &whole);
    world_close(&w);
    text = json_dumps(saved, 0);
    copy = json_loads(text, 0, NULL);
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    for (size_t id = 0; id < 50; id++)
        restore_row(&w, &whole, id);
    assert_int_equal(archai_search_restore_end(&w.search, &err), ARCHAI_OK);
    assert_int_equal(archai_search_load(&w.search, copy, &err), ARCHAI_OK);
    drive(&w, accuracy, NULL, 1, 0, 50, &rest);
    assert_int_equal(rest.n, whole.n);
    for (size_t id = 50; id < whole.n; id++)
        assert_string_equal(rest.rows[id].archid, whole.rows[id].archid);
    assert_int_equal(json_object_set_new(copy, "space_rng", json_integer(1)), 0);
    assert_int_equal(archai_search_load(&w.search, copy, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "'space_rng' is damaged"));
    json_decref(copy);
    json_decref(saved);
    free(text);
    log_free(&whole);
    log_free(&rest);
    world_close(&w);
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
        cmocka_unit_test(generations_of_a_small_space_end),
        cmocka_unit_test(a_space_without_crossover_is_searched),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(what_a_space_lacks_is_said),
        cmocka_unit_test(given_architectures_come_first),
        cmocka_unit_test(interrupted_and_failed_ones_come_again),
        cmocka_unit_test(one_that_is_lost_again_and_again_fails),
        cmocka_unit_test(verdicts_say_why),
        cmocka_unit_test(resumed_async_repeats_nothing),
        cmocka_unit_test(one_under_way_is_handed_out_first),
        cmocka_unit_test(resumed_generational_is_the_same_search),
        cmocka_unit_test(a_changed_search_is_refused),
        cmocka_unit_test(saved_generators_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
