/* What rank 0 remembers of its workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/coordinator/slots.h"

static archai_slots make(int n, const char *const *hosts)
{
    archai_slots s;

    archai_slots_init(&s, n);
    for (int i = 0; i < n; i++) {
        s.at[i].exists = true;
        s.at[i].host = strdup(hosts[i]);
    }
    return s;
}

static void candidates_under_way_are_counted(void **state)
{
    const char *const hosts[] = {"a", "a"};
    archai_slots s = make(2, hosts);

    (void)state;
    for (int64_t id = 0; id < ARCHAI_SLOT_DEPTH; id++)
        archai_slots_add(&s, 1, id, 0);
    assert_int_equal(s.under_way, ARCHAI_SLOT_DEPTH);
    assert_false(archai_slots_remove(&s, 0, 5, 1)); /* another's */
    assert_true(archai_slots_remove(&s, 1, 5, 1));
    assert_false(archai_slots_remove(&s, 1, 5, 1)); /* twice */
    assert_int_equal(s.under_way, ARCHAI_SLOT_DEPTH - 1);
    assert_int_equal(s.at[1].ids[5], 6);
    archai_slots_fini(&s);
}

/* As many as there are, in the order in which they were sent, whichever comes back first. */
static void candidates_keep_their_order(void **state)
{
    const char *const hosts[] = {"a", "b"};
    archai_slots s = make(2, hosts);
    int64_t held[200], next = 0;
    uint32_t draw = 1;
    int n = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        const bool grows = (i / 500) % 2 == 0;

        draw = draw * 1664525 + 1013904223; /* Numerical Recipes' generator */
        if (n < 200 && (n == 0 || (draw >> 16) % 10 < (grows ? 7u : 3u))) {
            archai_slots_add(&s, 0, next, i);
            held[n++] = next++;
        } else {
            const int at = (draw >> 8) % 3 == 0 ? (int)((draw >> 10) % (uint32_t)n) : 0;

            assert_true(archai_slots_remove(&s, 0, held[at], i));
            memmove(&held[at], &held[at + 1], (size_t)(--n - at) * sizeof *held);
        }
        assert_int_equal(s.at[0].n, n);
        assert_int_equal(s.under_way, n);
        assert_memory_equal(s.at[0].ids, held, (size_t)n * sizeof *held);
        assert_int_equal(archai_slots_has(&s, 0, next - 1), n > 0 && held[n - 1] == next - 1);
    }
    archai_slots_fini(&s);
}

/* Who has room comes in the order in which it came to it, once, and not where it may get nothing. */
static void the_line_goes_round(void **state)
{
    const char *const hosts[] = {"a", "a", "a", "a"};
    archai_slots s = make(4, hosts);

    (void)state;
    assert_int_equal(archai_slots_next(&s), -1);
    for (int round = 0; round < 5; round++) { /* wherever the line begins */
        for (int i = 0; i < 4; i++)
            archai_slots_enqueue(&s, (i + 2) % 4);
        archai_slots_enqueue(&s, 2); /* it stands there */
        for (int i = 0; i < 4; i++) {
            assert_int_equal(archai_slots_next(&s), (i + 2) % 4);
            assert_int_equal(archai_slots_next(&s), (i + 2) % 4); /* until it is served */
            archai_slots_served(&s);
        }
        assert_int_equal(archai_slots_next(&s), -1);
        archai_slots_enqueue(&s, round % 4);
        archai_slots_served(&s);
    }
    for (int i = 0; i < 4; i++) {
        archai_slots_add(&s, i, i, 0);
        assert_int_equal(archai_slots_next(&s), -1);
    }
    assert_true(archai_slots_remove(&s, 3, 3, 1));
    assert_true(archai_slots_remove(&s, 1, 1, 1));
    assert_true(archai_slots_remove(&s, 0, 0, 1));
    assert_true(archai_slots_remove(&s, 2, 2, 1));
    s.at[3].retired = true;
    s.at[0].leaving = true;
    assert_int_equal(archai_slots_next(&s), 1);
    archai_slots_served(&s);
    assert_int_equal(archai_slots_next(&s), 2);
    archai_slots_served(&s);
    assert_int_equal(archai_slots_next(&s), -1);
    archai_slots_fini(&s);
}

/* Whoever came to have room first is served first, and with nothing to do stays in the line until it is. */
static void workers_stand_in_line(void **state)
{
    const char *const hosts[] = {"a", "a", "a"};
    archai_slots s = make(3, hosts);

    (void)state;
    assert_int_equal(archai_slots_next(&s), -1);
    for (int i = 2; i >= 0; i--)
        archai_slots_enqueue(&s, i);
    archai_slots_enqueue(&s, 1); /* once only */
    assert_int_equal(s.n_line, 3);
    assert_int_equal(archai_slots_next(&s), 2);
    assert_int_equal(archai_slots_next(&s), 2);
    archai_slots_add(&s, 2, 0, 0);
    archai_slots_served(&s);
    s.at[1].leaving = true;
    assert_int_equal(archai_slots_next(&s), 0); /* past the one that leaves */
    assert_true(archai_slots_remove(&s, 2, 0, 1));
    assert_int_equal(archai_slots_next(&s), 0); /* it goes to the end */
    archai_slots_served(&s);
    assert_int_equal(archai_slots_next(&s), 2);
    archai_slots_served(&s);
    assert_int_equal(archai_slots_next(&s), -1);
    archai_slots_fini(&s);
}

/* However long: the oldest is the first. */
static void queues_of_workers_move_on(void **state)
{
    const char *const hosts[] = {"a", "a"};
    archai_slots s = make(2, hosts);

    (void)state;
    for (int64_t id = 0; id < 1000; id++) {
        archai_slots_add(&s, (int)(id % 2), id, 0);
        if (id >= 10) {
            assert_int_equal(s.at[id % 2].ids[0], id - 10);
            assert_true(archai_slots_remove(&s, (int)(id % 2), id - 10, 0));
        }
    }
    assert_int_equal(s.under_way, 10);
    for (int64_t id = 990; id < 1000; id++)
        assert_true(archai_slots_has(&s, (int)(id % 2), id));
    for (int64_t id = 990; id < 1000; id++)
        assert_true(archai_slots_remove(&s, (int)(id % 2), id, 0));
    assert_int_equal(s.under_way, 0);
    archai_slots_fini(&s);
}

/* Long evaluations are proposed on the newest knowledge; short ones must not wait for the way.
 */
static void only_short_evaluations_queue(void **state)
{
    const char *const hosts[] = {"a"};
    archai_slots s = make(1, hosts);

    (void)state;
    assert_int_equal(archai_slot_depth(&s.at[0]), 1);
    archai_slots_note(&s, 0, false, 3600);
    assert_int_equal(archai_slot_depth(&s.at[0]), 1);
    for (int i = 0; i < 100; i++)
        archai_slots_note(&s, 0, false, 0.05);
    assert_int_equal(archai_slot_depth(&s.at[0]), 2);
    for (int i = 0; i < 100; i++)
        archai_slots_note(&s, 0, false, 0);
    assert_int_equal(archai_slot_depth(&s.at[0]), ARCHAI_SLOT_DEPTH);
    archai_slots_fini(&s);
}

/* A candidate is sent at `from` and comes back after so many seconds. */
static void evaluate(archai_slots *s, int rank, bool failed, double from, double seconds)
{
    static int64_t id;

    archai_slots_add(s, rank, id, from);
    assert_true(archai_slots_remove(s, rank, id++, from + seconds));
    archai_slots_note(s, rank, failed, seconds);
}

static void a_bad_node_is_told_from_bad_candidates(void **state)
{
    const char *const hosts[] = {"good", "good", "bad", "bad"};
    archai_slots s = make(4, hosts);

    (void)state;
    for (int i = 0; i < 100; i++) /* well for long */
        evaluate(&s, i % 4, false, i, 0.5);
    for (int i = 0; i < 8; i++)
        evaluate(&s, 2 + i % 2, true, 100 + i, 0.1);
    assert_int_equal(archai_slots_suspect(&s, 2, 108), ARCHAI_SUSPECT_NONE); /* nobody does better */
    for (int i = 0; i < 20; i++)
        evaluate(&s, i % 2, false, 101, 0.5);
    for (int i = 0; i < 8; i++)
        evaluate(&s, 2 + i % 2, true, 108 + i, 0.1);
    assert_int_equal(archai_slots_suspect(&s, 2, 116), ARCHAI_SUSPECT_HOST);
    assert_int_equal(archai_slots_suspect(&s, 3, 116), ARCHAI_SUSPECT_HOST);
    assert_int_equal(archai_slots_suspect(&s, 0, 116), ARCHAI_SUSPECT_NONE);
    archai_slots_add(&s, 3, 1000, 116);
    assert_int_equal(archai_slots_suspect(&s, 2, 116.5), ARCHAI_SUSPECT_HOST);
    /* what runs for long on it: then it is the other one alone, for whom less speaks */
    assert_int_not_equal(archai_slots_suspect(&s, 2, 126), ARCHAI_SUSPECT_HOST);
    evaluate(&s, 2, false, 126, 10); /* the node can do it after all */
    assert_int_equal(archai_slots_suspect(&s, 2, 136), ARCHAI_SUSPECT_NONE);
    archai_slots_fini(&s);
}

/* After any number of successes, and however many share its host. */
static void a_gpu_that_goes_bad_is_told_from_its_node(void **state)
{
    const char *const hosts[] = {"a", "a", "a", "b"};
    archai_slots s = make(4, hosts);
    int failures = 0;

    (void)state;
    for (int i = 0; i < 4000; i++)
        evaluate(&s, i % 4, false, i, 0.5);
    while (archai_slots_suspect(&s, 1, 4000 + failures) == ARCHAI_SUSPECT_NONE && failures < 50) {
        evaluate(&s, 1, true, 4000 + failures++, 0.1);
        for (int other = 0; other < 4; other++)
            if (other != 1)
                evaluate(&s, other, false, 4000 + failures, 0.9);
    }
    /* 3 successes of others for each: (1 / (3 n + 2))^n (4000 + 4 n) < 1e-6 from n = 8 on */
    assert_int_equal(failures, 8);
    assert_int_equal(archai_slots_suspect(&s, 1, 4008), ARCHAI_SUSPECT_WORKER);
    s.at[1].leaving = s.at[1].quarantined = true;
    assert_int_equal(archai_slots_suspect(&s, 0, 4008), ARCHAI_SUSPECT_NONE);
    archai_slots_fini(&s);
}

/* However well the others do: fewer than five in a row may be anything. */
static void four_in_a_row_are_not_enough(void **state)
{
    const char *const hosts[] = {"a", "b"};
    archai_slots s = make(2, hosts);

    (void)state;
    evaluate(&s, 1, false, 0, 0.5);
    for (int failures = 1; failures <= 5; failures++) {
        evaluate(&s, 1, true, failures, 0.1);
        for (int i = 0; i < 100; i++)
            evaluate(&s, 0, false, failures, 0.1);
        assert_int_equal(archai_slots_suspect(&s, 1, failures + 1),
                         failures < 5 ? ARCHAI_SUSPECT_NONE : ARCHAI_SUSPECT_HOST);
    }
    archai_slots_fini(&s);
}

/* From the very first candidate, while the others are still busy with theirs. */
static void one_that_is_bad_from_the_start_is_found_before_others_are_done(void **state)
{
    const char *const hosts[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    archai_slots s = make(8, hosts);
    int failures = 0;

    (void)state;
    for (int i = 0; i < 7; i++)
        archai_slots_add(&s, i, 1000 + i, 100);
    for (; archai_slots_suspect(&s, 7, 100.9) == ARCHAI_SUSPECT_NONE && failures < 30; failures++)
        evaluate(&s, 7, true, 100 + 0.03 * failures, 0.01);
    assert_int_equal(failures, 30); /* theirs may fail yet */
    assert_int_equal(archai_slots_suspect(&s, 7, 101.5), ARCHAI_SUSPECT_HOST);
    archai_slots_fini(&s);
}

/* What has run since before the streak began says nothing of what the others would have made of it. */
static void only_what_began_with_the_streak_speaks_for_others(void **state)
{
    const char *const hosts[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

    (void)state;
    for (int late = 0; late < 2; late++) {
        archai_slots s = make(8, hosts);

        evaluate(&s, 7, false, 990, 9);
        for (int i = 0; i < 7; i++)
            archai_slots_add(&s, i, 1000 + i, late ? 1000 : 900);
        for (int failures = 0; failures < 30; failures++)
            evaluate(&s, 7, true, 1000 + 0.03 * failures, 0.01);
        assert_int_equal(archai_slots_suspect(&s, 7, 1002),
                         late ? ARCHAI_SUSPECT_HOST : ARCHAI_SUSPECT_NONE);
        archai_slots_fini(&s);
    }
}

/* A node one of whose workers did well last is no bad node, whatever that one failed before. */
static void a_success_clears_the_node(void **state)
{
    const char *const hosts[] = {"good", "good", "other", "other"};
    archai_slots s = make(4, hosts);

    (void)state;
    evaluate(&s, 3, true, 0, 0.1);
    evaluate(&s, 3, false, 1, 0.1);
    for (int i = 0; i < 10; i++) {
        evaluate(&s, 2, true, 2 + i, 0.1);
        for (int k = 0; k < 10; k++)
            evaluate(&s, k % 2, false, 2 + i, 0.1);
    }
    assert_int_equal(archai_slots_suspect(&s, 2, 12), ARCHAI_SUSPECT_WORKER);
    archai_slots_fini(&s);
}

/* What one that was found to be bad goes on failing does not excuse another. */
static void the_bad_do_not_speak_for_the_others(void **state)
{
    const char *const hosts[] = {"a", "b", "c"};

    (void)state;
    for (int found = 0; found < 2; found++) {
        archai_slots s = make(3, hosts);

        s.at[1].leaving = s.at[1].quarantined = found;
        for (int i = 0; i < 8; i++) {
            evaluate(&s, 2, true, i, 0.1);
            for (int k = 0; k < 8; k++)
                evaluate(&s, 1, true, i, 0.1);
            for (int k = 0; k < 4; k++)
                evaluate(&s, 0, false, i, 0.1);
        }
        /* (1 / 34)^8 104 < 1e-6, but not (65 / 98)^8 104 */
        assert_int_equal(archai_slots_suspect(&s, 2, 8),
                         found ? ARCHAI_SUSPECT_HOST : ARCHAI_SUSPECT_NONE);
        archai_slots_fini(&s);
    }
}

/* When all begin to fail at once, it is no node's fault. */
static void nobody_is_blamed_for_what_befalls_all(void **state)
{
    const char *const hosts[] = {"a", "a", "b", "b", "c", "c"};
    archai_slots s = make(6, hosts);

    (void)state;
    for (int i = 0; i < 6000; i++)
        evaluate(&s, i % 6, false, i, 0.5);
    for (int i = 0; i < 600; i++) {
        evaluate(&s, i % 6, true, 6000 + i, 0.1);
        assert_int_equal(archai_slots_suspect(&s, i % 6, 6000 + i), ARCHAI_SUSPECT_NONE);
    }
    archai_slots_fini(&s);
}

/* Where a third of all candidates fails, streaks are accidents: none in 100,000 may be held against anybody, and a worker
 * that fails all is found nevertheless. */
static void failing_often_is_no_streak(void **state)
{
    const char *const hosts[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    archai_slots s = make(8, hosts);
    uint32_t draw = 1;
    int failures = 0;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        draw = draw * 1664525 + 1013904223; /* Numerical Recipes' generator */
        evaluate(&s, (int)(draw >> 8) % 8, (draw >> 16) % 100 < 33, i, 0.1);
        for (int rank = 0; rank < 8; rank++)
            assert_int_equal(archai_slots_suspect(&s, rank, i), ARCHAI_SUSPECT_NONE);
    }
    while (archai_slots_suspect(&s, 3, 1e5 + failures) == ARCHAI_SUSPECT_NONE && failures < 100) {
        evaluate(&s, 3, true, 1e5 + failures++, 0.1);
        for (int rank = 4; rank < 7; rank++)
            evaluate(&s, rank, rank == 4, 1e5 + failures, 0.1);
    }
    assert_in_range(failures, 15, 35);
    archai_slots_fini(&s);
}

static void the_last_one_is_kept(void **state)
{
    const char *const hosts[] = {"good", "bad"};
    archai_slots s = make(2, hosts);

    (void)state;
    for (int i = 0; i < 30; i++) {
        evaluate(&s, 0, false, i, 0.5);
        evaluate(&s, 1, true, i, 0.1);
    }
    assert_int_equal(archai_slots_suspect(&s, 1, 30), ARCHAI_SUSPECT_HOST);
    s.at[0].retired = true;
    assert_int_equal(archai_slots_suspect(&s, 1, 30), ARCHAI_SUSPECT_NONE);
    archai_slots_fini(&s);
}

static void slow_failures_are_no_suspicion(void **state)
{
    const char *const hosts[] = {"good", "other"};
    archai_slots s = make(2, hosts);

    (void)state;
    for (int i = 0; i < 50; i++) {
        evaluate(&s, 0, false, 30 * i, 10);
        evaluate(&s, 1, true, 30 * i, 30);
    }
    assert_int_equal(archai_slots_suspect(&s, 1, 1500), ARCHAI_SUSPECT_NONE);
    archai_slots_fini(&s);
}

static void utilisation_counts_what_runs(void **state)
{
    const char *const hosts[] = {"a", "a"};
    archai_slots s = make(2, hosts);

    (void)state;
    archai_slots_add(&s, 0, 1, 100);
    assert_true(archai_slots_busy(&s, 100, 110) == 0.5);
    assert_true(archai_slots_remove(&s, 0, 1, 110));
    archai_slots_note(&s, 0, false, 10);
    assert_true(archai_slots_busy(&s, 100, 120) == 0.25);
    archai_slots_add(&s, 0, 2, 120);
    archai_slots_add(&s, 0, 3, 130); /* waits */
    assert_true(archai_slots_busy(&s, 100, 140) == 30.0 / 80); /* 10 s before, 20 s now */
    assert_true(archai_slots_remove(&s, 0, 2, 140));
    archai_slots_note(&s, 0, false, 20);
    assert_true(archai_slots_busy(&s, 100, 150) == 40.0 / 100); /* the other one since 140 */
    s.at[1].retired = true;
    assert_int_equal(archai_slots_alive(&s), 1);
    assert_int_equal(archai_slots_count(&s), 2);
    archai_slots_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_under_way_are_counted),
        cmocka_unit_test(candidates_keep_their_order),
        cmocka_unit_test(the_line_goes_round),
        cmocka_unit_test(workers_stand_in_line),
        cmocka_unit_test(queues_of_workers_move_on),
        cmocka_unit_test(only_short_evaluations_queue),
        cmocka_unit_test(a_bad_node_is_told_from_bad_candidates),
        cmocka_unit_test(a_gpu_that_goes_bad_is_told_from_its_node),
        cmocka_unit_test(four_in_a_row_are_not_enough),
        cmocka_unit_test(one_that_is_bad_from_the_start_is_found_before_others_are_done),
        cmocka_unit_test(only_what_began_with_the_streak_speaks_for_others),
        cmocka_unit_test(a_success_clears_the_node),
        cmocka_unit_test(the_bad_do_not_speak_for_the_others),
        cmocka_unit_test(nobody_is_blamed_for_what_befalls_all),
        cmocka_unit_test(failing_often_is_no_streak),
        cmocka_unit_test(the_last_one_is_kept),
        cmocka_unit_test(slow_failures_are_no_suspicion),
        cmocka_unit_test(utilisation_counts_what_runs),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
