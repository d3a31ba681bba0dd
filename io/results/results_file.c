/* Opening results files and their datasets with suspicion. */
#include "io/results/results_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"

int results_open(results_file *f, const char *path, archai_err *err)
{
    char *format = NULL;
    const char *slash;
    int64_t version;
    struct stat st;
    int rc = ARCHAI_OK;

    *f = (results_file){.file = H5I_INVALID_HID};
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        f->directory = archai_strdup(path);
        f->path = archai_file_path(path, "results.h5");
    } else {
        slash = strrchr(path, '/');
        f->directory =
            slash == NULL ? archai_strdup(".") : archai_strndup(path, (size_t)(slash - path) + 1);
        f->path = archai_strdup(path);
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_open(&f->file, f->path, err), out);
    if (stat(f->path, &st) == 0)
        f->bytes = (uint64_t)st.st_size;
    if (archai_h5_get_string(f->file, "format", &format, NULL) != ARCHAI_OK ||
        strcmp(format, "archai-results") != 0)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "%s: an HDF5 file, but not results of archai-run (root attribute format)",
                         f->path);
    else if (archai_h5_get_int(f->file, "format_version", &version, NULL) != ARCHAI_OK ||
             version != 1)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "%s: format_version is not 1, the one this program reads", f->path);
out:
    free(format);
    if (rc != ARCHAI_OK)
        results_close(f);
    return rc;
}

void results_close(results_file *f)
{
    archai_h5_release(&f->file);
    free(f->path);
    free(f->directory);
    *f = (results_file){.file = H5I_INVALID_HID};
}

int results_blame(const results_file *f, int rc, archai_err *err)
{
    if (rc == ARCHAI_EIO) {
        rc = ARCHAI_EFORMAT;
        if (err != NULL)
            err->code = rc;
    }
    return archai_err_wrap(err, rc, "%s: ", f->path);
}

/* Compression shrinks at most about a thousandfold: a dataset that claims more is made up. */
static bool plausible(uint64_t rows, uint64_t width, size_t size, uint64_t bytes)
{
    uint64_t all;

    return !__builtin_mul_overflow(rows, width, &all) &&
           !__builtin_mul_overflow(all, (uint64_t)size, &all) && all / 1000 <= bytes &&
           rows / 4 <= bytes;
}

int results_dataset(hid_t group, const char *name, H5T_class_t class, int rank, uint64_t bytes,
                    size_t *rows, size_t *width, hid_t *dataset, archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hsize_t dims[2] = {0, 1};
    int rc;

    if (!archai_h5_has(group, name))
        return archai_fail(err, ARCHAI_EFORMAT, "dataset %s is missing", name);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &id, H5Dopen2(group, name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(id)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(id)), out);
    if (H5Tget_class(type) != class || H5Tis_variable_str(type) > 0 ||
        H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        rc = archai_fail(err, ARCHAI_EFORMAT, "dataset %s has another type or shape", name);
    else if (*rows != SIZE_MAX && dims[0] != *rows)
        rc = archai_fail(err, ARCHAI_EFORMAT, "dataset %s has %llu rows, expected %zu", name,
                         (unsigned long long)dims[0], *rows);
    else if (!plausible(dims[0], dims[1], H5Tget_size(type), bytes))
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "dataset %s claims more rows than the file can hold", name);
out:
    archai_h5_release(&space);
    archai_h5_release(&type);
    if (rc != ARCHAI_OK) {
        archai_h5_release(&id);
        return rc;
    }
    *rows = (size_t)dims[0];
    if (width != NULL)
        *width = (size_t)dims[1];
    *dataset = id;
    return ARCHAI_OK;
}
