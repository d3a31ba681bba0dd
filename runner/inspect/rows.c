/* What several commands ask about rows, and whether the run is alive. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "runner/directory/rundir.h"
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

bool inspect_is_alive(const inspect *t, char who[512])
{
    who[0] = '\0';
    return archai_rundir_owner_alive(t->directory, who);
}
