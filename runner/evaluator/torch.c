/* Candidates evaluated by archai-evaluator, a separate process: trained with libtorch (kind torch), or
 * measured by a plug-in (kind plugin). */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "core/plugin.h"
#include "runner/evaluator/environment.h"
#include "runner/evaluator/torch_task.h"
#include "runner/process/clock.h"
#include "runner/process/evaluator_client.h"

/* How long READY may take: libtorch is large, and its file system may be slow. */
static const double handshake_s = 300;

typedef struct torch_evaluator {
    archai_evaluator base;
    archai_evaluator_client client;
    bool is_open, ready;
    double ready_by;
    int64_t id;         /* of the candidate being evaluated; -1: none */
    archai_environment environment;
} torch_evaluator;

static int torch_init(archai_evaluator *self, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;

    (void)err;
    e->client = (archai_evaluator_client)ARCHAI_EVALUATOR_CLIENT_INIT;
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
        .device = (char *)(uintptr_t)setup->device,
        .threads = setup->threads,
        .data = setup->data,
    };

    archai_environment_init(&e->environment, setup, setup->device);
    ARCHAI_TRY(archai_evaluator_client_start(&e->client, &open, setup->data_fd, false,
                                             e->environment.at,
                                             setup->config->evaluator.memory_limit, err));
    e->client.peer.child.log = self->log;
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

static int torch_stop(archai_evaluator *self, archai_err *err)
{
    torch_evaluator *e = (torch_evaluator *)self;
    const archai_message prune = {.type = ARCHAI_MSG_PRUNE, .id = e->id};

    return e->id >= 0 ? archai_peer_send(&e->client.peer, &prune, err) : ARCHAI_OK;
}

static bool torch_reports(const void *settings)
{
    (void)settings;
    return true;
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

/* The device, and the GPUs that might have been. */
static void ready(torch_evaluator *e, const char *device, archai_evaluator_event *out)
{
    const int unused = e->base.setup->unused_gpus;
    char text[ARCHAI_ERR_TEXT_MAX];

    (void)snprintf(text, sizeof text, "%.512s", device);
    if (unused > 0 && e->base.ops->uses_device)
        (void)snprintf(text, sizeof text, "%.512s; %d NVIDIA GPU%s not used", device, unused,
                       unused == 1 ? "" : "s");
    e->ready = true;
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_READY, ARCHAI_OK, text);
}

static int handle(torch_evaluator *e, archai_message *m, archai_evaluator_event *out)
{
    switch (m->type) {
    case ARCHAI_MSG_READY:
        if (e->ready)
            break;
        ready(e, m->device, out);
        return ARCHAI_OK;
    case ARCHAI_MSG_PROGRESS:
        out->kind = ARCHAI_EVALUATOR_PROGRESS;
        out->epoch = m->epoch;
        out->epochs = m->epochs;
        out->at = m->at;
        out->by_epoch = m->by_epoch;
        out->result = m->evaluation;
        m->evaluation = NULL;
        return ARCHAI_OK;
    case ARCHAI_MSG_NOTE:
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOTE, ARCHAI_OK, m->text);
        return ARCHAI_OK;
    case ARCHAI_MSG_FAILED:
        archai_evaluator_event_set(out, e->ready ? ARCHAI_EVALUATOR_FAILED : ARCHAI_EVALUATOR_NOT_STARTED,
                                   m->code, m->text);
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
    (void)err;
    rc = archai_peer_poll(&e->client.peer, &m, &got, &why);
    if (rc != ARCHAI_OK) {
        gone(e, &why, out);
    } else if (got) {
        rc = handle(e, &m, out);
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

const archai_evaluator_ops archai_evaluator_torch = {
    .name = "torch",
    .help = "trains with libtorch in a separate process, as [train] says",
    .options = archai_no_options,
    .size = sizeof(torch_evaluator),
    .needs_data = true,
    .needs_network = true,
    .trains = true,
    .checkpoints = true,
    .uses_device = true,
    .reports = torch_reports,
    .tests = true,
    .check_task = archai_torch_check_task,
    .init = torch_init,
    .open = torch_open,
    .begin = torch_begin,
    .start_fd = torch_weights_fd,
    .poll = torch_poll,
    .interrupt = torch_interrupt,
    .stop = torch_stop,
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
