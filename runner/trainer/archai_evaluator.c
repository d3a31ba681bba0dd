/* archai-evaluator: builds, trains and measures models with libtorch, in a process of its own,
 * so that a crash in libtorch costs one evaluation. No MPI, no HDF5.
 *
 * Messages come and go as runner/process/parent.h says; descriptor 5 is a memfd for weights, 6
 * one with the data set, 7 one for the input and output of predict.
 * runner/process/evaluator_client.c starts it.
 *
 *   OPEN     -> READY or FAILED
 *   WORK     -> PROGRESS after each epoch, then MEASURED (weights in 5), FAILED, or RETURNED
 *   PRUNE    -> while a candidate trains: it ends after the epoch, MEASURED as pruned
 *   PREDICT  -> PREDICTED (output in 7) or FAILED
 *   SAVE_PT  -> SAVED or FAILED
 *   FIT      -> FITTED or FAILED (for the search itself: runner/coordinator/surrogate_client.c)
 *
 * SIGTERM and SIGINT end it: at once when idle, after the running epoch otherwise (RETURNED).
 * With train.checkpoint = epoch it writes checkpoints (io/file/checkpoint.h) into the results
 * directory, and DRAIN while a candidate runs means: leave one at the end of the epoch, then
 * RETURNED.
 */
#include "runner/trainer/archai_evaluator.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/process/evaluator_client.h"
#include "runner/process/program.h"

static volatile sig_atomic_t stop_requested;

bool archai_serve_stopped(void)
{
    return stop_requested != 0;
}

static void on_stop(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* -- open ---------------------------------------------------------------------------------- */

static int open_all(archai_server *e, const archai_message *m, archai_err *err)
{
    const bool shape_known = m->data.channels > 0 || m->data.features > 0 || m->data.tokens > 0;
    const archai_ini_entry *plugin, *augment;

    if (e->device != NULL || e->plugin != NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "opened twice");
    ARCHAI_TRY(archai_ini_parse(&e->ini, "configuration", m->text, strlen(m->text), err));
    ARCHAI_TRY(archai_config_load(&e->config, &e->ini, err));
    if (archai_objectives_create(&e->objectives, &e->ini, NULL) != ARCHAI_OK)
        e->objectives = (archai_objectives){.n = 0}; /* a tool's */
    if (archai_ini_has_section(&e->ini, "space"))
        ARCHAI_TRY(archai_space_create(&e->space, &e->ini, shape_known ? &m->data : NULL, err));
    plugin = archai_ini_find(&e->ini, "evaluator", "plugin");
    if (strcmp(e->config.evaluator.kind, "plugin") == 0 && plugin != NULL) {
        (void)snprintf(e->device_text, sizeof e->device_text, "plugin");
        return archai_plugin_load(plugin->value, &e->plugin, err);
    }
    augment = archai_ini_find(&e->ini, "data", "augment");
    if (augment != NULL)
        ARCHAI_TRY(archai_augment_parse(augment->value, &e->augment, err));
    if (fcntl(DATA, F_GETFD) >= 0)
        ARCHAI_TRY(archai_dataset_map(DATA, &e->data, err));
    ARCHAI_TRY(shim_device_open(&e->device, m->device, m->threads, err));
    if (getenv(ARCHAI_ENVIRONMENT_SHARING) != NULL)
        ARCHAI_TRY(shim_device_share(e->device, atoi(getenv(ARCHAI_ENVIRONMENT_SHARING)), err));
    e->threads = m->threads;
    shim_device_text(e->device, e->device_text, sizeof e->device_text);
    return ARCHAI_OK;
}

static int on_open(archai_server *e, const archai_message *m, archai_err *err)
{
    char version[TEXT_MAX];
    const archai_message ready = {
        .type = ARCHAI_MSG_READY, .text = version, .device = e->device_text};
    archai_err cause = ARCHAI_ERR_INIT;
    const int rc = open_all(e, m, &cause);

    shim_version(version, sizeof version);
    return archai_parent_answer(&e->parent, -1, rc, &ready, &cause, err);
}

int archai_serve_build(archai_server *e, const char *arch, uint64_t seed, int64_t per_parameter,
                       archai_network *net, shim_model **model, archai_err *err)
{
    archai_model m = {0};
    int rc;

    if (e->space == NULL || e->device == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "a model was sent before a search space");
    ARCHAI_TRY(archai_space_load_arch(e->space, arch, strlen(arch), &m, err));
    rc = archai_space_describe(e->space, &m, net, err);
    if (rc == ARCHAI_OK)
        rc = archai_serve_fits(net, per_parameter, err);
    if (rc == ARCHAI_OK)
        rc = shim_model_build(model, e->device, net, seed, err);
    archai_model_fini(&m);
    return rc;
}

static int serve(archai_server *e, archai_err *err)
{
    for (;;) {
        archai_message m = {0};
        bool got;
        int rc = ARCHAI_OK;

        ARCHAI_TRY(archai_parent_receive(&e->parent, &stop_requested, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        switch (m.type) {
        case ARCHAI_MSG_OPEN:
            rc = on_open(e, &m, err);
            break;
        case ARCHAI_MSG_WORK:
            rc = archai_serve_work(e, &m, err);
            break;
        case ARCHAI_MSG_PRUNE:
        case ARCHAI_MSG_DRAIN: /* too late: the candidate is done */
            break;
        case ARCHAI_MSG_PREDICT:
            rc = archai_serve_predict(e, &m, err);
            break;
        case ARCHAI_MSG_SAVE_PT:
            rc = archai_serve_save_pt(e, &m, err);
            break;
        case ARCHAI_MSG_FIT:
            rc = archai_serve_fit(e, &m, err);
            break;
        default:
            rc = archai_fail(err, ARCHAI_EFORMAT, "a request of type '%s'",
                             archai_message_name(m.type));
        }
        archai_message_fini(&m);
        ARCHAI_TRY(rc);
    }
}

/* SIGUSR1, SIGUSR2 and SIGHUP are for the ranks, which decide what they mean for their evaluators. */
static void install_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};

    (void)sigaction(SIGTERM, &stop, NULL); /* no SA_RESTART: a waiting read must return */
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGUSR1, &ignore, NULL);
    (void)sigaction(SIGUSR2, &ignore, NULL);
    (void)sigaction(SIGHUP, &ignore, NULL);
}

int main(int argc, char **argv)
{
    archai_server e = {.device = NULL, .pruned = -1};
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    archai_program_begin("archai-evaluator", "");
    install_signals();
    rc = argc > 1 ? archai_fail(&err, ARCHAI_EINVAL, "%s: it takes no arguments", argv[1])
                  : archai_parent_check(&err);
    if (rc == ARCHAI_OK)
        rc = serve(&e, &err);
    archai_serve_feed_close(&e);
    shim_surrogate_close(e.surrogate);
    shim_device_close(e.other);
    shim_device_close(e.device);
    archai_dataset_unmap(e.data);
    archai_space_destroy(e.space);
    archai_objectives_free(&e.objectives);
    archai_config_free(&e.config);
    archai_ini_free(&e.ini);
    archai_parent_fini(&e.parent);
    return archai_program_end(rc, &err);
}
