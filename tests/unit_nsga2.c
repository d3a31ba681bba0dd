/* nsga2: who is bred from, against a selection by the book (Deb and others, 2002). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { POPULATION = 6, ITERATIONS = 8, MORE = 1000 };

/* A number of 0 to 1 for each architecture, no two alike. */
static void measure(const archai_trial *c, archai_trial *e, void *context)
{
    const double v = fmod(arch_int(c, "nb_layers") * 0.61803 + arch_int(c, "kernel_size") * 0.41421 +
                              log2(arch_int(c, "hidden_dim")) * 0.23607,
                          1.0);

    (void)context;
    archai_trial_set_measure(e, "v", v);
    archai_trial_set_measure(e, "w", 1.0 - v);
    archai_trial_set_measure(e, "limit", 1.0 + v);
    /* by how many hundredths of its bound each is too large, and by how much: opposite orders */
    archai_trial_set_measure(e, "small", 1.0 + v);
    archai_trial_set_measure(e, "large", 1500.0 - 500.0 * v);
    /* one in four has too large a limit, and is better in both of these than most others */
    archai_trial_set_measure(e, "a", v > 0.75 ? 0.1 : v);
    archai_trial_set_measure(e, "b", v > 0.75 ? 0.1 : 1.0 - v);
}

struct member {
    const struct log_row *row;
    double v, rank; /* a small rank is better */
};

static int by_v(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return (x->v > y->v) - (x->v < y->v);
}

static int by_rank(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* All are on one front: the ends stay, and those with the widest gaps around them. */
static void rank_by_crowding(struct member *m, size_t n)
{
    qsort(m, n, sizeof *m, by_v);
    for (size_t i = 0; i < n; i++)
        m[i].rank = i == 0 || i + 1 == n ? -HUGE_VAL : m[i - 1].v - m[i + 1].v;
}

/* None is feasible: the least violation stays, although the objective says the opposite. */
static void rank_by_violation(struct member *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        m[i].rank = m[i].v;
}

/* Those that are feasible are on one front, whatever the others are; of these the least violation. */
static void rank_feasible_first(struct member *m, size_t n)
{
    size_t feasible = 0;

    for (size_t i = 0; i < n; i++)
        m[i].v = m[i].row->values[2] - 1.0;
    qsort(m, n, sizeof *m, by_v);
    while (feasible < n && m[feasible].row->status == ARCHAI_STATUS_OK)
        feasible++;
    rank_by_crowding(m, feasible);
    for (size_t i = feasible; i < n; i++)
        m[i].rank = 1.0 + m[i].v;
}

/* Are those of an iteration children of the survivors, and of no others? */
static void children_are_of(const struct log *log, int iteration, const struct member *m, size_t n)
{
    size_t parents = 0;

    for (size_t id = 0; id < log->n; id++) {
        json_t *all = json_loads(log->rows[id].parents, 0, NULL), *parent;
        size_t at;

        json_array_foreach(all, at, parent) {
            bool found = log->rows[id].generation != iteration;

            parents += !found;
            for (size_t i = 0; i < n && !found; i++)
                found = strcmp(m[i].row->archid, json_string_value(parent)) == 0;
            assert_true(found);
        }
        json_decref(all);
    }
    assert_true(parents > 0);
}

enum { ANY = -1 }; /* status */

static void selection_is(const char *objectives, int status, void (*rank)(struct member *, size_t))
{
    struct log log = {.rows = NULL};
    struct member m[POPULATION * 2 + 1];
    char text[1024];
    struct world w;
    size_t n = 0, dropped = 0;

    (void)snprintf(text, sizeof text,
                   "[search]\nalgorithm = nsga2\nschedule = generational\nseed = 3\n"
                   "population_size = %d\nnum_iters = %d\n[space]\nname = cnn\nseed = 3\n%s",
                   POPULATION, ITERATIONS, objectives);
    world_open(&w, text);
    drive(&w, measure, NULL, 3, 1, MORE, &log);
    for (int iteration = 0; iteration + 1 < ITERATIONS; iteration++) {
        for (size_t id = 0; id < log.n; id++)
            if (log.rows[id].generation == iteration &&
                (status == ANY || log.rows[id].status == status))
                m[n++] = (struct member){.row = &log.rows[id], .v = log.rows[id].values[0]};
        rank(m, n);
        qsort(m, n, sizeof *m, by_rank);
        dropped += n > POPULATION ? n - POPULATION : 0;
        n = n < POPULATION ? n : POPULATION;
        children_are_of(&log, iteration + 1, m, n);
    }
    assert_true(dropped > 3 * POPULATION);
    log_free(&log);
    world_close(&w);
}

static void crowded_members_leave(void **state)
{
    (void)state;
    selection_is("[objective.v]\ndirection = minimize\n[objective.w]\ndirection = minimize\n",
                 ARCHAI_STATUS_OK, rank_by_crowding);
}

static void the_least_violation_stays(void **state)
{
    (void)state;
    selection_is("[objective.v]\ndirection = maximize\n"
                 "[objective.limit]\ndirection = none\nconstraint = 0 1e-3\n",
                 ARCHAI_STATUS_INFEASIBLE, rank_by_violation);
}

/* Bounds of 1 and 1000: the violations are v and (1 - v) / 2 of them. A bound of 0 has no share. */
static void violations_are_shares_of_their_bounds(void **state)
{
    (void)state;
    selection_is("[objective.v]\ndirection = maximize\n"
                 "[objective.small]\ndirection = none\nconstraint = 0 1\n"
                 "[objective.large]\ndirection = none\nconstraint = 0 1000\n",
                 ARCHAI_STATUS_INFEASIBLE, rank_by_violation);
    selection_is("[objective.v]\ndirection = maximize\n"
                 "[objective.w]\ndirection = none\nconstraint = 2 3\n"
                 "[objective.limit]\ndirection = none\nconstraint = -1 0\n",
                 ARCHAI_STATUS_INFEASIBLE, rank_by_violation);
}

static void an_infeasible_one_pushes_no_feasible_one_back(void **state)
{
    (void)state;
    selection_is("[objective.a]\ndirection = minimize\n[objective.b]\ndirection = minimize\n"
                 "[objective.limit]\ndirection = none\nconstraint = 0 1.75\n",
                 ANY, rank_feasible_first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crowded_members_leave),
        cmocka_unit_test(the_least_violation_stays),
        cmocka_unit_test(violations_are_shares_of_their_bounds),
        cmocka_unit_test(an_infeasible_one_pushes_no_feasible_one_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
