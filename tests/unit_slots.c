/* What rank 0 remembers of its workers, and how GPUs are shared out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/node.h"
#include "runner/slots.h"

static archai_slots make(int n, const char *const *hosts)
{
    archai_slots s;

    assert_int_equal(archai_slots_init(&s, n, NULL), ARCHAI_OK);
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

/* Long evaluations are proposed on the newest knowledge; short ones must not wait for the way.
 */
static void only_short_evaluations_queue(void **state)
{
    const char *const hosts[] = {"a"};
    archai_slots s = make(1, hosts);

    (void)state;
    assert_int_equal(archai_slot_depth(&s.at[0]), 1);
    archai_slot_judge(&s.at[0], false, 3600);
    assert_int_equal(archai_slot_depth(&s.at[0]), 1);
    for (int i = 0; i < 100; i++)
        archai_slot_judge(&s.at[0], false, 0.05);
    assert_int_equal(archai_slot_depth(&s.at[0]), 2);
    for (int i = 0; i < 100; i++)
        archai_slot_judge(&s.at[0], false, 0);
    assert_int_equal(archai_slot_depth(&s.at[0]), ARCHAI_SLOT_DEPTH);
    archai_slots_fini(&s);
}

static void a_bad_node_is_told_from_bad_candidates(void **state)
{
    const char *const hosts[] = {"good", "bad", "bad"};
    archai_slots s = make(3, hosts);

    (void)state;
    for (int i = 0; i < 4; i++)
        archai_slot_judge(&s.at[1 + i % 2], true, 0.1);
    assert_false(archai_slots_suspect(&s, 1)); /* too few */
    archai_slot_judge(&s.at[1], true, 0.1);
    assert_false(archai_slots_suspect(&s, 1)); /* nobody does better */
    archai_slot_judge(&s.at[0], false, 10);
    assert_true(archai_slots_suspect(&s, 1));
    assert_true(archai_slots_suspect(&s, 2)); /* it is the node, not the rank */
    assert_false(archai_slots_suspect(&s, 0));
    archai_slot_judge(&s.at[2], false, 10);
    assert_false(archai_slots_suspect(&s, 1)); /* the node can do it after all */
    archai_slots_fini(&s);
}

static void slow_failures_are_no_suspicion(void **state)
{
    const char *const hosts[] = {"good", "other"};
    archai_slots s = make(2, hosts);

    (void)state;
    archai_slot_judge(&s.at[0], false, 10);
    for (int i = 0; i < 50; i++)
        archai_slot_judge(&s.at[1], true, 30);
    assert_false(archai_slots_suspect(&s, 1));
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
    archai_slot_judge(&s.at[0], false, 10);
    assert_true(archai_slots_busy(&s, 100, 120) == 0.25);
    s.at[1].retired = true;
    assert_int_equal(archai_slots_alive(&s), 1);
    assert_int_equal(archai_slots_count(&s), 2);
    archai_slots_fini(&s);
}

static void gpus_are_dealt_round(void **state)
{
    static const struct {
        const char *list;
        int index;
        const char *expected;
    } cases[] = {
        {"0,1,2,3", 0, "0"},
        {"0,1,2,3", 3, "3"},
        {"0,1,2,3", 5, "1"},
        {"2", 7, "2"},
        {"GPU-5c8,MIG-1/2/3", 1, "MIG-1/2/3"},
        {"", 0, NULL},
        {"-1", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *gpu = archai_node_pick_gpu(cases[i].list, cases[i].index);

        if (cases[i].expected == NULL)
            assert_null(gpu);
        else
            assert_string_equal(gpu, cases[i].expected);
        free(gpu);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_under_way_are_counted),
        cmocka_unit_test(only_short_evaluations_queue),
        cmocka_unit_test(a_bad_node_is_told_from_bad_candidates),
        cmocka_unit_test(slow_failures_are_no_suspicion),
        cmocka_unit_test(utilisation_counts_what_runs),
        cmocka_unit_test(gpus_are_dealt_round),
    };

    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
