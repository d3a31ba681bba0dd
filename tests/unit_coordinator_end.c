/* Rank 0: how a run ends, who gets no more work, and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "root.h"
#include "runner/process/clock.h"

static const char *const nothing_more[] = {NULL};

static int signal_to(struct root *r, int rank)
{
    const int before = r->drains[1];
    archai_message m = {.type = ARCHAI_MSG_DRAIN};

    root_hear(r, rank, &m);
    root_step(r);
    return r->drains[1] - before;
}

static void retire(struct root *r, int rank)
{
    root_hear_text(r, rank, ARCHAI_MSG_RETIRED, 0, "");
}

static void assert_ends(struct root *r, const char *state, int exit_code)
{
    root_run_out(r);
    assert_string_equal(r->c.outcome.state, state);
    assert_string_equal(r->c.index.published, state);
    assert_int_equal(r->c.outcome.exit_code, exit_code);
    for (int i = 0; i < RANKS && r->c.n_lost == 0; i++) {
        assert_int_equal(r->stops[i], 1);
        assert_int_equal(r->stop_code[i], exit_code);
    }
}

/* -- all is done --------------------------------------------------------------------------- */

static void a_run_with_its_evaluations_is_complete(void **state)
{
    const char *const more[] = {"search.max_evaluations=4", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_step(&r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
        root_hear_done(&r, i, i);
        root_step(&r);
    }
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.drains[i], 1);
        root_step(&r);
        assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING); /* one is still there */
        retire(&r, i);
    }
    root_step(&r);
    (void)signal_to(&r, 2); /* too late */
    assert_ends(&r, "complete", 0);
    assert_string_equal(r.c.outcome.why, "complete: 4 evaluations");
    root_close(&r);
}

/* Not before the last worker has left, since until then there may be a row that is not in it.
 */
static void results_are_complete_when_the_last_one_has_left(void **state)
{
    const char *const more[] = {"search.max_evaluations=4", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_step(&r);
    for (int i = 0; i < RANKS; i++)
        root_hear_done(&r, i, i);
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    root_refresh(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_string_equal(r.c.index.published, "running");
    for (int i = 0; i < RANKS; i++)
        retire(&r, i);
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

/* Two architectures and four workers: the others wait, and what comes back goes out again. */
static void a_space_that_is_through_is_complete(void **state)
{
    const char *const more[] = {"space.kernel_list=1", "space.hidden_list=8",
                                "space.max_layers=2", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_step(&r);
    assert_int_equal(r.c.slots.under_way, 2);
    root_hear_done(&r, 0, 0);
    root_step(&r);
    root_hear_returned(&r, 1, 1);
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
    assert_int_equal(r.c.slots.under_way, 1);
    root_hear_done(&r, r.n_ids[2] > 0 ? 2 : 3, 1);
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_non_null(
        strstr(r.c.outcome.why, "complete after 2 evaluations: all 2 architectures"));
    root_close(&r);
}

/* The last one came back, and nobody is there to do it. */
static void what_nobody_can_do_is_not_complete(void **state)
{
    const char *const more[] = {"space.kernel_list=1", "space.hidden_list=8",
                                "space.max_layers=1", NULL};

    for (int lost = 0; lost < 2; lost++) {
        char directory[TMPDIR_PATH_MAX];
        struct root r;

        (void)snprintf(directory, sizeof directory, "%s/%d", (const char *)*state, lost);
        root_open(&r, directory, more);
        root_step(&r);
        assert_int_equal(root_last_of(&r, 0), 0);
        for (int i = 0; i < RANKS; i++)
            if (i != 1)
                retire(&r, i);
        root_step(&r);
        assert_int_equal(root_last_of(&r, 1), 0);
        assert_int_equal(r.c.slots.under_way, 1);
        if (lost)
            root_lose(&r, 1);
        else
            retire(&r, 1);
        assert_ends(&r, lost ? "interrupted" : "failed", lost ? 75 : 1);
        root_close(&r);
    }
}

/* -- stopped ------------------------------------------------------------------------------- */

static void a_signal_drains_and_a_second_one_hurries(void **state)
{
    double stopped_at;
    struct root r;

    root_open(&r, *state, nothing_more);
    root_step(&r);
    assert_int_equal(signal_to(&r, 2), 1);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_int_equal(root_logged(&r, "a signal to rank 2: stopping"), 1);
    assert_int_equal(signal_to(&r, 3), 0); /* the same one, by another way */
    stopped_at = r.c.slots.at[2].stopped_at;
    assert_int_equal(signal_to(&r, 2), 0);
    assert_true(r.c.slots.at[2].stopped_at == stopped_at); /* the first one counts */
    r.c.slots.at[2].stopped_at -= 1;                       /* a second ago */
    assert_int_equal(signal_to(&r, 2), 1);
    assert_int_equal(root_logged(&r, "a signal to rank 2 again: stopping at once"), 1);
    r.c.slots.at[2].stopped_at -= 1;
    assert_int_equal(signal_to(&r, 2), 0); /* it cannot be stopped more than that */
    root_hear_done(&r, 2, 2);
    root_step(&r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.n_ids[i], 1); /* nothing new went out */
        retire(&r, i);
    }
    assert_ends(&r, "interrupted", 75);
    assert_string_equal(r.c.outcome.why, "stopped by a signal to rank 2");
    assert_int_equal(r.c.slots.under_way, 0);
    assert_int_equal(r.plan.search.n_running, 3); /* for whoever resumes */
    root_close(&r);
}

static void a_run_that_is_stopped_with_its_last_evaluation_is_complete(void **state)
{
    const char *const more[] = {"search.max_evaluations=4", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_step(&r);
    assert_int_equal(signal_to(&r, 0), 1);
    for (int i = 0; i < RANKS; i++) {
        root_hear_done(&r, i, i);
        retire(&r, i);
    }
    assert_ends(&r, "complete", 0);
    root_close(&r);
}

static void when_the_time_is_over_it_stops(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
    retire(&r, 0);
    r.c.drain_at = archai_clock_s() - 1;
    root_step(&r);
    assert_int_equal(r.drains[0], 0); /* who has left needs not be told */
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    assert_string_equal(r.c.outcome.state, "interrupted");
    assert_int_equal(r.c.outcome.exit_code, 75);
    assert_int_equal(r.drains[3], 1);
    root_step(&r);
    assert_int_equal(r.drains[3], 1); /* once */
    root_close(&r);
}

/* -- faults -------------------------------------------------------------------------------- */

static void a_full_disk_outweighs_a_stop(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_step(&r);
    root_hear_text(&r, 3, ARCHAI_MSG_FAILED, ARCHAI_ECHILD, "its own affair");
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
    assert_int_equal(signal_to(&r, 2), 1);
    assert_int_equal(r.c.outcome.exit_code, 75);
    root_hear_text(&r, 3, ARCHAI_MSG_FAILED, ARCHAI_EIO, "segment-0-0.h5: disk full");
    root_step(&r);
    assert_int_equal(r.c.outcome.exit_code, 74);
    assert_string_equal(r.c.outcome.state, "failed");
    assert_int_equal(signal_to(&r, 1), 0); /* nothing outweighs that */
    for (int i = 0; i < RANKS; i++)
        retire(&r, i);
    assert_ends(&r, "failed", 74);
    assert_string_equal(r.c.outcome.why, "segment-0-0.h5: disk full");
    root_close(&r);
}

/* Where a rank was lost, rank 0 tells itself alone: the others hear it after the last words. */
static void after_a_loss_the_others_are_told_last(void **state)
{
    const char *const more[] = {"search.max_evaluations=3", NULL};
    archai_err err = ARCHAI_ERR_INIT;
    struct root r;

    root_open(&r, *state, more);
    root_step(&r);
    root_lose(&r, 1);
    root_hear_done(&r, 0, 0);
    root_hear_done(&r, 2, 2);
    root_step(&r);
    root_hear_done(&r, r.n_ids[3] > 0 ? 3 : root_last_of(&r, 0) == 1 ? 0 : 2, 1);
    root_step(&r);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_DRAINING);
    for (int i = 0; i < RANKS; i++)
        if (i != 1)
            retire(&r, i);
    assert_ends(&r, "complete", 0);
    for (int i = 0; i < RANKS; i++)
        assert_int_equal(r.stops[i], i == 0);
    assert_int_equal(archai_coordinator_dismiss(&r.c, &err), ARCHAI_OK);
    assert_true(r.comm.to[2].waiting.size > r.used[2]);
    assert_true(r.comm.to[3].waiting.size > r.used[3]);
    assert_int_equal(r.comm.to[1].waiting.size, 0);
    root_close(&r);
}

/* -- workers that go bad ------------------------------------------------------------------- */

/* Ranks from first_bad to last_bad fail at once whatever they get, and the others do well. */
static void let_fail(struct root *r, int first_bad, int last_bad, int rounds)
{
    for (int k = 0; k < rounds; k++) {
        root_dispatch(r);
        for (int i = 0; i < RANKS; i++) {
            const bool is_bad = i >= first_bad && i <= last_bad;

            if (r->c.slots.at[i].n == 0)
                continue;
            root_hear_of(r, i, ARCHAI_MSG_DONE, root_last_of(r, i),
                         is_bad ? ARCHAI_STATUS_FAILED : ARCHAI_STATUS_OK);
            for (int more = 0; !is_bad && more < 40; more++) /* well, and quickly */
                archai_slots_note(&r->c.slots, i, false, 0.6);
        }
    }
}

static void a_worker_that_fails_all_gets_no_more(void **state)
{
    struct root r;
    int had;

    root_open(&r, *state, nothing_more);
    for (int i = 0; i < RANKS; i++)
        root_hear_text(&r, i, ARCHAI_MSG_HELLO, 0, "node");
    let_fail(&r, 1, 1, 6);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.drains[i], i == 1);
        assert_int_equal(r.c.slots.at[i].quarantined, i == 1);
        assert_int_equal(r.c.slots.at[i].leaving, i == 1);
    }
    assert_int_equal(root_logged(&r, "rank 1 (cpu on node) failed its last 5 candidates"), 1);
    had = r.n_ids[1];
    root_dispatch(&r);
    assert_int_equal(r.n_ids[1], had);
    assert_int_equal(r.c.n_failed, 5);
    assert_int_equal(r.c.phase, ARCHAI_PHASE_RUNNING);
    root_close(&r);
}

static void a_node_goes_as_a_whole(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    for (int i = 0; i < RANKS; i++)
        root_hear_text(&r, i, ARCHAI_MSG_HELLO, 0, i < 1 ? "good" : "bad");
    retire(&r, 1); /* of that node, too, but it needs not be told any more */
    let_fail(&r, 2, 3, 6);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.drains[i], i >= 2);
        assert_int_equal(r.c.slots.at[i].quarantined, i >= 2);
    }
    assert_int_equal(root_logged(&r, "bad fails every candidate within a second"), 1);
    root_close(&r);
}

static void nobody_is_blamed_once_all_are_leaving(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    for (int i = 0; i < RANKS; i++)
        root_hear_text(&r, i, ARCHAI_MSG_HELLO, 0, "node");
    let_fail(&r, 1, 1, 4);
    root_dispatch(&r);
    assert_int_equal(signal_to(&r, 0), 1);
    root_hear_of(&r, 1, ARCHAI_MSG_DONE, root_last_of(&r, 1), ARCHAI_STATUS_FAILED);
    assert_int_equal(r.c.slots.at[1].quick_failures, 5);
    assert_false(r.c.slots.at[1].quarantined);
    assert_int_equal(root_logged(&r, "gets no more work"), 0);
    root_close(&r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_run_with_its_evaluations_is_complete),
        TEST(results_are_complete_when_the_last_one_has_left),
        TEST(a_space_that_is_through_is_complete),
        TEST(what_nobody_can_do_is_not_complete),
        TEST(a_signal_drains_and_a_second_one_hurries),
        TEST(a_run_that_is_stopped_with_its_last_evaluation_is_complete),
        TEST(when_the_time_is_over_it_stops),
        TEST(a_full_disk_outweighs_a_stop),
        TEST(after_a_loss_the_others_are_told_last),
        TEST(a_worker_that_fails_all_gets_no_more),
        TEST(a_node_goes_as_a_whole),
        TEST(nobody_is_blamed_once_all_are_leaving),
    };

    return cmocka_run_group_tests_name("coordinator_end", tests, NULL, NULL);
}
