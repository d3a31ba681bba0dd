/* What Bayesian optimisation maximises, against numerical integration of the exact hypervolume
 * (core/pareto/pareto.h), which knows nothing of boxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/bayes_opt/bayes_improvement.h"
#include "core/pareto/pareto.h"
#include "core/base/rng.h"

enum { MAX_POINTS = 12, MAX_M = 3 };

/* A front, dominated points among it, and a map from targets to costs: cost = exp(slope *
 * target), which is straight between neighbouring knots for the improvement and here. */
struct problem {
    size_t n, m;
    double cost[MAX_POINTS * MAX_M], target[MAX_POINTS * MAX_M];
    double reference_cost[MAX_M], reference_target[MAX_M], below[MAX_M];
    double knots[MAX_M][MAX_POINTS + 1]; /* targets, ascending */
    double volume;
};

static double cost_of(size_t k, double target)
{
    return exp((0.5 + 0.25 * (double)k) * target);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void draw(struct problem *p, archai_rng *rng, size_t n, size_t m)
{
    memset(p, 0, sizeof *p);
    p->n = n;
    p->m = m;
    for (size_t k = 0; k < m; k++) {
        for (size_t i = 0; i < n; i++) {
            p->target[i * m + k] = floor(8.0 * archai_rng_random(rng)) / 4.0 - 1.0;
            p->cost[i * m + k] = cost_of(k, p->target[i * m + k]);
            p->knots[k][i] = p->target[i * m + k];
        }
        p->reference_target[k] = p->knots[k][n] = 1.25;
        p->reference_cost[k] = cost_of(k, 1.25);
        p->below[k] = 0.4;
        qsort(p->knots[k], n + 1, sizeof p->knots[k][0], compare);
    }
    assert_int_equal(
        archai_pareto_hypervolume(p->cost, n, m, p->reference_cost, &p->volume, NULL), 0);
}

/* The piecewise linear cost of a target. */
static double cost_at(const struct problem *p, size_t k, double target)
{
    const double *z = p->knots[k];
    size_t i = 1;

    if (target <= z[0])
        return cost_of(k, z[0]) + p->below[k] * (target - z[0]);
    if (target >= p->reference_target[k])
        return p->reference_cost[k]; /* adds nothing */
    while (z[i] < target)
        i++;
    return cost_of(k, z[i - 1]) +
           (target - z[i - 1]) * (cost_of(k, z[i]) - cost_of(k, z[i - 1])) / (z[i] - z[i - 1]);
}

static double added(const struct problem *p, const double *target)
{
    double points[(MAX_POINTS + 1) * MAX_M], volume;

    memcpy(points, p->cost, p->n * p->m * sizeof *points);
    for (size_t k = 0; k < p->m; k++)
        points[p->n * p->m + k] = cost_at(p, k, target[k]);
    assert_int_equal(
        archai_pareto_hypervolume(points, p->n + 1, p->m, p->reference_cost, &volume, NULL), 0);
    return volume - p->volume;
}

/* Trapezoidal rule over six standard deviations to both sides, `steps` nodes in each uncertain
 * objective. */
static double integrated(const struct problem *p, const double *mean, const double *deviation,
                         size_t steps)
{
    const double width = 12.0 / (double)(steps - 1);
    double target[MAX_M], sum = 0.0;
    size_t count = 1;

    for (size_t k = 0; k < p->m; k++)
        count *= deviation[k] > 0.0 ? steps : 1;
    for (size_t i = 0; i < count; i++) {
        double weight = 1.0;
        size_t rest = i;

        for (size_t k = 0; k < p->m; k++) {
            double z;

            target[k] = mean[k];
            if (!(deviation[k] > 0.0))
                continue;
            z = -6.0 + width * (double)(rest % steps);
            rest /= steps;
            weight *= width * exp(-0.5 * z * z) / sqrt(2.0 * acos(-1.0));
            target[k] += deviation[k] * z;
        }
        if (weight > 1e-12)
            sum += weight * added(p, target);
    }
    return sum;
}

static void assert_matches(archai_rng *rng, size_t m, size_t steps, double tolerance)
{
    for (int round = 0; round < 6; round++) {
        struct problem p;
        archai_improvement x;
        archai_improvement_front front;

        draw(&p, rng, (size_t)archai_rng_below(rng, MAX_POINTS + 1), m);
        front = (archai_improvement_front){.n = p.n,
                                           .m = m,
                                           .cost = p.cost,
                                           .target = p.target,
                                           .reference_cost = p.reference_cost,
                                           .reference_target = p.reference_target,
                                           .below = p.below};
        archai_improvement_init(&x, &front, NULL);
        for (int i = 0; i < 4; i++) {
            double mean[MAX_M], deviation[MAX_M], got, expected;

            for (size_t k = 0; k < m; k++) {
                mean[k] = 3.0 * archai_rng_random(rng) - 1.75;
                deviation[k] = i == 3 && k > 0 ? 0.0 : 0.1 + archai_rng_random(rng);
            }
            expected = integrated(&p, mean, deviation, steps);
            got = archai_improvement_expected(&x, mean, deviation);
            if (!(fabs(got - expected) <= tolerance * (expected + 0.02)))
                fail_msg("%zu objectives, front of %zu: %.9g is not %.9g", m, p.n, got,
                         expected);
        }
        archai_improvement_fini(&x);
    }
}

static void the_closed_form_is_the_integral(void **state)
{
    archai_rng rng;

    (void)state;
    archai_rng_seed(&rng, 4);
    assert_matches(&rng, 1, 4001, 5e-4);
    assert_matches(&rng, 2, 121, 5e-3);
    assert_matches(&rng, 3, 31, 5e-2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closed_form_is_the_integral),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
