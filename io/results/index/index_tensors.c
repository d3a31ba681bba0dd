/* The weights of one model: a virtual dataset for each tensor, over the pools of the segment that holds its
 * row. Names and counts come from users' programs: they are checked before anything is made of them. */
#include "io/results/index/index_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "io/file/checkpoint.h"
#include "io/file/h5.h"
#include "io/file/tensors.h"

/* A link of HDF5 and its message must fit 64 KiB; an escaped name is three times as long at most. */
enum { ARCHID_MAX = 16384 };

/* -- checks -------------------------------------------------------------------------------- */

static bool same_name(const void *places, size_t i, const void *name)
{
    return strcmp(((const archai_tensor_place *)places)[i].name, name) == 0;
}

int index_tensors_check(const archai_segment *s, const archai_trial *e, archai_err *err)
{
    archai_hash_table names = {0};
    int rc = ARCHAI_OK;

    if (strlen(e->model.archid) > ARCHID_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "an archid of %zu bytes, at most %d can be a name",
                           strlen(e->model.archid), ARCHID_MAX);
    if (e->n_tensors > ARCHAI_TENSORS_MAX)
        return archai_fail(err, ARCHAI_EFORMAT, "%zu tensors, at most %d are shown", e->n_tensors,
                           ARCHAI_TENSORS_MAX);
    for (size_t i = 0; rc == ARCHAI_OK && i < e->n_tensors; i++) {
        const archai_tensor_place *p = &e->tensors[i];
        const uint64_t hash = archai_hash(p->name);

        if (!archai_segment_holds(s, p, NULL))
            rc = archai_fail(err, ARCHAI_EFORMAT, "tensor %.200s lies outside its pool", p->name);
        else if (strlen(p->name) > ARCHAI_TENSOR_NAME_MAX)
            rc = archai_fail(err, ARCHAI_EFORMAT, "a tensor's name of %zu bytes, at most %d are shown",
                             strlen(p->name), ARCHAI_TENSOR_NAME_MAX);
        else if (archai_hash_find(&names, hash, same_name, e->tensors, p->name) != SIZE_MAX)
            rc = archai_fail(err, ARCHAI_EFORMAT, "two tensors have the name %.200s", p->name);
        else
            archai_hash_add(&names, hash, i);
    }
    archai_hash_clear(&names);
    return rc;
}

/* -- writing ------------------------------------------------------------------------------- */

/* What the tensors of a model share. */
typedef struct writing {
    hid_t group;
    const archai_segment *segment;
    hid_t type[ARCHAI_DTYPE_COUNT]; /* made when first needed */
    hid_t pool[ARCHAI_DTYPE_COUNT]; /* dataspace of the whole pool, likewise */
    hid_t dcpl[ARCHAI_DTYPE_COUNT]; /* with the fill value, likewise; used again for each tensor */
} writing;

static void release(writing *w)
{
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        archai_h5_release(&w->dcpl[t]);
        archai_h5_release(&w->pool[t]);
        archai_h5_release(&w->type[t]);
    }
    archai_h5_release(&w->group);
}

static int prepare(writing *w, archai_dtype t, archai_err *err)
{
    const hsize_t all[1] = {(hsize_t)w->segment->size.pool[t]};

    if (w->dcpl[t] >= 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_h5_type(&w->type[t], t, err));
    ARCHAI_TRY(archai_h5_id(err, &w->pool[t], H5Screate_simple(1, all, NULL)));
    ARCHAI_TRY(archai_h5_id(err, &w->dcpl[t], H5Pcreate(H5P_DATASET_CREATE)));
    ARCHAI_TRY(archai_h5_ok(err, H5Pset_obj_track_times(w->dcpl[t], false)));
    return archai_h5_fill_nan(w->dcpl[t], t, err);
}

/* A tensor in its own shape over its place in the pool. The file is named without a directory: HDF5
 * then looks beside results.h5, whatever the reader's working directory. */
static int map_tensor(const writing *w, const archai_tensor_place *p, hid_t shape, uint64_t n,
                      archai_err *err)
{
    const hid_t dcpl = w->dcpl[p->dtype];
    const hsize_t start[1] = {(hsize_t)p->offset};
    const hsize_t count[1] = {n};
    char source[64];

    /* forgets the mapping of the tensor before */
    ARCHAI_TRY(archai_h5_ok(err, H5Pset_layout(dcpl, H5D_CONTIGUOUS)));
    if (n == 0)
        return ARCHAI_OK;
    (void)snprintf(source, sizeof source, "/pool/%s", archai_dtype_name(p->dtype));
    ARCHAI_TRY(archai_h5_ok(err, H5Sselect_hyperslab(w->pool[p->dtype], H5S_SELECT_SET, start, NULL,
                                                     count, NULL)));
    return archai_h5_ok(
        err, H5Pset_virtual(dcpl, shape, w->segment->name, source, w->pool[p->dtype]));
}

static int write_tensor(writing *w, const archai_tensor_place *p, archai_err *err)
{
    hid_t shape = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    hsize_t dims[ARCHAI_MAX_DIMS] = {0};
    char *link = archai_name_escape(p->name);
    uint64_t n;
    int rc;

    for (int d = 0; d < p->ndim; d++)
        dims[d] = (hsize_t)p->shape[d];
    (void)archai_segment_holds(w->segment, p, &n);
    ARCHAI_TRY_GOTO(rc, prepare(w, p->dtype, err), out);
    /* no dimensions: a scalar */
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &shape, H5Screate_simple(p->ndim, dims, NULL)), out);
    ARCHAI_TRY_GOTO(rc, map_tensor(w, p, shape, n, err), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &dataset,
                                 H5Dcreate2(w->group, link, w->type[p->dtype], shape, H5P_DEFAULT,
                                            w->dcpl[p->dtype], H5P_DEFAULT)),
                    out);
    rc = archai_h5_close(&dataset, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&shape);
    free(link);
    return archai_err_wrap(err, rc, "%.200s: ", p->name);
}

int index_tensors_write(hid_t models, const char *link, const archai_segment *s,
                        const archai_trial *e, archai_err *err)
{
    writing w = {.group = H5I_INVALID_HID, .segment = s};
    int rc;

    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        w.type[t] = w.pool[t] = w.dcpl[t] = H5I_INVALID_HID;
    ARCHAI_TRY(archai_h5_group(models, link, &w.group, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_set_string(w.group, "archid", e->model.archid, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_set_string(w.group, "arch", e->arch, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_set_int(w.group, "id", e->id, err), out);
    for (size_t i = 0; i < e->n_tensors; i++)
        if (!archai_tensor_is_state(e->tensors[i].name)) /* for continued trainings only */
            ARCHAI_TRY_GOTO(rc, write_tensor(&w, &e->tensors[i], err), out);
    rc = archai_h5_close(&w.group, err);
out:
    release(&w);
    return archai_err_wrap(err, rc, "/models/%.200s: ", link);
}
