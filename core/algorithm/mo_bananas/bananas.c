#include "core/algorithm/mo_bananas/bananas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* In a space without networks the evaluator measures cheap objectives, too. */
bool archai_bananas_predicts(const archai_search *s, size_t k)
{
    return s->objectives->at[k].expensive || !archai_space_can(s->space, "describe");
}

size_t archai_bananas_targets(const archai_search *s)
{
    size_t n = 0;

    for (size_t k = 0; k < s->objectives->n; k++)
        n += archai_bananas_predicts(s, k);
    return n;
}

/* -- the pool ---------------------------------------------------------------------------- */

void archai_bananas_pool_fini(archai_bananas_pool *p)
{
    archai_proposals_fini(&p->proposals);
    free(p->encodings);
    free(p->values);
    *p = (archai_bananas_pool){.encodings = NULL};
}

/* What follows from the architecture alone; NaN where its network does not fit together. */
static int exact_values(archai_search *s, const archai_model *m, double *values, archai_err *err)
{
    archai_measure *measures = NULL;
    size_t n = 0;
    int rc = ARCHAI_OK;

    if (archai_bananas_targets(s) < s->objectives->n)
        rc = archai_measures_cheap(s->space, m, &measures, &n, err);
    if (rc != ARCHAI_OK && rc != ARCHAI_EINVAL)
        return rc;
    archai_objectives_values(s->objectives, measures, rc == ARCHAI_OK ? n : 0, values);
    if (rc == ARCHAI_OK)
        archai_measures_free(measures, n);
    return ARCHAI_OK;
}

int archai_bananas_pool_add(archai_bananas_pool *p, archai_search *s, archai_trial *proposal,
                            archai_err *err)
{
    const size_t at = p->proposals.n, f = s->space->encoding_size, k = s->objectives->n;
    int rc;

    ARCHAI_RESERVE(p->encodings, p->encodings_capacity, (at + 1) * f);
    ARCHAI_RESERVE(p->values, p->values_capacity, (at + 1) * k);
    rc = archai_space_encode(s->space, &proposal->model, &p->encodings[at * f], err);
    if (rc == ARCHAI_OK)
        rc = exact_values(s, &proposal->model, &p->values[at * k], err);
    if (rc == ARCHAI_OK)
        archai_proposals_push(&p->proposals, proposal);
    else
        archai_trial_fini(proposal);
    return rc;
}

/* -- the order --------------------------------------------------------------------------- */

static bool outside(const archai_objective *o, double value)
{
    return o->constraint.n == 2 && !(value >= o->constraint.at[0] && value <= o->constraint.at[1]);
}

/* Points to sort, minimised: exact objectives first, then drawn ones, in Archai's order. */
static void draw(const archai_search *s, const archai_bananas_pool *p, const float *mean,
                 const float *var, archai_rng *rng, double *points, bool *violates)
{
    const archai_objectives *o = s->objectives;
    const size_t n = p->proposals.n, m = o->n_optimised, t = archai_bananas_targets(s);
    size_t column = 0, target = 0;

    for (size_t k = 0; k < o->n; k++) {
        if (archai_bananas_predicts(s, k) || o->at[k].direction == ARCHAI_CONSTRAIN)
            continue;
        for (size_t i = 0; i < n; i++) {
            const double v = p->values[i * o->n + k];

            points[i * m + column] = o->at[k].direction == ARCHAI_MAXIMIZE ? -v : v;
        }
        column++;
    }
    for (size_t k = 0; k < o->n; k++) {
        const bool optimised = o->at[k].direction != ARCHAI_CONSTRAIN;

        if (!archai_bananas_predicts(s, k))
            continue;
        for (size_t i = 0; i < n; i++) {
            double v = mean[i * t + target];

            if (optimised)
                v = archai_rng_randn_numpy(rng) * (double)sqrtf(var[i * t + target]) + v;
            violates[i] = violates[i] || outside(&o->at[k], v);
            if (optimised)
                points[i * m + column] = o->at[k].direction == ARCHAI_MAXIMIZE ? -v : v;
        }
        target++;
        column += optimised;
    }
}

/* Where draw() puts the objectives that are optimised. */
static void find_columns(const archai_search *s, size_t *column)
{
    size_t n = 0;

    for (int predicted = 0; predicted < 2; predicted++)
        for (size_t k = 0, at = 0; k < s->objectives->n; k++) {
            if (s->objectives->at[k].direction == ARCHAI_CONSTRAIN)
                continue;
            if (archai_bananas_predicts(s, k) == (predicted == 1))
                column[at] = n++;
            at++;
        }
}

/* Sort the candidates whose `violates` is as wanted and append them at order[*n_out]. */
static void append_sorted(const double *points, size_t n, size_t m, const bool *violates, bool wanted,
                          archai_rng *rng, size_t *order, size_t *n_out)
{
    size_t *rows = archai_malloc(n * sizeof *rows), *sorted = archai_malloc(n * sizeof *sorted);
    size_t *front = archai_malloc(n * sizeof *front), k = 0, n_sorted;
    double *chosen = archai_malloc(n * m * sizeof *chosen);

    for (size_t i = 0; i < n; i++)
        if (violates[i] == wanted) {
            memcpy(&chosen[k * m], &points[i * m], m * sizeof *chosen);
            rows[k++] = i;
        }
    n_sorted = archai_pareto_sort_archai(chosen, k, m, sorted, front);
    for (size_t from = 0, to; from < n_sorted; from = to) {
        for (to = from + 1; to < n_sorted && front[to] == front[from]; to++)
            ;
        archai_rng_shuffle_numpy(rng, &sorted[from], to - from);
        for (size_t i = from; i < to; i++)
            order[(*n_out)++] = rows[sorted[i]];
    }
    free(rows);
    free(sorted);
    free(front);
    free(chosen);
}

int archai_bananas_rank(archai_search *s, const archai_bananas_pool *p, const float *mean,
                        const float *var, archai_rng *rng, size_t *order, archai_err *err)
{
    const size_t n = p->proposals.n, m = s->objectives->n_optimised;
    double *points = archai_malloc(n * m * sizeof *points);
    bool *violates = archai_calloc(n, sizeof *violates), *placed = archai_calloc(n, sizeof *placed);
    size_t column[ARCHAI_MAX_OBJECTIVES], n_order = 0;
    int rc = ARCHAI_OK;

    draw(s, p, mean, var, rng, points, violates);
    find_columns(s, column);
    append_sorted(points, n, m, violates, false, rng, order, &n_order);
    if (s->schedule == ARCHAI_ASYNC)
        rc = archai_bananas_by_improvement(&s->front, column, points, order, n_order, err);
    append_sorted(points, n, m, violates, true, rng, order, &n_order);
    for (size_t i = 0; i < n_order; i++)
        placed[order[i]] = true;
    for (size_t i = 0; i < n; i++) /* those whose exact values are NaN */
        if (!placed[i])
            order[n_order++] = i;
    free(points);
    free(violates);
    free(placed);
    return rc;
}

void archai_bananas_note(const archai_search *s, archai_trial *p, const float *mean,
                         const float *var)
{
    size_t target = 0;
    char key[256];

    for (size_t k = 0; k < s->objectives->n; k++) {
        if (!archai_bananas_predicts(s, k))
            continue;
        (void)snprintf(key, sizeof key, "predicted_%.200s_mean", s->objectives->at[k].name);
        archai_vary_note(p, key, json_real((double)mean[target]));
        (void)snprintf(key, sizeof key, "predicted_%.200s_var", s->objectives->at[k].name);
        archai_vary_note(p, key, json_real((double)var[target]));
        target++;
    }
}
