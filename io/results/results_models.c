/* Weights and learning curves out of results.h5. */
#include "io/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
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

/* Without its padding of NaN. */
static int take_curve(void *payload, size_t row, const void *value, size_t width, archai_err *err)
{
    archai_curve *out = payload;

    (void)row;
    (void)err;
    out->values = archai_memdup(value, width * sizeof *out->values);
    for (out->n = width; out->n > 0 && isnan(out->values[out->n - 1]);)
        out->n--;
    return ARCHAI_OK;
}

int archai_results_curves(const char *path, size_t row, archai_curve **out, size_t *n,
                          archai_err *err)
{
    archai_results_reader x;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    archai_curve *curves;
    size_t kept = 0;
    int rc;

    ARCHAI_TRY(results_open(&x, path, err));
    rc = results_group(&x, "curves", &group, &names, err);
    curves = archai_calloc(names.n, sizeof *curves);
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++) {
        archai_curve *c = &curves[kept];

        rc = results_column(&x, group, names.at[i], ARCHAI_COLUMN_CURVE, row, 1, take_curve, c,
                            err);
        rc = archai_err_wrap(err, rc, "/curves: ");
        if (c->n > 0) {
            c->name = results_shown_name(names.at[i]);
            kept++;
        } else { /* this row has none */
            free(c->values);
            *c = (archai_curve){0};
        }
    }
    archai_strings_free(&names);
    archai_h5_release(&group);
    rc = results_blame(&x, rc, err);
    results_close(&x);
    if (rc != ARCHAI_OK) {
        archai_results_curves_free(curves, kept);
        return rc;
    }
    *out = curves;
    *n = kept;
    return ARCHAI_OK;
}

/* -- tensors ------------------------------------------------------------------------------- */

/* HDF5 silently reads a virtual dataset whose source is missing as zeros. Here it is an error:
 * every source must be a file beside results.h5. Its size limits what a tensor can hold. */
static int check_source(const archai_results_reader *x, hid_t dataset, size_t bytes,
                        archai_err *err)
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
        rc = bytes / 1000 <= x->bytes
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
    path = archai_file_path(x->directory, name);
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

static int read_tensor(const archai_results_reader *x, hid_t group, const char *name,
                       archai_tensor *out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(group, name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_shape(dataset, out, err), out);
    ARCHAI_TRY_GOTO(rc, check_source(x, dataset, out->bytes, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_read(dataset, out, err), out);
    out->name = archai_name_unescape(name);
out:
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

int archai_results_tensors(const char *path, const char *archid, archai_tensor **out, size_t *n,
                           archai_err *err)
{
    archai_results_reader x;
    hid_t models = H5I_INVALID_HID, group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    archai_tensor *tensors = NULL;
    char *link = archai_name_escape(archid);
    int rc = ARCHAI_OK;

    ARCHAI_TRY_GOTO(rc, results_open(&x, path, err), unopened);
    if (archai_h5_has(x.file, "models"))
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &models, H5Gopen2(x.file, "models", H5P_DEFAULT)),
                        out);
    if (models < 0 || !archai_h5_has(models, link)) {
        rc = archai_fail(err, ARCHAI_ENOTFOUND, "no weights of %s", archid);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &group, H5Gopen2(models, link, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_links(group, true, &names, err), out);
    tensors = archai_calloc(names.n, sizeof *tensors);
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++)
        rc = read_tensor(&x, group, names.at[i], &tensors[i], err);
    rc = archai_err_wrap(err, rc, "/models/%s: ", archid);
out:
    archai_h5_release(&group);
    archai_h5_release(&models);
    rc = results_blame(&x, rc, err);
    results_close(&x);
    if (rc == ARCHAI_OK) {
        *out = tensors;
        *n = names.n;
    } else {
        archai_arrays_free(tensors, names.n);
    }
    archai_strings_free(&names);
unopened:
    free(link);
    return rc;
}

int archai_results_models(const char *path, archai_strings *out, archai_err *err)
{
    archai_results_reader x;
    hid_t models = H5I_INVALID_HID;
    int rc;

    *out = (archai_strings){NULL, 0};
    ARCHAI_TRY(results_open(&x, path, err));
    rc = results_blame(&x, results_group(&x, "models", &models, out, err), err);
    for (size_t i = 0; rc == ARCHAI_OK && i < out->n; i++) {
        char *link = out->at[i];

        out->at[i] = archai_name_unescape(link);
        free(link);
    }
    archai_h5_release(&models);
    results_close(&x);
    return rc;
}
