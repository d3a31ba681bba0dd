/* /pareto and /hypervolume: what index_growth.c counted is written. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/file/h5.h"
#include "io/results/index/index_private.h"

/* A short 1-D dataset that is rewritten each time. */
static int write_list(hid_t group, const char *name, archai_dtype type, const void *data,
                      size_t n, archai_err *err)
{
    hid_t dataset = H5I_INVALID_HID;
    hid_t space = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    hid_t ours = H5I_INVALID_HID;
    hsize_t dims[1] = {n};
    hsize_t most[1] = {H5S_UNLIMITED};
    hsize_t chunk[1] = {256};
    int rc;

    ARCHAI_TRY(archai_h5_type(&ours, type, err));
    if (archai_h5_has(group, name)) {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dataset, H5Dopen2(group, name, H5P_DEFAULT)),
                        out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Dset_extent(dataset, dims)), out);
    } else {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &space, H5Screate_simple(1, dims, most)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
        ARCHAI_TRY_GOTO(rc, archai_h5_ok(err, H5Pset_chunk(dcpl, 1, chunk)), out);
        ARCHAI_TRY_GOTO(
            rc,
            archai_h5_id(err, &dataset,
                         H5Dcreate2(group, name, ours, space, H5P_DEFAULT, dcpl, H5P_DEFAULT)),
            out);
    }
    if (n > 0)
        rc = archai_h5_ok(err, H5Dwrite(dataset, ours, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    if (rc == ARCHAI_OK)
        rc = archai_h5_close(&dataset, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&dcpl);
    archai_h5_release(&space);
    archai_h5_release(&ours);
    return archai_err_wrap(err, rc, "dataset %s: ", name);
}

static int compare_rows(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int write_front(const index_growth *g, const index_table *t, hid_t file, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    int64_t *rows = archai_malloc(g->front.n * sizeof *rows);
    int rc;

    for (size_t i = 0; i < g->front.n; i++)
        rows[i] = (int64_t)index_table_find(t, g->front.tags[i]);
    if (g->front.n > 1)
        qsort(rows, g->front.n, sizeof *rows, compare_rows);
    rc = archai_h5_group(file, "pareto", &group, err);
    if (rc == ARCHAI_OK)
        rc = write_list(group, "index", ARCHAI_I64, rows, g->front.n, err);
    archai_h5_release(&group);
    free(rows);
    return rc;
}

/* The reference point in the objectives' own units and directions. */
static int write_reference(const index_growth *g, hid_t group, archai_err *err)
{
    double natural[GROWTH_OBJECTIVES];
    size_t k = 0;

    for (size_t i = 0; i < g->objectives->n; i++) {
        int direction = g->objectives->at[i].direction;

        if (direction == ARCHAI_CONSTRAIN)
            continue;
        natural[k] = direction == ARCHAI_MAXIMIZE ? -g->reference[k] : g->reference[k];
        k++;
    }
    return archai_h5_set_doubles(group, "reference", natural, k, err);
}

int index_growth_write(index_growth *g, const index_table *t, hid_t file, archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    size_t n = g->n;
    int rc;

    ARCHAI_TRY(write_front(g, t, file, err));
    ARCHAI_TRY(archai_h5_group(file, "hypervolume", &group, err));
    if (n > 0 && g->evaluated > g->evaluations[n - 1]) /* a level line up to the present */
        index_growth_append(g, g->evaluated, g->last, g->value[g->n - 1]);
    ARCHAI_TRY_GOTO(rc, write_list(group, "evaluations", ARCHAI_I64, g->evaluations, g->n, err),
                    out);
    ARCHAI_TRY_GOTO(rc, write_list(group, "seconds", ARCHAI_F64, g->seconds, g->n, err), out);
    ARCHAI_TRY_GOTO(rc, write_list(group, "value", ARCHAI_F64, g->value, g->n, err), out);
    if (g->n_first > 0)
        rc = write_reference(g, group, err);
out:
    g->n = n; /* the line to the present is not kept: the present moves */
    archai_h5_release(&group);
    return rc;
}
