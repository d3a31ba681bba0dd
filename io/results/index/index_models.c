/* /models: one group per architecture whose weights are shown; its tensors are virtual datasets
 * over the pools of the segments. What is already shown and still wanted is not touched. */
#include "io/results/index/index_private.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
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
        free(m->at[i].link);
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

void index_models_add(index_models *m, const index_news *news)
{
    for (size_t i = 0; i < news->n; i++) {
        const index_new *new_ = &news->at[i];
        const uint64_t hash = new_->row.archid_hash;
        size_t known;
        index_model *model;

        if (new_->archid == NULL) /* no weights */
            continue;
        known = find(m, hash);
        if (known == SIZE_MAX) {
            ARCHAI_RESERVE(m->at, m->capacity, m->n + 1);
            archai_hash_add(&m->by_archid, hash, m->n);
            m->at[m->n++] = (index_model){.link = archai_name_escape(new_->archid),
                                          .hash = hash,
                                          .id = new_->row.id,
                                          .budget = new_->budget,
                                          .shown = -1};
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
    if (m->policy == ARCHAI_WEIGHTS_BEST && g->front.n > 0)
        want(m, t, index_growth_best(g));
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

/* Show the weights of the model's row. What cannot be shown, whoever wrote it, must not end the search: the
 * model is marked lost, and a line says so. */
static int show(index_model *model, const index_table *t, hid_t models, index_notes *notes,
                archai_err *err)
{
    size_t at = index_table_find(t, model->id);
    const archai_segment *s;
    archai_err why = ARCHAI_ERR_INIT;
    archai_trial e = {0};
    bool whole = true;
    int rc;

    if (at == t->n || t->rows[at].segment == INDEX_KEPT)
        return ARCHAI_OK;
    s = &t->segments[t->rows[at].segment].file;
    ARCHAI_TRY(index_table_read(t, at, &e, err));
    if (t->rows[at].doubtful)
        ARCHAI_TRY_GOTO(rc, weights_are_whole(s, &e, &whole, err), out);
    if (!whole)
        (void)archai_fail(&why, ARCHAI_EFORMAT, "they did not all reach the disk");
    rc = whole ? index_tensors_check(s, &e, &why) : ARCHAI_EFORMAT;
    model->lost = rc != ARCHAI_OK;
    if (model->lost) {
        index_note(notes, "the weights of %.200s (id %lld) are not shown: %s", e.model.archid,
                   (long long)e.id, why.text);
        rc = ARCHAI_OK;
        goto out;
    }
    rc = index_tensors_write(models, model->link, s, &e, err);
    if (rc == ARCHAI_OK)
        model->shown = model->id;
out:
    archai_trial_fini(&e);
    return rc;
}

int index_models_write(index_models *m, const index_table *t, const index_growth *g, hid_t file,
                       index_notes *notes, archai_err *err)
{
    hid_t models = H5I_INVALID_HID;
    int rc = ARCHAI_OK;

    apply_policy(m, t, g);
    ARCHAI_TRY(archai_h5_group(file, "models", &models, err));
    for (size_t i = 0; i < m->n; i++) {
        index_model *model = &m->at[i];

        if (model->shown >= 0 && (!model->wanted || model->shown != model->id)) {
            ARCHAI_TRY_GOTO(
                rc, archai_h5_ok(err, H5Ldelete(models, model->link, H5P_DEFAULT)), out);
            model->shown = -1;
        }
        if (model->wanted && model->shown < 0)
            ARCHAI_TRY_GOTO(rc, show(model, t, models, notes, err), out);
    }
    rc = archai_h5_close(&models, err);
out:
    archai_h5_release(&models);
    return rc;
}
