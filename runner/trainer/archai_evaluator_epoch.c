/* After each epoch: learning curves, checkpoints, requests from the rank; what is on offer at the end. */
#include "runner/trainer/archai_evaluator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/dataset/loss.h"
#include "io/file/checkpoint.h"
#include "io/file/tensors.h"
#include "runner/process/clock.h"

/* Learning curves, named as the fields of shim_epoch; those are there that the data have. */
#define CURVE(field, measure)                                                                      \
    {                                                                                              \
        #field, measure, offsetof(shim_epoch, field)                                               \
    }
static const struct {
    const char *name, *measure; /* as in archai_targets_have */
    size_t at;
} curves[] = {
    CURVE(train_loss, "loss"),     CURVE(val_loss, "loss"),
    CURVE(val_accuracy, "accuracy"), CURVE(learning_rate, "loss"),
    CURVE(val_miou, "miou"),       CURVE(val_mae, "mae"),
    CURVE(val_rmse, "rmse"),       CURVE(val_perplexity, "perplexity"),
};
enum { N_CURVES = sizeof curves / sizeof curves[0] };

static bool has_curve(const archai_dataset_header *data, size_t i)
{
    return archai_targets_have((archai_targets)data->targets, data->num_classes, curves[i].measure);
}

/* Between epochs: was a checkpoint asked for, or an end? No other request arrives during a training. */
static int look_for_requests(archai_server *e, archai_err *err)
{
    if (e->config.train.checkpoint == ARCHAI_CHECKPOINT_NONE && e->config.search.prune.rule == 0)
        return ARCHAI_OK;
    for (bool got = true; got && !e->draining;) {
        archai_message m = {0};

        ARCHAI_TRY(archai_parent_look(&e->parent, &m, &got, err));
        e->draining = got && m.type == ARCHAI_MSG_DRAIN;
        if (got && m.type == ARCHAI_MSG_PRUNE)
            e->pruned = m.id;
        archai_message_fini(&m);
    }
    return ARCHAI_OK;
}

/* *stop: training stops here; it can continue from the checkpoint. */
static int leave_checkpoint(archai_train_progress *p, const shim_epoch *at, shim_training *t, bool *stop,
                            archai_err *err)
{
    const archai_config *config = &p->e->config;
    archai_err why = ARCHAI_ERR_INIT;
    const archai_tensor *state;
    double train_seconds;
    size_t n;
    int rc;

    *stop = archai_serve_stopped();
    if (config->train.checkpoint == ARCHAI_CHECKPOINT_NONE)
        return ARCHAI_OK;
    if (!p->e->draining && !archai_serve_stopped() &&
        archai_clock_s() - p->left_at < config->train.checkpoint_pause_s)
        return ARCHAI_OK;
    rc = shim_training_state(t, &state, &n, &train_seconds, &why);
    if (rc == ARCHAI_OK)
        rc = archai_checkpoint_write(config->output.directory, p->candidate, at->epoch,
                                     at->epochs, train_seconds, state, n, p->result->curves,
                                     p->result->n_curves, &why);
    p->left_at = archai_clock_s();
    if (rc == ARCHAI_OK) {
        *stop = p->e->draining || archai_serve_stopped();
        return ARCHAI_OK;
    }
    if (p->complained)
        return ARCHAI_OK;
    p->complained = true;
    return archai_serve_note(p->e, p->candidate->id, err, "no checkpoint: %.900s", why.text);
}

/* Tensors into WEIGHTS, and their names, types and shapes into the result. */
static int offer(archai_trial *r, const archai_tensor *state, size_t n, archai_err *err)
{
    ARCHAI_TRY(
        archai_err_wrap(err, archai_safetensors_write(WEIGHTS, state, n, err), "weights: "));
    r->tensors = archai_calloc(n + 1, sizeof *r->tensors);
    for (; r->n_tensors < n; r->n_tensors++) {
        const archai_tensor *from = &state[r->n_tensors];
        archai_tensor_place *to = &r->tensors[r->n_tensors];

        to->name = archai_strdup(from->name);
        to->dtype = from->dtype;
        to->ndim = from->ndim;
        memcpy(to->shape, from->shape, sizeof to->shape);
    }
    return ARCHAI_OK;
}

int archai_train_offer_weights(archai_trial *r, shim_model *model, archai_err *err)
{
    const archai_tensor *state;
    size_t n;

    ARCHAI_TRY(shim_model_state(model, &state, &n, err));
    return offer(r, state, n, err);
}

/* After the last epoch: everything that a promoted model needs to continue from here, on any rank. */
static int offer_state(archai_train_progress *p, const shim_epoch *at, shim_training *t, archai_err *err)
{
    int64_t about[ARCHAI_ABOUT] = {p->candidate->id, (int64_t)p->candidate->seed, at->epoch,
                                   at->epochs};
    const archai_tensor *state;
    archai_tensor *all;
    double train_seconds;
    size_t n;
    int rc;

    ARCHAI_TRY(shim_training_state(t, &state, &n, &train_seconds, err));
    all = archai_calloc(n + 1, sizeof *all);
    memcpy(all, state, n * sizeof *all);
    all[n] = (archai_tensor){.name = (char *)(uintptr_t)ARCHAI_STATE_PREFIX "about",
                             .dtype = ARCHAI_I64,
                             .ndim = 1,
                             .shape = {ARCHAI_ABOUT},
                             .data = about,
                             .bytes = sizeof about};
    archai_train_start_close(p->start); /* it may be mapped from the file that is overwritten now */
    rc = offer(p->result, all, n + 1, err);
    free(all);
    p->offered = rc == ARCHAI_OK;
    return rc;
}

/* The curves get the epoch's values, and the rank hears of them. */
static int report(archai_train_progress *p, const shim_epoch *epoch, archai_err *err)
{
    archai_trial so_far = {.id = p->candidate->id};
    const archai_message m = {.type = ARCHAI_MSG_PROGRESS,
                              .id = p->candidate->id,
                              .epoch = (int32_t)epoch->epoch,
                              .epochs = (int32_t)epoch->epochs,
                              .at = (double)epoch->epoch,
                              .by_epoch = true,
                              .evaluation = &so_far};
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < N_CURVES; i++) {
        const double value = *(const double *)(const void *)((const char *)epoch + curves[i].at);

        if (!has_curve(p->e->data, i))
            continue;
        p->result->curves[n++].values[epoch->epoch - 1] = (float)value;
        archai_trial_set_measure(&so_far, curves[i].name, value);
    }
    rc = archai_parent_send(&p->e->parent, &m, err);
    archai_trial_fini(&so_far);
    return rc;
}

bool archai_train_on_epoch(void *payload, const shim_epoch *epoch, shim_training *training)
{
    archai_train_progress *p = payload;
    bool stop = false;

    if (report(p, epoch, &p->err) != ARCHAI_OK)
        return false;
    if (!epoch->ends) {
        if (look_for_requests(p->e, &p->err) != ARCHAI_OK)
            return false;
        if (p->e->pruned == p->candidate->id) {
            p->last = *epoch;
            return false;
        }
        return leave_checkpoint(p, epoch, training, &stop, &p->err) == ARCHAI_OK && !stop;
    }
    if (p->candidate->budget >= p->candidate->max_budget)
        return !archai_serve_stopped();
    return offer_state(p, epoch, training, &p->err) == ARCHAI_OK && !archai_serve_stopped();
}

void archai_train_make_curves(archai_trial *r, size_t epochs, const archai_dataset_header *data)
{
    r->curves = archai_calloc(N_CURVES, sizeof *r->curves);
    for (size_t i = 0; i < N_CURVES; i++)
        if (has_curve(data, i)) {
            archai_curve *c = &r->curves[r->n_curves++];

            c->name = archai_strdup(curves[i].name);
            c->values = archai_calloc(epochs, sizeof *c->values);
            c->n = epochs;
        }
}

/* What it had measured when it was told to end. Its weights are nobody's. */
int archai_train_end_pruned(const archai_train_progress *p, const archai_network *net, archai_err *err)
{
    const shim_train_result so_far = {.kept = p->last, .test_loss = NAN, .test_accuracy = NAN, .test_top5 = NAN,
                                      .test_miou = NAN, .test_mae = NAN, .test_rmse = NAN, .test_perplexity = NAN,
                                      .train_seconds = NAN, .data_wait = NAN};
    archai_trial *r = p->result;
    archai_counts counts;

    for (size_t i = 0; i < r->n_curves; i++)
        r->curves[i].n = (size_t)p->last.epoch;
    ARCHAI_TRY(archai_network_count(net, &counts, err));
    archai_serve_set_measures(r, "", &counts, &so_far);
    r->status = ARCHAI_STATUS_PRUNED;
    return ARCHAI_OK;
}
