/* mo_bananas by volume: the order of candidates against its definition, parents against their odds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/algorithm/mo_bananas/bananas.h"

/* The order by its definition: of those left always the one that adds most, each with a volume of
 * its own. */
static void order_by_definition(const archai_front *f, const double *points, size_t n,
                                const double *reference, size_t *order)
{
    const size_t m = f->n_objectives;
    double all[64 * 3], sum = 0.0;
    size_t n_all = f->n;

    memcpy(all, f->points, f->n * m * sizeof *all);
    assert_int_equal(archai_pareto_hypervolume(all, n_all, m, reference, &sum, NULL), ARCHAI_OK);
    for (size_t done = 0; done < n; done++) {
        size_t best = SIZE_MAX;
        double most = -1.0;

        for (size_t i = 0; i < n; i++) {
            bool used = false;
            double volume;

            for (size_t k = 0; k < done; k++)
                used = used || order[k] == i;
            memcpy(&all[n_all * m], &points[i * m], m * sizeof *all);
            assert_int_equal(archai_pareto_hypervolume(all, n_all + 1, m, reference, &volume, NULL),
                             ARCHAI_OK);
            if (!used && volume - sum > most) {
                most = volume - sum;
                best = i;
            }
        }
        order[done] = best;
        memcpy(&all[n_all++ * m], &points[best * m], m * sizeof *all);
        sum += most;
    }
}

/* Whole numbers, so that volumes are exact and equal ones common. */
static void candidates_that_add_most_to_the_front_come_first(void **state)
{
    archai_rng rng;

    (void)state;
    archai_rng_seed_numpy(&rng, 3);
    for (int i = 0; i < 200; i++) {
        const size_t m = 2 + (size_t)(i % 2), n = 1 + archai_rng_below(&rng, 30);
        const size_t column[] = {1, m == 2 ? 0 : 2, 0};
        double points[30 * 3], moved[30 * 3], reference[3];
        size_t order[30], expected[30];
        archai_front f;

        archai_front_init(&f, m);
        for (size_t k = 0; k < 12; k++) {
            double point[3];

            for (size_t j = 0; j < m; j++)
                point[j] = 8.0 + 2.0 * (double)archai_rng_below(&rng, 12);
            (void)archai_front_insert(&f, point, (int64_t)k);
        }
        for (size_t k = 0; k < n * m; k++)
            points[k] = (double)archai_rng_below(&rng, 40);
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < m; j++)
                moved[k * m + column[j]] = points[k * m + j];
        for (size_t k = 0; k < n; k++)
            order[k] = k;
        memcpy(expected, order, sizeof order);
        if (f.n > 1) { /* then it has an extent in two objectives at least */
            bool extent = true;

            for (size_t j = 0; j < m; j++) {
                double least = HUGE_VAL, most = 0.0;

                for (size_t k = 0; k < f.n; k++) {
                    least = fmin(least, f.points[k * m + j]);
                    most = fmax(most, f.points[k * m + j]);
                }
                reference[j] = most + 0.5 * (most - least);
                extent = extent && most > least;
            }
            if (extent)
                order_by_definition(&f, points, n, reference, expected);
        }
        assert_int_equal(archai_bananas_by_improvement(&f, column, moved, order, n, NULL),
                         ARCHAI_OK);
        assert_memory_equal(order, expected, n * sizeof *order);
        archai_front_fini(&f);
    }
}

/* Also where volumes are no exact numbers: those that a member of the front is as good as, or that lie
 * outside, stay as they came. */
static void candidates_that_add_nothing_stay_in_order(void **state)
{
    enum { M = 3, FRONT = 40, N = 200 };
    const size_t column[] = {0, 1, 2};
    double points[N * M], most[M];
    size_t order[N], last = 0, useless = 0; /* last: + 1 */
    archai_front f;
    archai_rng rng;

    (void)state;
    archai_rng_seed(&rng, 5);
    archai_front_init(&f, M);
    for (size_t k = 0; k < FRONT; k++) {
        double point[M];

        for (size_t j = 0; j < M; j++)
            point[j] = archai_rng_random(&rng);
        (void)archai_front_insert(&f, point, (int64_t)k);
    }
    for (size_t j = 0; j < M; j++) {
        double least = 1.0;

        most[j] = 0.0;
        for (size_t i = 0; i < f.n; i++) {
            least = fmin(least, f.points[i * M + j]);
            most[j] = fmax(most[j], f.points[i * M + j]);
        }
        most[j] += 0.5 * (most[j] - least);
    }
    for (size_t k = 0; k < N * M; k++)
        points[k] = 1.2 * archai_rng_random(&rng);
    for (size_t k = 0; k < N; k++)
        order[k] = k;
    assert_int_equal(archai_bananas_by_improvement(&f, column, points, order, N, NULL), ARCHAI_OK);
    for (size_t k = 0; k < N; k++) {
        const double *point = &points[order[k] * M];
        bool adds = archai_front_would_join(&f, point);

        for (size_t j = 0; j < M; j++)
            adds = adds && point[j] < most[j];
        assert_true(adds || k > 0);
        if (adds)
            continue;
        assert_true(order[k] >= last);
        last = order[k] + 1;
        useless++;
    }
    assert_true(useless > N / 4 && useless < N);
    archai_front_fini(&f);
}

static void insert(archai_front *f, const double *point)
{
    assert_true(archai_front_insert(f, point, (int64_t)f->n));
}

/* The reference is at 13.5, 12. */
static void parents_are_drawn_by_what_they_alone_add(void **state)
{
    enum { DRAWS = 20000 };
    const double points[4][2] = {{0, 8}, {1, 4}, {5, 3}, {9, 0}};
    const double alone[4] = {1 * 4, 4 * 4, 4 * 1, 4.5 * 3}, all = 4 + 16 + 4 + 13.5;
    size_t counts[4] = {0}, second = 0;
    archai_front f;
    archai_rng rng;

    (void)state;
    archai_rng_seed(&rng, 11);
    archai_front_init(&f, 2);
    for (size_t i = 0; i < 4; i++)
        insert(&f, points[i]);
    for (size_t i = 0; i < DRAWS; i++) {
        size_t out[2];

        assert_int_equal(archai_bananas_parents(&f, &rng, 2, out, NULL), ARCHAI_OK);
        assert_true(out[0] < 4 && out[1] < 4 && out[0] != out[1]);
        counts[out[0]]++;
        second += out[0] == 1 && out[1] == 3;
    }
    for (size_t i = 0; i < 4; i++) { /* four standard deviations */
        const double p = alone[i] / all;

        assert_true(fabs((double)counts[i] - DRAWS * p) < 4.0 * sqrt(DRAWS * p * (1 - p)));
    }
    {
        const double p = alone[1] / all * alone[3] / (all - alone[1]); /* without replacement */

        assert_true(fabs((double)second - DRAWS * p) < 4.0 * sqrt(DRAWS * p * (1 - p)));
    }
    archai_front_fini(&f);
}

static void parents_are_different_members_of_any_front(void **state)
{
    (void)state;
    for (size_t m = 1; m <= 4; m++) {
        const size_t sizes[] = {1, 2, 9, 300};
        archai_rng rng;

        archai_rng_seed(&rng, 7);
        for (size_t k = 0; k < (m > 1 ? 4 : 1); k++)
            for (size_t n = 1; n <= sizes[k]; n = 2 * n + 1) {
                size_t out[300];
                archai_front f;

                archai_front_init(&f, m);
                for (size_t i = 0; i < sizes[k]; i++) { /* a line; the fourth has no extent */
                    const double point[4] = {(double)i, -(double)i, (double)(7 * i % 31), 0.0};

                    insert(&f, point);
                }
                assert_int_equal(archai_bananas_parents(&f, &rng, n, out, NULL), ARCHAI_OK);
                for (size_t i = 0; i < n; i++) {
                    assert_true(out[i] < sizes[k]);
                    for (size_t j = 0; j < i; j++)
                        assert_int_not_equal(out[i], out[j]);
                }
                archai_front_fini(&f);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_that_add_most_to_the_front_come_first),
        cmocka_unit_test(candidates_that_add_nothing_stay_in_order),
        cmocka_unit_test(parents_are_drawn_by_what_they_alone_add),
        cmocka_unit_test(parents_are_different_members_of_any_front),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
