/* core/search/engine/search_measure.c - what an architecture or an evaluation amounts to: measures,
 * constraints. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/engine/search_private.h"

static bool is_source(const archai_objectives *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->at[i].source, name) == 0)
            return true;
    return false;
}

/* Number a measure beyond the objectives' values. */
static int number_metric(archai_search *s, const char *name, archai_err *err)
{
    for (size_t i = 0; i < s->n_metrics; i++)
        if (strcmp(s->metrics[i], name) == 0)
            return ARCHAI_OK;
    if (s->n_metrics == UINT16_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "more than %u different measures", UINT16_MAX);
    s->metrics = archai_realloc(s->metrics, s->n_metrics + 1, sizeof *s->metrics);
    s->metrics[s->n_metrics++] = archai_strdup(name);
    return ARCHAI_OK;
}

int archai_search_values(archai_search *s, const archai_trial *e, double **values,
                         uint16_t *n_metrics, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    size_t n = 0;
    double *v;

    if (s->schedule == ARCHAI_GENERATIONAL) { /* cached rows will repeat every measure */
        for (size_t i = 0; i < e->n_measures; i++)
            if (!is_source(o, e->measures[i].name))
                ARCHAI_TRY(number_metric(s, e->measures[i].name, err));
        n = s->n_metrics;
    }
    v = archai_malloc((o->n + n) * sizeof *v);
    archai_objectives_values(o, e->measures, e->n_measures, v);
    for (size_t i = 0; i < n; i++)
        v[o->n + i] = archai_measure_get(e->measures, e->n_measures, s->metrics[i]);
    *values = v;
    *n_metrics = (uint16_t)n;
    return ARCHAI_OK;
}

static bool any_cheap(const archai_objectives *o, bool constrained)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->at[i].expensive && (!constrained || o->at[i].constraint.n == 2))
            return true;
    return false;
}

/* Cheap measures of a model. There are none of an architecture whose network does not fit together
 * (a kernel larger than what is left of the image): it violates every constraint, and without one
 * its evaluation fails with the reason. */
static int measure(archai_space *space, const archai_model *m, archai_measure **out, size_t *n,
                   archai_err *err)
{
    const int rc = archai_measures_cheap(space, m, out, n, err);

    if (rc != ARCHAI_EINVAL)
        return rc;
    *out = NULL;
    *n = 0;
    return ARCHAI_OK;
}

int archai_search_violation(archai_search *s, const archai_model *m, int *which, double *values,
                            archai_err *err)
{
    archai_measure *measures = NULL;
    size_t n = 0;

    *which = -1;
    if (!any_cheap(s->objectives, true))
        return ARCHAI_OK;
    ARCHAI_TRY(measure(s->space, m, &measures, &n, err));
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

/* -- what follows from the architecture ---------------------------------------------------- */

static int encode(archai_space *space, const archai_model *m, archai_trial *t, archai_err *err)
{
    float *encoding = archai_malloc((space->encoding_size + 1) * sizeof *encoding);
    const int rc = archai_space_encode(space, m, encoding, err);

    if (rc != ARCHAI_OK) {
        free(encoding);
        return rc;
    }
    t->encoding = encoding;
    t->n_encoding = space->encoding_size;
    return ARCHAI_OK;
}

/* What of an architecture is wanted and not there yet, from the model or from one that is read. */
static int derive(archai_trial *t, archai_space *space, bool measures, archai_err *err)
{
    const bool encoding = t->n_encoding == 0 && archai_space_can(space, "encode");
    const archai_model *m = &t->model;
    archai_model read = {.arch = NULL};
    int rc = ARCHAI_OK;

    if (!measures && !encoding)
        return ARCHAI_OK;
    if (m->arch == NULL) {
        ARCHAI_TRY(archai_space_load_arch(space, t->arch, strlen(t->arch), &read, err));
        m = &read;
    }
    if (measures)
        rc = measure(space, m, &t->measures, &t->n_measures, err);
    if (rc == ARCHAI_OK && encoding)
        rc = encode(space, m, t, err);
    archai_model_fini(&read);
    return rc;
}

int archai_search_know(archai_trial *t, archai_space *space, const archai_objectives *o,
                       archai_err *err)
{
    return derive(t, space,
                  t->n_measures == 0 && any_cheap(o, false) && archai_space_can(space, "describe"),
                  err);
}

int archai_search_encode(archai_trial *t, archai_space *space, archai_err *err)
{
    return derive(t, space, false, err);
}

/* -- what an evaluation amounts to --------------------------------------------------------- */

/* A cheap measure that the evaluator did not send is computed here. */
static int complete_measures(archai_search *s, size_t at, archai_trial *e, archai_err *err)
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
    rc = measure(s->space, &model, &measures, &n, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++)
        if (isnan(archai_measure_get(e->measures, e->n_measures, measures[i].name)))
            archai_trial_set_measure(e, measures[i].name, measures[i].value);
    archai_measures_free(measures, n);
    archai_model_fini(&model);
    return rc;
}

int archai_search_check(archai_search *s, size_t at, archai_trial *e, archai_err *err)
{
    if (e->status == ARCHAI_STATUS_OK)
        ARCHAI_TRY(complete_measures(s, at, e, err));
    archai_trial_check(e, s->objectives);
    return ARCHAI_OK;
}

/* A measured constraint that ended a candidate before everything was measured has saved its evaluation. (A
 * given architecture that violates a cheap one counts: nothing was to be measured.) */
bool archai_search_counts(const archai_search *s, int status, const double *values)
{
    return status != ARCHAI_STATUS_CACHED &&
           (status != ARCHAI_STATUS_INFEASIBLE ||
            archai_objectives_all_measured(s->objectives, values) ||
            archai_objectives_violated(s->objectives, values, 0) >= 0);
}

void archai_search_count(archai_search *s, int status, const double *values)
{
    const bool counts = archai_search_counts(s, status, values);

    s->n_finished += counts;
    if (status == ARCHAI_STATUS_OK)
        s->n_infeasible = 0;
    else if (status == ARCHAI_STATUS_INFEASIBLE && !counts)
        s->n_infeasible++;
}

bool archai_search_all_failed(const archai_search *s)
{
    return s->n_finished > 0 && s->n_judged == 0;
}

double archai_search_best(const archai_search *s)
{
    double best = NAN;

    for (size_t i = 0; i < s->front.n; i++)
        best = fmin(best, s->front.points[i * s->front.n_objectives]); /* fmin passes over a NaN */
    return best;
}

int archai_search_assess(archai_search *s, archai_trial *e, bool *joins, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];
    size_t at;

    ARCHAI_TRY(archai_search_running(s, e->id, &at, err));
    ARCHAI_TRY(archai_search_check(s, at, e, err));
    archai_objectives_values(s->objectives, e->measures, e->n_measures, values);
    archai_objectives_minimised(s->objectives, values, point);
    *joins = e->status == ARCHAI_STATUS_OK && archai_front_would_join(&s->front, point);
    return ARCHAI_OK;
}
