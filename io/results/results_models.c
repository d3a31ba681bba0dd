/* Weights and learning curves out of results.h5. */
#include "io/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "io/file/array.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/column.h"
#include "io/results/results_private.h"

/* -- curves -------------------------------------------------------------------------------- */

void archai_results_curves_free(archai_curve *curves, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(curves[i].name);
        free(curves[i].values);
    }
    free(curves);
}

/* Row `row` of a curve, without its padding of NaN. */
static int read_curve(const results_file *f, hid_t group, const char *name, size_t row,
                      archai_curve *out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    size_t rows = SIZE_MAX, width;
    int rc;

    ARCHAI_TRY(
        results_dataset(group, name, H5T_FLOAT, 2, f->bytes, &rows, &width, &dataset, err));
    out->name = archai_strdup(name);
    out->values = archai_file_room(width, sizeof *out->values, err);
    if (out->values == NULL)
        rc = ARCHAI_ENOMEM;
    else if (row >= rows)
        rc = archai_fail(err, ARCHAI_EFORMAT, "has no row %zu", row);
    else
        rc = archai_h5_rows(dataset, H5T_NATIVE_FLOAT, 2, row, 1, width, out->values, NULL, err);
    if (rc == ARCHAI_OK)
        for (out->n = width; out->n > 0 && isnan(out->values[out->n - 1]);)
            out->n--;
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "/curves/%s: ", name);
}

int archai_results_curves(const char *path, size_t row, archai_curve **out, size_t *n,
                          archai_err *err)
{
    results_file f;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    archai_curve *curves = NULL;
    size_t kept = 0;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(results_open(&f, path, err));
    if (archai_h5_has(f.file, "curves")) {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &group, H5Gopen2(f.file, "curves", H5P_DEFAULT)),
                        out);
        ARCHAI_TRY_GOTO(rc, archai_h5_links(group, true, &names, err), out);
    }
    curves = archai_calloc(names.n, sizeof *curves);
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++) {
        rc = read_curve(&f, group, names.at[i], row, &curves[kept], err);
        if (rc == ARCHAI_OK && curves[kept].n == 0) { /* this row has none */
            free(curves[kept].name);
            free(curves[kept].values);
            curves[kept] = (archai_curve){0};
        } else {
            kept++;
        }
    }
out:
    archai_strings_free(&names);
    archai_h5_release(&group);
    rc = results_blame(&f, rc, err);
    results_close(&f);
    if (rc != ARCHAI_OK) {
        archai_results_curves_free(curves, kept);
        return rc;
    }
    *out = curves;
    *n = kept;
    return ARCHAI_OK;
}

/* -- tensors ------------------------------------------------------------------------------- */

void archai_results_tensors_free(archai_tensor *at, size_t n)
{
    for (size_t i = 0; at != NULL && i < n; i++)
        archai_array_free(&at[i]);
    free(at);
}

/* HDF5 silently reads a virtual dataset whose source is missing as zeros. Here it is an error:
 * every source must be a file beside results.h5. Its size limits what a tensor can hold. */
static int check_source(const results_file *f, hid_t dataset, size_t bytes, archai_err *err)
{
    hid_t dcpl = H5I_INVALID_HID;
    char name[256];
    char *path = NULL;
    size_t sources = 0;
    struct stat st;
    ssize_t length;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &dcpl, H5Dget_create_plist(dataset)));
    if (H5Pget_layout(dcpl) != H5D_VIRTUAL) { /* a real dataset, as h5repack writes it */
        rc = bytes / 1000 <= f->bytes
                 ? ARCHAI_OK
                 : archai_fail(err, ARCHAI_EFORMAT, "%zu bytes are more than the file holds",
                               bytes);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pget_virtual_count(dcpl, &sources)), out);
    length = sources == 1 ? H5Pget_virtual_filename(dcpl, 0, name, sizeof name) : -1;
    if (length <= 0 || (size_t)length >= sizeof name || strchr(name, '/') != NULL) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "is not mapped from one segment beside the file");
        goto out;
    }
    path = archai_file_path(f->directory, name);
    if (stat(path, &st) != 0)
        rc = archai_fail(err, ARCHAI_ENOTFOUND, "its weights were in %s, which is not there",
                         path);
    else if (bytes > (uint64_t)st.st_size)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%zu bytes are more than %s holds", bytes, path);
out:
    free(path);
    archai_h5_release(&dcpl);
    return rc;
}

static int read_tensor(const results_file *f, hid_t group, const char *name, archai_tensor *out,
                       archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    void *data;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(group, name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_shape(dataset, out, err), out);
    ARCHAI_TRY_GOTO(rc, check_source(f, dataset, out->bytes, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_type(&type, out->dtype, err), out);
    out->name = archai_strdup(name);
    out->data = data = archai_file_room(out->bytes, 1, err);
    if (data == NULL)
        rc = ARCHAI_ENOMEM;
    else if (out->bytes > 0)
        rc = archai_h5_ok(err, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
out:
    archai_h5_release(&type);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

int archai_results_tensors(const char *path, const char *archid, archai_tensor **out, size_t *n,
                           archai_err *err)
{
    results_file f;
    hid_t models = H5I_INVALID_HID;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    archai_tensor *tensors = NULL;
    int rc = ARCHAI_OK;

    ARCHAI_TRY(results_open(&f, path, err));
    if (archai_h5_has(f.file, "models"))
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &models, H5Gopen2(f.file, "models", H5P_DEFAULT)),
                        out);
    if (models < 0 || !archai_column_name_ok(archid) || !archai_h5_has(models, archid)) {
        rc = archai_fail(err, ARCHAI_ENOTFOUND, "no weights of %s", archid);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &group, H5Gopen2(models, archid, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_links(group, true, &names, err), out);
    tensors = archai_calloc(names.n, sizeof *tensors);
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++)
        rc = read_tensor(&f, group, names.at[i], &tensors[i], err);
    rc = archai_err_wrap(err, rc, "/models/%s: ", archid);
out:
    archai_h5_release(&group);
    archai_h5_release(&models);
    rc = results_blame(&f, rc, err);
    results_close(&f);
    if (rc != ARCHAI_OK) {
        archai_results_tensors_free(tensors, names.n);
    } else {
        *out = tensors;
        *n = names.n;
    }
    archai_strings_free(&names);
    return rc;
}

int archai_results_models(const char *path, archai_strings *out, archai_err *err)
{
    results_file f;
    hid_t models = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(results_open(&f, path, err));
    if (archai_h5_has(f.file, "models")) {
        rc = archai_h5_id(err, &models, H5Gopen2(f.file, "models", H5P_DEFAULT));
        if (rc == ARCHAI_OK)
            rc = archai_h5_links(models, true, &names, err);
    }
    archai_h5_release(&models);
    rc = results_blame(&f, rc, err);
    results_close(&f);
    if (rc == ARCHAI_OK)
        *out = names;
    return rc;
}
