/* core/search/engine/search_prune.c - candidates that end early: what they report goes to the pruner
 * (core/progress/prune.h), and what earlier starts reported comes back from the learning curves of their rows. */
#include <math.h>
#include <string.h>

#include "core/search/engine/search_private.h"

static bool is_auto(const char *source)
{
    return source == NULL || strcmp(source, "auto") == 0;
}

/* The number among the optimised objectives; SIZE_MAX: none has that source. */
static size_t find_source(const archai_objectives *o, const char *source, size_t *objective)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n; i++) {
        const archai_objective *one = &o->at[i];

        if (one->direction == ARCHAI_CONSTRAIN)
            continue;
        if (is_auto(source) ? one->expensive : strcmp(one->source, source) == 0) {
            *objective = i;
            return n;
        }
        n++;
    }
    return SIZE_MAX;
}

static int refuse(const archai_ini *ini, const char *key, int rc, archai_err *err)
{
    const archai_ini_entry *at = archai_ini_find(ini, "search", key);

    return at != NULL ? archai_ini_wrap(at, rc, err) : rc;
}

int archai_search_init_pruner(archai_search *s, const archai_search_settings *settings, const archai_ini *ini,
                              archai_err *err)
{
    const char *source = settings->prune_source;
    size_t which;

    if (settings->prune.rule == 0)
        return ARCHAI_OK;
    which = find_source(s->objectives, source, &s->pruned_by);
    if (which == SIZE_MAX && is_auto(source))
        return refuse(ini, "prune",
                      archai_fail(err, ARCHAI_EINVAL, "search.prune: no objective is measured while a candidate trains"), err);
    if (which == SIZE_MAX)
        return refuse(ini, "prune_source",
                      archai_fail(err, ARCHAI_EINVAL,
                                  "search.prune_source: '%.100s' is not the source of an objective that is optimised", source),
                      err);
    if (s->max_budget > 0)
        return refuse(ini, "prune",
                      archai_fail(err, ARCHAI_EINVAL,
                                  "search.prune: %s ends candidates itself, by the budgets that it gives; expected none",
                                  s->algorithm->ops->name),
                      err);
    s->pruner = archai_pruner_create(&settings->prune, s->objectives->n_optimised, which,
                                     s->objectives->at[s->pruned_by].direction == ARCHAI_MAXIMIZE);
    return ARCHAI_OK;
}

static bool is_measured(const archai_trial *e, const char *name)
{
    for (size_t i = 0; i < e->n_measures; i++)
        if (strcmp(e->measures[i].name, name) == 0)
            return true;
    return false;
}

int archai_search_progress(archai_search *s, const archai_trial *e, double at, bool *prune, double *value,
                           double *cutoff, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];
    size_t record;

    (void)err;
    *prune = false;
    if (s->pruner == NULL || archai_search_running(s, e->id, &record, NULL) != ARCHAI_OK || s->records[record].queued)
        return ARCHAI_OK;
    if (!is_measured(e, o->at[s->pruned_by].source))
        return ARCHAI_OK; /* another report of this step may have it; NaN, as training that diverges has, counts as worst */
    archai_objectives_values(o, e->measures, e->n_measures, values);
    archai_objectives_minimised(o, values, point);
    *value = values[s->pruned_by];
    *prune = archai_pruner_report(s->pruner, e->id, at, point, cutoff);
    if (o->at[s->pruned_by].direction == ARCHAI_MAXIMIZE)
        *cutoff = -*cutoff;
    return ARCHAI_OK;
}

const char *archai_search_unknown(const archai_search *s, const archai_trial *e)
{
    const archai_objectives *o = s->objectives;
    double values[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(o, e->measures, e->n_measures, values);
    for (size_t i = 0; s->pruner != NULL && i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && isnan(values[i]))
            return o->at[i].name;
    return NULL;
}

void archai_search_end_pruning(archai_search *s, int64_t id, int status, const double *values)
{
    double point[ARCHAI_MAX_OBJECTIVES];

    if (s->pruner == NULL)
        return;
    if (values == NULL || (status != ARCHAI_STATUS_OK && status != ARCHAI_STATUS_INFEASIBLE)) {
        archai_pruner_forget(s->pruner, id);
        return;
    }
    archai_objectives_minimised(s->objectives, values, point);
    archai_pruner_end(s->pruner, id, true, point);
}

static const archai_curve *find_curve(const archai_trial *e, const char *name)
{
    for (size_t i = 0; i < e->n_curves; i++)
        if (strcmp(e->curves[i].name, name) == 0)
            return &e->curves[i];
    return NULL;
}

void archai_search_restore_pruning(archai_search *s, const archai_trial *e)
{
    const archai_objectives *o = s->objectives;
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES], cutoff;
    const archai_curve *c, *steps;

    if (s->pruner == NULL || (e->status != ARCHAI_STATUS_OK && e->status != ARCHAI_STATUS_INFEASIBLE &&
                              e->status != ARCHAI_STATUS_PRUNED))
        return;
    c = find_curve(e, o->at[s->pruned_by].source);
    steps = find_curve(e, "step");
    archai_objectives_values(o, e->measures, e->n_measures, values);
    for (size_t i = 0; c != NULL && i < c->n; i++) {
        values[s->pruned_by] = (double)c->values[i];
        archai_objectives_minimised(o, values, point);
        (void)archai_pruner_report(s->pruner, e->id, steps != NULL && i < steps->n ? (double)steps->values[i] : (double)i + 1,
                                   point, &cutoff);
    }
    archai_objectives_values(o, e->measures, e->n_measures, values);
    archai_search_end_pruning(s, e->id, e->status, values);
}
