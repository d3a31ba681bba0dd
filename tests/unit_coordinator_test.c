/* Rank 0 and train.test = front: the models of the front go out once more when the search is over, and the run is
 * complete when each of them was measured or was given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "root.h"

enum { EVALUATIONS = 4 };

/* An evaluator that can do it; the null evaluator cannot. */
static archai_evaluator_ops able;

/* The search is over, and nobody has measured anything on the test data. Returns the size of the front. */
static size_t search_through(struct root *r, const char *directory, const char *const *more)
{
    root_open(r, directory, more);
    able = *r->plan.evaluator;
    able.tests = true;
    r->plan.evaluator = &able;
    r->plan.config.train.test = ARCHAI_TEST_FRONT;
    root_step(r);
    for (int i = 0; i < EVALUATIONS; i++) {
        archai_trial e = root_evaluation(r, i, ARCHAI_STATUS_OK);
        archai_message m = {.type = ARCHAI_MSG_DONE, .reports = &e, .n_reports = 1};

        e.stored = 1 + i;
        root_hear(r, i, &m);
        archai_trial_fini(&e);
    }
    return r->plan.search.front.n;
}

static const char *const four[] = {"search.max_evaluations=4", NULL};

static void hear_test(struct root *r, int rank, int64_t id, int status)
{
    archai_trial e = {.id = id, .status = status, .is_test = true};
    archai_message m = {.type = ARCHAI_MSG_DONE, .reports = &e, .n_reports = 1};

    e.error = strdup(status == ARCHAI_STATUS_OK ? "" : "it broke");
    root_hear(r, rank, &m);
    archai_trial_fini(&e);
}

/* The rank that measures `id`, -1: none. */
static int rank_of(const struct root *r, int64_t id)
{
    for (int i = 0; i < RANKS; i++)
        if (archai_slots_has(&r->c.slots, i, id))
            return i;
    return -1;
}

/* Whoever has one says that it went well, until all are through. */
static void answer_all(struct root *r, int status)
{
    for (int turns = 0; r->c.phase == ARCHAI_PHASE_RUNNING; turns++) {
        assert_true(turns < 100);
        root_step(r);
        for (int64_t id = 0; id < EVALUATIONS; id++)
            if (rank_of(r, id) >= 0)
                hear_test(r, rank_of(r, id), id, status);
    }
}

static void assert_ends(struct root *r, const char *state, int exit_code)
{
    for (int i = 0; i < RANKS; i++)
        if (!r->c.slots.at[i].retired)
            root_hear_text(r, i, ARCHAI_MSG_RETIRED, 0, "");
    root_run_out(r);
    assert_string_equal(r->c.outcome.state, state);
    assert_int_equal(r->c.outcome.exit_code, exit_code);
}

static void the_front_is_measured_when_the_search_is_over(void **state)
{
    struct root r;
    const size_t front = search_through(&r, *state, four);
    size_t out = 0;

    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
    root_step(&r);
    for (int64_t id = 0; id < EVALUATIONS; id++) {
        assert_int_equal(rank_of(&r, id) >= 0, root_record(&r, id)->on_front);
        out += rank_of(&r, id) >= 0;
    }
    assert_int_equal(out, front);
    root_refresh(&r);
    assert_string_equal(r.c.index.published, "running");
    answer_all(&r, ARCHAI_STATUS_OK);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_int_equal(r.plan.search.n_finished, EVALUATIONS);
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

static void what_is_measured_already_is_not_measured_again(void **state)
{
    struct root r;

    (void)search_through(&r, *state, four);
    for (int64_t id = 0; id < EVALUATIONS; id++)
        root_record(&r, id)->tested = true;
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

static void weights_that_are_not_stored_are_a_line(void **state)
{
    struct root r;
    const size_t front = search_through(&r, *state, four);

    for (int64_t id = 0; id < EVALUATIONS; id++)
        root_record(&r, id)->stored = 0;
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_int_equal(root_logged(&r, "is not measured on the test data: its weights are not stored"),
                     front);
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

/* evaluator.retries further attempts, then a line, and the search is complete all the same. */
static void one_that_fails_is_tried_again_and_given_up(void **state)
{
    const char *const more[] = {"search.max_evaluations=4", "evaluator.retries=2", NULL};
    struct root r;
    const size_t front = search_through(&r, *state, more);
    int tries = 0;

    root_step(&r);
    root_step(&r);
    while (r.c.phase == ARCHAI_PHASE_RUNNING) {
        for (int64_t id = 0; id < EVALUATIONS; id++)
            if (rank_of(&r, id) >= 0) {
                tries++;
                hear_test(&r, rank_of(&r, id), id, ARCHAI_STATUS_FAILED);
            }
        root_step(&r);
    }
    assert_int_equal(tries, 3 * front);
    assert_int_equal(root_logged(&r, "is not measured on the test data: it broke"), front);
    assert_int_equal(r.c.n_failed, 0);
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

static void what_comes_back_goes_out_again(void **state)
{
    struct root r;
    int64_t id = 0;
    int rank;

    (void)search_through(&r, *state, four);
    root_step(&r);
    root_step(&r);
    while (rank_of(&r, id) < 0)
        id++;
    root_hear_returned(&r, rank_of(&r, id), id);
    assert_int_equal(rank_of(&r, id), -1);
    root_step(&r);
    rank = rank_of(&r, id);
    assert_true(rank >= 0);
    if (rank > 0) { /* rank 0 is never lost */
        int64_t other = 0;

        root_lose(&r, rank);
        while (rank_of(&r, other) < 0)
            other++;
        hear_test(&r, rank_of(&r, other), other, ARCHAI_STATUS_OK); /* who has room now */
        root_step(&r);
        assert_true(rank_of(&r, id) >= 0 && rank_of(&r, id) != rank);
    }
    answer_all(&r, ARCHAI_STATUS_OK);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    root_close(&r);
}

/* Whoever still had it and reports it, or gives it back, changes nothing. */
static void what_was_given_up_is_counted_once(void **state)
{
    struct root r;
    int64_t id = 0;
    size_t left;
    int rank;

    (void)search_through(&r, *state, four);
    root_step(&r);
    root_step(&r);
    while (rank_of(&r, id) < 0)
        id++;
    rank = rank_of(&r, id);
    left = r.c.tests.left;
    for (bool again = true; again;) {
        again = archai_coordinator_requeue_test(&r.c, id, true);
        if (again)
            r.c.tests.next++; /* handed out again */
    }
    assert_int_equal(r.c.tests.left, left - 1);
    root_hear_returned(&r, rank, id);
    hear_test(&r, rank, id, ARCHAI_STATUS_OK);
    assert_int_equal(r.c.tests.left, left - 1);
    root_close(&r);
}

/* All evaluations are there, and yet the run is interrupted: --resume has something to do. */
static void a_stop_meanwhile_leaves_it_interrupted(void **state)
{
    struct root r;
    archai_message m = {.type = ARCHAI_MSG_DRAIN};

    (void)search_through(&r, *state, four);
    root_step(&r);
    root_step(&r);
    root_hear(&r, 1, &m);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    for (int64_t id = 0; id < EVALUATIONS; id++)
        if (rank_of(&r, id) >= 0)
            root_hear_returned(&r, rank_of(&r, id), id);
    assert_ends(&r, "interrupted", 75);
    root_close(&r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_front_is_measured_when_the_search_is_over),
        TEST(what_is_measured_already_is_not_measured_again),
        TEST(weights_that_are_not_stored_are_a_line),
        TEST(one_that_fails_is_tried_again_and_given_up),
        TEST(what_comes_back_goes_out_again),
        TEST(what_was_given_up_is_counted_once),
        TEST(a_stop_meanwhile_leaves_it_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
