/* Datasets: the shape of one that holds a tensor, and rows of a table's column. */
#include "io/file/h5.h"

#include <stdlib.h>

#include "io/file/file.h"

int archai_h5_shape(hid_t dataset, archai_tensor *out, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hsize_t dims[ARCHAI_MAX_DIMS] = {0};
    int rc;

    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(dataset)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    out->dtype = archai_h5_type_of(type);
    out->ndim = H5Sget_simple_extent_ndims(space);
    if (out->dtype == ARCHAI_DTYPE_COUNT)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "its type is none that tensors have");
    else if (out->ndim < 0 || out->ndim > ARCHAI_MAX_DIMS ||
             H5Sget_simple_extent_type(space) == H5S_NULL)
        rc = archai_fail(err, ARCHAI_EFORMAT, "it has no data, or more than %d dimensions",
                         ARCHAI_MAX_DIMS);
    if (rc != ARCHAI_OK)
        goto out;
    (void)H5Sget_simple_extent_dims(space, dims, NULL);
    out->bytes = archai_dtype_size(out->dtype);
    for (int d = 0; d < out->ndim; d++) {
        out->shape[d] = (int64_t)dims[d];
        if (dims[d] > INT64_MAX ||
            __builtin_mul_overflow(out->bytes, (size_t)dims[d], &out->bytes)) {
            rc = archai_fail(err, ARCHAI_EFORMAT, "it is larger than memory");
            break;
        }
    }
out:
    archai_h5_release(&space);
    archai_h5_release(&type);
    return rc;
}

int archai_h5_read(hid_t dataset, archai_tensor *out, archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    void *data = archai_file_room(out->bytes, 1, err);
    int rc = data == NULL ? ARCHAI_ENOMEM : archai_h5_type(&type, out->dtype, err);

    if (rc == ARCHAI_OK && out->bytes > 0)
        rc = archai_h5_ok(err, H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    archai_h5_release(&type);
    if (rc == ARCHAI_OK)
        out->data = data;
    else
        free(data);
    return rc;
}

int archai_h5_rows(hid_t dataset, hid_t type, int rank, uint64_t first, const hsize_t *shape,
                   void *to, const void *from, archai_err *err)
{
    const hsize_t start[4] = {first};
    hid_t space = H5I_INVALID_HID;
    hid_t memory = H5I_INVALID_HID;
    int rc;

    for (int d = 0; d < rank; d++)
        if (shape[d] == 0)
            return ARCHAI_OK;
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(dataset)), out);
    ARCHAI_TRY_GOTO(
        rc, archai_h5_ok(err, H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, shape, NULL)),
        out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &memory, H5Screate_simple(rank, shape, NULL)), out);
    rc = to != NULL ? archai_h5_ok(err, H5Dread(dataset, type, memory, space, H5P_DEFAULT, to))
                    : archai_h5_ok(err, H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, from));
out:
    archai_h5_release(&memory);
    archai_h5_release(&space);
    return rc;
}
