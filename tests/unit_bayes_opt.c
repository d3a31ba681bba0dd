/* bayes_opt: whole searches on a small space, where everything is known, and what it makes of
 * measures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/bayes_opt/bayes_results.h"
#include "world.h"

enum { SPACE = 192 };

struct bowl {
    int fail_every; /* of the architectures, by their keys; 0: none, 1: all */
    bool nan_;      /* instead of failing */
};

/* 192 models. Two bowls with different bottoms, and two tilted planes. */
static void measure(const archai_trial *c, archai_trial *e, void *context)
{
    const double l = arch_int(c, "nb_layers"), k = arch_int(c, "kernel_size"),
                 h = log2(arch_int(c, "hidden_dim"));
    const struct bowl *b = context;

    if (b->fail_every > 0 && (int)(l + k + h) % b->fail_every == 0) {
        if (!b->nan_) {
            e->status = ARCHAI_STATUS_FAILED;
            return;
        }
        archai_trial_set_measure(e, "near", NAN);
        return;
    }
    archai_trial_set_measure(e, "near", (l - 4) * (l - 4) + (k - 3) * (k - 3) + (h - 5) * (h - 5));
    archai_trial_set_measure(e, "far", (l - 9) * (l - 9) + (k - 7) * (k - 7) + (h - 6) * (h - 6));
    archai_trial_set_measure(e, "up", l - h);
    archai_trial_set_measure(e, "down", 2 * h - k);
}

static void search(const char *objectives, struct bowl bowl, size_t workers, uint64_t order,
                   size_t max, struct world *w, struct log *log)
{
    char text[1024];

    (void)snprintf(text, sizeof text,
                   "[search]\nalgorithm = bayes_opt\nseed = 3\ninit_num_models = 8\n"
                   "[space]\nname = cnn\nseed = 3\n%s",
                   objectives);
    world_open(w, text);
    drive(w, measure, &bowl, workers, order, max, log);
}

static const char near_[] = "[objective.near]\ndirection = minimize\n";
static const char near_far[] = "[objective.near]\ndirection = minimize\n"
                               "[objective.far]\ndirection = minimize\n";

static void the_bottom_of_a_bowl_is_found(void **state)
{
    static const size_t workers[] = {1, 8, 32};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct log log = {.rows = NULL};
        double best = HUGE_VAL;
        struct world w;

        search(near_, (struct bowl){0}, workers[i], 5, 50, &w, &log);
        for (size_t j = 0; j < log.n; j++)
            if (log.rows[j].status == ARCHAI_STATUS_OK)
                best = fmin(best, log.rows[j].values[0]);
        assert_true(best == 0.0);
        log_free(&log);
        world_close(&w);
    }
}

/* The front's hypervolume of all 192 models against that of 60 evaluations. */
static double volume_of(const char *objectives, size_t max, const double *reference)
{
    struct log log = {.rows = NULL};
    struct world w;
    double volume;

    search(objectives, (struct bowl){0}, 4, 7, max, &w, &log);
    assert_int_equal(archai_pareto_hypervolume(w.search.front.points, w.search.front.n,
                                               w.search.front.n_objectives, reference, &volume,
                                               NULL),
                     0);
    log_free(&log);
    world_close(&w);
    return volume;
}

static void fronts_are_found_with_a_fraction_of_the_evaluations(void **state)
{
    static const struct {
        const char *objectives;
        double reference[4], share;
    } cases[] = {
        {near_far, {100, 150}, 0.995},
        {"[objective.near]\ndirection = minimize\n[objective.params]\ndirection = minimize\n",
         {100, 1e6},
         0.995},
        {"[objective.near]\ndirection = minimize\n[objective.far]\ndirection = minimize\n"
         "[objective.up]\ndirection = maximize\n",
         {100, 150, 5},
         0.98},
        {"[objective.near]\ndirection = minimize\n[objective.far]\ndirection = minimize\n"
         "[objective.up]\ndirection = maximize\n[objective.down]\ndirection = maximize\n",
         {100, 150, 5, 5},
         0.9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double all = volume_of(cases[i].objectives, SPACE, cases[i].reference),
                     some = volume_of(cases[i].objectives, 60, cases[i].reference);

        if (!(some >= cases[i].share * all))
            fail_msg("case %zu: %g of %g", i, some, all);
    }
}

static void each_is_proposed_once_until_the_space_is_empty(void **state)
{
    static const struct bowl bowls[] = {{0}, {3, false}, {3, true}, {1, false}, {1, true}};

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct log log = {.rows = NULL};
        struct world w;

        search(near_far, bowls[i], 5, 3, SIZE_MAX, &w, &log);
        assert_int_equal(log.evaluated, SPACE); /* drive() fails where one comes twice */
        assert_string_not_equal(w.search.done, "");
        log_free(&log);
        world_close(&w);
    }
}

static void the_best_within_a_constraint_is_found(void **state)
{
    static const char text[] = "[objective.near]\ndirection = minimize\n"
                               "[objective.far]\ndirection = none\nconstraint = 0 40\n";
    struct log log = {.rows = NULL};
    double best[2];
    struct world w;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        search(text, (struct bowl){0}, 4, 3, i == 0 ? 40 : SPACE, &w, &log);
        best[i] = w.search.front.points[0];
        log_free(&log);
        world_close(&w);
    }
    assert_true(best[0] == best[1] && best[0] > 0.0); /* the bottom itself is infeasible */

    /* none is feasible: an end all the same */
    search("[objective.near]\ndirection = minimize\nconstraint = -2 -1\n", (struct bowl){0}, 4,
           3, SIZE_MAX, &w, &log);
    assert_int_equal(w.search.front.n, 0);
    assert_string_not_equal(w.search.done, "");
    log_free(&log);
    world_close(&w);
}

static void the_same_seed_gives_the_same_search(void **state)
{
    struct log a = {.rows = NULL}, b = {.rows = NULL};
    struct world w;

    (void)state;
    search(near_far, (struct bowl){4, false}, 6, 9, 80, &w, &a);
    world_close(&w);
    search(near_far, (struct bowl){4, false}, 6, 9, 80, &w, &b);
    world_close(&w);
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++)
        assert_string_equal(a.rows[i].archid, b.rows[i].archid);
    log_free(&a);
    log_free(&b);
}

static void measures_become_targets_and_back(void **state)
{
    struct log log = {.rows = NULL};
    archai_bayes_results r;
    struct world w;
    size_t rows[60];

    (void)state;
    search(near_far, (struct bowl){4, true}, 4, 3, 60, &w, &log);
    for (size_t i = 0; i < 60; i++)
        rows[i] = i;
    archai_bayes_results_of(&r, &w.search, rows, 60);
    assert_true(r.n_known > 30 && r.n_known < 60);
    assert_int_equal(r.n_front, w.search.front.n);
    for (size_t k = 0; k < 2; k++)
        for (int way = 0; way < ARCHAI_BAYES_WAYS; way++) {
            const archai_bayes_scale *s = &r.scale[way][k];
            const double *target = &r.target[way][k * r.n];

            for (size_t i = 0; i < 60; i++) {
                const double cost = r.cost[i * 2 + k];

                assert_int_equal(r.known[i], log.rows[i].status == ARCHAI_STATUS_OK);
                if (!r.known[i])
                    continue;
                assert_true(cost == log.rows[i].values[k]);
                assert_true(fabs(archai_bayes_cost_of(s, target[i]) - cost) < 1e-9);
                assert_true(fabs(archai_bayes_target_of(s, cost) - target[i]) < 1e-9);
                for (size_t j = 0; j < i; j++)
                    if (r.known[j])
                        assert_int_equal(target[j] < target[i], r.cost[j * 2 + k] < cost);
            }
            assert_true(archai_bayes_target_of(s, s->cost[0] - 1.0) < s->target[0]);
            assert_true(archai_bayes_cost_of(s, s->target[0] - 1.0) < s->cost[0]);
        }
    archai_bayes_results_fini(&r);
    log_free(&log);
    world_close(&w);
}

/* Quantiles of a table of the normal distribution. */
static void quantiles_are_the_tables(void **state)
{
    static const double pairs[][2] = {{0.5, 0.0},
                                      {0.975, 1.9599639845},
                                      {0.9, 1.2815515655},
                                      {0.0013498980316, -3.0},
                                      {2.8665157187919e-7, -5.0}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_true(fabs(archai_normal_quantile(pairs[i][0]) - pairs[i][1]) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bottom_of_a_bowl_is_found),
        cmocka_unit_test(fronts_are_found_with_a_fraction_of_the_evaluations),
        cmocka_unit_test(each_is_proposed_once_until_the_space_is_empty),
        cmocka_unit_test(the_best_within_a_constraint_is_found),
        cmocka_unit_test(the_same_seed_gives_the_same_search),
        cmocka_unit_test(measures_become_targets_and_back),
        cmocka_unit_test(quantiles_are_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
