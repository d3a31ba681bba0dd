/* core/search/search_judge.c - what an architecture or an evaluation is worth: measures, constraints.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search_private.h"

static bool is_source(const archai_objectives *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->at[i].source, name) == 0)
            return true;
    return false;
}

static int metric_number(archai_search *s, const char *name, size_t *out, archai_err *err)
{
    char **grown;

    for (size_t i = 0; i < s->n_metrics; i++)
        if (strcmp(s->metrics[i], name) == 0) {
            *out = i;
            return ARCHAI_OK;
        }
    if (s->n_metrics == UINT16_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "more than %u different measures", UINT16_MAX);
    grown = realloc(s->metrics, (s->n_metrics + 1) * sizeof *grown);
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    s->metrics = grown;
    s->metrics[s->n_metrics] = strdup(name);
    if (s->metrics[s->n_metrics] == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    *out = s->n_metrics++;
    return ARCHAI_OK;
}

int archai_search_values(archai_search *s, const archai_evaluation *e, double **values,
                         uint16_t *n_metrics, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    size_t n = 0, k;
    double *v;

    if (s->schedule == ARCHAI_GENERATIONAL) { /* cached rows will repeat every measure */
        for (size_t i = 0; i < e->n_measures; i++)
            if (!is_source(o, e->measures[i].name))
                ARCHAI_TRY(metric_number(s, e->measures[i].name, &k, err));
        n = s->n_metrics;
    }
    v = malloc((o->n + n) * sizeof *v);
    if (v == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the values of %s", e->archid);
    archai_objectives_values(o, e->measures, e->n_measures, v);
    for (size_t i = 0; i < n; i++)
        v[o->n + i] = archai_measure_get(e->measures, e->n_measures, s->metrics[i]);
    *values = v;
    *n_metrics = (uint16_t)n;
    return ARCHAI_OK;
}

bool archai_search_any_cheap(const archai_objectives *o, bool constrained)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->at[i].expensive && (!constrained || o->at[i].constraint.n == 2))
            return true;
    return false;
}

int archai_search_measure(archai_space *space, const archai_model *m, archai_measure **out,
                          size_t *n, archai_err *err)
{
    const int rc = archai_measures_cheap(space, m, out, n, err);

    if (rc == ARCHAI_EINVAL) {
        *out = NULL;
        *n = 0;
        return ARCHAI_OK;
    }
    return rc;
}

int archai_search_violation(archai_search *s, const archai_model *m, int *which, double *values,
                            archai_err *err)
{
    archai_measure *measures = NULL;
    size_t n = 0;

    *which = -1;
    if (!archai_search_any_cheap(s->objectives, true))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_measure(s->space, m, &measures, &n, err));
    archai_objectives_values(s->objectives, measures, n, values);
    archai_measures_free(measures, n);
    *which = archai_objectives_violated(s->objectives, values, 0);
    return ARCHAI_OK;
}

int archai_search_valid(archai_search *s, const archai_model *m, bool *valid, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    ARCHAI_TRY(archai_search_violation(s, m, &which, values, err));
    *valid = which < 0;
    s->rejected += which >= 0;
    return ARCHAI_OK;
}

/* A cheap measure that the evaluator did not send is computed here. */
static int complete_measures(archai_search *s, size_t at, archai_evaluation *e, archai_err *err)
{
    archai_measure *measures = NULL;
    archai_model model = {.arch = NULL};
    bool missing = false;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < s->objectives->n; i++)
        missing = missing || (!s->objectives->at[i].expensive &&
                              isnan(archai_measure_get(e->measures, e->n_measures,
                                                       s->objectives->at[i].source)));
    if (!missing || !archai_space_can(s->space, "describe"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_model(s, at, &model, err));
    ARCHAI_TRY_GOTO(rc, archai_search_measure(s->space, &model, &measures, &n, err), out);
    for (size_t i = 0; i < n; i++)
        if (isnan(archai_measure_get(e->measures, e->n_measures, measures[i].name)))
            ARCHAI_TRY_GOTO(
                rc, archai_evaluation_set_measure(e, measures[i].name, measures[i].value, err),
                out);
out:
    archai_measures_free(measures, n);
    archai_model_fini(&model);
    return rc;
}

int archai_search_judge_at(archai_search *s, size_t at, archai_evaluation *e, archai_err *err)
{
    if (e->status == ARCHAI_STATUS_OK)
        ARCHAI_TRY(complete_measures(s, at, e, err));
    return archai_evaluation_judge(e, s->objectives, err);
}

int archai_search_judge(archai_search *s, archai_evaluation *e, bool *joins, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];
    size_t at;

    ARCHAI_TRY(archai_search_running(s, e->id, &at, err));
    ARCHAI_TRY(archai_search_judge_at(s, at, e, err));
    archai_objectives_values(s->objectives, e->measures, e->n_measures, values);
    archai_objectives_minimised(s->objectives, values, point);
    *joins = e->status == ARCHAI_STATUS_OK && archai_front_would_join(&s->front, point);
    return ARCHAI_OK;
}
