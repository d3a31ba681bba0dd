/* Was what a dataset promises ever written? HDF5 answers fill values where nothing was, without a word:
 * unallocated storage, a virtual dataset whose sources are missing, external files that are too short. */
#include "io/file/h5.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

enum { MAX_DEPTH = 4, MAX_NAME = 4096, MAX_RANK = H5S_MAX_RANK };

static int check(hid_t dataset, int depth, bool whole, archai_err *err);

/* `name` as it is, else beside the file of `object`: where HDF5 looks. Caller frees. */
static char *beside(hid_t object, const char *name)
{
    char file[MAX_NAME];
    const char *slash;
    struct stat st;
    char *path;

    if (name[0] == '/' || H5Fget_name(object, file, sizeof file) < 0 ||
        (slash = strrchr(file, '/')) == NULL || stat(name, &st) == 0)
        return archai_strdup(name);
    path = archai_printf("%.*s/%s", (int)(slash - file), file, name);
    return path;
}

/* HDF5 counts the blocks of an unlimited mapping up in "%b": the first one, in place. */
static void first_block(char *name)
{
    char *at = strstr(name, "%b");

    if (at != NULL) {
        at[0] = '0';
        memmove(at + 1, at + 2, strlen(at + 2) + 1);
    }
}

/* -- virtual datasets ------------------------------------------------------------------------ */

static int check_source(hid_t dataset, hid_t dcpl, size_t i, int depth, bool whole, archai_err *err)
{
    char file_name[MAX_NAME], name[MAX_NAME];
    hid_t file = H5I_INVALID_HID, source = H5I_INVALID_HID;
    char *path = NULL;
    int rc;

    if (H5Pget_virtual_filename(dcpl, i, file_name, sizeof file_name) <= 0 ||
        H5Pget_virtual_dsetname(dcpl, i, name, sizeof name) <= 0)
        return archai_fail(err, ARCHAI_EFORMAT, "a source of the virtual dataset has no name");
    first_block(file_name);
    first_block(name);
    path = beside(dataset, file_name);
    rc = strcmp(file_name, ".") == 0 ? archai_h5_id(err, &file, H5Iget_file_id(dataset))
                                     : archai_h5_open(&file, path, err);
    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, &source, H5Dopen2(file, name, H5P_DEFAULT));
    if (rc == ARCHAI_OK)
        rc = check(source, depth + 1, whole, err);
    if (rc != ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "a virtual dataset, whose source %.200s in %.200s cannot be read", name, path);
    archai_h5_release(&source);
    archai_h5_release(&file);
    free(path);
    return rc;
}

/* Are there as many mapped elements as elements? (Mappings do not overlap in practice.) */
static int check_mapped(hid_t dcpl, size_t sources, hssize_t all, archai_err *err)
{
    hssize_t mapped = 0;

    for (size_t i = 0; i < sources; i++) {
        const hid_t space = H5Pget_virtual_vspace(dcpl, i);
        const hssize_t n = space < 0 ? -1 : H5Sget_select_npoints(space);

        if (space >= 0)
            (void)H5Sclose(space);
        if (n < 0 || (hsize_t)n == H5S_UNLIMITED) /* grows with its sources */
            return ARCHAI_OK;
        mapped += n;
    }
    return mapped >= all ? ARCHAI_OK
                         : archai_fail(err, ARCHAI_EFORMAT,
                                       "a virtual dataset of %lld elements, of which its sources hold %lld",
                                       (long long)all, (long long)mapped);
}

static int check_virtual(hid_t dataset, hid_t dcpl, hssize_t all, int depth, bool whole, archai_err *err)
{
    size_t sources = 0;

    if (depth >= MAX_DEPTH)
        return archai_fail(err, ARCHAI_EFORMAT, "virtual datasets of virtual datasets, too deep");
    ARCHAI_TRY(archai_h5_ok(err, H5Pget_virtual_count(dcpl, &sources)));
    for (size_t i = 0; i < sources; i++)
        ARCHAI_TRY(check_source(dataset, dcpl, i, depth, whole, err));
    return check_mapped(dcpl, sources, all, err);
}

/* -- others ---------------------------------------------------------------------------------- */

static int check_external(hid_t dataset, hid_t dcpl, int n, hsize_t bytes, archai_err *err)
{
    hsize_t left = bytes;

    for (int i = 0; i < n && left > 0; i++) {
        char name[MAX_NAME];
        off_t offset = 0;
        hsize_t size = 0;
        struct stat st;
        char *path;
        bool there;

        ARCHAI_TRY(archai_h5_ok(
            err, H5Pget_external(dcpl, (unsigned)i, sizeof name - 1, name, &offset, &size)));
        name[sizeof name - 1] = '\0';
        size = size < left ? size : left;
        path = beside(dataset, name);
        there = stat(path, &st) == 0 && S_ISREG(st.st_mode) && offset >= 0 && st.st_size >= offset &&
                (hsize_t)(st.st_size - offset) >= size;
        free(path);
        if (!there)
            return archai_fail(err, ARCHAI_EFORMAT,
                               "its data lie in %.200s, which is missing or too short", name);
        left -= size;
    }
    return ARCHAI_OK;
}

static int check_chunks(hid_t dataset, hid_t space, hid_t dcpl, archai_err *err)
{
    hsize_t dim[MAX_RANK], chunk[MAX_RANK], expected = 1, written = 0;
    const int rank = H5Sget_simple_extent_dims(space, dim, NULL);

    if (rank < 1 || H5Pget_chunk(dcpl, MAX_RANK, chunk) != rank)
        return archai_fail(err, ARCHAI_EFORMAT, "its chunks cannot be understood");
    for (int i = 0; i < rank; i++)
        if (chunk[i] == 0 ||
            __builtin_mul_overflow(expected, (dim[i] - 1) / chunk[i] + 1, &expected))
            return archai_fail(err, ARCHAI_EFORMAT, "its chunks cannot be understood");
    ARCHAI_TRY(archai_h5_ok(err, H5Dget_num_chunks(dataset, space, &written)));
    return written >= expected
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EFORMAT,
                             "%llu of its %llu chunks were never written: the file promises more than it "
                             "holds",
                             (unsigned long long)(expected - written), (unsigned long long)expected);
}

static int check_layout(hid_t dataset, hid_t space, hid_t dcpl, int depth, bool whole, archai_err *err)
{
    const hssize_t all = H5Sget_simple_extent_npoints(space);
    const int externals = H5Pget_external_count(dcpl);
    hid_t type = H5I_INVALID_HID;
    hsize_t bytes = 0;

    if (all <= 0)
        return ARCHAI_OK;
    switch (H5Pget_layout(dcpl)) {
    case H5D_VIRTUAL:
        return check_virtual(dataset, dcpl, all, depth, whole, err);
    case H5D_CHUNKED:
        return whole ? check_chunks(dataset, space, dcpl, err) : ARCHAI_OK;
    case H5D_CONTIGUOUS:
        ARCHAI_TRY(archai_h5_id(err, &type, H5Dget_type(dataset)));
        bytes = (hsize_t)H5Tget_size(type) * (hsize_t)all;
        archai_h5_release(&type);
        if (externals > 0)
            return check_external(dataset, dcpl, externals, bytes, err);
        if (whole && H5Dget_storage_size(dataset) == 0)
            return archai_fail(err, ARCHAI_EFORMAT,
                               "was never written: the file promises more than it holds");
        return ARCHAI_OK;
    default:
        return ARCHAI_OK;
    }
}

static int check(hid_t dataset, int depth, bool whole, archai_err *err)
{
    hid_t space = H5I_INVALID_HID, dcpl = H5I_INVALID_HID;
    int rc = archai_h5_id(err, &space, H5Dget_space(dataset));

    if (rc == ARCHAI_OK)
        rc = archai_h5_id(err, &dcpl, H5Dget_create_plist(dataset));
    if (rc == ARCHAI_OK)
        rc = check_layout(dataset, space, dcpl, depth, whole, err);
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    return rc;
}

int archai_h5_check_written(hid_t dataset, bool whole, archai_err *err)
{
    return check(dataset, 0, whole, err);
}
