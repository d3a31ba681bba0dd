/* Reading the table of results.h5 back into evaluations. */
#include "io/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/results_private.h"

void archai_results_free(archai_results *r)
{
    char *texts[] = {r->format, r->state,   r->space,   r->algorithm, r->schedule,
                     r->config, r->started, r->updated, r->software};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
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
    o->name = archai_strdup(name);
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
        o->source = archai_strdup(name);
out:
    free(direction);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

static void set_measures(archai_results *r, const char *name, const double *values,
                         size_t stride)
{
    for (size_t i = 0; i < r->n; i++)
        if (!isnan(values[i * stride]))
            archai_trial_set_measure(&r->rows[i], name, values[i * stride]);
}

/* A column of measures; caller frees. */
static int read_values(const results_reading *in, hid_t group, const char *name, double **values,
                       archai_err *err)
{
    return results_numbers(in, group, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, sizeof **values, NULL,
                           (void **)values, err);
}

static int read_objectives(const results_reading *in, hid_t file, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    int rc;

    if (!archai_h5_has(file, "objectives"))
        return archai_fail(err, ARCHAI_EFORMAT, "group objectives is missing");
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "objectives", H5P_DEFAULT)));
    ARCHAI_TRY_GOTO(rc, archai_h5_links(group, true, &names, err), out);
    if (names.n == 0 || names.n > ARCHAI_MAX_OBJECTIVES) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "%zu objectives", names.n);
        goto out;
    }
    r->objectives = archai_calloc(names.n, sizeof *r->objectives);
    r->values = archai_file_room(r->n, names.n * sizeof *r->values, err);
    if (r->values == NULL) {
        rc = ARCHAI_ENOMEM;
        goto out;
    }
    r->n_objectives = names.n;
    for (size_t k = 0; k < names.n; k++) {
        double *values = NULL;

        ARCHAI_TRY_GOTO(rc, read_objective(group, names.at[k], &r->objectives[k], err), out);
        ARCHAI_TRY_GOTO(rc, read_values(in, group, names.at[k], &values, err), out);
        for (size_t i = 0; i < r->n; i++)
            r->values[i * names.n + k] = values[i];
        free(values);
    }
out:
    archai_strings_free(&names);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/objectives: ");
}

static int read_metrics(const results_reading *in, hid_t file, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    int rc = ARCHAI_OK;

    /* An objective is a measure, under its source's name; a metric of that name is the same. */
    for (size_t k = 0; k < r->n_objectives; k++)
        set_measures(r, r->objectives[k].source, r->values + k, r->n_objectives);
    if (!archai_h5_has(file, "metrics"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "metrics", H5P_DEFAULT)));
    ARCHAI_TRY_GOTO(rc, archai_h5_links(group, true, &names, err), out);
    for (size_t k = 0; k < names.n; k++) {
        double *values = NULL;

        ARCHAI_TRY_GOTO(rc, read_values(in, group, names.at[k], &values, err), out);
        set_measures(r, names.at[k], values, 1);
        free(values);
        ARCHAI_TRY_GOTO(rc, rc, out);
    }
out:
    archai_strings_free(&names);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/metrics: ");
}

_Static_assert(sizeof(size_t) == sizeof(int64_t), "row numbers are read in place");

static int read_front(const results_reading *in, hid_t file, archai_err *err)
{
    archai_results *r = in->r;
    hid_t group = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    size_t n = SIZE_MAX;
    int rc;

    if (!archai_h5_has(file, "pareto"))
        return archai_fail(err, ARCHAI_EFORMAT, "group pareto is missing");
    ARCHAI_TRY(archai_h5_id(err, &group, H5Gopen2(file, "pareto", H5P_DEFAULT)));
    ARCHAI_TRY_GOTO(
        rc, results_dataset(group, "index", H5T_INTEGER, 1, in->bytes, &n, NULL, &dataset, err),
        out);
    r->front = archai_file_room(n, sizeof *r->front, err);
    if (r->front == NULL) {
        rc = ARCHAI_ENOMEM;
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_rows(dataset, H5T_NATIVE_INT64, 1, 0, n, 1, r->front, NULL, err),
                    out);
    for (size_t i = 0; i < n; i++)
        if (r->front[i] >= r->n) { /* a negative one, too */
            rc = archai_fail(err, ARCHAI_EFORMAT, "row %lld is outside the table",
                             (long long)r->front[i]);
            goto out;
        }
    r->n_front = n;
out:
    archai_h5_release(&dataset);
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/pareto/index: ");
}

/* -- the whole ----------------------------------------------------------------------------- */

static int read_attributes(archai_results *r, hid_t file, archai_err *err)
{
    struct {
        const char *name;
        char **to;
    } texts[] = {
        {"format", &r->format},       {"state", &r->state},       {"space", &r->space},
        {"algorithm", &r->algorithm}, {"schedule", &r->schedule}, {"config", &r->config},
        {"started", &r->started},     {"updated", &r->updated},   {"software", &r->software},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ARCHAI_TRY(archai_h5_get_string(file, texts[i].name, texts[i].to, err));
    ARCHAI_TRY(archai_h5_get_int(file, "format_version", &r->format_version, err));
    ARCHAI_TRY(archai_h5_get_int(file, "seed", &r->seed, err));
    ARCHAI_TRY(archai_h5_get_int(file, "ranks", &r->ranks, err));
    return archai_h5_get_int(file, "rejected", &r->rejected, err);
}

struct archai_results_reader {
    results_file f;
    size_t total;
};

/* The error of a file whose reading ended with `rc`. */
static int blame(const results_file *f, int rc, archai_err *err)
{
    if (rc == ARCHAI_ENOTFOUND) { /* an attribute that every file has */
        rc = ARCHAI_EFORMAT;
        if (err != NULL)
            err->code = rc;
    }
    return results_blame(f, rc, err);
}

static int read_table(const results_reading *in, hid_t file, archai_err *err)
{
    ARCHAI_TRY(results_candidates(in, file, err));
    ARCHAI_TRY(read_objectives(in, file, err));
    return read_metrics(in, file, err);
}

int archai_results_open(archai_results_reader **out, const char *path, archai_results *head,
                        archai_err *err)
{
    archai_results_reader *x;
    archai_results r = {0};
    results_file f;
    int rc;

    ARCHAI_TRY(results_open(&f, path, err));
    x = archai_calloc(1, sizeof *x);
    x->f = f;
    rc = read_attributes(&r, x->f.file, err);
    if (rc == ARCHAI_OK)
        rc = results_rows(x->f.file, x->f.bytes, &x->total, err);
    if (rc != ARCHAI_OK) {
        rc = blame(&x->f, rc, err);
        archai_results_free(&r);
        archai_results_close(x);
        return rc;
    }
    *head = r;
    head->n = x->total;
    *out = x;
    return ARCHAI_OK;
}

int archai_results_piece(archai_results_reader *x, size_t first, size_t n, archai_results *out,
                         archai_err *err)
{
    archai_results r = {0};
    const results_reading in = {
        .r = &r, .bytes = x->f.bytes, .first = first, .total = x->total};
    int rc;

    if (first > x->total || n > x->total - first)
        return archai_fail(err, ARCHAI_EINTERNAL, "rows %zu to %zu of %zu", first, first + n,
                           x->total);
    r.n = n;
    rc = blame(&x->f, read_table(&in, x->f.file, err), err);
    if (rc == ARCHAI_OK)
        *out = r;
    else
        archai_results_free(&r);
    return rc;
}

void archai_results_close(archai_results_reader *x)
{
    if (x == NULL)
        return;
    results_close(&x->f);
    free(x);
}

int archai_results_read(archai_results *out, const char *path, archai_err *err)
{
    archai_results_reader *x = NULL;
    archai_results r = {0};
    results_reading in = {.r = &r};
    int rc;

    ARCHAI_TRY(archai_results_open(&x, path, &r, err));
    in.bytes = x->f.bytes;
    in.total = x->total;
    rc = read_table(&in, x->f.file, err);
    if (rc == ARCHAI_OK)
        rc = read_front(&in, x->f.file, err);
    rc = blame(&x->f, rc, err);
    if (rc == ARCHAI_OK)
        *out = r;
    else
        archai_results_free(&r);
    archai_results_close(x);
    return rc;
}
