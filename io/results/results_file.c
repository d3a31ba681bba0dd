/* Opening results files and their datasets with suspicion. */
#include "io/results/results_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/file.h"
#include "io/file/h5.h"

int results_open(archai_results_reader *x, const char *path, archai_err *err)
{
    char *format = NULL;
    const char *slash;
    int64_t version;
    struct stat st;
    int rc = ARCHAI_OK;

    *x = (archai_results_reader){.file = H5I_INVALID_HID, .total = SIZE_MAX};
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        x->directory = archai_strdup(path);
        x->path = archai_file_path(path, "results.h5");
    } else {
        slash = strrchr(path, '/');
        x->directory =
            slash == NULL ? archai_strdup(".") : archai_strndup(path, (size_t)(slash - path) + 1);
        x->path = archai_strdup(path);
    }
    ARCHAI_TRY_GOTO(rc, archai_h5_open(&x->file, x->path, err), out);
    if (stat(x->path, &st) == 0)
        x->bytes = (uint64_t)st.st_size;
    if (archai_h5_get_string(x->file, "format", &format, NULL) != ARCHAI_OK ||
        strcmp(format, "archai-results") != 0)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "%s: an HDF5 file, but not results of archai-run (root attribute format)",
                         x->path);
    else if (archai_h5_get_int(x->file, "format_version", &version, NULL) != ARCHAI_OK ||
             version != 1)
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "%s: format_version is not 1, the one this program reads", x->path);
out:
    free(format);
    if (rc != ARCHAI_OK)
        results_close(x);
    return rc;
}

void results_close(archai_results_reader *x)
{
    archai_h5_release(&x->file);
    free(x->path);
    free(x->directory);
    *x = (archai_results_reader){.file = H5I_INVALID_HID, .total = SIZE_MAX};
}

int results_blame(const archai_results_reader *x, int rc, archai_err *err)
{
    if (rc == ARCHAI_EIO) {
        rc = ARCHAI_EFORMAT;
        if (err != NULL)
            err->code = rc;
    }
    return archai_err_wrap(err, rc, "%s: ", x->path);
}

/* Compression shrinks at most about a thousandfold: a dataset that claims more is made up. */
static bool plausible(uint64_t rows, uint64_t width, size_t size, uint64_t bytes)
{
    uint64_t all;

    return !__builtin_mul_overflow(rows, width, &all) &&
           !__builtin_mul_overflow(all, (uint64_t)size, &all) && all / 1000 <= bytes &&
           rows / 4 <= bytes;
}

char *results_shown_name(const char *link)
{
    char *name = archai_name_unescape(link);

    archai_text_clean(name, false);
    return name;
}

int results_group(const archai_results_reader *x, const char *name, hid_t *group,
                  archai_strings *links, archai_err *err)
{
    if (!archai_h5_has(x->file, name))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_id(err, group, H5Gopen2(x->file, name, H5P_DEFAULT)));
    return archai_h5_links(*group, true, links, err);
}

int results_dataset(const archai_results_reader *x, hid_t group, const char *name,
                    H5T_class_t class, int rank, size_t rows, hsize_t dims[2], hid_t *dataset,
                    archai_err *err)
{
    hid_t id = H5I_INVALID_HID;
    hid_t type = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    int rc;

    if (!archai_h5_has(group, name))
        return archai_fail(err, ARCHAI_EFORMAT, "dataset %s is missing", name);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &id, H5Dopen2(group, name, H5P_DEFAULT)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &type, H5Dget_type(id)), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Dget_space(id)), out);
    dims[1] = 1;
    if (H5Tget_class(type) != class || H5Tis_variable_str(type) > 0 ||
        H5Sget_simple_extent_ndims(space) != rank ||
        H5Sget_simple_extent_dims(space, dims, NULL) != rank)
        rc = archai_fail(err, ARCHAI_EFORMAT, "dataset %s has another type or shape", name);
    else if (rows != SIZE_MAX && dims[0] != rows)
        rc = archai_fail(err, ARCHAI_EFORMAT, "dataset %s has %llu rows, expected %zu", name,
                         (unsigned long long)dims[0], rows);
    else if (!plausible(dims[0], dims[1], H5Tget_size(type), x->bytes))
        rc = archai_fail(err, ARCHAI_EFORMAT,
                         "dataset %s claims more rows than the file can hold", name);
out:
    archai_h5_release(&space);
    archai_h5_release(&type);
    if (rc == ARCHAI_OK)
        *dataset = id;
    else
        archai_h5_release(&id);
    return rc;
}
