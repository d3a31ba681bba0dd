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

void archai_trial_check(archai_trial *t, const archai_objectives *o)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    char *text = NULL;
    int which = -1;

    if (t->status != ARCHAI_STATUS_OK)
        return;
    archai_objectives_values(o, t->measures, t->n_measures, values);
    for (size_t i = 0; i < o->n && text == NULL; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(values[i]))
            text = archai_printf("%s is %s", o->at[i].source,
                                 isinf(values[i]) ? "infinite" : "NaN or missing");
    if (text != NULL) {
        t->status = ARCHAI_STATUS_FAILED;
    } else {
        for (int expensive = 0; expensive < 2 && which < 0; expensive++)
            which = archai_objectives_violated(o, values, expensive);
        if (which < 0)
            return;
        text = archai_objective_explain(&o->at[which], values[which]);
        t->status = ARCHAI_STATUS_INFEASIBLE;
    }
    free(t->error);
    t->error = text;
}
