/* /models: one group per architecture whose weights are shown; its tensors are virtual datasets
 * over the pools of the segments. What is already shown and still wanted is not touched. */
#include "io/results/index_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/config/config.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "io/file/h5.h"

void index_models_init(index_models *m, int policy)
{
    *m = (index_models){.policy = policy};
}

void index_models_fini(index_models *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->at[i].archid);
    free(m->at);
    archai_hash_clear(&m->by_archid);
    index_models_init(m, m->policy);
}

void index_models_forget(index_models *m)
{
    for (size_t i = 0; i < m->n; i++)
        m->at[i].shown = -1;
}

/* -- which rows' weights stand for an architecture ----------------------------------------- */

static bool has_hash(const void *models, size_t i, const void *hash)
{
    return ((const index_model *)models)[i].hash == *(const uint64_t *)hash;
}

/* Index into m->at; SIZE_MAX: not there. */
static size_t find(const index_models *m, uint64_t hash)
{
    return archai_hash_find(&m->by_archid, hash, has_hash, m->at, &hash);
}

void index_models_add(index_models *m, index_news *news)
{
    for (size_t i = 0; i < news->n; i++) {
        index_new *new_ = &news->at[i];
        const uint64_t hash = new_->row.archid_hash;
        size_t known;
        index_model *model;

        if (!archai_column_name_ok(new_->archid)) /* no weights, or a name that no group can have */
            continue;
        known = find(m, hash);
        if (known == SIZE_MAX) {
            ARCHAI_RESERVE(m->at, m->capacity, m->n + 1);
            archai_hash_add(&m->by_archid, hash, m->n);
            m->at[m->n++] = (index_model){.archid = new_->archid,
                                          .hash = hash,
                                          .id = new_->row.id,
                                          .budget = new_->budget,
                                          .shown = -1};
            new_->archid = NULL; /* taken over */
            continue;
        }
        model = &m->at[known];
        if (new_->budget > model->budget ||
            (new_->budget == model->budget && new_->row.id < model->id)) {
            model->id = new_->row.id;
            model->budget = new_->budget;
            model->lost = false;
        }
    }
}

static void want(index_models *m, const index_table *t, int64_t id)
{
    const size_t at = index_table_find(t, id);
    const size_t model = at < t->n ? find(m, t->rows[at].archid_hash) : SIZE_MAX;

    if (model != SIZE_MAX)
        m->at[model].wanted = !m->at[model].lost;
}

static void apply_policy(index_models *m, const index_table *t, const index_growth *g)
{
    for (size_t i = 0; i < m->n; i++)
        m->at[i].wanted = m->policy == ARCHAI_WEIGHTS_ALL && !m->at[i].lost;
    if (m->policy == ARCHAI_WEIGHTS_PARETO)
        for (size_t i = 0; i < g->front.n; i++)
            want(m, t, g->front.tags[i]);
    if (m->policy == ARCHAI_WEIGHTS_BEST && g->best_id >= 0)
        want(m, t, g->best_id);
}

/* -- writing ------------------------------------------------------------------------------- */

/* Did all of the row's weights reach the disk? Asked only where a node may have lost power between
 * writing the row and the next sync. */
static int weights_are_whole(const archai_segment *s, const archai_trial *e, bool *whole,
                             archai_err *err)
{
    *whole = true;
    for (size_t i = 0; *whole && i < e->n_tensors; i++) {
        const archai_tensor_place *p = &e->tensors[i];
        uint64_t n;
        void *data;
        int rc;

        if (archai_tensor_is_state(p->name)) /* not shown */
            continue;
        if (!archai_segment_holds(s, p, &n)) {
            *whole = false;
            break;
        }
        data = archai_file_room(n, archai_dtype_size(p->dtype), err);
        if (data == NULL)
            return ARCHAI_ENOMEM;
        rc = archai_segment_read_tensor(s, p, data, err);
        if (rc == ARCHAI_OK)
            *whole = archai_segment_crc(data, n * archai_dtype_size(p->dtype)) == p->crc;
        free(data);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* A tensor in its own shape over its place in the pool. The file is named without a directory: HDF5
 * then looks beside results.h5, whatever the reader's working directory. */
static int write_tensor(hid_t group, const archai_segment *s, const archai_tensor_place *p,
                        archai_err *err)
{
    hid_t type = H5I_INVALID_HID;
    hid_t dcpl = H5I_INVALID_HID;
    hid_t shape = H5I_INVALID_HID;
    hid_t pool = H5I_INVALID_HID;
    hid_t dataset = H5I_INVALID_HID;
    char source[64];
    hsize_t dims[ARCHAI_MAX_DIMS] = {0};
    hsize_t all[1] = {(hsize_t)s->size.pool[p->dtype]};
    hsize_t start[1] = {(hsize_t)p->offset};
    hsize_t count[1];
    uint64_t n;
    int rc;

    if (!archai_segment_holds(s, p, &n) || !archai_column_name_ok(p->name))
        return archai_fail(err, ARCHAI_EFORMAT, "tensor %s has no name or place", p->name);
    for (int d = 0; d < p->ndim; d++)
        dims[d] = (hsize_t)p->shape[d];
    count[0] = n;
    (void)snprintf(source, sizeof source, "/pool/%s", archai_dtype_name(p->dtype));
    ARCHAI_TRY(archai_h5_type(&type, p->dtype, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &dcpl, H5Pcreate(H5P_DATASET_CREATE)), out);
    /* no dimensions: a scalar */
    ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &shape, H5Screate_simple(p->ndim, dims, NULL)), out);
    if (n > 0) {
        ARCHAI_TRY_GOTO(rc, archai_h5_id(err, &pool, H5Screate_simple(1, all, NULL)), out);
        ARCHAI_TRY_GOTO(rc,
                        archai_h5_ok(err, H5Sselect_hyperslab(pool, H5S_SELECT_SET, start, NULL,
                                                              count, NULL)),
                        out);
        ARCHAI_TRY_GOTO(
            rc, archai_h5_ok(err, H5Pset_virtual(dcpl, shape, s->name, source, pool)), out);
    }
    ARCHAI_TRY_GOTO(
        rc,
        archai_h5_id(err, &dataset,
                     H5Dcreate2(group, p->name, type, shape, H5P_DEFAULT, dcpl, H5P_DEFAULT)),
        out);
    rc = archai_h5_close(&dataset, err);
out:
    archai_h5_release(&dataset);
    archai_h5_release(&pool);
    archai_h5_release(&shape);
    archai_h5_release(&dcpl);
    archai_h5_release(&type);
    return archai_err_wrap(err, rc, "%s: ", p->name);
}

static int write_model(hid_t models, const archai_segment *s, const archai_trial *e,
                       archai_err *err)
{
    hid_t group = H5I_INVALID_HID;
    int rc;

    ARCHAI_TRY(archai_h5_group(models, e->model.archid, &group, err));
    ARCHAI_TRY_GOTO(rc, archai_h5_set_string(group, "archid", e->model.archid, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_set_string(group, "arch", e->arch, err), out);
    ARCHAI_TRY_GOTO(rc, archai_h5_set_int(group, "id", e->id, err), out);
    for (size_t i = 0; i < e->n_tensors; i++)
        if (!archai_tensor_is_state(e->tensors[i].name)) /* for continued trainings only */
            ARCHAI_TRY_GOTO(rc, write_tensor(group, s, &e->tensors[i], err), out);
    rc = archai_h5_close(&group, err);
out:
    archai_h5_release(&group);
    return archai_err_wrap(err, rc, "/models/%s: ", e->model.archid);
}

/* Show the weights of the model's row; one whose weights are damaged is marked lost instead. */
static int show(index_model *model, const index_table *t, hid_t models, archai_err *err)
{
    size_t at = index_table_find(t, model->id);
    const archai_segment *s;
    archai_trial e = {0};
    bool whole = true;
    int rc;

    if (at == t->n || t->rows[at].segment == INDEX_KEPT)
        return ARCHAI_OK;
    s = &t->segments[t->rows[at].segment].file;
    ARCHAI_TRY(index_table_read(t, at, &e, err));
    if (t->rows[at].doubtful)
        ARCHAI_TRY_GOTO(rc, weights_are_whole(s, &e, &whole, err), out);
    model->lost = !whole;
    rc = ARCHAI_OK;
    if (whole) {
        rc = write_model(models, s, &e, err);
        if (rc == ARCHAI_OK)
            model->shown = model->id;
    }
out:
    archai_trial_fini(&e);
    return rc;
}

int index_models_write(index_models *m, const index_table *t, const index_growth *g, hid_t file,
                       archai_err *err)
{
    hid_t models = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    apply_policy(m, t, g);
    ARCHAI_TRY(archai_h5_group(file, "models", &models, err));
    for (size_t i = 0; i < m->n; i++) {
        index_model *model = &m->at[i];

        if (model->shown >= 0 && (!model->wanted || model->shown != model->id)) {
            ARCHAI_TRY_GOTO(
                rc, archai_h5_ok(err, H5Ldelete(models, model->archid, H5P_DEFAULT)), out);
            model->shown = -1;
        }
        if (model->wanted && model->shown < 0)
            ARCHAI_TRY_GOTO(rc, show(model, t, models, err), out);
    }
    rc = archai_h5_close(&models, err);
out:
    archai_h5_release(&models);
    return rc;
}
