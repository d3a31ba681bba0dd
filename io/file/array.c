#include "io/file/array.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/beside.h"
#include "io/file/file.h"
#include "io/file/h5.h"

void archai_array_split(const char *text, char **file, const char **path)
{
    const char *colon = strstr(text, ":/");

    *file = colon != NULL ? archai_strndup(text, (size_t)(colon - text)) : archai_strdup(text);
    *path = colon != NULL ? colon + 1 : NULL;
}

void archai_array_free(archai_tensor *t)
{
    free(t->name);
    free((void *)(uintptr_t)t->data);
    *t = (archai_tensor){0};
}

void archai_arrays_free(archai_tensor *at, size_t n)
{
    for (size_t i = 0; at != NULL && i < n; i++)
        archai_array_free(&at[i]);
    free(at);
}

static int read_dataset(hid_t parent, const char *path, archai_tensor *out, archai_err *err)
{
    const char *slash = strrchr(path, '/');
    archai_tensor t = {0};
    hid_t dataset = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(parent, path, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_shape(dataset, &t, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_check_written(dataset, false, err), out); /* else HDF5 makes numbers up */
    rc = t.bytes <= ARCHAI_ARRAY_MAX
             ? archai_h5_read(dataset, &t, err)
             : archai_fail(err, ARCHAI_EFORMAT, "it is larger than %lld GiB",
                           (long long)(ARCHAI_ARRAY_MAX >> 30));
    if (rc == ARCHAI_OK) {
        t.name = archai_strdup(slash != NULL ? slash + 1 : path);
        *out = t;
    }
out:
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", path);
}

int archai_array_read(const char *file, const char *path, archai_tensor *out, archai_err *err)
{
    hid_t h = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_open(&h, file, err));
    rc = read_dataset(h, path, out, err);
    archai_h5_release(&h);
    return archai_err_wrap(err, rc, "%s:", file);
}

int archai_array_read_group(const char *file, const char *path, archai_tensor **out, size_t *n,
                            archai_err *err)
{
    hid_t h = H5I_INVALID_HID, group = H5I_INVALID_HID;
    archai_tensor *tensors;
    archai_strings names = {NULL, 0};
    int rc;

    ARCHAI_TRY(archai_h5_open(&h, file, err));
    rc = archai_h5_id(err, &group, H5Gopen2(h, path, H5P_DEFAULT));
    if (rc == ARCHAI_OK)
        rc = archai_h5_links(group, false, &names, err);
    if (rc == ARCHAI_OK && names.n == 0)
        rc = archai_fail(err, ARCHAI_ENOTFOUND, "the group is empty");
    tensors = archai_calloc(names.n, sizeof *tensors);
    for (size_t i = 0; rc == ARCHAI_OK && i < names.n; i++) {
        rc = read_dataset(group, names.at[i], &tensors[i], err);
        if (rc == ARCHAI_OK) {
            free(tensors[i].name);
            tensors[i].name = archai_name_unescape(names.at[i]);
        }
    }
    archai_h5_release(&group);
    archai_h5_release(&h);
    if (rc == ARCHAI_OK) {
        *out = tensors;
        *n = names.n;
    } else {
        archai_arrays_free(tensors, names.n);
    }
    archai_strings_free(&names);
    return archai_err_wrap(err, rc, "%s:%s: ", file, path);
}

int archai_array_write(const char *file, const char *path, const archai_tensor *t, archai_err *err)
{
    hid_t h = H5I_INVALID_HID, space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID, access = H5I_INVALID_HID;
    hsize_t dims[ARCHAI_MAX_DIMS];
    archai_beside beside = ARCHAI_BESIDE_INIT;
    int rc;

    for (int d = 0; d < t->ndim; d++)
        dims[d] = (hsize_t)t->shape[d];
    ARCHAI_TRY(archai_beside_output(&beside, file, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_access(&access, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &h, H5Fcreate(beside.at, H5F_ACC_TRUNC, H5P_DEFAULT, access)),
                    out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(t->ndim, dims, NULL)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_type(&type, t->dtype, err), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &dataset, H5Dcreate2(h, path, type, space, H5P_DEFAULT,
                                                           H5P_DEFAULT, H5P_DEFAULT)),
                    out);
    ARCHAI_TRY_GOTO(
        rc, archai_h5_ok(err, H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_close(&dataset, err), out);
    rc = archai_h5_close(&h, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&type);
    archai_h5_release(&space);
    archai_h5_release(&h);
    archai_h5_release(&access);
    rc = rc == ARCHAI_OK ? archai_beside_publish(&beside, err)
                         : archai_err_wrap(err, rc, "%s: ", file);
    archai_beside_drop(&beside);
    return rc;
}
