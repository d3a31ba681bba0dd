/* /models: one group per architecture whose weights are shown, its tensors virtual datasets
 * over the pools of the segments. What is shown already and is still wanted is not touched. */
#include "io/results/index_private.h"

#include <stdio.h>
#include <stdlib.h>
#include "core/config/config.h"
#include "io/file/checkpoint.h"
#include "io/file/h5.h"

void index_models_init(index_models *m, int policy)
{
    *m = (index_models){.policy = policy};
}

void index_models_fini(index_models *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        free(m->at[i].archid);
    free(m->at);
    *m = (index_models){.policy = m->policy};
}

void index_models_forget(index_models *m)
{
    for (size_t i = 0; i < m->capacity; i++)
        m->at[i].shown = -1;
}

/* -- which rows' weights stand for an architecture ----------------------------------------- */

static index_model *slot(const index_models *m, uint64_t hash)
{
    size_t i = (size_t)hash & (m->capacity - 1);

    while (m->at[i].archid != NULL && m->at[i].hash != hash)
        i = (i + 1) & (m->capacity - 1);
    return &m->at[i];
}

static int grow(index_models *m, archai_err *err)
{
    index_models bigger = {
        .policy = m->policy, .n = m->n, .capacity = m->capacity == 0 ? 64 : 2 * m->capacity};

    bigger.at = calloc(bigger.capacity, sizeof *bigger.at);
    if (bigger.at == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu models", bigger.capacity);
    for (size_t i = 0; i < m->capacity; i++)
        if (m->at[i].archid != NULL)
            *slot(&bigger, m->at[i].hash) = m->at[i];
    free(m->at);
    *m = bigger;
    return ARCHAI_OK;
}

int index_models_add(index_models *m, index_news *news, archai_err *err)
{
    for (size_t i = 0; i < news->n; i++) {
        index_new *new_ = &news->at[i];
        index_model *model;

        if (!archai_column_name_ok(new_->archid)) /* none, or one that names no group */
            continue;
        if (2 * (m->n + 1) > m->capacity)
            ARCHAI_TRY(grow(m, err));
        model = slot(m, new_->row.archid_hash);
        if (model->archid == NULL) {
            *model = (index_model){.archid = new_->archid,
                                   .hash = new_->row.archid_hash,
                                   .id = new_->row.id,
                                   .budget = new_->budget,
                                   .shown = -1};
            new_->archid = NULL; /* taken over */
            m->n++;
        } else if (new_->budget > model->budget ||
                   (new_->budget == model->budget && new_->row.id < model->id)) {
            model->id = new_->row.id;
            model->budget = new_->budget;
            model->lost = false;
        }
    }
    return ARCHAI_OK;
}

static void want(index_models *m, const index_table *t, int64_t id)
{
    size_t at = index_table_find(t, id);
    index_model *model;

    if (at == t->n || m->capacity == 0)
        return;
    model = slot(m, t->rows[at].archid_hash);
    if (model->archid != NULL)
        model->wanted = !model->lost;
}

static void apply_policy(index_models *m, const index_table *t, const index_growth *g)
{
    for (size_t i = 0; i < m->capacity; i++)
        m->at[i].wanted =
            m->policy == ARCHAI_WEIGHTS_ALL && m->at[i].archid != NULL && !m->at[i].lost;
    if (m->policy == ARCHAI_WEIGHTS_PARETO)
        for (size_t i = 0; i < g->front.n; i++)
            want(m, t, g->front.tags[i]);
    if (m->policy == ARCHAI_WEIGHTS_BEST && g->best_id >= 0)
        want(m, t, g->best_id);
}

/* -- writing ------------------------------------------------------------------------------- */

/* Did all of the row's weights reach the disk? Asked only where a node may have lost its power
 * between the row and its last synchronisation. */
static int weights_are_whole(const archai_segment *s, const archai_trial *e, bool *whole,
                             archai_err *err)
{
    *whole = true;
    for (size_t i = 0; *whole && i < e->n_tensors; i++) {
        const archai_tensor_place *p = &e->tensors[i];
        uint64_t n;
        size_t bytes;
        void *data;
        int rc;

        if (archai_tensor_is_state(p->name)) /* not shown */
            continue;
        if (!archai_segment_holds(s, p, &n)) {
            *whole = false;
            break;
        }
        bytes = (size_t)n * archai_dtype_size(p->dtype);
        data = malloc(bytes + 1);
        if (data == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu bytes of weights",
                               bytes);
        rc = archai_segment_read_tensor(s, p, data, err);
        if (rc == ARCHAI_OK)
            *whole = archai_segment_crc(data, bytes) == p->crc;
        free(data);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* A tensor of its own shape over its place in the pool. The file is named without a directory:
 * HDF5 then looks beside results.h5, wherever the reader stands. */
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
    ARCHAI_TRY_GOTO(rc,
                    archai_h5_id(err, &shape,
                                 p->ndim == 0 ? H5Screate(H5S_SCALAR)
                                              : H5Screate_simple(p->ndim, dims, NULL)),
                    out);
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
        if (!archai_tensor_is_state(e->tensors[i].name)) /* that is for trainings that go on */
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
    for (size_t i = 0; i < m->capacity; i++) {
        index_model *model = &m->at[i];

        if (model->archid == NULL)
            continue;
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
