#include "core/algorithm/bayes_opt/bayes_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

double archai_normal_quantile(double p)
{
    const double q = p - 0.5;
    double r, x;

    if (fabs(q) <= 0.425) {
        r = 0.180625 - q * q;
        return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
               (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
    }
    r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
    if (r <= 5.0) {
        r -= 1.6;
        x = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
            ((0.12021132975 * r + 0.73700164250) * r + 1.0);
    } else {
        r -= 5.0;
        x = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
            ((0.012258202635 * r + 0.24197894225) * r + 1.0);
    }
    return q < 0.0 ? -x : x;
}

void archai_bayes_results_fini(archai_bayes_results *r)
{
    for (int way = 0; way < ARCHAI_BAYES_WAYS; way++) {
        for (size_t k = 0; k < r->m; k++) {
            free(r->scale[way][k].cost);
            free(r->scale[way][k].target);
        }
        free(r->scale[way]);
        free(r->target[way]);
    }
    free(r->known);
    free(r->cost);
    free(r->order);
    *r = (archai_bayes_results){.n = 0};
}

/* -- one objective ----------------------------------------------------------------------------- */

struct ranked {
    double cost;
    size_t at;
    bool behind; /* infeasible although others are not */
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->behind != y->behind)
        return x->behind ? 1 : -1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* How fast the cost falls with the target below the best one: as fast as among the best half, or among
 * the best twentieth where that is faster. There may be a step beyond what is known, which a crowd of
 * results before it does not show. */
static double slope_below(const archai_bayes_scale *s)
{
    const double far[] = {0.4, 2.4}; /* targets; of a few hundred ranks */
    double steepest = 0.0;

    if (s->n < 2)
        return 1.0;
    for (size_t j = 0; j < sizeof far / sizeof *far; j++) {
        size_t i = 1;

        while (i + 1 < s->n && s->target[i] < s->target[0] + far[j])
            i++;
        steepest = fmax(steepest, (s->cost[i] - s->cost[0]) / (s->target[i] - s->target[0]));
    }
    return steepest;
}

/* Equal costs share the middle of their ranks. list[n] is sorted. */
static void set_ranked(archai_bayes_scale *s, double *targets, const struct ranked *list,
                       size_t n)
{
    for (size_t from = 0, to; from < n; from = to) {
        double target;

        for (to = from + 1;
             to < n && list[to].cost == list[from].cost && list[to].behind == list[from].behind;
             to++)
            ;
        target = archai_normal_quantile(0.5 * (double)(from + to) / (double)n);
        for (size_t i = from; i < to; i++)
            targets[list[i].at] = target;
        if (list[from].behind)
            continue;
        s->cost[s->n] = list[from].cost;
        s->target[s->n++] = target;
    }
    s->below = s->n > 0 ? slope_below(s) : 1.0;
    s->usable = true;
}

/* Infeasible ones count as the worst that is feasible. `ranked` knows the different costs. */
static void set_plain(archai_bayes_scale *s, double *targets, const struct ranked *list,
                      size_t n, const archai_bayes_scale *ranked)
{
    const double outlier = 10.0; /* standard deviations */
    double mean = 0.0, squares = 0.0, sigma;
    size_t feasible = 0;

    while (feasible < n && !list[feasible].behind)
        mean += (list[feasible].cost - mean) / (double)(feasible + 1), feasible++;
    for (size_t i = 0; i < feasible; i++)
        squares += (list[i].cost - mean) * (list[i].cost - mean);
    sigma = sqrt(squares / (double)(feasible > 0 ? feasible : 1));
    if (!(sigma > 0.0) || !isfinite(sigma))
        sigma = 1.0;
    for (size_t i = 0; i < n; i++)
        targets[list[i].at] = (list[i < feasible ? i : feasible - 1].cost - mean) / sigma;
    s->n = ranked->n;
    for (size_t i = 0; i < s->n; i++) {
        s->cost[i] = ranked->cost[i];
        s->target[i] = (ranked->cost[i] - mean) / sigma;
    }
    s->below = sigma;
    s->usable = s->n > 1 && fabs(s->target[0]) < outlier &&
                fabs(s->target[s->n - 1]) < outlier;
}

static void make_scales(archai_bayes_results *r, size_t k, const bool *behind, struct ranked *list)
{
    archai_bayes_scale *ranked = &r->scale[ARCHAI_BAYES_RANKED][k],
                       *plain = &r->scale[ARCHAI_BAYES_PLAIN][k];
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        if (r->known[i])
            list[n++] = (struct ranked){r->cost[i * r->m + k], i, behind[i]};
    qsort(list, n, sizeof *list, compare_ranked);
    for (int way = 0; way < ARCHAI_BAYES_WAYS; way++) {
        r->scale[way][k].cost = archai_malloc(n * sizeof(double));
        r->scale[way][k].target = archai_malloc(n * sizeof(double));
    }
    set_ranked(ranked, &r->target[ARCHAI_BAYES_RANKED][k * r->n], list, n);
    set_plain(plain, &r->target[ARCHAI_BAYES_PLAIN][k * r->n], list, n, ranked);
}

/* -- all of them ------------------------------------------------------------------------------- */

/* The first front by crowding, so that any number of its first members is spread over it. */
static void spread_front(archai_bayes_results *r, archai_ranked *list)
{
    double *points, *crowding;

    while (r->n_front < r->n_known && list[r->n_front].front == list[0].front &&
           list[r->n_front].violation == list[0].violation)
        r->n_front++;
    points = archai_malloc(r->n_front * r->m * sizeof *points);
    crowding = archai_malloc(r->n_front * sizeof *crowding);
    for (size_t i = 0; i < r->n_front; i++)
        memcpy(&points[i * r->m], &r->cost[list[i].record * r->m], r->m * sizeof *points);
    archai_pareto_crowding(points, r->n_front, r->m, crowding);
    for (size_t i = 0; i < r->n_front; i++)
        list[i].crowding = crowding[i];
    qsort(list, r->n_front, sizeof *list, archai_ranking_compare);
    free(points);
    free(crowding);
}

static void place(archai_bayes_results *r, const bool *behind)
{
    double *points = archai_malloc(r->n_known * r->m * sizeof *points);
    size_t *front = archai_malloc(r->n_known * sizeof *front), n = 0;
    archai_ranked *list = archai_malloc(r->n_known * sizeof *list);

    for (size_t i = 0; i < r->n; i++) {
        if (!r->known[i])
            continue;
        list[n] = (archai_ranked){.record = i, .violation = behind[i]};
        for (size_t k = 0; k < r->m; k++) /* targets: infeasible ones are dominated */
            points[n * r->m + k] = r->target[ARCHAI_BAYES_RANKED][k * r->n + i];
        n++;
    }
    archai_pareto_sort(points, n, r->m, front);
    for (size_t i = 0; i < n; i++)
        list[i].front = front[i];
    qsort(list, n, sizeof *list, archai_ranking_compare);
    spread_front(r, list);
    for (size_t i = 0; i < n; i++)
        r->order[i] = list[i].record;
    free(points);
    free(front);
    free(list);
}

void archai_bayes_results_of(archai_bayes_results *out, const archai_search *s, const size_t *rows,
                             size_t n)
{
    const size_t m = s->objectives->n_optimised;
    struct ranked *list = archai_malloc(n * sizeof *list);
    bool *behind = archai_calloc(n, sizeof *behind), any = false;
    archai_bayes_results r = {.n = n,
                              .m = m,
                              .known = archai_calloc(n, sizeof *r.known),
                              .cost = archai_calloc(n * m, sizeof *r.cost),
                              .order = archai_calloc(n, sizeof *r.order)};

    for (int way = 0; way < ARCHAI_BAYES_WAYS; way++) {
        r.target[way] = archai_calloc(n * m, sizeof *r.target[way]);
        r.scale[way] = archai_calloc(m, sizeof *r.scale[way]);
    }
    for (size_t i = 0; i < n; i++) {
        const archai_record *record = &s->records[rows[i]];

        r.known[i] = archai_ranking_has_result(s, record);
        if (!r.known[i])
            continue;
        archai_objectives_minimised(s->objectives, record->values, &r.cost[i * m]);
        behind[i] = record->status == ARCHAI_STATUS_INFEASIBLE;
        any = any || !behind[i];
        r.n_known++;
    }
    if (!any)
        memset(behind, 0, n * sizeof *behind);
    for (size_t k = 0; k < m; k++)
        make_scales(&r, k, behind, list);
    if (r.n_known > 0)
        place(&r, behind);
    free(list);
    free(behind);
    *out = r;
}

/* -- there and back ---------------------------------------------------------------------------- */

/* The piece of the line through (x[i], y[i]) on which v lies, at v. */
static double along(const double *x, const double *y, size_t n, double v)
{
    size_t low = 1, high = n - 1;

    while (low < high) { /* first i >= 1 with v <= x[i] */
        const size_t mid = low + (high - low) / 2;

        if (x[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return y[low - 1] + (v - x[low - 1]) * (y[low] - y[low - 1]) / (x[low] - x[low - 1]);
}

double archai_bayes_cost_of(const archai_bayes_scale *s, double target)
{
    if (s->n < 2 || target < s->target[0])
        return s->cost[0] + s->below * (target - s->target[0]);
    return along(s->target, s->cost, s->n, target);
}

double archai_bayes_target_of(const archai_bayes_scale *s, double cost)
{
    if (s->n < 2 || cost < s->cost[0])
        return s->target[0] + (cost - s->cost[0]) / s->below;
    return along(s->cost, s->target, s->n, cost);
}
