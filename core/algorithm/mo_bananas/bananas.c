#include "core/algorithm/mo_bananas/bananas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cheap objective of a space without networks comes from the evaluator as well. */
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
    *p = (archai_bananas_pool){.capacity = 0};
}

static int reserve(archai_bananas_pool *p, const archai_search *s, archai_err *err)
{
    const size_t capacity = p->capacity == 0 ? 64 : 2 * p->capacity;
    float *encodings;
    double *values;

    if (p->proposals.n < p->capacity)
        return ARCHAI_OK;
    encodings = realloc(p->encodings, capacity * s->space->encoding_size * sizeof *encodings);
    if (encodings != NULL)
        p->encodings = encodings;
    values = realloc(p->values, capacity * s->objectives->n * sizeof *values);
    if (values != NULL)
        p->values = values;
    if (encodings == NULL || values == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", capacity);
    p->capacity = capacity;
    return ARCHAI_OK;
}

/* What follows from the architecture; NaN where its network does not fit together. */
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
    const size_t at = p->proposals.n;
    int rc = reserve(p, s, err);

    if (rc == ARCHAI_OK)
        rc = archai_space_encode(s->space, &proposal->model,
                                 &p->encodings[at * s->space->encoding_size], err);
    if (rc == ARCHAI_OK)
        rc = exact_values(s, &proposal->model, &p->values[at * s->objectives->n], err);
    if (rc != ARCHAI_OK) {
        archai_trial_fini(proposal);
        return rc;
    }
    return archai_proposals_push(&p->proposals, proposal, err);
}

/* -- the order --------------------------------------------------------------------------- */

static bool outside(const archai_objective *o, double value)
{
    return o->constraint.n == 2 && !(value >= o->constraint.at[0] && value <= o->constraint.at[1]);
}

/* Points to sort, minimised: exact objectives first, then drawn ones, as Archai puts them. */
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

/* Sort the candidates whose `violates` is as wanted, and append them to order[*n_out]. */
static int append_sorted(const double *points, size_t n, size_t m, const bool *violates, bool wanted,
                         archai_rng *rng, size_t *order, size_t *n_out, archai_err *err)
{
    size_t *rows = malloc((n + 1) * sizeof *rows), *sorted = malloc((n + 1) * sizeof *sorted);
    size_t *front = malloc((n + 1) * sizeof *front), k = 0, n_sorted = 0;
    double *chosen = malloc((n + 1) * m * sizeof *chosen);
    int rc = ARCHAI_OK;

    if (rows == NULL || sorted == NULL || front == NULL || chosen == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to sort %zu candidates", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        if (violates[i] == wanted) {
            memcpy(&chosen[k * m], &points[i * m], m * sizeof *chosen);
            rows[k++] = i;
        }
    ARCHAI_TRY_GOTO(
        rc, archai_pareto_sort_archai(chosen, k, m, sorted, front, &n_sorted, err), out);
    for (size_t from = 0, to; from < n_sorted; from = to) {
        for (to = from + 1; to < n_sorted && front[to] == front[from]; to++)
            ;
        archai_rng_shuffle_numpy(rng, &sorted[from], to - from);
        for (size_t i = from; i < to; i++)
            order[(*n_out)++] = rows[sorted[i]];
    }
out:
    free(rows);
    free(sorted);
    free(front);
    free(chosen);
    return rc;
}

int archai_bananas_rank(archai_search *s, const archai_bananas_pool *p, const float *mean,
                        const float *var, archai_rng *rng, size_t *order, archai_err *err)
{
    const size_t n = p->proposals.n, m = s->objectives->n_optimised;
    double *points = malloc((n + 1) * m * sizeof *points);
    bool *violates = calloc(n + 1, sizeof *violates), *placed = calloc(n + 1, sizeof *placed);
    size_t column[ARCHAI_MAX_OBJECTIVES], n_order = 0;
    int rc = ARCHAI_OK;

    if (points == NULL || violates == NULL || placed == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to rank %zu candidates", n);
        goto out;
    }
    draw(s, p, mean, var, rng, points, violates);
    find_columns(s, column);
    ARCHAI_TRY_GOTO(
        rc, append_sorted(points, n, m, violates, false, rng, order, &n_order, err), out);
    if (s->schedule == ARCHAI_ASYNC)
        ARCHAI_TRY_GOTO(rc,
                        archai_bananas_by_improvement(&s->front, column, points, order, n_order, err),
                        out);
    ARCHAI_TRY_GOTO(
        rc, append_sorted(points, n, m, violates, true, rng, order, &n_order, err), out);
    for (size_t i = 0; i < n_order; i++)
        placed[order[i]] = true;
    for (size_t i = 0; i < n; i++) /* those whose exact values are NaN */
        if (!placed[i])
            order[n_order++] = i;
out:
    free(points);
    free(violates);
    free(placed);
    return rc;
}

int archai_bananas_note(const archai_search *s, archai_trial *p, const float *mean,
                        const float *var, archai_err *err)
{
    size_t target = 0;
    char key[256];

    for (size_t k = 0; k < s->objectives->n; k++) {
        bool ok;

        if (!archai_bananas_predicts(s, k))
            continue;
        (void)snprintf(key, sizeof key, "predicted_%.200s_mean", s->objectives->at[k].name);
        ok = json_object_set_new(p->model.metadata, key, json_real((double)mean[target])) == 0;
        (void)snprintf(key, sizeof key, "predicted_%.200s_var", s->objectives->at[k].name);
        ok = ok && json_object_set_new(p->model.metadata, key, json_real((double)var[target])) == 0;
        if (!ok)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for a candidate's metadata");
        target++;
    }
    return ARCHAI_OK;
}
