/* Candidates that come back: unfinished, lost with their worker, measured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "small_search.h"

#define PRUNING "[search]\nalgorithm = random_search\nprune = median\n[space]\nname = cnn\n" \
                "[objective.a]\nsource = val_accuracy\ndirection = maximize\n"

static void interrupted_and_failed_ones_come_again(void **state)
{
    archai_trial a, b;
    archai_trial e;
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
    archai_trial_fini(&b);
    assert_int_equal(archai_search_retry(&w.search, a.id, &again, &err), ARCHAI_OK);
    assert_true(again);
    ask_one(&w, &b);
    assert_int_equal(b.id, a.id);
    archai_trial_fini(&b);
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
    archai_trial_fini(&e);
    archai_trial_fini(&a);
    archai_trial_fini(&b);
    world_close(&w);
}

static void answer(struct world *w, const archai_trial *c)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e;
    bool on_front;

    evaluation_of(c, &e);
    accuracy(c, &e, NULL);
    if (archai_search_tell(&w->search, &e, &on_front, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    archai_trial_fini(&e);
}

/* The next one is `c` again, and as it was. */
static void is_asked_again(struct world *w, const archai_trial *c)
{
    archai_trial again;

    ask_one(w, &again);
    assert_int_equal(again.id, c->id);
    assert_string_equal(again.arch, c->arch);
    assert_int_equal(again.seed, c->seed);
    archai_trial_fini(&again);
}

/* Given up for whatever reason, and answered after all before it was handed out again: the answer counts,
 * nobody is asked a second time, and those that wait before and behind it keep their places. */
static void a_late_answer_ends_the_wait(void **state)
{
    enum { REQUEUED, FAILED_ONCE, LOST, WAYS };

    (void)state;
    for (int schedule = 0; schedule < 2; schedule++)
        for (int way = 0; way < WAYS; way++) {
            archai_trial row = {0};
            archai_trial c[4];
            struct world w;
            bool again = true;

            world_open(&w, config("evolution_pareto", schedule, "retries = 1\n"));
            for (int i = 0; i < 3; i++)
                ask_one(&w, &c[i]);
            for (int i = 0; i < 3; i++) {
                if (way == REQUEUED)
                    assert_int_equal(archai_search_requeue(&w.search, c[i].id, NULL), ARCHAI_OK);
                else if (way == FAILED_ONCE)
                    assert_int_equal(archai_search_retry(&w.search, c[i].id, &again, NULL),
                                     ARCHAI_OK);
                else
                    assert_int_equal(
                        archai_search_lost(&w.search, c[i].id, &again, &row, NULL), ARCHAI_OK);
                assert_true(again);
            }
            answer(&w, &c[1]);
            assert_int_equal(w.search.n_running, 2);
            assert_int_equal(w.search.n_finished, 1);
            is_asked_again(&w, &c[0]);
            is_asked_again(&w, &c[2]);
            ask_one(&w, &c[3]);
            assert_int_equal(c[3].id, 3);
            assert_int_equal(w.search.n_running, 3);
            for (int i = 0; i < 4; i++) {
                if (i != 1)
                    answer(&w, &c[i]);
                archai_trial_fini(&c[i]);
            }
            assert_int_equal(w.search.n_running, 0);
            assert_int_equal(w.search.n_finished, 4);
            world_close(&w);
        }
}

/* What takes its worker along every time is handed out again, but not for ever: then it is a failed row. */
static void one_that_is_lost_again_and_again_fails(void **state)
{
    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_trial row = {0};
        archai_trial a, b;
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
            archai_trial_fini(&b);
        }
        assert_int_equal(w.search.n_finished, 0);
        assert_int_equal(archai_search_lost(&w.search, a.id, &again, &row, &err), ARCHAI_OK);
        assert_false(again);
        assert_int_equal(w.search.n_running, 0);
        assert_int_equal(w.search.n_finished, 1);
        assert_int_equal(row.id, a.id);
        assert_int_equal(row.status, ARCHAI_STATUS_FAILED);
        assert_string_equal(row.model.archid, a.model.archid);
        assert_string_equal(row.arch, a.arch);
        assert_string_equal(row.error, "lost with the rank that evaluated it, 3 times");
        assert_int_equal(row.n_measures, a.n_measures); /* known without an evaluation */
        for (size_t i = 0; i < a.n_measures; i++) {
            assert_string_equal(row.measures[i].name, a.measures[i].name);
            assert_true(row.measures[i].value == a.measures[i].value);
        }
        assert_int_equal(archai_search_lost(&w.search, a.id, &again, &row, &err),
                         ARCHAI_ENOTFOUND);
        archai_trial_fini(&row);

        assert_int_equal(ask(&w.search, &what, &b, &row, &err), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_CANDIDATE); /* no second row */
        assert_int_equal(b.id, a.id + 1);
        evaluation_of(&a, &row); /* its worker was not dead after all, but too late */
        assert_int_equal(archai_search_tell(&w.search, &row, &on_front, &err), ARCHAI_ENOTFOUND);
        archai_trial_fini(&row);
        archai_trial_fini(&a);
        archai_trial_fini(&b);
        world_close(&w);
    }
}

/* However many, and however often: first come, first served. */
static void those_that_come_again_keep_their_order(void **state)
{
    enum { N = 50, STEPS = 4000 };
    int64_t line[STEPS], out[N];
    size_t first = 0, n = 0, n_out = N;
    uint32_t draw = 1;
    struct world w;

    (void)state;
    world_open(&w, config("random_search", ARCHAI_ASYNC, ""));
    for (size_t i = 0; i < N; i++) {
        archai_trial c;

        ask_one(&w, &c);
        out[i] = c.id;
        archai_trial_fini(&c);
    }
    for (size_t i = 0; i < STEPS; i++) {
        const bool grows = (i / 100) % 2 == 0;

        draw = draw * 1664525 + 1013904223; /* Numerical Recipes' generator */
        if (n_out > 0 && (n == 0 || (draw >> 16) % 10 < (grows ? 7u : 3u))) {
            const size_t at = (draw >> 8) % n_out;

            assert_int_equal(archai_search_requeue(&w.search, out[at], NULL), ARCHAI_OK);
            line[first + n++] = out[at];
            out[at] = out[--n_out];
        } else {
            archai_trial c;

            ask_one(&w, &c);
            assert_int_equal(c.id, line[first]);
            out[n_out++] = line[first++];
            n--;
            archai_trial_fini(&c);
        }
        assert_int_equal(w.search.n_running, N);
    }
    world_close(&w);
}

/* Whoever has it next is lost before it was handed out again: it does not wait any longer either. */
static void one_that_fails_while_it_waits_is_not_handed_out(void **state)
{
    archai_trial row = {0};
    archai_trial c[3];
    struct world w;
    bool again;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    ask_one(&w, &c[0]);
    ask_one(&w, &c[1]);
    assert_int_equal(archai_search_requeue(&w.search, c[1].id, NULL), ARCHAI_OK);
    for (int i = 1; i <= ARCHAI_LOSSES_MAX; i++) {
        assert_int_equal(archai_search_lost(&w.search, c[0].id, &again, &row, NULL), ARCHAI_OK);
        assert_int_equal(again, i < ARCHAI_LOSSES_MAX);
    }
    assert_int_equal(row.id, c[0].id);
    assert_int_equal(w.search.n_running, 1);
    is_asked_again(&w, &c[1]);
    ask_one(&w, &c[2]);
    assert_int_equal(c[2].id, 2);
    archai_trial_fini(&row);
    for (int i = 0; i < 3; i++)
        archai_trial_fini(&c[i]);
    world_close(&w);
}

/* Also the second time it says whose child it is. */
static void a_child_that_comes_again_has_its_parents(void **state)
{
    archai_trial c, again;
    struct world w;

    (void)state;
    world_open(&w, config("regularized_evolution", ARCHAI_ASYNC, "init_num_models = 4\n"));
    for (ask_one(&w, &c); strcmp(c.operator_, "mutation") != 0; ask_one(&w, &c)) {
        answer(&w, &c);
        archai_trial_fini(&c);
    }
    assert_non_null(json_object_get(c.model.metadata, "parent"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(archai_search_requeue(&w.search, c.id, NULL), ARCHAI_OK);
        ask_one(&w, &again);
        assert_int_equal(again.id, c.id);
        assert_true(json_equal(again.model.metadata, c.model.metadata));
        assert_string_equal(again.parents, c.parents);
        assert_string_equal(again.operator_, c.operator_);
        assert_int_equal(again.generation, c.generation);
        archai_trial_fini(&again);
    }
    archai_trial_fini(&c);
    world_close(&w);
}

/* What is no verdict is none of the search's. */
static void a_status_that_no_evaluation_has_is_refused(void **state)
{
    static const int none[] = {ARCHAI_STATUS_RUNNING, ARCHAI_STATUS_CACHED, ARCHAI_STATUS_COUNT};
    archai_trial e;
    archai_trial c;
    struct world w;
    bool on_front;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    ask_one(&w, &c);
    evaluation_of(&c, &e);
    accuracy(&c, &e, NULL);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        e.status = none[i];
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_EINVAL);
        assert_int_equal(w.search.n_running, 1);
        assert_int_equal(w.search.n_finished, 0);
    }
    archai_trial_fini(&e);
    answer(&w, &c);
    archai_trial_fini(&c);
    world_close(&w);
}

static bool keeps(const struct world *w, int status, double budget)
{
    const archai_trial e = {.status = status, .budget = budget};

    return archai_search_keeps(&w->search, &e);
}

/* Weights are kept for children, of whom one that violates a constraint may be the parent, and for
 * promotions, of which it gets none. */
static void weights_are_kept_where_others_may_begin_from_them(void **state)
{
    struct world w;

    (void)state;
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, ""));
    assert_false(keeps(&w, ARCHAI_STATUS_OK, 1));
    world_close(&w);
    world_open(&w, config("evolution_pareto", ARCHAI_ASYNC, "[train]\ninherit_weights = yes\n"));
    assert_true(keeps(&w, ARCHAI_STATUS_OK, 1));
    assert_true(keeps(&w, ARCHAI_STATUS_INFEASIBLE, 1));
    assert_false(keeps(&w, ARCHAI_STATUS_FAILED, 1));
    assert_false(keeps(&w, ARCHAI_STATUS_PRUNED, 1));
    world_close(&w);
    world_open(&w, config("asha", ARCHAI_ASYNC, "max_budget = 9\n"));
    assert_true(keeps(&w, ARCHAI_STATUS_OK, 8));
    assert_false(keeps(&w, ARCHAI_STATUS_OK, 9)); /* it gets no more than that */
    assert_false(keeps(&w, ARCHAI_STATUS_INFEASIBLE, 1));
    assert_false(keeps(&w, ARCHAI_STATUS_FAILED, 1));
    world_close(&w);
}

/* Evaluators need not know what follows from the architecture alone; what they say of it stands. */
static void cheap_measures_that_nobody_sent_are_computed(void **state)
{
    (void)state;
    for (int sent = 0; sent < 2; sent++) {
        archai_trial e;
        archai_trial c;
        struct world w;
        bool on_front;

        world_open(&w, config("evolution_pareto", ARCHAI_ASYNC,
                              "[objective.macs]\ndirection = minimize\n"));
        assert_string_equal(w.objectives.at[0].name, "macs");
        assert_string_equal(w.objectives.at[2].name, "params");
        ask_one(&w, &c);
        evaluation_of(&c, &e);
        archai_measures_free(e.measures, e.n_measures);
        e.measures = NULL;
        e.n_measures = 0;
        accuracy(&c, &e, NULL);
        if (sent)
            archai_trial_set_measure(&e, "params", 5);
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
        assert_int_equal(e.status, ARCHAI_STATUS_OK);
        assert_true(on_front);
        assert_true(w.search.records[0].values[0] ==
                    archai_measure_get(c.measures, c.n_measures, "macs"));
        assert_true(w.search.records[0].values[2] ==
                    (sent ? 5 : archai_measure_get(c.measures, c.n_measures, "params")));
        archai_trial_fini(&e);
        archai_trial_fini(&c);
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
        archai_trial c;
        archai_trial e;
        bool joins, on_front;

        ask_one(&w, &c);
        evaluation_of(&c, &e);
        archai_trial_set_measure(&e, "accuracy", cases[i].accuracy);
        archai_trial_set_measure(&e, "loss", cases[i].loss);
        assert_int_equal(archai_search_assess(&w.search, &e, &joins, NULL), ARCHAI_OK);
        assert_int_equal(e.status, cases[i].status);
        assert_non_null(strstr(e.error != NULL ? e.error : "", cases[i].error));
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
        assert_int_equal(e.status, cases[i].status);
        assert_int_equal(on_front, joins);
        assert_int_equal(joins, i == 0);
        archai_trial_fini(&e);
        archai_trial_fini(&c);
    }
    world_close(&w);
}

/* -- candidates that end early ------------------------------------------------------------- */

static bool progress(struct world *w, const archai_trial *c, double at, double value)
{
    archai_trial e;
    archai_err err = ARCHAI_ERR_INIT;
    double shown, cutoff;
    bool ends;

    evaluation_of(c, &e);
    archai_trial_set_measure(&e, "train_loss", 1); /* a report without the objective is none */
    assert_int_equal(archai_search_progress(&w->search, &e, at, &ends, &shown, &cutoff, &err), ARCHAI_OK);
    assert_false(ends);
    archai_trial_set_measure(&e, "val_accuracy", value);
    assert_int_equal(archai_search_progress(&w->search, &e, at, &ends, &shown, &cutoff, &err), ARCHAI_OK);
    if (ends)
        assert_true(shown == value && cutoff > value);
    archai_trial_fini(&e);
    return ends;
}

static archai_trial row_of(const archai_trial *c, int status, const float *values, size_t n)
{
    archai_trial e;

    evaluation_of(c, &e);
    e.status = status;
    archai_trial_set_measure(&e, "val_accuracy", (double)values[n - 1]);
    e.curves = calloc(1, sizeof *e.curves);
    assert_non_null(e.curves);
    e.curves[0] = (archai_curve){.name = strdup("val_accuracy"), .values = malloc(n * sizeof *values), .n = n};
    memcpy(e.curves[0].values, values, n * sizeof *values);
    e.n_curves = 1;
    return e;
}

/* It counts, is on no front, is not proposed again; a new start compares with what the rows reported. */
static void pruned_ones_count_and_are_remembered(void **state)
{
    static const float good[] = {0.5F, 0.6F}, bad[] = {0.1F};
    static const char text[] = PRUNING;
    archai_trial c[4], e, again;
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;
    bool on_front;

    (void)state;
    world_open(&w, text);
    for (int i = 0; i < 3; i++) {
        ask_one(&w, &c[i]);
        assert_false(progress(&w, &c[i], 1, i < 2 ? 0.5 : 0.9)); /* two must be complete */
        if (i == 2)
            continue;
        e = row_of(&c[i], ARCHAI_STATUS_OK, good, 2);
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, &err), ARCHAI_OK);
        archai_trial_fini(&e);
    }
    ask_one(&w, &c[3]);
    assert_true(progress(&w, &c[3], 1, (double)bad[0]));
    assert_int_equal(archai_search_requeue(&w.search, c[3].id, &err), ARCHAI_OK); /* a rank was lost: once more */
    assert_false(progress(&w, &c[3], 1, (double)bad[0])); /* it is with nobody */
    ask_one(&w, &again);
    assert_int_equal(again.id, c[3].id);
    archai_trial_fini(&again);
    assert_true(progress(&w, &c[3], 1, (double)bad[0]));
    e = row_of(&c[3], ARCHAI_STATUS_PRUNED, bad, 1);
    assert_int_equal(archai_search_tell(&w.search, &e, &on_front, &err), ARCHAI_OK);
    assert_false(on_front);
    assert_int_equal(w.search.n_finished, 3);
    assert_int_equal(archai_search_find(&w.search, c[3].model.archid, 1)->status, ARCHAI_STATUS_PRUNED);
    archai_trial_fini(&e);
    world_close(&w);

    world_open(&w, text);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            continue;
        e = row_of(&c[i], i < 2 ? ARCHAI_STATUS_OK : ARCHAI_STATUS_PRUNED, i < 2 ? good : bad, i < 2 ? 2 : 1);
        assert_int_equal(archai_search_restore(&w.search, &e, &err), ARCHAI_OK);
        archai_trial_fini(&e);
    }
    assert_int_equal(archai_search_restore_end(&w.search, &err), ARCHAI_OK);
    assert_int_equal(w.search.n_finished, 3);
    assert_true(archai_search_seen(&w.search, c[3].model.archid));
    ask_one(&w, &again);
    assert_true(progress(&w, &again, 1, 0.2)); /* at once */
    archai_trial_fini(&again);
    for (int i = 0; i < 4; i++)
        archai_trial_fini(&c[i]);
    world_close(&w);
}

static void what_cannot_be_pruned_is_refused(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    assert_int_equal(world_try(&w, "[search]\nalgorithm = random_search\nprune = median\n[space]\nname = cnn\n"
                                   "[objective.p]\nsource = params\ndirection = minimize\n", &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:3: search.prune: no objective is measured while a candidate trains");
    err = (archai_err)ARCHAI_ERR_INIT;
    assert_int_equal(world_try(&w, "[search]\nalgorithm = random_search\nprune = median\nprune_source = loss\n[space]\nname = cnn\n"
                                   "[objective.a]\nsource = val_accuracy\ndirection = maximize\n", &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:4: search.prune_source: 'loss' is not the source of an objective that is optimised");
    err = (archai_err)ARCHAI_ERR_INIT;
    assert_int_equal(world_try(&w, "[search]\nalgorithm = asha\nprune = median\n[space]\nname = cnn\n"
                                   "[objective.a]\nsource = val_accuracy\ndirection = maximize\n", &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "t.ini:3: search.prune: asha ends candidates itself, by the budgets that it gives; expected none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_and_failed_ones_come_again),
        cmocka_unit_test(a_late_answer_ends_the_wait),
        cmocka_unit_test(one_that_is_lost_again_and_again_fails),
        cmocka_unit_test(those_that_come_again_keep_their_order),
        cmocka_unit_test(one_that_fails_while_it_waits_is_not_handed_out),
        cmocka_unit_test(a_child_that_comes_again_has_its_parents),
        cmocka_unit_test(a_status_that_no_evaluation_has_is_refused),
        cmocka_unit_test(weights_are_kept_where_others_may_begin_from_them),
        cmocka_unit_test(cheap_measures_that_nobody_sent_are_computed),
        cmocka_unit_test(verdicts_say_why),
        cmocka_unit_test(pruned_ones_count_and_are_remembered),
        cmocka_unit_test(what_cannot_be_pruned_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
