/* Candidates evaluated by archai-evaluator, a separate process: trained with libtorch (kind torch), or
 * measured by a plug-in (kind plugin). */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "core/config/train_own.h"
#include "core/plugin.h"
#include "io/dataset/loss.h"
#include "runner/evaluator/environment.h"
#include "runner/process/clock.h"
#include "runner/process/evaluator_client.h"

/* How long READY may take: libtorch is large, and its file system may be slow. */
static const double handshake_s = 300;

typedef struct torch_evaluator {
    archai_evaluator base;
    archai_evaluator_client client;
    bool is_open, ready;
    double ready_by;
    const char *device; /* of the next start; falls back from cuda to cpu */
    int64_t id;         /* of the candidate being evaluated; -1: none */
    archai_environment environment;
} torch_evaluator;

static int torch_init(archai_evaluator *self, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;

    (void)err;
    e->client = (archai_evaluator_client)ARCHAI_EVALUATOR_CLIENT_INIT;
    e->device = self->setup->device;
    e->id = -1;
    return ARCHAI_OK;
}

static void torch_close(archai_evaluator *self)
{
    torch_evaluator *e = (torch_evaluator *)self;

    archai_evaluator_client_close(&e->client);
    e->is_open = e->ready = false;
    e->id = -1;
}

static int torch_open(archai_evaluator *self, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;
    const archai_evaluator_setup *setup = self->setup;
    const archai_message open = {
        .type = ARCHAI_MSG_OPEN,
        .text = (char *)(uintptr_t)setup->config_text, /* packing does not write */
        .device = (char *)(uintptr_t)e->device,
        .threads = setup->threads,
        .data = setup->data,
    };

    archai_environment_init(&e->environment, setup, e->device);
    ARCHAI_TRY(archai_evaluator_client_start(&e->client, &open, setup->data_fd, false,
                                             e->environment.at,
                                             setup->config->evaluator.memory_limit, err));
    e->is_open = true;
    e->ready = false;
    e->ready_by = archai_clock_s() + handshake_s;
    return ARCHAI_OK;
}

static int torch_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;
    const archai_message work = {
        .type = ARCHAI_MSG_WORK,
        .candidates = (archai_trial *)(uintptr_t)c,
        .n_candidates = 1,
    };

    e->id = c->id;
    return archai_peer_send(&e->client.peer, &work, err);
}

/* One file for the weights to start from and for those on offer: the model has read the former by
 * the time it writes the latter. */
static int torch_weights_fd(archai_evaluator *self)
{
    return ((torch_evaluator *)self)->client.weights_fd;
}

static int torch_interrupt(archai_evaluator *self, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};

    if (self->setup->config->train.checkpoint == ARCHAI_CHECKPOINT_NONE || e->id < 0)
        return ARCHAI_OK;
    return archai_peer_send(&e->client.peer, &drain, err);
}

/* -- events -------------------------------------------------------------------------------- */

/* It has ended, or cannot be trusted any more. */
static void gone(torch_evaluator *e, const archai_err *why, archai_evaluator_event *out)
{
    const archai_child *child = &e->client.peer.child;

    archai_evaluator_event_set(out, e->ready ? ARCHAI_EVALUATOR_GONE : ARCHAI_EVALUATOR_NOT_STARTED,
                               why->code, why->text);
    if (why->code == ARCHAI_ECHILD && child->started && WIFSIGNALED(child->status))
        out->signal = WTERMSIG(child->status);
}

/* If the user did not choose the device, libtorch may know better than our guess. */
static bool fall_back(torch_evaluator *e)
{
    if (e->base.setup->device_is_chosen || strcmp(e->device, "cpu") == 0)
        return false;
    e->device = "cpu";
    return true;
}

static int not_started(torch_evaluator *e, int code, const char *text,
                       archai_evaluator_event *out, archai_err *err)
{
    if (fall_back(e)) {
        torch_close(&e->base);
        return torch_open(&e->base, err);
    }
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOT_STARTED, code, text);
    return ARCHAI_OK;
}

static int handle(torch_evaluator *e, archai_message *m, archai_evaluator_event *out,
                  archai_err *err)
{
    switch (m->type) {
    case ARCHAI_MSG_READY:
        if (e->ready)
            break;
        e->ready = true;
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_READY, ARCHAI_OK, m->device);
        return ARCHAI_OK;
    case ARCHAI_MSG_PROGRESS:
        out->kind = ARCHAI_EVALUATOR_PROGRESS;
        out->epoch = m->epoch;
        out->epochs = m->epochs;
        return ARCHAI_OK;
    case ARCHAI_MSG_NOTE:
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOTE, ARCHAI_OK, m->text);
        return ARCHAI_OK;
    case ARCHAI_MSG_FAILED:
        if (!e->ready)
            return not_started(e, m->code, m->text, out, err);
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, m->code, m->text);
        e->id = -1;
        return ARCHAI_OK;
    case ARCHAI_MSG_MEASURED:
        if (m->id != e->id)
            break;
        out->kind = ARCHAI_EVALUATOR_MEASURED;
        out->result = m->evaluation;
        m->evaluation = NULL;
        e->id = -1;
        return ARCHAI_OK;
    case ARCHAI_MSG_RETURNED: /* it received a signal and is about to end */
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_GONE, ARCHAI_EINTR, "was stopped by SIGTERM");
        out->signal = SIGTERM;
        e->id = -1;
        return ARCHAI_OK;
    default:
        break;
    }
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_GONE, ARCHAI_EFORMAT,
                               "sent a message out of turn");
    return ARCHAI_OK;
}

static int torch_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;
    archai_err why = ARCHAI_ERR_INIT;
    archai_message m = {0};
    bool got;
    int rc;

    if (!e->is_open)
        return ARCHAI_OK;
    rc = archai_peer_poll(&e->client.peer, &m, &got, &why);
    if (rc == ARCHAI_ECHILD && !e->ready && fall_back(e)) {
        torch_close(self);
        return torch_open(self, err);
    }
    if (rc != ARCHAI_OK) {
        gone(e, &why, out);
    } else if (got) {
        rc = handle(e, &m, out, err);
        archai_message_fini(&m);
        return rc;
    } else if (!e->ready && archai_clock_s() > e->ready_by) {
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOT_STARTED, ARCHAI_ETIMEOUT,
                                   "did not answer");
    }
    return ARCHAI_OK;
}

static size_t torch_wake(archai_evaluator *self, struct pollfd *out, size_t max)
{
    return archai_peer_wake(&((const torch_evaluator *)self)->client.peer, out, max);
}

static int check_measured(const archai_objectives *objectives, archai_err *err)
{
    static const char *const measured[] = {
#define X(name, value) #name,
        ARCHAI_MEASURED_LIST(X)
#undef X
    };
    const size_t n = sizeof measured / sizeof measured[0];

    for (size_t i = 0; i < objectives->n; i++) {
        const archai_objective *o = &objectives->at[i];
        const char *near = archai_nearest(o->source, measured, n);

        if (!archai_measure_is_cheap(o->source) && (near == NULL || strcmp(near, o->source) != 0))
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: the evaluator does not measure '%.100s'%s%s%s",
                               o->name, o->source, near != NULL ? "; did you mean '" : "",
                               near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    return ARCHAI_OK;
}

/* What models of this space put out of one example. A random one tells. */
static int output_of(archai_space *space, bool tokens, archai_shape *out, archai_err *err)
{
    archai_model m = {.arch = NULL};
    archai_network net = {.n_steps = 0};
    archai_counts counts = {.params = 0};
    int rc;

    ARCHAI_TRY(archai_space_random_sample(space, &m, err));
    rc = archai_space_describe(space, &m, &net, err);
    if (rc == ARCHAI_OK && net.tokens != tokens)
        rc = archai_fail(err, ARCHAI_EINVAL,
                         "space.name: models of %s %s tokens, but the data are %s",
                         space->ops->name, tokens ? "do not take" : "take",
                         tokens ? "tokens" : "not");
    if (rc == ARCHAI_OK)
        rc = archai_network_count(&net, &counts, err);
    *out = counts.output;
    archai_network_fini(&net);
    archai_model_fini(&m);
    return rc;
}

/* Measures that this data set does not have. */
static int check_objectives(const archai_evaluator_task *task, archai_err *err)
{
    for (size_t i = 0; i < task->objectives->n; i++) {
        const archai_objective *o = &task->objectives->at[i];
        const bool test = strncmp(o->source, "test_", 5) == 0;
        const char *measure = test || strncmp(o->source, "val_", 4) == 0
                                  ? strchr(o->source, '_') + 1
                                  : o->source;

        if (!archai_targets_have(task->data->targets, task->data->shape.num_classes, measure))
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: data with %s have no %s", o->name,
                               archai_targets_text(task->data->targets), o->source);
        if (test && task->data->n[ARCHAI_SPLIT_TEST] == 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "objective.%s.source: the data have no test split for %s", o->name,
                               o->source);
    }
    return ARCHAI_OK;
}

enum { RECIPES_TRIED = 64 };

/* [train] itself, and as some of the candidates have it whose parameters say so. */
static int check_recipes(const archai_evaluator_task *task, archai_err *err)
{
    const archai_targets targets = task->data->targets;
    bool more = true;

    ARCHAI_TRY(archai_loss_check(&task->config->train, targets, err));
    for (int i = 0; i < RECIPES_TRIED && more; i++) {
        archai_model m = {.arch = NULL};
        archai_config own = {.train = {.epochs = 0}};
        json_t *said = NULL;
        int rc;

        ARCHAI_TRY(archai_space_random_sample(task->space, &m, err));
        rc = archai_space_train(task->space, &m, &said, err);
        archai_model_fini(&m);
        more = said != NULL;
        if (rc == ARCHAI_OK && more)
            rc = archai_err_wrap(err, archai_train_override(&own, task->config, said, err),
                                 "space.tree: train.");
        if (rc == ARCHAI_OK && more)
            rc = archai_err_wrap(err, archai_loss_check(&own.train, targets, err),
                                 "space.tree: ");
        archai_config_free(&own);
        json_decref(said);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* What the space's models put out must be of the kind that the data have. */
static int torch_check_task(const void *settings, const archai_evaluator_task *task, archai_err *err)
{
    const archai_targets targets = task->data->targets;
    const int ndim = targets == ARCHAI_TARGETS_MASK ? 3 : targets == ARCHAI_TARGETS_NEXT_TOKEN ? 2 : 1;
    archai_shape output;

    (void)settings;
    ARCHAI_TRY(check_measured(task->objectives, err));
    ARCHAI_TRY(check_objectives(task, err));
    ARCHAI_TRY(check_recipes(task, err));
    ARCHAI_TRY(output_of(task->space, task->data->shape.tokens > 0, &output, err));
    if (output.ndim == ndim)
        return ARCHAI_OK;
    if (targets == ARCHAI_TARGETS_CLASS || targets == ARCHAI_TARGETS_MASK)
        return archai_fail(err, ARCHAI_EINVAL,
                           "space.name: models of %s classify %s, but the data has a label for each %s",
                           task->space->ops->name, output.ndim == 1 ? "pictures" : "pixels",
                           output.ndim == 1 ? "pixel (masks)" : "picture");
    return archai_fail(err, ARCHAI_EINVAL,
                       "space.name: models of %s put out %d dimensions for each example, but the data "
                       "has %s",
                       task->space->ops->name, output.ndim, archai_targets_text(targets));
}

const archai_evaluator_ops archai_evaluator_torch = {
    .name = "torch",
    .help = "trains with libtorch in a separate process, as [train] says",
    .options = archai_no_options,
    .size = sizeof(torch_evaluator),
    .needs_data = true,
    .needs_network = true,
    .trains = true,
    .checkpoints = true,
    .check_task = torch_check_task,
    .init = torch_init,
    .open = torch_open,
    .begin = torch_begin,
    .start_fd = torch_weights_fd,
    .poll = torch_poll,
    .interrupt = torch_interrupt,
    .close = torch_close,
    .weights_fd = torch_weights_fd,
    .wake = torch_wake,
};

/* -- plug-ins: archai-evaluator loads the library, which it finds in the configuration --------- */

typedef struct plugin_settings {
    char *plugin;
} plugin_settings;

/* clang-format off */
static const archai_option plugin_options[] = {
    {"plugin", ARCHAI_OPT_STRING, offsetof(plugin_settings, plugin), 0, 0, "", "", NULL, "path of a shared library"},
    ARCHAI_OPTION_END,
};
/* clang-format on */
static const char *const plugin_measuring_keys[] = {"plugin", NULL};

static void plugin_check(const void *settings, archai_check *c)
{
    const char *path = ((const plugin_settings *)settings)->plugin;
    const archai_plugin *plugin;
    archai_err why = ARCHAI_ERR_INIT;

    archai_check_given(c, "plugin", path, "kind",
                       "missing, kind = plugin needs the path of a shared library");
    if (path[0] == '\0')
        return;
    if (archai_plugin_load(path, &plugin, &why) != ARCHAI_OK)
        archai_check_fail(c, "plugin", NULL, "%s", why.text);
    else if (plugin->measure == NULL)
        archai_check_fail(c, "plugin", NULL, "%s: %s has no measure", path, plugin->name);
}

const archai_evaluator_ops archai_evaluator_plugin = {
    .name = "plugin",
    .help = "measures with your own shared library, in a separate process",
    .options = plugin_options,
    .settings_size = sizeof(plugin_settings),
    .measuring_keys = plugin_measuring_keys,
    .size = sizeof(torch_evaluator),
    .check = plugin_check,
    .init = torch_init,
    .open = torch_open,
    .begin = torch_begin,
    .poll = torch_poll,
    .close = torch_close,
    .wake = torch_wake,
};
