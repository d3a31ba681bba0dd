/* Which rows stand for a model, and whether its run is alive. */
#include <stdlib.h>
#include <string.h>

#include "core/config/option.h"
#include "runner/inspect/inspect.h"
#include "runner/directory/rundir.h"

bool inspect_has_values(const archai_trial *e)
{
    return e->status == ARCHAI_STATUS_OK || e->status == ARCHAI_STATUS_CACHED;
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
    const char *near;
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
    names = malloc((r->n + 1) * sizeof *names);
    if (names == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory");
    for (size_t i = 0; i < r->n; i++)
        names[i] = r->rows[i].model.archid;
    near = archai_nearest(archid, names, r->n);
    rc = archai_fail(err, ARCHAI_ENOTFOUND, "%s: no model '%s'%s%s%s", t->path, archid,
                     near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                     near != NULL ? "'?" : "");
    free(names);
    return rc;
}

bool inspect_is_alive(const inspect *t, char who[512])
{
    who[0] = '\0';
    return archai_rundir_owner_alive(t->directory, who);
}
