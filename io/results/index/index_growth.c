/* /pareto and /hypervolume.
 *
 * An architecture is compared once, by the first of its ok or cached rows of the highest budget. A row of a
 * higher budget may be worse than the one before it: then that leaves the front, others may come back, and
 * the hypervolume falls.
 *
 * The hypervolume needs a reference point that does not move, or its curve would mean nothing: the
 * worst value of each objective among the first GROWTH_FIRST points (ok and cached rows, in order
 * of finishing; at the end of a generational search in order of id), plus a tenth of their range,
 * so that the extreme points count, too. Until there are that many points, each refresh recomputes
 * the curve. Later points that are worse than the reference add nothing. The curve has a point
 * wherever the front changed (thinned where much happened between two refreshes) and one for the
 * present.
 */
#include "io/results/index/index_private.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* Hypervolumes that one refresh may compute; with four objectives and a long front each is
 * expensive. */
enum { STEPS_MAX = 64 };

void index_growth_init(index_growth *g, const archai_objectives *objectives)
{
    *g = (index_growth){.objectives = objectives};
    archai_front_init(&g->front, objectives->n_optimised);
}

void index_growth_fini(index_growth *g)
{
    archai_front_fini(&g->front);
    archai_hash_clear(&g->by_archid);
    free(g->stands);
    free(g->points);
    free(g->evaluations);
    free(g->seconds);
    free(g->value);
    *g = (index_growth){0};
}

/* -- which row stands for an architecture ---------------------------------------------------- */

static bool takes_over(const index_stand *new_, const index_stand *old)
{
    return new_->budget > old->budget || (new_->budget == old->budget && new_->id < old->id);
}

static bool has_hash(const void *stands, size_t i, const void *hash)
{
    return ((const index_stand *)stands)[i].hash == *(const uint64_t *)hash;
}

/* What only the point that left had dominated comes back; `new_` has been inserted. */
static void let_back(index_growth *g, const double *left, int64_t new_)
{
    const size_t k = g->front.n_objectives;

    for (size_t i = 0; i < g->n_stands; i++)
        if (g->stands[i].id != new_ && archai_pareto_dominates(left, &g->points[i * k], k))
            (void)archai_front_insert(&g->front, &g->points[i * k], g->stands[i].id);
}

static bool is_member(const archai_front *f, int64_t tag)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->tags[i] == tag)
            return true;
    return false;
}

/* Count a row with results; whether the front changed. */
static bool stand(index_growth *g, const index_stand *new_, const double *point)
{
    const size_t k = g->front.n_objectives;
    const size_t known =
        archai_hash_find(&g->by_archid, new_->hash, has_hash, g->stands, &new_->hash);
    double left[ARCHAI_MAX_OBJECTIVES];
    bool was_on_front;

    if (known == SIZE_MAX) {
        ARCHAI_RESERVE(g->stands, g->stands_capacity, g->n_stands + 1);
        ARCHAI_RESERVE(g->points, g->points_capacity, (g->n_stands + 1) * k);
        archai_hash_add(&g->by_archid, new_->hash, g->n_stands);
        memcpy(&g->points[g->n_stands * k], point, k * sizeof *point);
        g->stands[g->n_stands++] = *new_;
        return archai_front_insert(&g->front, point, new_->id);
    }
    if (!takes_over(new_, &g->stands[known]))
        return false;
    memcpy(left, &g->points[known * k], k * sizeof *left);
    was_on_front = archai_front_remove(&g->front, g->stands[known].id);
    memcpy(&g->points[known * k], point, k * sizeof *point);
    g->stands[known] = *new_;
    (void)archai_front_insert(&g->front, point, new_->id);
    if (was_on_front)
        let_back(g, left, new_->id);
    return was_on_front || is_member(&g->front, new_->id);
}

int64_t index_growth_best(const index_growth *g)
{
    const size_t k = g->front.n_objectives;
    size_t best = 0;

    for (size_t i = 1; i < g->front.n; i++) {
        const double *a = &g->front.points[i * k], *b = &g->front.points[best * k];
        size_t j = 0;

        while (j < k && a[j] == b[j])
            j++;
        if (j < k ? a[j] < b[j] : g->front.tags[i] < g->front.tags[best])
            best = i;
    }
    return g->front.n > 0 ? g->front.tags[best] : -1;
}

/* -- the curve ----------------------------------------------------------------------------- */

void index_growth_append(index_growth *g, int64_t evaluations, double seconds, double value)
{
    ARCHAI_RESERVE(g->evaluations, g->evaluations_capacity, g->n + 1);
    ARCHAI_RESERVE(g->seconds, g->seconds_capacity, g->n + 1);
    ARCHAI_RESERVE(g->value, g->value_capacity, g->n + 1);
    g->evaluations[g->n] = evaluations;
    g->seconds[g->n] = seconds;
    g->value[g->n++] = value;
}

static void place_reference(index_growth *g)
{
    size_t k = g->objectives->n_optimised;

    for (size_t j = 0; j < k; j++) {
        double low = INFINITY, high = -INFINITY, margin;

        for (size_t i = 0; i < g->n_first; i++) {
            low = fmin(low, g->first[i * k + j]);
            high = fmax(high, g->first[i * k + j]);
        }
        margin = 0.1 * (high - low);
        if (!(margin > 0)) /* all the same: any margin will do */
            margin = high != 0 ? 0.1 * fabs(high) : 0.1;
        g->reference[j] = fmin(high + margin, DBL_MAX);
    }
}

/* Of the first n points, those of rows that stand for their architectures by then. */
static size_t standing(const index_growth *g, size_t n, double *points)
{
    const size_t k = g->objectives->n_optimised;
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool stands = true;

        for (size_t j = 0; stands && j < n; j++)
            stands = j == i || g->first_stands[j].hash != g->first_stands[i].hash ||
                     !takes_over(&g->first_stands[j], &g->first_stands[i]);
        if (stands)
            memcpy(&points[kept++ * k], &g->first[i * k], k * sizeof *points);
    }
    return kept;
}

/* The whole curve over the first points. */
static int retrace(index_growth *g, archai_err *err)
{
    const size_t k = g->objectives->n_optimised;
    double points[GROWTH_FIRST * GROWTH_OBJECTIVES], before = -1;

    place_reference(g);
    g->n = 0;
    for (size_t i = 0; i < g->n_first; i++) {
        const size_t n = standing(g, i + 1, points);
        double value;

        ARCHAI_TRY(archai_pareto_hypervolume(points, n, k, g->reference, &value, err));
        if (value != before)
            index_growth_append(g, g->first_evaluations[i], g->first_seconds[i], value);
        before = value;
    }
    return ARCHAI_OK;
}

static int trace_present(index_growth *g, archai_err *err)
{
    double value;

    ARCHAI_TRY(archai_pareto_hypervolume(
        g->front.points, g->front.n, g->objectives->n_optimised, g->reference, &value, err));
    index_growth_append(g, g->evaluated, g->last, value);
    return ARCHAI_OK;
}

static bool is_point(const double *point, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (!isfinite(point[i]))
            return false;
    return true;
}

int index_growth_add(index_growth *g, const index_news *news, archai_err *err)
{
    size_t k = g->objectives->n_optimised;
    size_t stride = news->n / STEPS_MAX + 1;
    size_t since = 0; /* changes of the front since the curve's last point */
    bool with_curve = k <= GROWTH_OBJECTIVES;
    bool retraces = g->n_first < GROWTH_FIRST;

    for (size_t i = 0; i < news->n; i++) {
        const index_new *new_ = &news->at[i];
        const double *point = &news->points[new_->point];
        const index_stand row = {new_->row.archid_hash, new_->row.id, new_->budget};
        bool changed;

        if (g->began == 0 || new_->started < g->began)
            g->began = new_->started;
        g->last = fmax(g->last, new_->row.finished - g->began);
        g->evaluated += new_->row.status != ARCHAI_STATUS_CACHED;
        if (!is_point(point, k))
            continue;
        changed = stand(g, &row, point);
        if (with_curve && g->n_first < GROWTH_FIRST) {
            memcpy(&g->first[g->n_first * k], point, k * sizeof *point);
            g->first_stands[g->n_first] = row;
            g->first_evaluations[g->n_first] = g->evaluated;
            g->first_seconds[g->n_first++] = g->last;
            if (g->n_first == GROWTH_FIRST)
                ARCHAI_TRY(retrace(g, err));
            continue;
        }
        since += changed;
        if (with_curve && since >= stride) {
            ARCHAI_TRY(trace_present(g, err));
            since = 0;
        }
    }
    if (with_curve && retraces && g->n_first > 0 && g->n_first < GROWTH_FIRST)
        return retrace(g, err);
    return with_curve && since > 0 ? trace_present(g, err) : ARCHAI_OK;
}
