#include "core/search/evaluation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char *const status_names[] = {
#define X(name, value, text) [name] = text,
    ARCHAI_STATUS_LIST(X)
#undef X
};
/* clang-format on */

const char *archai_status_name(int status)
{
    return status >= 0 && status < ARCHAI_STATUS_COUNT ? status_names[status] : "unknown";
}

int archai_status_from_name(const char *name)
{
    for (int i = 0; i < ARCHAI_STATUS_COUNT; i++)
        if (strcmp(status_names[i], name) == 0)
            return i;
    return -1;
}

void archai_evaluation_fini(archai_evaluation *e)
{
    free(e->archid);
    free(e->arch);
    free(e->error);
    free(e->operator_);
    free(e->parents);
    free(e->metadata);
    free(e->device);
    free(e->encoding);
    archai_measures_free(e->measures, e->n_measures);
    for (size_t i = 0; i < e->n_curves; i++) {
        free(e->curves[i].name);
        free(e->curves[i].values);
    }
    free(e->curves);
    for (size_t i = 0; i < e->n_tensors; i++)
        free(e->tensors[i].name);
    free(e->tensors);
    *e = (archai_evaluation){0};
}

int archai_evaluation_set_measure(archai_evaluation *e, const char *name, double value,
                                  archai_err *err)
{
    archai_measure *grown;
    char *copy;

    for (size_t i = 0; i < e->n_measures; i++)
        if (strcmp(e->measures[i].name, name) == 0) {
            e->measures[i].value = value;
            return ARCHAI_OK;
        }
    grown = realloc(e->measures, (e->n_measures + 1) * sizeof *grown);
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    e->measures = grown;
    copy = strdup(name);
    if (copy == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    e->measures[e->n_measures++] = (archai_measure){copy, value};
    return ARCHAI_OK;
}

/* Takes the text over. */
static int reject(archai_evaluation *e, archai_status status, char *text)
{
    free(e->error);
    e->error = text;
    e->status = status;
    return ARCHAI_OK;
}

int archai_evaluation_judge(archai_evaluation *e, const archai_objectives *o, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    char *text = NULL;
    int which = -1;

    if (e->status != ARCHAI_STATUS_OK)
        return ARCHAI_OK;
    archai_objectives_values(o, e->measures, e->n_measures, values);
    for (size_t i = 0; i < o->n; i++) {
        if (o->at[i].direction == ARCHAI_CONSTRAIN || isfinite(values[i]))
            continue;
        if (asprintf(&text, "%s is %s", o->at[i].source,
                     isinf(values[i]) ? "infinite" : "NaN or missing") < 0)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for a message");
        return reject(e, ARCHAI_STATUS_FAILED, text);
    }
    for (int expensive = 0; expensive < 2 && which < 0; expensive++)
        which = archai_objectives_violated(o, values, expensive);
    if (which < 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_objective_explain(&o->at[which], values[which], &text, err));
    return reject(e, ARCHAI_STATUS_INFEASIBLE, text);
}

void archai_candidate_fini(archai_candidate *c)
{
    archai_model_fini(&c->model);
    free(c->arch);
    free(c->parents);
    archai_measures_free(c->measures, c->n_measures);
    free(c->encoding);
    *c = (archai_candidate){0};
}
