/* archai-evaluator: builds, trains and measures models with libtorch, in a process of its own, so
 * that whatever libtorch does to it costs one evaluation. No MPI, no HDF5.
 *
 * Frames (io/message.h) come on descriptor 3 and go on 4; 5 is a memfd for weights, 6 one with the
 * data set, 7 one for predict's input and output. Started by runner/evaluator_client.c, not by hand.
 *
 *   OPEN     -> READY or FAILED
 *   WORK     -> PROGRESS after each epoch, then MEASURED (weights in 5), FAILED, or RETURNED
 *   PREDICT  -> PREDICTED (output in 7) or FAILED
 *   SAVE_PT  -> SAVED or FAILED
 *   FIT      -> FITTED or FAILED (rank 0's own evaluator, runner/surrogate_client.c)
 *
 * SIGTERM and SIGINT end it: at once when idle, after the running epoch otherwise (RETURNED). With
 * train.checkpoint = epoch it writes checkpoints (io/checkpoint.h) into the results directory, and
 * DRAIN while a candidate runs means: leave one at the end of the epoch, then RETURNED.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/config.h"
#include "core/plugin.h"
#include "core/space.h"
#include "io/checkpoint.h"
#include "io/dataset.h"
#include "io/message.h"
#include "io/tensors.h"
#include "shim/shim.h"

enum { REQUESTS = 3, REPLIES = 4, WEIGHTS = 5, DATA = 6, EXCHANGE = 7 };
enum { CHUNK = 65536, TEXT_MAX = 256 };

typedef struct evaluator {
    archai_buffer in; /* received bytes; the first in_used of them are done with */
    size_t in_used;
    archai_buffer out;
    archai_ini ini;
    archai_config config;
    archai_space *space;               /* owned; NULL: OPEN brought no section [space] */
    const archai_dataset_header *data; /* owned mapping; NULL: none */
    const archai_plugin *plugin;       /* evaluator.kind = plugin: it measures, nothing is trained */
    shim_device *device;               /* owned; NULL before OPEN and where a plug-in measures */
    char device_text[TEXT_MAX];
    shim_surrogate *surrogate; /* owned; NULL before the first FIT */
    bool draining; /* what runs shall leave a checkpoint and end */
} evaluator;

static volatile sig_atomic_t stop_requested;

static void on_stop(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* -- frames -------------------------------------------------------------------------------- */

static int send_message(evaluator *e, const archai_message *m, archai_err *err)
{
    size_t done = 0;

    e->out.size = 0;
    ARCHAI_TRY(archai_frame_append(m, &e->out, err));
    while (done < e->out.size) {
        ssize_t n = write(REPLIES, e->out.data + done, e->out.size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return archai_fail(err, ARCHAI_EIO, "replies: %s", strerror(errno));
        done += (size_t)n;
    }
    return ARCHAI_OK;
}

static int send_failure(evaluator *e, int64_t id, int code, const archai_err *cause, archai_err *err)
{
    const archai_message m = {.type = ARCHAI_MSG_FAILED,
                              .id = id,
                              .code = code,
                              .text = (char *)(uintptr_t)cause->text};

    return send_message(e, &m, err);
}

/* The next request. *got is false at the end of the pipe, and when idle on a stop request. */
static int receive(evaluator *e, archai_message *out, bool *got, archai_err *err)
{
    *got = false;
    for (;;) {
        ssize_t n;

        ARCHAI_TRY(archai_frame_take(&e->in, &e->in_used, out, got, err));
        if (*got || stop_requested)
            return ARCHAI_OK;
        if (e->in_used == e->in.size)
            e->in.size = e->in_used = 0;
        ARCHAI_TRY(archai_buffer_reserve(&e->in, CHUNK, err));
        n = read(REQUESTS, e->in.data + e->in.size, CHUNK);
        if (n == 0)
            return ARCHAI_OK;
        if (n < 0 && errno != EINTR)
            return archai_fail(err, ARCHAI_EIO, "requests: %s", strerror(errno));
        if (n > 0)
            e->in.size += (size_t)n;
    }
}

/* -- open ---------------------------------------------------------------------------------- */

static bool is_open(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0;
}

static int open_all(evaluator *e, const archai_message *m, archai_err *err)
{
    const bool shape_known = m->data.channels > 0;

    if (e->device != NULL || e->plugin != NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "opened twice");
    ARCHAI_TRY(archai_ini_parse(&e->ini, "configuration", m->text, strlen(m->text), err));
    ARCHAI_TRY(archai_config_load(&e->config, &e->ini, err));
    if (archai_ini_has_section(&e->ini, "space"))
        ARCHAI_TRY(archai_space_create(&e->space, &e->ini, shape_known ? &m->data : NULL, err));
    if (e->config.evaluator.kind == ARCHAI_EVALUATOR_PLUGIN) {
        (void)snprintf(e->device_text, sizeof e->device_text, "plugin");
        return archai_plugin_load(e->config.evaluator.plugin, &e->plugin, err);
    }
    if (is_open(DATA))
        ARCHAI_TRY(archai_dataset_map(DATA, &e->data, err));
    ARCHAI_TRY(shim_device_open(&e->device, m->device, m->threads, err));
    shim_device_text(e->device, e->device_text, sizeof e->device_text);
    return ARCHAI_OK;
}

static int on_open(evaluator *e, const archai_message *m, archai_err *err)
{
    char version[TEXT_MAX];
    const archai_message ready = {
        .type = ARCHAI_MSG_READY, .text = version, .device = e->device_text};
    archai_err cause = ARCHAI_ERR_INIT;
    const int rc = open_all(e, m, &cause);

    if (rc != ARCHAI_OK)
        return send_failure(e, -1, rc, &cause, err);
    shim_version(version, sizeof version);
    return send_message(e, &ready, err);
}

/* The network of an arch text, and a model of it with fresh weights. Caller releases both, in the
 * reverse order, also on failure. */
static int build(evaluator *e, const char *arch, uint64_t seed, archai_network *net,
                 shim_model **model, archai_err *err)
{
    archai_model m = {0};
    int rc;

    if (e->space == NULL || e->device == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "a model was sent before a search space");
    ARCHAI_TRY(archai_space_load_arch(e->space, arch, strlen(arch), &m, err));
    rc = archai_space_describe(e->space, &m, net, err);
    if (rc == ARCHAI_OK)
        rc = shim_model_build(model, e->device, net, seed, err);
    archai_model_fini(&m);
    return rc;
}

/* -- work ---------------------------------------------------------------------------------- */

enum { CURVE_TRAIN_LOSS, CURVE_VAL_LOSS, CURVE_VAL_ACCURACY, CURVE_LEARNING_RATE, CURVE_VAL_MIOU, N_CURVES };
static const char *const curve_names[N_CURVES] = {
    [CURVE_TRAIN_LOSS] = "train_loss",       [CURVE_VAL_LOSS] = "val_loss",
    [CURVE_VAL_ACCURACY] = "val_accuracy",   [CURVE_LEARNING_RATE] = "learning_rate",
    [CURVE_VAL_MIOU] = "val_miou",
};

/* What on_epoch needs: where to report and where curves grow. */
typedef struct progress {
    evaluator *e;
    archai_evaluation *result;
    const archai_candidate *candidate;
    int64_t id;
    double left_at;  /* clock: the last checkpoint, or the beginning */
    bool complained; /* a checkpoint could not be written */
    archai_err err;  /* of a reply that could not be sent */
} progress;

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

__attribute__((format(printf, 4, 5))) static int send_note(evaluator *e, int64_t id,
                                                           archai_err *err, const char *fmt, ...)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    const archai_message m = {.type = ARCHAI_MSG_NOTE, .id = id, .text = text};
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return send_message(e, &m, err);
}

/* Between epochs: was a checkpoint asked for? Nothing else comes while a candidate runs. */
static int look_for_drain(evaluator *e, archai_err *err)
{
    struct pollfd fd = {.fd = REQUESTS, .events = POLLIN};

    while (!e->draining && poll(&fd, 1, 0) > 0) {
        archai_message m = {0};
        bool got = false;
        ssize_t n;

        ARCHAI_TRY(archai_buffer_reserve(&e->in, CHUNK, err));
        n = read(REQUESTS, e->in.data + e->in.size, CHUNK);
        if (n <= 0)
            break;
        e->in.size += (size_t)n;
        ARCHAI_TRY(archai_frame_take(&e->in, &e->in_used, &m, &got, err));
        e->draining = got && m.type == ARCHAI_MSG_DRAIN;
        archai_message_fini(&m);
    }
    return ARCHAI_OK;
}

/* *stop: the training is left here, to go on from a checkpoint. */
static int leave_checkpoint(progress *p, const shim_epoch *at, shim_training *t, bool *stop,
                            archai_err *err)
{
    const archai_config *config = &p->e->config;
    archai_err why = ARCHAI_ERR_INIT;
    const archai_tensor *state;
    double train_seconds;
    size_t n;
    int rc;

    *stop = stop_requested;
    if (config->train.checkpoint == ARCHAI_CHECKPOINT_NONE || at->epoch == at->epochs)
        return ARCHAI_OK;
    ARCHAI_TRY(look_for_drain(p->e, err));
    if (!p->e->draining && !stop_requested &&
        now_s() - p->left_at < config->train.checkpoint_pause_s)
        return ARCHAI_OK;
    rc = shim_training_state(t, &state, &n, &train_seconds, &why);
    if (rc == ARCHAI_OK)
        rc = archai_checkpoint_write(config->output.directory, p->candidate, at->epoch, at->epochs,
                                     train_seconds, state, n, p->result->curves,
                                     p->result->n_curves, &why);
    p->left_at = now_s();
    if (rc == ARCHAI_OK) {
        *stop = p->e->draining || stop_requested;
        return ARCHAI_OK;
    }
    if (p->complained)
        return ARCHAI_OK;
    p->complained = true;
    return send_note(p->e, p->id, err, "no checkpoint: %.900s", why.text);
}

static bool on_epoch(void *payload, const shim_epoch *epoch, shim_training *training)
{
    progress *p = payload;
    const archai_message m = {.type = ARCHAI_MSG_PROGRESS,
                              .id = p->id,
                              .epoch = (int32_t)epoch->epoch,
                              .epochs = (int32_t)epoch->epochs};
    const double values[N_CURVES] = {
        [CURVE_TRAIN_LOSS] = epoch->train_loss,     [CURVE_VAL_LOSS] = epoch->val_loss,
        [CURVE_VAL_ACCURACY] = epoch->val_accuracy, [CURVE_LEARNING_RATE] = epoch->learning_rate,
        [CURVE_VAL_MIOU] = epoch->val_miou,
    };
    bool stop = false;

    for (size_t i = 0; i < p->result->n_curves; i++)
        p->result->curves[i].values[epoch->epoch - 1] = (float)values[i];
    return send_message(p->e, &m, &p->err) == ARCHAI_OK &&
           leave_checkpoint(p, epoch, training, &stop, &p->err) == ARCHAI_OK && !stop;
}

static int make_curves(archai_evaluation *r, size_t epochs, bool masks, archai_err *err)
{
    r->curves = calloc(N_CURVES, sizeof *r->curves);
    if (r->curves == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for learning curves");
    for (size_t i = 0; i < (masks ? N_CURVES : CURVE_VAL_MIOU); i++) {
        archai_curve *c = &r->curves[r->n_curves++];

        c->name = strdup(curve_names[i]);
        c->values = calloc(epochs, sizeof *c->values);
        c->n = epochs;
        if (c->name == NULL || c->values == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for learning curves");
    }
    return ARCHAI_OK;
}

static int set_measures(archai_evaluation *r, const archai_network *net,
                        const shim_train_result *t, archai_err *err)
{
    archai_counts counts;
    int rc = archai_network_count(net, &counts, err);
    /* What is NaN or negative here was not measured. */
    const struct {
        const char *name;
        double value;
    } all[] = {
        {"val_accuracy", t->last.val_accuracy},
        {"val_loss", t->last.val_loss},
        {"val_miou", t->last.val_miou},
        {"train_loss", t->last.train_loss},
        {"train_seconds", t->train_seconds},
        {"test_accuracy", t->test_accuracy},
        {"test_loss", t->test_loss},
        {"test_miou", t->test_miou},
        {"params", rc == ARCHAI_OK ? (double)counts.params : NAN},
        {"macs", rc == ARCHAI_OK && counts.macs >= 0 ? (double)counts.macs : NAN},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0] && rc == ARCHAI_OK; i++)
        if (!isnan(all[i].value))
            rc = archai_evaluation_set_measure(r, all[i].name, all[i].value, err);
    return rc;
}

/* The trained weights into the memfd, and their names, types and shapes into the result. */
static int offer_weights(archai_evaluation *r, shim_model *model, archai_err *err)
{
    const archai_tensor *state;
    size_t n;

    ARCHAI_TRY(shim_model_state(model, &state, &n, err));
    ARCHAI_TRY(archai_err_wrap(err, archai_safetensors_write(WEIGHTS, state, n, err), "weights: "));
    r->tensors = calloc(n + 1, sizeof *r->tensors);
    if (r->tensors == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", n);
    for (; r->n_tensors < n; r->n_tensors++) {
        const archai_tensor *from = &state[r->n_tensors];
        archai_tensor_place *to = &r->tensors[r->n_tensors];

        to->name = strdup(from->name);
        if (to->name == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", n);
        to->dtype = from->dtype;
        to->ndim = from->ndim;
        memcpy(to->shape, from->shape, sizeof to->shape);
    }
    return ARCHAI_OK;
}

/* The plug-in's own measure. What travels of a candidate is its arch text: the model is made here. */
static int measure(evaluator *e, const archai_candidate *c, archai_evaluation *r, archai_err *err)
{
    archai_candidate complete = *c;
    int rc;

    if (e->space == NULL || e->plugin->measure == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "a candidate was sent without a measure for it");
    r->id = c->id;
    complete.model = (archai_model){0};
    ARCHAI_TRY(archai_space_load_arch(e->space, c->arch, strlen(c->arch), &complete.model, err));
    rc = e->plugin->measure(e->space, &complete, r, err);
    archai_model_fini(&complete.model);
    return rc;
}

/* The curves of the epochs done. */
static int take_curves(const archai_checkpoint *k, archai_evaluation *r, archai_err *err)
{
    for (size_t i = 0; i < r->n_curves; i++) {
        char name[64];
        const archai_tensor *t;

        (void)snprintf(name, sizeof name, "archai:curve:%s", r->curves[i].name);
        t = archai_tensors_find(&k->file, name);
        if (t == NULL || t->dtype != ARCHAI_F32 || t->bytes != (size_t)k->epoch * sizeof(float))
            return archai_fail(err, ARCHAI_EFORMAT, "the curve %s is missing", r->curves[i].name);
        memcpy(r->curves[i].values, t->data, t->bytes);
    }
    return ARCHAI_OK;
}

/* The model's own tensors of a checkpoint: all of them, and no others. */
static int take_weights(const archai_checkpoint *k, shim_model *model, archai_err *err)
{
    archai_tensor *own = calloc(k->file.n + 1, sizeof *own);
    size_t n = 0;
    int rc;

    if (own == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", k->file.n);
    for (size_t i = 0; i < k->file.n; i++)
        if (strncmp(k->file.at[i].name, ARCHAI_STATE_PREFIX, strlen(ARCHAI_STATE_PREFIX)) != 0)
            own[n++] = k->file.at[i];
    rc = shim_model_load(model, own, n, true, NULL, err);
    free(own);
    return rc;
}

/* From the candidate's checkpoint, if there is one that fits; from the beginning otherwise. */
static int go_on(evaluator *e, const archai_candidate *c, shim_model *model,
                 shim_train_settings *settings, archai_evaluation *r, archai_checkpoint *k,
                 archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    if (e->config.train.checkpoint == ARCHAI_CHECKPOINT_NONE)
        return ARCHAI_OK;
    rc = archai_checkpoint_open(k, e->config.output.directory, c->id, &why);
    if (rc == ARCHAI_ENOTFOUND)
        return ARCHAI_OK;
    if (rc == ARCHAI_OK && (!archai_checkpoint_is_of(k, c) || k->epochs != settings->epochs))
        rc = archai_fail(&why, ARCHAI_EFORMAT, "its checkpoint is another candidate's");
    if (rc == ARCHAI_OK)
        rc = take_curves(k, r, &why);
    if (rc == ARCHAI_OK)
        rc = take_weights(k, model, &why); /* all or nothing */
    if (rc != ARCHAI_OK)
        return send_note(e, c->id, err, "begins again: %.900s", why.text);
    settings->first_epoch = k->epoch;
    settings->train_seconds = k->train_seconds;
    settings->start = k->file.at;
    settings->n_start = k->file.n;
    return send_note(e, c->id, err, "goes on after epoch %lld of %lld", (long long)k->epoch,
                     (long long)k->epochs);
}

static int evaluate(evaluator *e, const archai_candidate *c, archai_evaluation *r, archai_err *err)
{
    /* A budget counts epochs, at least one; none: the configured number. */
    const int64_t epochs = c->budget > 0
                               ? (int64_t)fmin(fmax(round(c->budget), 1), SHIM_MAX_EPOCHS)
                               : e->config.train.epochs;
    progress p = {.e = e,
                  .result = r,
                  .candidate = c,
                  .id = c->id,
                  .left_at = now_s(),
                  .err = ARCHAI_ERR_INIT};
    shim_train_settings settings = {
        .epochs = epochs,
        .batch_size = e->config.train.batch_size,
        .optimizer = e->config.train.optimizer,
        .learning_rate = e->config.train.learning_rate,
        .momentum = e->config.train.momentum,
        .weight_decay = e->config.train.weight_decay,
        .schedule = e->config.train.learning_rate_schedule,
        .seed = archai_rng_derive(c->seed, 1), /* of shuffling; c->seed is the initialisation's */
        .on_epoch = on_epoch,
        .payload = &p,
    };
    archai_network net = {0};
    archai_checkpoint checkpoint = {.id = -1};
    shim_model *model = NULL;
    shim_train_result trained;
    int rc;

    if (e->data == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "work was sent without a data set");
    r->id = c->id;
    ARCHAI_TRY_GOTO(rc, build(e, c->arch, c->seed, &net, &model, err), out);
    ARCHAI_TRY_GOTO(rc, make_curves(r, (size_t)epochs, e->data->masks != 0, err), out);
    ARCHAI_TRY_GOTO(rc, go_on(e, c, model, &settings, r, &checkpoint, err), out);
    rc = shim_model_train(model, e->data, &settings, &trained, err);
    if (rc == ARCHAI_EFORMAT && settings.first_epoch > 0) { /* of another optimizer */
        ARCHAI_TRY_GOTO(rc, send_note(e, c->id, err, "begins again: %.900s", err->text), out);
        settings.first_epoch = 0;
        settings.train_seconds = 0;
        shim_model_destroy(model);
        model = NULL;
        archai_network_fini(&net);
        net = (archai_network){0};
        ARCHAI_TRY_GOTO(rc, build(e, c->arch, c->seed, &net, &model, err), out);
        rc = shim_model_train(model, e->data, &settings, &trained, err);
    }
    ARCHAI_TRY_GOTO(rc, rc, out);
    ARCHAI_TRY_GOTO(rc, set_measures(r, &net, &trained, err), out);
    rc = offer_weights(r, model, err);
out:
    archai_checkpoint_close(&checkpoint);
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}

static int on_work(evaluator *e, const archai_message *m, archai_err *err)
{
    for (size_t i = 0; i < m->n_candidates; i++) {
        const int64_t id = m->candidates[i].id;
        archai_evaluation result = {.status = ARCHAI_STATUS_OK};
        const archai_message measured = {
            .type = ARCHAI_MSG_MEASURED, .id = id, .evaluation = &result};
        const archai_message returned = {.type = ARCHAI_MSG_RETURNED, .id = id};
        archai_err cause = ARCHAI_ERR_INIT;
        int rc = stop_requested     ? ARCHAI_EINTR
                 : e->plugin != NULL ? measure(e, &m->candidates[i], &result, &cause)
                                     : evaluate(e, &m->candidates[i], &result, &cause);

        if (rc == ARCHAI_OK)
            rc = send_message(e, &measured, err);
        else if (rc == ARCHAI_EINTR)
            rc = send_message(e, &returned, err);
        else
            rc = send_failure(e, id, rc, &cause, err);
        archai_evaluation_fini(&result);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* -- for the tools ------------------------------------------------------------------------- */

static void *allocate(void *payload, size_t bytes)
{
    (void)payload;
    return malloc(bytes > 0 ? bytes : 1);
}

/* The pictures in the exchange memfd: float32 [n, c, h, w]. Caller closes. */
static int open_input(archai_tensors *file, const archai_tensor **input, archai_err *err)
{
    ARCHAI_TRY(archai_err_wrap(err, archai_safetensors_open_fd(file, EXCHANGE, err), "input: "));
    *input = archai_tensors_find(file, "input");
    if (*input == NULL || (*input)->dtype != ARCHAI_F32 || (*input)->ndim != 4) {
        archai_tensors_close(file);
        return archai_fail(err, ARCHAI_EINVAL, "input: expected a tensor of float32 [n, c, h, w]");
    }
    return ARCHAI_OK;
}

/* Run the model in evaluation mode; *out is malloc'ed. */
static int predict(evaluator *e, const char *arch, archai_tensor *out, archai_err *err)
{
    archai_tensors weights = {0}, file = {0};
    const archai_tensor *input;
    archai_network net = {0};
    shim_model *model = NULL;
    float *output = NULL;
    int rc;

    ARCHAI_TRY_GOTO(rc, build(e, arch, 0, &net, &model, err), out);
    ARCHAI_TRY_GOTO(
        rc, archai_err_wrap(err, archai_safetensors_open_fd(&weights, WEIGHTS, err), "weights: "),
        out);
    ARCHAI_TRY_GOTO(rc, shim_model_load(model, weights.at, weights.n, true, NULL, err), out);
    ARCHAI_TRY_GOTO(rc, open_input(&file, &input, err), out);
    ARCHAI_TRY_GOTO(rc,
                    shim_model_predict(model, input->data, input->shape, allocate, NULL, &output,
                                       out->shape, &out->ndim, err),
                    out);
    out->dtype = ARCHAI_F32;
    out->data = output;
    out->bytes = sizeof *output;
    for (int i = 0; i < out->ndim; i++)
        out->bytes *= (size_t)out->shape[i];
out:
    archai_tensors_close(&file);
    archai_tensors_close(&weights);
    shim_model_destroy(model);
    archai_network_fini(&net);
    return rc;
}

static int on_predict(evaluator *e, const archai_message *m, archai_err *err)
{
    archai_message reply = {.type = ARCHAI_MSG_PREDICTED, .id = -1};
    archai_tensor output = {.name = (char *)(uintptr_t)"output"};
    archai_err cause = ARCHAI_ERR_INIT;
    int rc = predict(e, m->text, &output, &cause);

    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(&cause, archai_safetensors_write(EXCHANGE, &output, 1, &cause),
                             "output: ");
    reply.ndim = output.ndim;
    memcpy(reply.shape, output.shape, sizeof reply.shape);
    rc = rc == ARCHAI_OK ? send_message(e, &reply, err) : send_failure(e, -1, rc, &cause, err);
    free((void *)(uintptr_t)output.data);
    return rc;
}

static int on_save_pt(evaluator *e, const archai_message *m, archai_err *err)
{
    const archai_message saved = {.type = ARCHAI_MSG_SAVED, .id = -1};
    archai_err cause = ARCHAI_ERR_INIT;
    archai_tensors weights = {0};
    int rc = archai_err_wrap(&cause, archai_safetensors_open_fd(&weights, WEIGHTS, &cause),
                             "weights: ");

    if (rc == ARCHAI_OK)
        rc = shim_save_pt(weights.at, weights.n, m->text, &cause);
    archai_tensors_close(&weights);
    return rc == ARCHAI_OK ? send_message(e, &saved, err) : send_failure(e, -1, rc, &cause, err);
}

/* -- for the algorithm ------------------------------------------------------------------------ */

static int on_fit(evaluator *e, const archai_message *m, archai_err *err)
{
    const archai_surrogate_job *job = m->job;
    const size_t n = job->n_queries / (size_t)job->n_features * (size_t)job->n_targets;
    archai_surrogate_answer answer = {.id = job->id, .n_mean = n, .n_var = n};
    const archai_message fitted = {.type = ARCHAI_MSG_FITTED, .answer = &answer};
    archai_err cause = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    answer.mean = calloc(n + 1, sizeof *answer.mean);
    answer.var = calloc(n + 1, sizeof *answer.var);
    if (answer.mean == NULL || answer.var == NULL)
        rc = archai_fail(&cause, ARCHAI_ENOMEM, "out of memory for %zu predictions", n);
    if (rc == ARCHAI_OK && e->surrogate == NULL)
        rc = shim_surrogate_open(&e->surrogate, &cause);
    if (rc == ARCHAI_OK)
        rc = shim_surrogate_serve(e->surrogate, job, answer.mean, answer.var, &cause);
    rc = rc == ARCHAI_OK ? send_message(e, &fitted, err)
                         : send_failure(e, job->id, rc, &cause, err);
    archai_surrogate_answer_fini(&answer);
    return rc;
}

/* -------------------------------------------------------------------------------------------- */

static int serve(evaluator *e, archai_err *err)
{
    for (;;) {
        archai_message m = {0};
        bool got;
        int rc;

        ARCHAI_TRY(receive(e, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        switch (m.type) {
        case ARCHAI_MSG_OPEN:
            rc = on_open(e, &m, err);
            break;
        case ARCHAI_MSG_WORK:
            rc = on_work(e, &m, err);
            break;
        case ARCHAI_MSG_DRAIN: /* the candidate was done before it came */
            break;
        case ARCHAI_MSG_PREDICT:
            rc = on_predict(e, &m, err);
            break;
        case ARCHAI_MSG_SAVE_PT:
            rc = on_save_pt(e, &m, err);
            break;
        case ARCHAI_MSG_FIT:
            rc = on_fit(e, &m, err);
            break;
        default:
            rc = archai_fail(err, ARCHAI_EFORMAT, "a request of type '%s'",
                             archai_message_name(m.type));
        }
        archai_message_fini(&m);
        ARCHAI_TRY(rc);
    }
}

/* SIGUSR1 is for the ranks alone: they decide what it means for their evaluators. */
static void install_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGTERM, &stop, NULL); /* no SA_RESTART: a waiting read must return */
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGUSR1, &ignore, NULL);
}

int main(int argc, char **argv)
{
    evaluator e = {.in_used = 0};
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    (void)argv;
    if (argc != 1 || !is_open(REQUESTS) || !is_open(REPLIES)) {
        fprintf(stderr, "archai-evaluator: started by archai-run and archai-space, not by hand\n");
        return archai_rc_exit_status(ARCHAI_EINVAL);
    }
    install_signals();
    rc = serve(&e, &err);
    if (rc != ARCHAI_OK)
        fprintf(stderr, "archai-evaluator: %s\n", err.text);
    shim_surrogate_close(e.surrogate);
    shim_device_close(e.device);
    archai_dataset_unmap(e.data);
    archai_space_destroy(e.space);
    archai_config_free(&e.config);
    archai_ini_free(&e.ini);
    archai_buffer_free(&e.in);
    archai_buffer_free(&e.out);
    return archai_rc_exit_status(rc);
}
