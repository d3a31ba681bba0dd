#include "core/search/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

void archai_trial_drop_tensors(archai_trial *t)
{
    for (size_t i = 0; i < t->n_tensors; i++)
        free(t->tensors[i].name);
    free(t->tensors);
    t->tensors = NULL;
    t->n_tensors = 0;
}

void archai_trial_fini(archai_trial *t)
{
    archai_model_fini(&t->model);
    free(t->operator_);
    free(t->parents);
    free(t->arch);
    free(t->metadata);
    archai_measures_free(t->measures, t->n_measures);
    free(t->encoding);
    free(t->error);
    free(t->device);
    free(t->log);
    for (size_t i = 0; i < t->n_curves; i++) {
        free(t->curves[i].name);
        free(t->curves[i].values);
    }
    free(t->curves);
    archai_trial_drop_tensors(t);
    *t = (archai_trial){.id = 0};
}

void archai_trial_set_operator(archai_trial *t, const char *name)
{
    free(t->operator_);
    t->operator_ = archai_strdup(name);
}

void archai_trial_set_error(archai_trial *t, archai_status status, const char *text)
{
    free(t->error);
    t->error = archai_strdup(text);
    archai_text_clean(t->error, false); /* a snprintf may have cut it within a character */
    t->status = status;
}

static void fill_text(char **text, const char *with)
{
    if (*text == NULL || **text == '\0') {
        free(*text);
        *text = archai_strdup(with);
    }
}

void archai_trial_fill_texts(archai_trial *t)
{
    fill_text(&t->operator_, "");
    fill_text(&t->parents, "[]");
    fill_text(&t->metadata, "{}");
    fill_text(&t->error, "");
    fill_text(&t->device, "");
    fill_text(&t->log, "");
}

void archai_trial_set_measure(archai_trial *t, const char *name, double value)
{
    for (size_t i = 0; i < t->n_measures; i++)
        if (strcmp(t->measures[i].name, name) == 0) {
            t->measures[i].value = value;
            return;
        }
    t->measures = archai_realloc(t->measures, t->n_measures + 1, sizeof *t->measures);
    t->measures[t->n_measures++] = (archai_measure){archai_strdup(name), value};
}

static bool is_of_test(const archai_measure *m)
{
    return strncmp(m->name, "test_", 5) == 0;
}

bool archai_trial_is_tested(const archai_trial *t)
{
    for (size_t i = 0; i < t->n_measures; i++)
        if (is_of_test(&t->measures[i]))
            return true;
    return false;
}

void archai_trial_amend(archai_trial *t, const archai_trial *test)
{
    const size_t n = t->n_measures;

    for (size_t i = 0; i < test->n_measures; i++) {
        const archai_measure *m = &test->measures[i];

        if (is_of_test(m) && isnan(archai_measure_get(t->measures, n, m->name)))
            archai_trial_set_measure(t, m->name, m->value);
    }
}

static bool is_reported(const archai_trial *t, const char *name)
{
    for (size_t i = 0; i < t->n_measures; i++)
        if (strcmp(t->measures[i].name, name) == 0)
            return true;
    return false;
}

/* The first objective to be optimised that has no finite value, or -1. */
static int not_finite(const archai_trial *t, const archai_objectives *o, const double *values,
                      bool reported)
{
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(values[i]) &&
            is_reported(t, o->at[i].source) == reported)
            return (int)i;
    return -1;
}

/* A constraint that a measured value violates excuses what was not measured after it. A value that was
 * measured and is no number excuses nothing. */
void archai_trial_check(archai_trial *t, const archai_objectives *o)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    int bad, which = -1;

    if (t->status != ARCHAI_STATUS_OK)
        return;
    archai_objectives_values(o, t->measures, t->n_measures, values);
    for (int expensive = 0; expensive < 2; expensive++) {
        const int at = archai_objectives_violated(o, values, expensive);

        if (at >= 0 && (which < 0 || (isnan(values[which]) && !isnan(values[at]))))
            which = at;
    }
    bad = not_finite(t, o, values, true);
    if (bad < 0 && (which < 0 || isnan(values[which])))
        bad = not_finite(t, o, values, false);
    if (bad < 0 && which < 0)
        return;
    free(t->error);
    t->status = bad >= 0 ? ARCHAI_STATUS_FAILED : ARCHAI_STATUS_INFEASIBLE;
    t->error = bad >= 0 ? archai_printf("%s is %s", o->at[bad].source,
                                        isinf(values[bad]) ? "infinite" : "NaN or missing")
                        : archai_objective_explain(&o->at[which], values[which]);
}
