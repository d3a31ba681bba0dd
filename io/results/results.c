/* Reading the table of results.h5 back into evaluations. */
#include "io/results/results.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/results_private.h"

/* The attributes that are texts. */
#define AT(f) offsetof(archai_results, f)
static const struct {
    const char *name;
    size_t offset;
    bool optional; /* NULL where there is none */
} texts[] = {
    {"state", AT(state), false},       {"space", AT(space), false},     {"algorithm", AT(algorithm), false},
    {"schedule", AT(schedule), false}, {"config", AT(config), false},   {"started", AT(started), false},
    {"updated", AT(updated), false},   {"software", AT(software), false},
    {"data", AT(data), true},          {"data_shape", AT(data_shape), true},
};
#undef AT

static char **text_at(archai_results *r, size_t i)
{
    return (char **)((char *)r + texts[i].offset);
}

void archai_results_free(archai_results *r)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(*text_at(r, i));
    for (size_t i = 0; r->rows != NULL && i < r->n; i++)
        archai_trial_fini(&r->rows[i]);
    for (size_t i = 0; i < r->n_objectives; i++) {
        free(r->objectives[i].name);
        free(r->objectives[i].source);
        free(r->objectives[i].unit);
    }
    free(r->rows);
    free(r->objectives);
    free(r->values);
    free(r->front);
    *r = (archai_results){0};
}

double archai_results_value(const archai_results *r, size_t row, const char *name)
{
    if (row >= r->n)
        return NAN;
    for (size_t k = 0; k < r->n_objectives; k++)
        if (strcmp(r->objectives[k].name, name) == 0)
            return r->values[row * r->n_objectives + k];
    return archai_measure_get(r->rows[row].measures, r->rows[row].n_measures, name);
}

/* -- objectives and metrics ---------------------------------------------------------------- */

static int read_objective(hid_t group, const char *name, archai_results_objective *o,
                          archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    char *direction = NULL;
    int64_t expensive = 0;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &dataset, H5Dopen2(group, name, H5P_DEFAULT)));
    o->name = results_shown_name(name);
    ARCHAI_TRY_GOTO(rc, archai_h5_get_string(dataset, "direction", &direction, err), out);
    if (strcmp(direction, "maximize") != 0 && strcmp(direction, "minimize") != 0) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "direction is \"%.32s\"", direction);
        goto out;
    }
    o->direction = strcmp(direction, "maximize") == 0 ? ARCHAI_MAXIMIZE : ARCHAI_MINIMIZE;
    (void)archai_h5_get_int(dataset, "expensive", &expensive, NULL);
    o->expensive = expensive != 0;
    if (archai_h5_get_string(dataset, "unit", &o->unit, NULL) != ARCHAI_OK)
        o->unit = archai_strdup("");
    if (archai_h5_get_string(dataset, "source", &o->source, NULL) != ARCHAI_OK)
        o->source = archai_strdup(o->name);
out:
    free(direction);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

typedef struct measured {
    archai_results *r;
    const char *name; /* of the measure */
    double *values;   /* [n, r->n_objectives], an objective's; NULL: not one */
} measured;

static int take_measure(void *payload, size_t row, const void *value, size_t width, archai_err *err)
{
    const measured *m = payload;
    const double v = *(const double *)value;

    (void)width;
    (void)err;
    if (m->values != NULL)
        m->values[row * m->r->n_objectives] = v;
    if (!isnan(v))
        archai_trial_set_measure(&m->r->rows[row], m->name, v);
    return ARCHAI_OK;
}

static int read_objectives(const results_piece *in, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    int rc;

    if (!archai_h5_has(in->x->file, "objectives"))
        return archai_fail(err, ARCHAI_EFORMAT, "group objectives is missing");
    ARCHAI_TRY_GOTO(rc, results_group(in->x, "objectives", &group, &names, err), out);
    if (names.n == 0 || names.n > ARCHAI_MAX_OBJECTIVES) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "%zu objectives", names.n);
        goto out;
    }
    r->objectives = archai_calloc(names.n, sizeof *r->objectives);
    r->n_objectives = names.n;
    r->values = archai_file_room(r->n, names.n * sizeof *r->values, err);
    if (r->values == NULL)
        rc = ARCHAI_ENOMEM;
    for (size_t k = 0; rc == ARCHAI_OK && k < names.n; k++) {
        measured m = {r, NULL, r->values + k};

        rc = read_objective(group, names.at[k], &r->objectives[k], err);
        m.name = r->objectives[k].source; /* a metric of this name is the same */
        if (rc == ARCHAI_OK)
            rc = results_column(in->x, group, names.at[k], ARCHAI_COLUMN_MEASURE, in->first, r->n,
                                take_measure, &m, err);
    }
out:
    archai_strings_free(&names);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/objectives: ");
}

static int read_metrics(const results_piece *in, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    int rc = results_group(in->x, "metrics", &group, &names, err);

    for (size_t k = 0; rc == ARCHAI_OK && k < names.n; k++) {
        char *name = results_shown_name(names.at[k]);
        measured m = {in->r, name, NULL};

        rc = results_column(in->x, group, names.at[k], ARCHAI_COLUMN_MEASURE, in->first, in->r->n,
                            take_measure, &m, err);
        free(name);
    }
    archai_strings_free(&names);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/metrics: ");
}

_Static_assert(sizeof(size_t) == sizeof(int64_t), "row numbers are read in place");

static int read_front(const archai_results_reader *x, archai_results *r, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hsize_t dims[2];
    int rc;

    if (!archai_h5_has(x->file, "pareto"))
        return archai_fail(err, ARCHAI_EFORMAT, "group pareto is missing");
    ARCHAI_TRY(results_dataset(x, x->file, "pareto/index", H5T_INTEGER, 1, SIZE_MAX, dims, &dataset,
                               err));
    r->front = archai_file_room(dims[0], sizeof *r->front, err);
    rc = r->front == NULL ? ARCHAI_ENOMEM
                          : archai_h5_rows(dataset, H5T_NATIVE_INT64, 1, 0, dims, r->front, NULL,
                                           err);
    for (; rc == ARCHAI_OK && r->n_front < dims[0]; r->n_front++)
        if (r->front[r->n_front] >= r->n) /* a negative one, too */
            rc = archai_fail(err, ARCHAI_EFORMAT, "row %lld is outside the table",
                             (long long)r->front[r->n_front]);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "/pareto/index: ");
}

/* -- the whole ----------------------------------------------------------------------------- */

static int read_attributes(archai_results *r, hid_t file, archai_err *err)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!texts[i].optional || H5Aexists(file, texts[i].name) > 0)
            ARCHAI_TRY(archai_h5_get_string(file, texts[i].name, text_at(r, i), err));
    ARCHAI_TRY(archai_h5_get_int(file, "seed", &r->seed, err));
    ARCHAI_TRY(archai_h5_get_int(file, "ranks", &r->ranks, err));
    return archai_h5_get_int(file, "rejected", &r->rejected, err);
}

/* The error of a file whose reading ended with `rc`. */
static int blame(const archai_results_reader *x, int rc, archai_err *err)
{
    if (rc == ARCHAI_ENOTFOUND) { /* an attribute that every file has */
        rc = ARCHAI_EFORMAT;
        if (err != NULL)
            err->code = rc;
    }
    return results_blame(x, rc, err);
}

/* Rows are counted by the column of their ids. */
static int count_rows(archai_results_reader *x, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    hsize_t dims[2];

    if (!archai_h5_has(x->file, "candidates"))
        return archai_fail(err, ARCHAI_EFORMAT, "group candidates is missing");
    ARCHAI_TRY(results_dataset(x, x->file, "candidates/id", H5T_INTEGER, 1, SIZE_MAX, dims, &id,
                               err));
    x->total = dims[0];
    archai_h5_release(&id);
    return ARCHAI_OK;
}

int archai_results_open(archai_results_reader **out, const char *path, archai_results *head,
                        archai_err *err)
{
    archai_results_reader x;
    archai_results r = {0};
    int rc;

    ARCHAI_TRY(results_open(&x, path, err));
    rc = read_attributes(&r, x.file, err);
    if (rc == ARCHAI_OK)
        rc = count_rows(&x, err);
    if (rc != ARCHAI_OK) {
        rc = blame(&x, rc, err);
        archai_results_free(&r);
        results_close(&x);
        return rc;
    }
    *head = r;
    head->n = x.total;
    *out = archai_memdup(&x, sizeof x);
    return ARCHAI_OK;
}

/* r->n rows from row `first` on; where `all`, the front, too. */
static int read_table(const archai_results_reader *x, archai_results *r, size_t first, bool all,
                      archai_err *err)
{
    const results_piece in = {x, r, first};
    int rc = results_candidates(&in, err);

    if (rc == ARCHAI_OK)
        rc = read_objectives(&in, err);
    if (rc == ARCHAI_OK)
        rc = read_metrics(&in, err);
    if (rc == ARCHAI_OK && all)
        rc = read_front(x, r, err);
    rc = blame(x, rc, err);
    if (rc != ARCHAI_OK)
        archai_results_free(r);
    return rc;
}

int archai_results_piece(archai_results_reader *x, size_t first, size_t n, archai_results *out,
                         archai_err *err)
{
    archai_results r = {.n = n};

    if (first > x->total || n > x->total - first)
        return archai_fail(err, ARCHAI_EINTERNAL, "rows %zu to %zu of %zu", first, first + n,
                           x->total);
    ARCHAI_TRY(read_table(x, &r, first, false, err));
    *out = r;
    return ARCHAI_OK;
}

void archai_results_close(archai_results_reader *x)
{
    if (x == NULL)
        return;
    results_close(x);
    free(x);
}

int archai_results_read(archai_results *out, const char *path, archai_err *err)
{
    archai_results_reader *x = NULL;
    archai_results r = {0};
    int rc;

    ARCHAI_TRY(archai_results_open(&x, path, &r, err));
    rc = read_table(x, &r, 0, true, err);
    if (rc == ARCHAI_OK)
        *out = r;
    archai_results_close(x);
    return rc;
}
