/* /candidates, /objectives, /metrics, /curves: which columns there are, and their rows. */
#include "io/results/index/index_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/h5.h"

/* Users' programs name measures and curves: a bound, which none needs to reach. */
enum { COLUMNS_MAX = 1024 };

static const char *const groups[] = {"candidates", "objectives", "metrics", "curves", "params"};

static void add(index_columns *c, archai_column_kind kind, const char *group, const char *name,
                const char *source, size_t offset)
{
    ARCHAI_RESERVE(c->at, c->capacity, c->n + 1);
    c->at[c->n++] = archai_column_new(kind, group, name, source, offset);
}

void index_columns_init(index_columns *c, const archai_objectives *objectives, index_params *params)
{
    *c = (index_columns){.objectives = objectives, .params = params};
    index_params_forget(params);
    for (const archai_candidate_column *k = archai_candidate_columns; k->name != NULL; k++)
        add(c, k->kind, "candidates", k->name, "", k->offset);
    for (size_t i = 0; i < objectives->n; i++)
        if (objectives->at[i].direction != ARCHAI_CONSTRAIN)
            add(c, ARCHAI_COLUMN_MEASURE, "objectives", objectives->at[i].name,
                objectives->at[i].source, 0);
}

void index_columns_fini(index_columns *c)
{
    for (size_t i = 0; i < c->n; i++)
        archai_column_fini(&c->at[i]);
    free(c->at);
    *c = (index_columns){0};
}

/* -- measures and curves, as they come ----------------------------------------------------- */

/* Make sure that there is a column. Measures come in the same order from row to row: *hint is where
 * the search for it begins. */
static void ensure(index_columns *c, archai_column_kind kind, const char *group, const char *name,
                   size_t *hint, index_notes *notes)
{
    for (size_t i = 0; i < c->n; i++) {
        const archai_column *column = &c->at[(*hint + i) % c->n];

        if (column->kind == kind && strcmp(column->group, group) == 0 &&
            strcmp(column->source, name) == 0) {
            *hint = (*hint + i + 1) % c->n;
            return;
        }
    }
    if (c->n < COLUMNS_MAX)
        add(c, kind, group, name, name, 0);
    else if (!c->full)
        index_note(notes, "there are more than %d measures and curves: %.200s and others are left out",
                   COLUMNS_MAX, name);
    c->full = c->full || c->n == COLUMNS_MAX;
}

static void ensure_all(index_columns *c, const archai_trial *e, size_t n, index_notes *notes)
{
    size_t hint = 0;

    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < e[i].n_measures; k++)
            ensure(c, ARCHAI_COLUMN_MEASURE, "metrics", e[i].measures[k].name, &hint, notes);
        for (size_t k = 0; k < e[i].n_curves; k++)
            ensure(c, ARCHAI_COLUMN_CURVE, "curves", e[i].curves[k].name, &hint, notes);
    }
}

/* -- writing ------------------------------------------------------------------------------- */

static int make_groups(hid_t file, archai_err *err)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        hid_t group = H5I_INVALID_HID;

        ARCHAI_TRY(archai_h5_group(file, groups[i], &group, err));
        ARCHAI_TRY(archai_h5_close(&group, err));
    }
    return ARCHAI_OK;
}

static int describe_objective(hid_t dataset, const archai_objective *o, archai_err *err)
{
    double bounds[2] = {-INFINITY, INFINITY};

    if (o->constraint.n == 2)
        memcpy(bounds, o->constraint.at, sizeof bounds);
    ARCHAI_TRY(archai_h5_set_string(
        dataset, "direction", o->direction == ARCHAI_MAXIMIZE ? "maximize" : "minimize", err));
    ARCHAI_TRY(archai_h5_set_int(dataset, "expensive", o->expensive != 0, err));
    ARCHAI_TRY(archai_h5_set_string(dataset, "unit", o->unit != NULL ? o->unit : "", err));
    ARCHAI_TRY(archai_h5_set_string(dataset, "source", o->source, err));
    return archai_h5_set_doubles(dataset, "constraint", bounds, 2, err);
}

static int describe_objectives(const index_columns *c, hid_t file, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < c->objectives->n; i++) {
        const archai_objective *o = &c->objectives->at[i];
        char *link = archai_name_escape(o->name);
        char *path = archai_printf("objectives/%s", link);
        hid_t dataset = H5I_INVALID_HID;

        if (o->direction != ARCHAI_CONSTRAIN)
            rc = archai_h5_id(err, &dataset, H5Dopen2(file, path, H5P_DEFAULT));
        if (dataset >= 0)
            rc = describe_objective(dataset, o, err);
        if (rc == ARCHAI_OK)
            rc = archai_h5_close(&dataset, err);
        archai_h5_release(&dataset);
        free(path);
        free(link);
    }
    return rc;
}

static int write_batch(index_columns *c, const index_table *t, size_t first, size_t n,
                       hid_t file, index_notes *notes, archai_err *err)
{
    archai_trial *e = archai_calloc(n, sizeof *e);
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < n; i++)
        ARCHAI_TRY_GOTO(rc, index_table_read(t, first + i, &e[i], err), out);
    ensure_all(c, e, n, notes);
    for (size_t i = 0; i < c->n; i++)
        ARCHAI_TRY_GOTO(rc, archai_column_write(&c->at[i], file, first, e, n, t->n, err), out);
    rc = index_params_write(c->params, t, first, n, file, err);
out:
    for (size_t i = 0; i < n; i++)
        archai_trial_fini(&e[i]);
    free(e);
    return rc;
}

int index_columns_write(index_columns *c, const index_table *t, size_t first, hid_t file,
                        index_notes *notes, archai_err *err)
{
    bool fresh = !archai_h5_has(file, "candidates");
    size_t at = first;
    int rc;

    ARCHAI_TRY(make_groups(file, err));
    do { /* at least once: an empty run, too, has columns */
        size_t end = (at / ARCHAI_COLUMN_BATCH + 1) * ARCHAI_COLUMN_BATCH;
        size_t n = (end < t->n ? end : t->n) - at;

        ARCHAI_TRY_GOTO(rc, write_batch(c, t, at, n, file, notes, err), out);
        at += n;
    } while (at < t->n);
out:
    for (size_t i = 0; i < c->n; i++)
        if (rc == ARCHAI_OK)
            rc = archai_column_close(&c->at[i], err);
        else
            archai_h5_release(&c->at[i].dataset);
    if (rc == ARCHAI_OK)
        rc = index_params_close(c->params, err);
    else
        (void)index_params_close(c->params, NULL);
    if (rc == ARCHAI_OK)
        rc = index_params_name_features(c->params, file, err);
    if (rc == ARCHAI_OK && fresh)
        rc = describe_objectives(c, file, err);
    return rc;
}
