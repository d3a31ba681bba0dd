/* Where training starts: at the candidate's own checkpoint, where its last evaluation ended, or
 * with a parent's weights. */
#include "runner/trainer/archai_evaluator.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/algorithm.h"

int archai_serve_note(archai_server *e, int64_t id, archai_err *err, const char *fmt, ...)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    const archai_message m = {.type = ARCHAI_MSG_NOTE, .id = id, .text = text};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return archai_parent_send(&e->parent, &m, err);
}

void archai_train_start_close(archai_train_start *start)
{
    archai_checkpoint_close(&start->checkpoint);
    archai_tensors_close(&start->stored);
}

/* -- what a checkpoint and stored weights have in common ----------------------------------- */

/* The curves of the epochs that are done. */
static int take_curves(const archai_tensors *file, int64_t epoch, archai_trial *r,
                       archai_err *err)
{
    for (size_t i = 0; i < r->n_curves; i++) {
        char name[64];
        const archai_tensor *t;

        (void)snprintf(name, sizeof name, ARCHAI_STATE_PREFIX "curve:%s", r->curves[i].name);
        t = archai_tensors_find(file, name);
        if (t == NULL || t->dtype != ARCHAI_F32 || t->bytes != (size_t)epoch * sizeof(float))
            return archai_fail(err, ARCHAI_EFORMAT, "the curve %s is missing",
                               r->curves[i].name);
        memcpy(r->curves[i].values, t->data, t->bytes);
    }
    return ARCHAI_OK;
}

int archai_serve_take_weights(const archai_tensors *file, shim_model *model, archai_err *err)
{
    archai_tensor *weights = archai_calloc(file->n + 1, sizeof *weights);
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < file->n; i++)
        if (!archai_tensor_is_state(file->at[i].name))
            weights[n++] = file->at[i];
    rc = shim_model_load(model, weights, n, true, NULL, err);
    free(weights);
    return rc;
}

/* Continue a file's training after `epoch`: everything fits, or nothing is taken. */
static int take_over(const archai_tensors *file, int64_t epoch, shim_model *model,
                     shim_train_settings *settings, archai_trial *r, archai_err *err)
{
    ARCHAI_TRY(take_curves(file, epoch, r, err));
    ARCHAI_TRY(archai_serve_take_weights(file, model, err));
    settings->first_epoch = epoch;
    settings->start = file->at;
    settings->n_start = file->n;
    return ARCHAI_OK;
}

static int note_start(archai_server *e, const archai_trial *c,
                     const shim_train_settings *settings, archai_err *err)
{
    return archai_serve_note(e, c->id, err, "continues after epoch %lld of %lld",
                             (long long)settings->first_epoch,
                             (long long)shim_train_epochs(settings->epochs));
}

/* -- a checkpoint, an earlier evaluation, a parent ----------------------------------------- */

/* *found: the candidate's checkpoint was taken over. */
static int from_checkpoint(archai_server *e, const archai_trial *c, shim_model *model,
                           shim_train_settings *settings, archai_trial *r,
                           archai_train_start *start, bool *found, archai_err *err)
{
    archai_checkpoint *k = &start->checkpoint;
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    *found = false;
    if (e->config.train.checkpoint == ARCHAI_CHECKPOINT_NONE)
        return ARCHAI_OK;
    rc = archai_checkpoint_open(k, e->config.output.directory, c->id, &why);
    if (rc == ARCHAI_ENOTFOUND)
        return ARCHAI_OK;
    if (rc == ARCHAI_OK && (!archai_checkpoint_is_of(k, c) || k->epochs != shim_train_epochs(settings->epochs)))
        rc = archai_fail(&why, ARCHAI_EFORMAT, "its checkpoint is another candidate's");
    if (rc == ARCHAI_OK)
        rc = take_over(&k->file, k->epoch, model, settings, r, &why);
    if (rc != ARCHAI_OK)
        return archai_serve_note(e, c->id, err, "starts over: %.900s", why.text);
    *found = true;
    settings->train_seconds = k->train_seconds;
    return note_start(e, c, settings, err);
}

/* What the worker has put into WEIGHTS. */
static int open_stored(archai_server *e, const archai_trial *c, archai_train_start *start,
                       archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;

    if (c->begin_at == 0 ||
        archai_safetensors_open_fd(&start->stored, WEIGHTS, &why) == ARCHAI_OK)
        return ARCHAI_OK;
    if (c->begin_at < 0) /* a model that was given with its weights is nothing without them */
        return archai_fail(err, ARCHAI_EFORMAT, "the weights to begin from: %.900s", why.text);
    return archai_serve_note(e, c->id, err, "starts with new weights: %.900s", why.text);
}

/* The epochs that the stored tensors of a promoted model stand for. */
static int read_about(const archai_tensors *file, const archai_trial *c, int64_t *epoch,
                      archai_err *err)
{
    const archai_tensor *t = archai_tensors_find(file, ARCHAI_STATE_PREFIX "about");
    int64_t about[ARCHAI_ABOUT];

    if (t == NULL || t->dtype != ARCHAI_I64 || t->bytes != sizeof about)
        return archai_fail(err, ARCHAI_EFORMAT, "its stored weights lack the state of the training");
    memcpy(about, t->data, sizeof about);
    if ((uint64_t)about[1] != c->seed || about[2] < 1)
        return archai_fail(err, ARCHAI_EFORMAT, "its stored weights belong to another training");
    *epoch = about[2];
    return ARCHAI_OK;
}

static int from_stored(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_train_start *start,
                       archai_err *err)
{
    const archai_tensor *seconds = archai_tensors_find(&start->stored, ARCHAI_STATE_PREFIX "seconds");
    archai_err why = ARCHAI_ERR_INIT;
    int64_t epoch = 0;
    int rc = start->stored.n > 0 ? read_about(&start->stored, c, &epoch, &why)
                             : archai_fail(&why, ARCHAI_ENOTFOUND, "no stored weights");

    if (rc == ARCHAI_OK && epoch >= shim_train_epochs(settings->epochs))
        rc = archai_fail(&why, ARCHAI_EINVAL, "%lld epochs are done already", (long long)epoch);
    if (rc == ARCHAI_OK)
        rc = take_over(&start->stored, epoch, model, settings, r, &why);
    if (rc != ARCHAI_OK)
        return archai_serve_note(e, c->id, err, "is trained from its first epoch: %.900s", why.text);
    start->epochs_before = epoch;
    if (seconds != NULL && seconds->dtype == ARCHAI_F64 &&
        seconds->bytes == sizeof settings->train_seconds)
        memcpy(&settings->train_seconds, seconds->data, sizeof settings->train_seconds);
    if (!isfinite(settings->train_seconds))
        settings->train_seconds = 0;
    return note_start(e, c, settings, err);
}

int archai_train_start_inherit(const archai_trial *c, shim_model *model, archai_train_start *start,
                         archai_err *err)
{
    const archai_tensor *state;
    size_t loaded, n;

    if (start->stored.n == 0 || strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(shim_model_load(model, start->stored.at, start->stored.n, false, &loaded, err));
    ARCHAI_TRY(shim_model_state(model, &state, &n, err));
    start->inherited = n > 0 ? (double)loaded / (double)n : 0;
    return ARCHAI_OK;
}

int archai_train_start_load(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_train_start *start,
                       archai_err *err)
{
    const bool promoted = strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) == 0;
    int64_t epoch;
    bool found;

    ARCHAI_TRY(open_stored(e, c, start, err));
    ARCHAI_TRY(archai_train_start_inherit(c, model, start, err));
    ARCHAI_TRY(from_checkpoint(e, c, model, settings, r, start, &found, err));
    if (!promoted)
        return ARCHAI_OK;
    if (!found)
        return from_stored(e, c, model, settings, r, start, err);
    if (read_about(&start->stored, c, &epoch, NULL) == ARCHAI_OK && epoch < settings->first_epoch)
        start->epochs_before = epoch;
    return ARCHAI_OK;
}
