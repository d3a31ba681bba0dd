#include "core/search/surrogate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search.h"

static const char *const names[] = {
#define X(name) #name,
    ARCHAI_SURROGATE_LIST(X)
#undef X
};

void archai_surrogate_job_fini(archai_surrogate_job *j)
{
    free(j->kinds);
    free(j->x);
    free(j->y);
    free(j->queries);
    *j = (archai_surrogate_job){.id = 0};
}

void archai_surrogate_answer_fini(archai_surrogate_answer *a)
{
    free(a->mean);
    free(a->var);
    *a = (archai_surrogate_answer){.id = 0};
}

static int check_range(const char *what, int64_t value, int64_t low, int64_t high, archai_err *err)
{
    if (value >= low && value <= high)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EFORMAT, "a job whose %s is %lld, expected %lld to %lld", what,
                       (long long)value, (long long)low, (long long)high);
}

static int check_settings(const archai_surrogate_settings *s, archai_err *err)
{
    bool known = false;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known = known || strcmp(names[i], s->model) == 0;
    if (!known)
        return archai_fail(err, ARCHAI_EFORMAT, "no surrogate '%.31s'", s->model);
    if (!(s->lr > 0.0 && s->lr <= 1e3) || !isfinite(s->replace_nan_value))
        return archai_fail(err, ARCHAI_EFORMAT, "a job with lr %g, replace_nan_value %g", s->lr,
                           s->replace_nan_value);
    ARCHAI_TRY(check_range("num_ensemble_members", s->num_ensemble_members, 1,
                           ARCHAI_SURROGATE_MEMBERS_MAX, err));
    ARCHAI_TRY(
        check_range("num_layers", s->num_layers, 1, ARCHAI_SURROGATE_LAYERS_MAX, err));
    ARCHAI_TRY(check_range("width", s->width, 1, ARCHAI_SURROGATE_WIDTH_MAX, err));
    return check_range("num_tr_steps", s->num_tr_steps, 0, ARCHAI_SURROGATE_STEPS_MAX, err);
}

int archai_surrogate_job_check(const archai_surrogate_job *j, archai_err *err)
{
    size_t f, t, kinds;

    ARCHAI_TRY(check_settings(&j->settings, err));
    ARCHAI_TRY(check_range("n_features", j->n_features, 1, ARCHAI_SURROGATE_COLUMNS_MAX, err));
    ARCHAI_TRY(check_range("n_targets", j->n_targets, 1, ARCHAI_SURROGATE_COLUMNS_MAX, err));
    ARCHAI_TRY(check_range("held", j->held, 0, INT32_MAX, err));
    f = (size_t)j->n_features;
    t = (size_t)j->n_targets;
    kinds = j->kinds != NULL ? strlen(j->kinds) : 0;
    if (j->n_x % f != 0 || j->n_y % t != 0 || j->n_x / f != j->n_y / t || j->n_queries % f != 0)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "a job of %zu features, %zu targets and %zu, %zu, %zu numbers", f, t,
                           j->n_x, j->n_y, j->n_queries);
    if (kinds != 0 && kinds != f)
        return archai_fail(err, ARCHAI_EFORMAT, "a job with %zu kinds of %zu features", kinds, f);
    return ARCHAI_OK;
}

/* -- jobs -------------------------------------------------------------------------------- */

bool archai_search_has_jobs(const archai_search *s)
{
    return s->algorithm->ops->job != NULL;
}

int archai_search_job(archai_search *s, size_t held, archai_surrogate_job *out, bool *got,
                      bool *busy, archai_err *err)
{
    int rc;

    *got = *busy = false;
    if (!archai_search_has_jobs(s) || s->done[0] != '\0')
        return ARCHAI_OK;
    *out = (archai_surrogate_job){.id = 0};
    rc = s->algorithm->ops->job(s->algorithm, held, out, got, busy, err);
    if (rc != ARCHAI_OK || !*got)
        archai_surrogate_job_fini(out);
    return rc;
}

static bool all_finite(const float *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(at[i]))
            return false;
    return true;
}

int archai_search_answer(archai_search *s, archai_surrogate_answer *answer, archai_err *err)
{
    int rc;

    if (!archai_search_has_jobs(s) || answer->id != s->job || s->job == 0)
        rc = archai_fail(err, ARCHAI_EFORMAT, "an answer to job %lld, which is not open",
                         (long long)answer->id);
    else if (answer->n_mean != answer->n_var || !all_finite(answer->mean, answer->n_mean) ||
             !all_finite(answer->var, answer->n_var))
        rc = archai_fail(err, ARCHAI_EFORMAT, "an answer that holds something other than finite numbers");
    else
        rc = s->algorithm->ops->answer(s->algorithm, answer, err);
    archai_surrogate_answer_fini(answer);
    return rc;
}

int archai_search_abandon_jobs(archai_search *s, const char *why, archai_err *err)
{
    if (s->schedule == ARCHAI_GENERATIONAL)
        return archai_fail(err, ARCHAI_ECHILD,
                           "%s cannot go on, its surrogate cannot be fitted: %s",
                           s->algorithm->ops->name, why);
    s->job = 0;
    return s->algorithm->ops->abandon_jobs(s->algorithm, err);
}
