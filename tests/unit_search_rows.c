/* Rows that no evaluation stands behind, and what is kept of those that are finished. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_search.h"
#include "tmpdir.h"

/* With a measure that is no objective, and weights that lie somewhere. */
static void fail_often_with_more(const archai_trial *c, archai_trial *e, void *context)
{
    fail_often(c, e, context);
    archai_trial_set_measure(e, "extra", (double)c->id + 0.5);
    e->stored = 1000 + c->id;
}

static size_t first_like(const struct world *w, int64_t id)
{
    const archai_record *r = w->search.records;
    size_t i = 0;

    while (strcmp(r[i].archid, r[id].archid) != 0 || r[i].budget != r[id].budget)
        i++;
    return i;
}

/* A row that repeats another one is what that one has become, and names it where it was not
 * well. */
static void check_repetition(const struct world *w, const archai_trial *e)
{
    const archai_objectives *o = &w->objectives;
    const archai_record *r = &w->search.records[e->id];
    const size_t at = first_like(w, e->id);
    const archai_record *first = &w->search.records[at];
    char error[128] = "";

    assert_true((int64_t)at < e->id);
    assert_int_equal(first->id, at);
    if (first->status == ARCHAI_STATUS_OK) {
        assert_int_equal(e->status, ARCHAI_STATUS_CACHED);
    } else {
        assert_int_equal(first->status, ARCHAI_STATUS_FAILED);
        assert_int_equal(e->status, ARCHAI_STATUS_FAILED);
        (void)snprintf(error, sizeof error, "the same architecture was candidate %zu: failed",
                       at);
    }
    assert_string_equal(e->error, error);
    assert_string_equal(e->model.archid, first->archid);
    assert_true(e->operator_[0] != '\0' && e->parents[0] == '[' && e->metadata[0] == '{');
    for (size_t i = 0; i < o->n; i++) {
        const double value = archai_measure_get(e->measures, e->n_measures, o->at[i].source);

        assert_true(value == first->values[i] || (isnan(value) && isnan(first->values[i])));
    }
    assert_true(archai_measure_get(e->measures, e->n_measures, "extra") == (double)at + 0.5);
    for (size_t i = 0; i < e->n_measures; i++)
        assert_false(isnan(e->measures[i].value));
    assert_int_equal(r->stored, first->stored);
    assert_null(r->trial);
    assert_true(archai_record_counts(r) == archai_record_counts(first));
}

/* Records that run and were handed out to nobody wait for the one that they repeat: they are
 * nobody's to tell or to give back. How many there are. */
static size_t check_waiting(struct world *w, const archai_trial *c, size_t n)
{
    size_t waiting = 0;

    for (size_t i = 0; i < w->search.n_records; i++) {
        archai_trial e = {.id = (int64_t)i, .status = ARCHAI_STATUS_FAILED};
        bool on_front, out = w->search.records[i].status != ARCHAI_STATUS_RUNNING;

        for (size_t k = 0; k < n && !out; k++)
            out = c[k].id == e.id;
        if (out)
            continue;
        waiting++;
        assert_int_equal(archai_search_requeue(&w->search, e.id, NULL), ARCHAI_ENOTFOUND);
        assert_int_equal(archai_search_tell(&w->search, &e, &on_front, NULL), ARCHAI_ENOTFOUND);
    }
    assert_int_equal(w->search.n_running, n);
    return waiting;
}

static void repetitions_are_what_their_first_one_was(void **state)
{
    size_t repeated[2] = {0}, waiting = 0; /* ok, failed */

    (void)state;
    for (int workers = 1; workers < 10; workers += 8) {
        archai_trial c[9];
        struct world w;
        size_t n = 0, told = 0;
        archai_ask what = ARCHAI_ASK_WAIT;

        world_open(&w, config("evolution_pareto", ARCHAI_GENERATIONAL, "num_iters = 12\n"));
        while (what != ARCHAI_ASK_DONE || n > 0) {
            archai_trial e = {.id = 0};
            bool on_front;

            what = ARCHAI_ASK_WAIT;
            if (n < (size_t)workers)
                assert_int_equal(ask(&w.search, &what, &c[n], &e, NULL),
                                 ARCHAI_OK);
            if (what == ARCHAI_ASK_CANDIDATE) {
                n++;
            } else if (what == ARCHAI_ASK_CACHED) {
                check_repetition(&w, &e);
                repeated[e.status != ARCHAI_STATUS_CACHED]++;
                archai_trial_fini(&e);
            } else if (n > 0) {
                waiting += check_waiting(&w, c, n);
                evaluation_of(&c[0], &e);
                fail_often_with_more(&c[0], &e, NULL);
                assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
                told++;
                assert_int_equal(w.search.n_finished, told); /* repetitions are not counted */
                archai_trial_fini(&e);
                archai_trial_fini(&c[0]);
                memmove(c, &c[1], --n * sizeof *c);
                what = ARCHAI_ASK_WAIT;
            }
        }
        assert_int_equal(w.search.n_running, 0);
        world_close(&w);
    }
    assert_true(repeated[0] > 0 && repeated[1] > 0 && waiting > 0);
}

/* Architectures take most of the memory: they stay where somebody needs them, and nowhere else.
 */
static void what_is_finished_is_let_go_of(void **state)
{
    (void)state;
    for (const archai_algorithm_ops *const *ops = archai_algorithms; *ops != NULL; ops++)
        for (int schedule = 0; schedule < 2; schedule++) {
            struct log log = {.rows = NULL};
            struct world w;
            size_t front = 0;

            if (!has_schedule(*ops, (archai_schedule)schedule))
                continue;
            world_open(&w, config((*ops)->name, schedule, ""));
            drive(&w, fail_often, NULL, 5, 11, 90, &log);
            for (size_t i = 0; i < w.search.n_records; i++) {
                const archai_record *r = &w.search.records[i];

                if (r->status == ARCHAI_STATUS_RUNNING)
                    continue;
                assert_null(r->trial);
                assert_int_equal(r->arch != NULL, r->on_front || r->keep);
                front += r->on_front;
            }
            assert_int_equal(front, w.search.front.n);
            for (size_t i = 0; i < w.search.front.n; i++)
                assert_true(w.search.records[w.search.front.tags[i]].on_front);
            log_free(&log);
            world_close(&w);
        }
}

/* A given architecture outside a cheap constraint is a row with its reason; no worker sees it.
 */
static void a_given_one_that_does_not_fit_is_a_row(void **state)
{
    char path[TMPDIR_PATH_MAX + 16], more[TMPDIR_PATH_MAX + 64];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/large.json", (const char *)*state);
    f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("{\"nb_layers\": 12, \"kernel_size\": 7, \"hidden_dim\": 128}", f);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(more, sizeof more, "initial_population_paths = %s\n", path);
    for (int schedule = 0; schedule < 2; schedule++) {
        archai_trial c;
        archai_trial e = {.id = -1};
        archai_ask what;
        struct world w;

        world_open(&w,
                   constrained("evolution_pareto", schedule, more, "constraint = 0 200000\n"));
        assert_int_equal(ask(&w.search, &what, &c, &e, NULL), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_CACHED);
        assert_int_equal(e.id, 0);
        assert_int_equal(e.status, ARCHAI_STATUS_INFEASIBLE);
        assert_string_equal(e.operator_, ARCHAI_OPERATOR_INITIAL);
        assert_non_null(strstr(e.error, "params = "));
        assert_non_null(
            strstr(e.error, " is outside the constraint [0, 200000] of objective params"));
        assert_true(archai_measure_get(e.measures, e.n_measures, "params") > 200000);
        assert_true(isnan(archai_measure_get(e.measures, e.n_measures, "accuracy")));
        assert_int_equal(w.search.n_finished, 1);
        assert_int_equal(w.search.n_running, 0);
        assert_int_equal(w.search.rejected, 0); /* no proposal was rejected */
        archai_trial_fini(&e);
        world_close(&w);
    }
}

/* As long as something runs it may still open ways to others: a search has not ended before. */
static void the_end_waits_for_what_runs(void **state)
{
    archai_trial c[MODELS];
    archai_trial e;
    archai_ask what;
    struct world w;
    bool on_front;
    size_t n = 0;

    (void)state;
    world_open(&w, constrained("evolution_pareto", ARCHAI_ASYNC, "", "constraint = 0 3000\n"));
    for (;; n++) {
        assert_int_equal(ask(&w.search, &what, &c[n], &e, NULL), ARCHAI_OK);
        if (what != ARCHAI_ASK_CANDIDATE)
            break;
    }
    assert_true(n > 2 && n < MODELS);
    for (size_t i = 0; i < n; i++) {
        archai_trial none;

        assert_int_equal(ask(&w.search, &what, &none, &e, NULL), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_WAIT);
        assert_string_equal(w.search.done, "");
        evaluation_of(&c[i], &e);
        accuracy(&c[i], &e, NULL);
        assert_int_equal(archai_search_tell(&w.search, &e, &on_front, NULL), ARCHAI_OK);
        archai_trial_fini(&e);
        archai_trial_fini(&c[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&w.search, &what, &c[0], &e, NULL), ARCHAI_OK);
        assert_int_equal(what, ARCHAI_ASK_DONE);
        assert_non_null(strstr(w.search.done, "that satisfy the constraints were tried"));
    }
    assert_int_equal(w.search.n_finished, n);
    assert_true(w.search.rejected > 0);
    world_close(&w);
}

/* What is drawn or enumerated in an algorithm's stead has the budget that it gives to what is
 * new. */
static void what_stands_in_for_an_algorithm_has_its_budget(void **state)
{
    struct log log = {.rows = NULL};
    struct world w;

    (void)state;
    world_open(&w, config("asha", ARCHAI_ASYNC, "init_budget = 3\nmax_budget = 27\n"));
    drive(&w, accuracy, NULL, 4, 5, SIZE_MAX, &log);
    for (size_t i = 0; i < log.n; i++)
        if (strcmp(log.rows[i].operator_, ARCHAI_OPERATOR_PROMOTION) != 0)
            assert_true(log.rows[i].budget == 3);
        else
            assert_true(log.rows[i].budget > 3);
    assert_string_equal(w.search.done, "all 192 architectures of the space were tried");
    log_free(&log);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repetitions_are_what_their_first_one_was),
        cmocka_unit_test(what_is_finished_is_let_go_of),
        cmocka_unit_test_setup_teardown(a_given_one_that_does_not_fit_is_a_row, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test(the_end_waits_for_what_runs),
        cmocka_unit_test(what_stands_in_for_an_algorithm_has_its_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
