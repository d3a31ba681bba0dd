/* What several commands ask about rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "runner/inspect/inspect.h"

bool inspect_has_values(const archai_trial *e)
{
    return e->status == ARCHAI_STATUS_OK || e->status == ARCHAI_STATUS_CACHED;
}

char *inspect_front_flags(const archai_results *r)
{
    char *flags = archai_calloc(r->n, 1);

    for (size_t i = 0; i < r->n_front; i++)
        flags[r->front[i]] = 1;
    return flags;
}

double inspect_sign(const archai_results_objective *o)
{
    return o->direction == ARCHAI_MAXIMIZE ? -1 : 1;
}

/* The better of two rows of one architecture: results before none, then the higher budget. */
static bool is_better(const archai_trial *a, const archai_trial *b)
{
    if (inspect_has_values(a) != inspect_has_values(b))
        return inspect_has_values(a);
    if (a->budget != b->budget)
        return a->budget > b->budget;
    return a->status != ARCHAI_STATUS_CACHED;
}

int inspect_find(const inspect *t, const char *archid, size_t *row, archai_err *err)
{
    const archai_results *r = &t->r;
    const char **names;
    size_t best = r->n;
    int rc;

    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->rows[i].model.archid, archid) == 0 &&
            (best == r->n || is_better(&r->rows[i], &r->rows[best])))
            best = i;
    if (best < r->n) {
        *row = best;
        return ARCHAI_OK;
    }
    names = archai_calloc(r->n, sizeof *names);
    for (size_t i = 0; i < r->n; i++)
        names[i] = r->rows[i].model.archid;
    rc = inspect_unknown("no model", archid, names, r->n, err);
    free(names);
    return archai_err_wrap(err, rc, "%s: ", t->path);
}

int inspect_unknown(const char *what, const char *name, const char *const *names, size_t n,
                    archai_err *err)
{
    const char *near = archai_nearest(name, names, n);

    if (near == NULL)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s '%s'", what, name);
    return archai_fail(err, ARCHAI_ENOTFOUND, "%s '%s'; did you mean '%s'?", what, name, near);
}

struct ordering {
    const archai_results *r;
    const char *name;
    double sign; /* inspect_sign */
};

static int compare(const void *a, const void *b, void *payload)
{
    const struct ordering *o = payload;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    double x = o->sign * archai_results_value(o->r, i, o->name);
    double y = o->sign * archai_results_value(o->r, k, o->name);

    if (isnan(x) != isnan(y))
        return isnan(x) ? 1 : -1;
    if (x != y && !isnan(x))
        return x < y ? -1 : 1;
    return (i > k) - (i < k);
}

void inspect_sort(const archai_results *r, size_t *rows, size_t n, const char *name, double sign)
{
    struct ordering by = {r, name, sign};

    if (n > 1)
        qsort_r(rows, n, sizeof *rows, compare, &by);
}

void inspect_counts(const archai_results *r, FILE *out)
{
    size_t n[ARCHAI_STATUS_COUNT] = {0};
    const char *sep = ": ";

    for (size_t i = 0; i < r->n; i++)
        n[r->rows[i].status]++;
    for (int s = 0; s < ARCHAI_STATUS_COUNT; s++)
        if (n[s] > 0) {
            (void)fprintf(out, "%s%zu %s", sep, n[s], archai_status_name(s));
            sep = ", ";
        }
    if (r->rejected > 0)
        (void)fprintf(out, "; %lld more rejected by a constraint before evaluation",
                      (long long)r->rejected);
}
