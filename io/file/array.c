#include "io/file/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file/h5.h"

int archai_array_split(const char *text, char **file, const char **path, archai_err *err)
{
    const char *colon = strstr(text, ":/");

    *file = colon != NULL ? strndup(text, (size_t)(colon - text)) : strdup(text);
    *path = colon != NULL ? colon + 1 : NULL;
    if (*file == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
    return ARCHAI_OK;
}

void archai_array_free(archai_tensor *t)
{
    free(t->name);
    free((void *)(uintptr_t)t->data);
    *t = (archai_tensor){0};
}

/* Type, shape and size of an open dataset into `out`, checked. */
static int look_at(hid_t dataset, archai_tensor *out, archai_err *err)
{
    hid_t type = H5I_INVALID_HID, space = H5I_INVALID_HID;
    hsize_t dims[ARCHAI_MAX_DIMS];
    int64_t count = 1;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(dataset)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    out->dtype = archai_h5_type_of(type);
    out->ndim = H5Sget_simple_extent_ndims(space);
    if (out->dtype == ARCHAI_DTYPE_COUNT) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "its type is none of float32, float64, float16, "
                                              "int64, int32, uint8");
        goto out;
    }
    if (out->ndim < 0 || out->ndim > ARCHAI_MAX_DIMS) {
        rc = archai_fail(err, ARCHAI_EFORMAT, "has %d dimensions, at most %d are possible",
                         out->ndim, ARCHAI_MAX_DIMS);
        goto out;
    }
    (void)H5Sget_simple_extent_dims(space, dims, NULL);
    for (int d = 0; d < out->ndim; d++) {
        if (dims[d] > (hsize_t)(ARCHAI_ARRAY_MAX / (count > 0 ? count : 1))) {
            rc = archai_fail(err, ARCHAI_EFORMAT, "is larger than %lld GiB",
                             (long long)(ARCHAI_ARRAY_MAX >> 30));
            goto out;
        }
        out->shape[d] = (int64_t)dims[d];
        count *= out->shape[d];
    }
    out->bytes = (size_t)count * archai_dtype_size(out->dtype);
    rc = ARCHAI_OK;
out:
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

static int read_dataset(hid_t parent, const char *path, archai_tensor *out, archai_err *err)
{
    const char *slash = strrchr(path, '/');
    archai_tensor t = {0};
    hid_t dataset = H5I_INVALID_HID, type = H5I_INVALID_HID;
    void *data = NULL;
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(parent, path, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, look_at(dataset, &t, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_type(&type, t.dtype, err), out);
    data = malloc(t.bytes > 0 ? t.bytes : 1);
    t.name = strdup(slash != NULL ? slash + 1 : path);
    if (data == NULL || t.name == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu bytes", t.bytes);
        goto out;
    }
    ARCHAI_TRY_GOTO(
        rc, archai_h5_ok(err, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data)), out);
    t.data = data;
    *out = t;
    data = NULL;
    t.name = NULL;
out:
    free(data);
    free(t.name);
    archai_h5_release(&type);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", path);
}

int archai_array_read(const char *file, const char *path, archai_tensor *out, archai_err *err)
{
    hid_t h = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_init(err));
    ARCHAI_TRY(archai_h5_open(&h, file, err));
    rc = read_dataset(h, path, out, err);
    archai_h5_release(&h);
    return rc == ARCHAI_OK ? rc : archai_err_wrap(err, rc, "%s:", file);
}

typedef struct names {
    char **at;
    size_t n, capacity;
} names;

static herr_t collect(hid_t group, const char *name, const H5L_info_t *info, void *payload)
{
    names *list = payload;

    (void)group;
    (void)info;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        char **at = realloc(list->at, capacity * sizeof *at);

        if (at == NULL)
            return -1;
        list->at = at;
        list->capacity = capacity;
    }
    list->at[list->n] = strdup(name);
    return list->at[list->n++] != NULL ? 0 : -1;
}

int archai_array_read_group(const char *file, const char *path, archai_tensor **out, size_t *n,
                            archai_err *err)
{
    hid_t h = H5I_INVALID_HID, group = H5I_INVALID_HID;
    archai_tensor *tensors = NULL;
    names list = {0};
    size_t read = 0;
    int rc;

    ARCHAI_TRY(archai_h5_init(err));
    ARCHAI_TRY(archai_h5_open(&h, file, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &group, H5Gopen2(h, path, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_ok(err, H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, collect,
                                                 &list)),
                    out);
    if (list.n == 0) {
        rc = archai_fail(err, ARCHAI_ENOTFOUND, "the group is empty");
        goto out;
    }
    tensors = calloc(list.n, sizeof *tensors);
    if (tensors == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu tensors", list.n);
        goto out;
    }
    for (; read < list.n; read++)
        ARCHAI_TRY_GOTO(rc, read_dataset(group, list.at[read], &tensors[read], err), out);
    *out = tensors;
    *n = read;
    tensors = NULL;
out:
    for (size_t i = 0; tensors != NULL && i < read; i++)
        archai_array_free(&tensors[i]);
    free(tensors);
    for (size_t i = 0; i < list.n; i++)
        free(list.at[i]);
    free(list.at);
    archai_h5_release(&group);
    archai_h5_release(&h);
    return rc == ARCHAI_OK ? rc : archai_err_wrap(err, rc, "%s:%s: ", file, path);
}

int archai_array_write(const char *file, const char *path, const archai_tensor *t, archai_err *err)
{
    hid_t h = H5I_INVALID_HID, space = H5I_INVALID_HID, type = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID, access = H5I_INVALID_HID;
    hsize_t dims[ARCHAI_MAX_DIMS];
    char *beside = NULL;
    int rc;

    for (int d = 0; d < t->ndim; d++)
        dims[d] = (hsize_t)t->shape[d];
    ARCHAI_TRY(archai_h5_init(err));
    if (asprintf(&beside, "%s.new-%ld", file, (long)getpid()) < 0)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a path");
    ARCHAI_TRY_GOTO(rc, archai_h5_access(&access, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &h, H5Fcreate(beside, H5F_ACC_TRUNC, H5P_DEFAULT, access)),
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
    ARCHAI_TRY_GOTO(rc, archai_h5_close(&h, err), out);
    if (rename(beside, file) != 0)
        rc = archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
out:
    archai_h5_release(&dataset);
    archai_h5_release(&type);
    archai_h5_release(&space);
    archai_h5_release(&h);
    archai_h5_release(&access);
    if (rc != ARCHAI_OK)
        (void)unlink(beside);
    free(beside);
    return rc == ARCHAI_OK ? rc : archai_err_wrap(err, rc, "%s: ", file);
}
