/* Reading /hypervolume. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/file/h5.h"
#include "io/results/results_private.h"

static int read_column(const archai_results_reader *x, hid_t group, const char *name, archai_dtype type, size_t *n,
                       void **out, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID, memory = H5I_INVALID_HID;
    hsize_t dims[2];
    int rc;

    ARCHAI_TRY(
        results_dataset(x, group, name, type == ARCHAI_F64 ? H5T_FLOAT : H5T_INTEGER, 1, *n, dims, &dataset, err));
    *n = (size_t)dims[0];
    ARCHAI_TRY_GOTO(rc, archai_h5_type(&memory, type, err), out);
    *out = archai_file_room(*n, archai_dtype_size(type), err);
    if (*out == NULL)
        rc = ARCHAI_ENOMEM;
    else if (*n > 0)
        rc = archai_h5_rows(dataset, memory, 1, 0, (const hsize_t[]){*n}, *out, NULL, err);
out:
    archai_h5_release(&memory);
    archai_h5_release(&dataset);
    return archai_err_wrap(err, rc, "%s: ", name);
}

int archai_results_growth_read(const char *path, archai_results_growth *out, archai_err *err)
{
    archai_results_reader x;
    hid_t group = H5I_INVALID_HID;
    archai_strings names = {NULL, 0};
    size_t n = SIZE_MAX;
    int rc;

    *out = (archai_results_growth){0};
    ARCHAI_TRY(results_open(&x, path, err));
    rc = results_group(&x, "hypervolume", &group, &names, err);
    if (rc == ARCHAI_OK && group >= 0) {
        rc = read_column(&x, group, "evaluations", ARCHAI_I64, &n, (void **)&out->evaluations, err);
        if (rc == ARCHAI_OK)
            rc = read_column(&x, group, "seconds", ARCHAI_F64, &n, (void **)&out->seconds, err);
        if (rc == ARCHAI_OK)
            rc = read_column(&x, group, "value", ARCHAI_F64, &n, (void **)&out->value, err);
        out->n = n;
    }
    archai_strings_free(&names);
    archai_h5_release(&group);
    rc = results_blame(&x, archai_err_wrap(err, rc, "/hypervolume: "), err);
    results_close(&x);
    if (rc != ARCHAI_OK)
        archai_results_growth_free(out);
    return rc;
}

void archai_results_growth_free(archai_results_growth *g)
{
    free(g->evaluations);
    free(g->seconds);
    free(g->value);
    *g = (archai_results_growth){0};
}
