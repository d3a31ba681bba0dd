#include "core/algorithm/bayes_opt/bayes_front.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum {
    FRONT_MAX = 128 /* members of a front of three or more objectives that are looked at */
};

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The worst known cost that is not an outlier, which is at most five times as far from the best as the
 * median of the first ones, which were drawn at random. */
static double worst_of(const archai_bayes_results *r, size_t k, double best)
{
    double first[ARCHAI_BAYES_FIRST], worst = best;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        if (!r->known[i])
            continue;
        worst = fmax(worst, r->cost[i * r->m + k]);
        if (n < ARCHAI_BAYES_FIRST)
            first[n++] = r->cost[i * r->m + k];
    }
    qsort(first, n, sizeof *first, compare_doubles);
    return fmin(worst, best + 5.0 * fmax(first[n / 2] - best, 0.0));
}

/* For each objective the candidate that may be best in it, and among equals the best in the others: ends
 * of the front that were not found yet. */
static void find_ends(const archai_bayes_model *x, size_t *end)
{
    double least[ARCHAI_MAX_OBJECTIVES], mean[ARCHAI_MAX_OBJECTIVES],
        deviation[ARCHAI_MAX_OBJECTIVES];

    for (size_t i = 0; i < archai_bayes_model_members(x); i++) {
        double others = 0.0;

        archai_bayes_model_member(x, i, mean, deviation);
        for (size_t k = 0; k < x->m; k++)
            others += 0.05 * mean[k];
        for (size_t k = 0; k < x->m; k++)
            if (i == 0 || mean[k] - deviation[k] + others < least[k]) {
                least[k] = mean[k] - deviation[k] + others;
                end[k] = i;
            }
    }
}

/* The costs below which improvements count (core/algorithm/bayes_opt/bayes_front.h). `ideal`: the best
 * known ones. */
static void reference_of(const archai_bayes_model *x, const archai_bayes_results *r,
                         double *cost, double *ideal)
{
    double mean[ARCHAI_MAX_OBJECTIVES], deviation[ARCHAI_MAX_OBJECTIVES];
    size_t end[ARCHAI_MAX_OBJECTIVES] = {0};

    for (size_t k = 0; k < r->m; k++) {
        cost[k] = -HUGE_VAL;
        ideal[k] = HUGE_VAL;
        for (size_t i = 0; i < r->n_front; i++) {
            cost[k] = fmax(cost[k], r->cost[r->order[i] * r->m + k]);
            ideal[k] = fmin(ideal[k], r->cost[r->order[i] * r->m + k]);
        }
    }
    find_ends(x, end);
    for (size_t j = 0; j < r->m; j++) {
        archai_bayes_model_member(x, end[j], mean, deviation);
        for (size_t k = 0; k < r->m; k++)
            cost[k] = fmax(cost[k], archai_bayes_cost_of(&r->scale[x->way[k]][k], mean[k]));
    }
    for (size_t k = 0; k < r->m; k++) {
        cost[k] += 0.5 * (cost[k] - ideal[k]);
        cost[k] = fmax(cost[k], worst_of(r, k, ideal[k]));
        if (!(cost[k] > ideal[k])) /* all alike */
            cost[k] = ideal[k] + fmax(fabs(ideal[k]), 1.0) * 1e-3;
    }
}

static void draw_weights(archai_rng *rng, double *weights, size_t m)
{
    double sum = 0.0;

    for (size_t k = 0; k < m; k++)
        sum += weights[k] = -log(1.0 - archai_rng_random(rng));
    for (size_t k = 0; k < m; k++)
        weights[k] /= sum;
}

void archai_bayes_front(archai_improvement *out, const archai_bayes_model *x,
                        const archai_bayes_results *r, const double *filled,
                        const archai_search *s, archai_rng *rng)
{
    const size_t m = r->m;
    const archai_bayes_way *way = x->way;
    const size_t limit = m < 3 || r->n_front < FRONT_MAX ? r->n_front : FRONT_MAX;
    double reference[ARCHAI_MAX_OBJECTIVES], ideal[ARCHAI_MAX_OBJECTIVES],
        target[ARCHAI_MAX_OBJECTIVES], below[ARCHAI_MAX_OBJECTIVES],
        weights[ARCHAI_MAX_OBJECTIVES] = {0};
    double *cost = archai_malloc(r->n * m * sizeof *cost);
    double *targets = archai_malloc(r->n * m * sizeof *targets);
    size_t n = 0;

    reference_of(x, r, reference, ideal);
    for (size_t i = 0; i < limit; i++, n++)
        for (size_t k = 0; k < m; k++) {
            cost[n * m + k] = r->cost[r->order[i] * m + k];
            targets[n * m + k] = r->target[way[k]][k * r->n + r->order[i]];
        }
    for (size_t i = 0; i < r->n; i++) {
        if (r->known[i] || s->records[x->rows[i]].status != ARCHAI_STATUS_RUNNING)
            continue;
        for (size_t k = 0; k < m; k++) {
            targets[n * m + k] = filled[k * r->n + i];
            cost[n * m + k] = archai_bayes_cost_of(&r->scale[way[k]][k], filled[k * r->n + i]);
        }
        n++;
    }
    for (size_t k = 0; k < m; k++) {
        const double unit = reference[k] - ideal[k];

        target[k] = archai_bayes_target_of(&r->scale[way[k]][k], reference[k]);
        reference[k] /= unit;
        below[k] = r->scale[way[k]][k].below / unit;
        for (size_t i = 0; i < n; i++)
            cost[i * m + k] /= unit;
    }
    if (m > ARCHAI_IMPROVEMENT_EXACT)
        draw_weights(rng, weights, m);
    archai_improvement_init(out,
                            &(archai_improvement_front){.n = n,
                                                        .m = m,
                                                        .cost = cost,
                                                        .target = targets,
                                                        .reference_cost = reference,
                                                        .reference_target = target,
                                                        .below = below},
                            weights);
    free(cost);
    free(targets);
}
