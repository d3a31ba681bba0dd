#include "core/algorithm/bayes_opt/bayes_look.h"

#include <math.h>
#include <stdlib.h>

#include "core/algorithm/bayes_opt/bayes_front.h"
#include "core/base/alloc.h"

enum { AGAIN_MAX = 48 }; /* candidates whose cheap objectives are computed for a proposal */

/* The score of a candidate, given its predictions. Those that promise nothing come after all others, the
 * least certain first. */
static float score_of(const archai_improvement *x, const double *mean, const double *deviation)
{
    double score = archai_improvement_expected(x, mean, deviation);

    if (!(score > 0.0))
        for (size_t k = 0; k < x->m; k++)
            score += deviation[k] - 2.0 * fmax(mean[k], 0.0) - 1e3;
    return (float)score;
}

/* Score every member of the pools. */
static int look(archai_bayes_candidates *c, const archai_bayes_results *r,
                archai_improvement *x, const archai_search *s, archai_rng *rng, archai_err *err)
{
    double *filled = archai_malloc(r->n * r->m * sizeof *filled);
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_bayes_model_predict(&c->now, r, filled, err), out);
    archai_bayes_front(x, &c->now, r, filled, s, rng);
    for (size_t i = 0; i < archai_bayes_model_members(&c->now); i++) {
        double mean[ARCHAI_MAX_OBJECTIVES], deviation[ARCHAI_MAX_OBJECTIVES];

        archai_bayes_model_member(&c->now, i, mean, deviation);
        c->numbers[c->now.pool[0].ids[i]].score = score_of(x, mean, deviation);
    }
out:
    free(filled);
    return rc;
}

/* Cheap objectives replace what is predicted for them. */
static int know_cheap(const archai_bayes_model *now, const archai_bayes_results *r,
                      const archai_search *s, const archai_model *m, double *mean,
                      double *deviation, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    double values[ARCHAI_MAX_OBJECTIVES], cost[ARCHAI_MAX_OBJECTIVES];
    archai_measure *measures = NULL;
    size_t n = 0, k = 0;
    const int rc = archai_measures_cheap(s->space, m, &measures, &n, err);

    if (rc == ARCHAI_EINVAL) /* its network does not fit together: it will fail */
        return ARCHAI_OK;
    ARCHAI_TRY(rc);
    archai_objectives_values(o, measures, n, values);
    archai_measures_free(measures, n);
    archai_objectives_minimised(o, values, cost);
    for (size_t i = 0; i < o->n; i++) {
        if (o->at[i].direction == ARCHAI_CONSTRAIN)
            continue;
        if (!o->at[i].expensive && isfinite(cost[k])) {
            mean[k] = archai_bayes_target_of(&r->scale[now->way[k]][k], cost[k]);
            deviation[k] = 0.0;
        }
        k++;
    }
    return ARCHAI_OK;
}

static bool any_cheap(const archai_objectives *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && !o->at[i].expensive)
            return true;
    return false;
}

uint32_t archai_bayes_most_promising(const archai_bayes_candidates *c)
{
    const archai_gp_pool *pool = &c->now.pool[0];
    uint32_t best = pool->ids[0];

    for (size_t i = 1; i < pool->n; i++)
        if (c->numbers[pool->ids[i]].score > c->numbers[best].score)
            best = pool->ids[i];
    return best;
}

/* Score the best ones again, with the exact values of cheap objectives, until the best one is one of
 * them. */
static int look_again(archai_bayes_candidates *c, const archai_bayes_results *r,
                      const archai_improvement *x, archai_search *s, archai_err *err)
{
    uint32_t looked[AGAIN_MAX];

    if (!any_cheap(s->objectives))
        return ARCHAI_OK;
    for (size_t n = 0; n < AGAIN_MAX; n++) {
        double mean[ARCHAI_MAX_OBJECTIVES], deviation[ARCHAI_MAX_OBJECTIVES];
        const uint32_t number = archai_bayes_most_promising(c);
        archai_model m;
        int rc;

        for (size_t i = 0; i < n; i++)
            if (looked[i] == number)
                return ARCHAI_OK;
        looked[n] = number;
        archai_bayes_model_member(&c->now, c->now.at[number], mean, deviation);
        ARCHAI_TRY(archai_bayes_candidates_model(c, s, number, &m, err));
        rc = know_cheap(&c->now, r, s, &m, mean, deviation, err);
        archai_model_fini(&m);
        ARCHAI_TRY(rc);
        c->numbers[number].score = score_of(x, mean, deviation);
    }
    return ARCHAI_OK;
}

int archai_bayes_look(archai_bayes_candidates *c, const archai_bayes_results *r,
                      archai_search *s, archai_rng *rng, archai_err *err)
{
    archai_improvement x = {.m = 0};
    int rc = look(c, r, &x, s, rng, err);

    if (rc == ARCHAI_OK)
        rc = look_again(c, r, &x, s, err);
    archai_improvement_fini(&x);
    return rc;
}
