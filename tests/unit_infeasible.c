/* Candidates that a constraint ends before everything is measured: a row, no evaluation of the budget, and
 * the end of a search that finds nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "small_search.h"

static const char *latency_config(int schedule, const char *more)
{
    static char text[1024];

    (void)snprintf(text, sizeof text,
                   "[search]\nalgorithm = %s\nschedule = %s\nnum_iters = 3\n%s"
                   "[space]\nname = cnn\n[objective.acc]\ndirection = maximize\nconstraint = 0.1 1\n"
                   "[objective.latency]\ndirection = minimize\nconstraint = 0 0.45\n",
                   "evolution_pareto", schedule == ARCHAI_ASYNC ? "async" : "generational", more);
    return text;
}

static void what_was_not_measured_is_excused_by_what_was(void **state)
{
    const double none = -1;
    const struct {
        double acc, latency;
        int status;
        const char *error;
    } cases[] = {
        {0.5, 0.2, ARCHAI_STATUS_OK, ""},
        {none, 0.6, ARCHAI_STATUS_INFEASIBLE, "latency = 0.6 is outside the constraint [0, 0.45]"},
        {none, 0.2, ARCHAI_STATUS_FAILED, "acc is NaN or missing"},
        {0.5, none, ARCHAI_STATUS_FAILED, "latency is NaN or missing"},
        {NAN, 0.6, ARCHAI_STATUS_FAILED, "acc is NaN or missing"},
        {INFINITY, 0.6, ARCHAI_STATUS_FAILED, "acc is infinite"},
        {0.05, none, ARCHAI_STATUS_INFEASIBLE, "acc = 0.05"},
        {none, none, ARCHAI_STATUS_FAILED, "acc is NaN or missing"},
        {0.5, NAN, ARCHAI_STATUS_FAILED, "latency is NaN or missing"},
        {0.5, 0.6, ARCHAI_STATUS_INFEASIBLE, "latency = 0.6"},
    };
    struct world w;

    (void)state;
    world_open(&w, latency_config(ARCHAI_ASYNC, ""));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        archai_trial t = {.status = ARCHAI_STATUS_OK};

        if (cases[i].acc != none)
            archai_trial_set_measure(&t, "acc", cases[i].acc);
        if (cases[i].latency != none)
            archai_trial_set_measure(&t, "latency", cases[i].latency);
        archai_trial_check(&t, &w.objectives);
        assert_int_equal(t.status, cases[i].status);
        if (strstr(t.error != NULL ? t.error : "", cases[i].error) == NULL)
            fail_msg("%s", t.error);
        archai_trial_fini(&t);
    }
    world_close(&w);
}

/* Latency alone where there are more than two layers, else all. */
static void deep_is_slow(const archai_trial *c, archai_trial *e, void *limit)
{
    const double latency = arch_int(c, "nb_layers") * 0.2;

    archai_trial_set_measure(e, "latency", latency);
    if (latency <= *(const double *)limit)
        archai_trial_set_measure(e, "acc", 0.5);
}

static size_t count_status(const struct log *l, int status)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += l->rows[i].status == status;
    return n;
}

static void they_do_not_count(void **state)
{
    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        double limit = 0.45;
        struct log l = {0};
        struct world w;

        world_open(&w, latency_config(schedule, ""));
        drive(&w, deep_is_slow, &limit, 3, 5, 60, &l);
        assert_true(count_status(&l, ARCHAI_STATUS_INFEASIBLE) > 5);
        assert_int_equal(count_status(&l, ARCHAI_STATUS_FAILED), 0);
        assert_int_equal(w.search.n_finished, count_status(&l, ARCHAI_STATUS_OK));
        for (size_t i = 0; i < l.n; i++)
            assert_false(isnan(l.rows[i].values[1])); /* what was measured is there */
        log_free(&l);
        world_close(&w);
    }
}

static void a_search_that_finds_nothing_feasible_ends(void **state)
{
    double limit = 0; /* nothing is */
    struct log l = {0};
    struct world w;

    (void)state;
    world_open(&w, latency_config(ARCHAI_ASYNC, ""));
    w.search.max_infeasible = 20;
    w.objectives.at[1].constraint.at[1] = 0.05;
    drive(&w, deep_is_slow, &limit, 1, 0, 1000, &l);
    assert_int_equal(l.n, 20);
    assert_int_equal(w.search.n_finished, 0);
    assert_string_equal(w.search.done,
                        "20 candidates in a row violate a constraint (search.max_infeasible)");
    log_free(&l);
    world_close(&w);
}

/* Rows of an earlier start count as they did then. */
static void a_resume_counts_them_as_before(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    struct world w;

    (void)state;
    for (int schedule = 0; schedule < 2; schedule++) {
        archai_trial c[6];
        struct world later;

        world_open(&w, latency_config(schedule, ""));
        world_open(&later, latency_config(schedule, ""));
        for (int i = 0; i < 6; i++) {
            archai_trial row;

            ask_one(&w, &c[i]);
            evaluation_of(&c[i], &row);
            row.budget = c[i].budget;
            archai_trial_set_measure(&row, "latency", i % 2 == 0 ? 0.2 : 0.8);
            if (i % 2 == 0)
                archai_trial_set_measure(&row, "acc", 0.5);
            row.status = i % 2 == 0 ? ARCHAI_STATUS_OK : ARCHAI_STATUS_INFEASIBLE;
            if (archai_search_restore(&later.search, &row, &err) != ARCHAI_OK)
                fail_msg("%s", err.text);
            archai_trial_fini(&row);
            archai_trial_fini(&c[i]);
        }
        if (archai_search_restore_end(&later.search, &err) != ARCHAI_OK)
            fail_msg("%s", err.text);
        assert_int_equal(later.search.n_finished, 3);
        assert_int_equal(later.search.n_infeasible, 1);
        world_close(&later);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_measured_is_excused_by_what_was),
        cmocka_unit_test(they_do_not_count),
        cmocka_unit_test(a_search_that_finds_nothing_feasible_ends),
        cmocka_unit_test(a_resume_counts_them_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
