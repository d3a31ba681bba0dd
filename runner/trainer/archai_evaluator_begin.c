/* Where a training begins: at its own checkpoint, where its last evaluation ended, or with a parent's
 * weights. */
#include "runner/trainer/archai_evaluator.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/algorithm.h"

int archai_serve_note(archai_server *e, int64_t id, archai_err *err, const char *fmt, ...)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    const archai_message m = {.type = ARCHAI_MSG_NOTE, .id = id, .text = text};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return archai_serve_send(e, &m, err);
}

void archai_serve_begun(archai_beginning *b)
{
    archai_checkpoint_close(&b->checkpoint);
    archai_tensors_close(&b->stored);
}

/* -- what both kinds of file hold ---------------------------------------------------------- */

/* The curves of the epochs done. */
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

/* The model's own tensors: all of them, and no others. */
static int take_weights(const archai_tensors *file, shim_model *model, archai_err *err)
{
    archai_tensor *own = calloc(file->n + 1, sizeof *own);
    size_t n = 0;
    int rc;

    if (own == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", file->n);
    for (size_t i = 0; i < file->n; i++)
        if (!archai_tensor_is_state(file->at[i].name))
            own[n++] = file->at[i];
    rc = shim_model_load(model, own, n, true, NULL, err);
    free(own);
    return rc;
}

/* From `epoch` of a file on, all or nothing. */
static int take_over(const archai_tensors *file, int64_t epoch, shim_model *model,
                     shim_train_settings *settings, archai_trial *r, archai_err *err)
{
    ARCHAI_TRY(take_curves(file, epoch, r, err));
    ARCHAI_TRY(take_weights(file, model, err));
    settings->first_epoch = epoch;
    settings->start = file->at;
    settings->n_start = file->n;
    return ARCHAI_OK;
}

static int say_where(archai_server *e, const archai_trial *c,
                     const shim_train_settings *settings, archai_err *err)
{
    return archai_serve_note(e, c->id, err, "goes on after epoch %lld of %lld",
                             (long long)settings->first_epoch, (long long)settings->epochs);
}

/* -- a checkpoint, an earlier evaluation, a parent ----------------------------------------- */

/* *found: the candidate's checkpoint was taken over. */
static int from_checkpoint(archai_server *e, const archai_trial *c, shim_model *model,
                           shim_train_settings *settings, archai_trial *r,
                           archai_beginning *b, bool *found, archai_err *err)
{
    archai_checkpoint *k = &b->checkpoint;
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    *found = false;
    if (e->config.train.checkpoint == ARCHAI_CHECKPOINT_NONE)
        return ARCHAI_OK;
    rc = archai_checkpoint_open(k, e->config.output.directory, c->id, &why);
    if (rc == ARCHAI_ENOTFOUND)
        return ARCHAI_OK;
    if (rc == ARCHAI_OK && (!archai_checkpoint_is_of(k, c) || k->epochs != settings->epochs))
        rc = archai_fail(&why, ARCHAI_EFORMAT, "its checkpoint is another candidate's");
    if (rc == ARCHAI_OK)
        rc = take_over(&k->file, k->epoch, model, settings, r, &why);
    if (rc != ARCHAI_OK)
        return archai_serve_note(e, c->id, err, "begins again: %.900s", why.text);
    *found = true;
    settings->train_seconds = k->train_seconds;
    return say_where(e, c, settings, err);
}

/* What the worker has put into WEIGHTS. */
static int open_stored(archai_server *e, const archai_trial *c, archai_beginning *b,
                       archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;

    if (c->begin_at == 0 ||
        archai_safetensors_open_fd(&b->stored, WEIGHTS, &why) == ARCHAI_OK)
        return ARCHAI_OK;
    return archai_serve_note(e, c->id, err, "begins with new weights: %.900s", why.text);
}

/* The epochs that the stored tensors of a promoted model stand for. */
static int read_about(const archai_tensors *file, const archai_trial *c, int64_t *epoch,
                      archai_err *err)
{
    const archai_tensor *t = archai_tensors_find(file, ARCHAI_STATE_PREFIX "about");
    int64_t about[ARCHAI_ABOUT];

    if (t == NULL || t->dtype != ARCHAI_I64 || t->bytes != sizeof about)
        return archai_fail(err, ARCHAI_EFORMAT, "its weights were stored without what it takes to go on");
    memcpy(about, t->data, sizeof about);
    if ((uint64_t)about[1] != c->seed || about[2] < 1)
        return archai_fail(err, ARCHAI_EFORMAT, "its stored weights are of another training");
    *epoch = about[2];
    return ARCHAI_OK;
}

static int from_stored(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_beginning *b,
                       archai_err *err)
{
    const archai_tensor *seconds = archai_tensors_find(&b->stored, ARCHAI_STATE_PREFIX "seconds");
    archai_err why = ARCHAI_ERR_INIT;
    int64_t epoch = 0;
    int rc = b->stored.n > 0 ? read_about(&b->stored, c, &epoch, &why)
                             : archai_fail(&why, ARCHAI_ENOTFOUND, "no stored weights");

    if (rc == ARCHAI_OK && epoch >= settings->epochs)
        rc = archai_fail(&why, ARCHAI_EINVAL, "%lld epochs are done already", (long long)epoch);
    if (rc == ARCHAI_OK)
        rc = take_over(&b->stored, epoch, model, settings, r, &why);
    if (rc != ARCHAI_OK)
        return archai_serve_note(e, c->id, err, "is trained from its first epoch: %.900s", why.text);
    b->epochs_before = epoch;
    if (seconds != NULL && seconds->dtype == ARCHAI_F64 &&
        seconds->bytes == sizeof settings->train_seconds)
        memcpy(&settings->train_seconds, seconds->data, sizeof settings->train_seconds);
    if (!isfinite(settings->train_seconds))
        settings->train_seconds = 0;
    return say_where(e, c, settings, err);
}

int archai_serve_inherit(const archai_trial *c, shim_model *model, archai_beginning *b,
                         archai_err *err)
{
    const archai_tensor *state;
    size_t loaded, n;

    if (b->stored.n == 0 || strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(shim_model_load(model, b->stored.at, b->stored.n, false, &loaded, err));
    ARCHAI_TRY(shim_model_state(model, &state, &n, err));
    b->inherited = n > 0 ? (double)loaded / (double)n : 0;
    return ARCHAI_OK;
}

int archai_serve_begin(archai_server *e, const archai_trial *c, shim_model *model,
                       shim_train_settings *settings, archai_trial *r, archai_beginning *b,
                       archai_err *err)
{
    const bool promoted = strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) == 0;
    int64_t epoch;
    bool found;

    ARCHAI_TRY(open_stored(e, c, b, err));
    ARCHAI_TRY(archai_serve_inherit(c, model, b, err));
    ARCHAI_TRY(from_checkpoint(e, c, model, settings, r, b, &found, err));
    if (!promoted)
        return ARCHAI_OK;
    if (!found)
        return from_stored(e, c, model, settings, r, b, err);
    if (read_about(&b->stored, c, &epoch, NULL) == ARCHAI_OK && epoch < settings->first_epoch)
        b->epochs_before = epoch;
    return ARCHAI_OK;
}
