/* Reading the arrays of a data set in an HDF5 file, by rows in any order. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/dataset/format/hdf5_part.h"
#include "io/file/file.h"
#include "io/file/memory.h"

/* For chunks that several rows share: so much of them stays unpacked. */
enum { CACHE_LEAST = 1 << 24, CACHE_SLOTS = 10007 };

/* HDF5 may have been built without thread safety, and has one lock for everything otherwise. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static hid_t memory_type(archai_dtype t)
{
    return t == ARCHAI_F32   ? H5T_NATIVE_FLOAT
           : t == ARCHAI_F64 ? H5T_NATIVE_DOUBLE
           : t == ARCHAI_U8  ? H5T_NATIVE_UINT8
                             : H5T_NATIVE_INT32;
}

/* Of the chunks that hold one row: rows of each, and bytes of all; 1 and 0: there are none, or they are as they
 * are in memory, and HDF5 reads the row alone. */
static void chunks_of(hid_t dataset, const archai_hdf5_part *part, int64_t *rows, double *bytes)
{
    const hid_t dcpl = H5Dget_create_plist(dataset), type = H5Dget_type(dataset);
    hsize_t chunk[4];

    *rows = 1;
    *bytes = 0;
    if (dcpl >= 0 && type >= 0 && H5Pget_layout(dcpl) == H5D_CHUNKED &&
        H5Pget_nfilters(dcpl) > 0 && H5Pget_chunk(dcpl, 4, chunk) == part->ndim) {
        *rows = (int64_t)(chunk[0] < part->dim[0] ? chunk[0] : part->dim[0]);
        *bytes = (double)chunk[0] * (double)H5Tget_size(type);
        for (int i = 1; i < part->ndim; i++)
            *bytes *= (double)(((part->dim[i] - 1) / chunk[i] + 1) * chunk[i]);
    }
    if (type >= 0)
        (void)H5Tclose(type);
    if (dcpl >= 0)
        (void)H5Pclose(dcpl);
}

int archai_hdf5_together(hid_t file, const char *name, int64_t *out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    archai_hdf5_part part;
    double bytes;
    char path[64];
    int rc;

    ARCHAI_TRY(archai_hdf5_look(file, ARCHAI_SPLIT_TRAIN, name, &part, err));
    (void)snprintf(path, sizeof path, "/%s/%s", archai_hdf5_groups[ARCHAI_SPLIT_TRAIN], name);
    ARCHAI_TRY(archai_h5_id(err, &dataset, H5Dopen2(file, path, H5P_DEFAULT)));
    chunks_of(dataset, &part, out, &bytes);
    archai_h5_release(&dataset);
    rc = archai_memory_check("unpacking the chunks of one row", bytes, err);
    return archai_err_wrap(err, rc, "%s: ", path);
}

/* Open with a cache that holds the chunks of two rows, as far as a gigabyte goes. */
static int open_dataset(archai_hdf5_array *a, hid_t file, archai_err *err)
{
    static const double most = 0x1p30;
    hid_t dapl = H5I_INVALID_HID;
    int64_t rows;
    double bytes;
    int rc;

    ARCHAI_TRY(archai_h5_id(err, &a->dataset, H5Dopen2(file, a->name, H5P_DEFAULT)));
    chunks_of(a->dataset, &a->part, &rows, &bytes);
    if (bytes == 0)
        return ARCHAI_OK;
    archai_h5_release(&a->dataset);
    bytes = 2 * bytes < most ? 2 * bytes : most;
    ARCHAI_TRY(archai_h5_id(err, &dapl, H5Pcreate(H5P_DATASET_ACCESS)));
    rc = archai_h5_ok(err, H5Pset_chunk_cache(dapl, CACHE_SLOTS,
                                              bytes > CACHE_LEAST ? (size_t)bytes : CACHE_LEAST, 0));
    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, &a->dataset, H5Dopen2(file, a->name, dapl));
    archai_h5_release(&dapl);
    return rc;
}

/* Does it lie in the file as one run of our type? Then that is read, and HDF5 is not needed. */
static void find_bytes(archai_hdf5_array *a, const char *path)
{
    const hid_t dcpl = H5Dget_create_plist(a->dataset), type = H5Dget_type(a->dataset);
    const haddr_t at = H5Dget_offset(a->dataset);

    if (dcpl >= 0 && type >= 0 && H5Pget_layout(dcpl) == H5D_CONTIGUOUS &&
        H5Pget_external_count(dcpl) == 0 && at != HADDR_UNDEF &&
        H5Tequal(type, memory_type(a->part.dtype)) > 0) {
        a->fd = open(path, O_RDONLY | O_CLOEXEC);
        a->at = (uint64_t)at;
    }
    (void)H5Eclear2(H5E_DEFAULT); /* the offset of what lies elsewhere is an error */
    if (type >= 0)
        (void)H5Tclose(type);
    if (dcpl >= 0)
        (void)H5Pclose(dcpl);
}

int archai_hdf5_array_open(archai_hdf5_array *a, hid_t file, const char *path, int split,
                           const char *name, const archai_hdf5_part *wanted, archai_err *err)
{
    archai_hdf5_part now;

    *a = (archai_hdf5_array){.dataset = H5I_INVALID_HID, .part = *wanted, .fd = -1,
                             .each = archai_dtype_size(wanted->dtype)};
    (void)snprintf(a->name, sizeof a->name, "/%s/%s", archai_hdf5_groups[split], name);
    ARCHAI_TRY(archai_hdf5_look(file, split, name, &now, err));
    if (now.ndim != wanted->ndim || now.dim[0] < wanted->dim[0] ||
        memcmp(now.dim + 1, wanted->dim + 1, (size_t)(wanted->ndim - 1) * sizeof *now.dim) != 0)
        return archai_fail(err, ARCHAI_EFORMAT, "%s changed while it was being read", a->name);
    for (int i = 1; i < wanted->ndim; i++)
        a->each *= (size_t)wanted->dim[i];
    ARCHAI_TRY(archai_err_wrap(err, open_dataset(a, file, err), "%s: ", a->name));
    find_bytes(a, path);
    return ARCHAI_OK;
}

void archai_hdf5_array_close(archai_hdf5_array *a)
{
    archai_h5_release(&a->dataset);
    if (a->fd >= 0)
        (void)close(a->fd);
    a->fd = -1;
}

int archai_hdf5_array_read(const archai_hdf5_array *a, hsize_t first, hsize_t n, void *out,
                           archai_err *err)
{
    hsize_t dim[4];
    int rc;

    if (a->fd >= 0) {
        rc = archai_file_pread(a->fd, out, (size_t)n * a->each, a->at + first * a->each, a->name, err);
        return rc;
    }
    memcpy(dim, a->part.dim, sizeof dim);
    dim[0] = n;
    (void)pthread_mutex_lock(&one_at_a_time);
    rc = archai_h5_rows(a->dataset, memory_type(a->part.dtype), a->part.ndim, first, dim, out, NULL, err);
    (void)pthread_mutex_unlock(&one_at_a_time);
    return archai_err_wrap(err, rc, "%s: ", a->name);
}

void archai_hdf5_array_text(const archai_hdf5_array *a, hsize_t index, char text[32])
{
    hsize_t at[4] = {0};
    int64_t value = 0;
    hid_t space, type, one;
    bool is_signed;

    for (int i = a->part.ndim - 1; i >= 0; i--) {
        at[i] = i > 0 ? index % a->part.dim[i] : index;
        index /= i > 0 ? a->part.dim[i] : 1;
    }
    (void)pthread_mutex_lock(&one_at_a_time);
    space = H5Dget_space(a->dataset);
    type = H5Dget_type(a->dataset);
    is_signed = type >= 0 && H5Tget_sign(type) != H5T_SGN_NONE;
    one = H5Screate(H5S_SCALAR);
    if (space >= 0 && one >= 0 && H5Sselect_elements(space, H5S_SELECT_SET, 1, at) >= 0)
        (void)H5Dread(a->dataset, is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64, one, space,
                      H5P_DEFAULT, &value);
    for (hid_t id = one; id >= 0; id = -1)
        (void)H5Sclose(id);
    if (type >= 0)
        (void)H5Tclose(type);
    if (space >= 0)
        (void)H5Sclose(space);
    (void)pthread_mutex_unlock(&one_at_a_time);
    if (is_signed)
        (void)snprintf(text, 32, "%" PRId64, value);
    else
        (void)snprintf(text, 32, "%" PRIu64, (uint64_t)value);
}
