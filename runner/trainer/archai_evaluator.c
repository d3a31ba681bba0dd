/* archai-evaluator: builds, trains and measures models with libtorch, in a process of its own,
 * so that whatever libtorch does to it costs one evaluation. No MPI, no HDF5.
 *
 * Frames (io/wire/message.h) come on descriptor 3 and go on 4; 5 is a memfd for weights, 6 one with
 * the data set, 7 one for predict's input and output. Started by runner/process/evaluator_client.c, not
 * by hand.
 *
 *   OPEN     -> READY or FAILED
 *   WORK     -> PROGRESS after each epoch, then MEASURED (weights in 5), FAILED, or RETURNED
 *   PREDICT  -> PREDICTED (output in 7) or FAILED
 *   SAVE_PT  -> SAVED or FAILED
 *   FIT      -> FITTED or FAILED (rank 0's own evaluator, runner/coordinator/surrogate_client.c)
 *
 * SIGTERM and SIGINT end it: at once when idle, after the running epoch otherwise (RETURNED).
 * With train.checkpoint = epoch it writes checkpoints (io/file/checkpoint.h) into the results
 * directory, and DRAIN while a candidate runs means: leave one at the end of the epoch, then
 * RETURNED.
 */
#include "runner/trainer/archai_evaluator.h"
#include "runner/process/out_of_memory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* -- frames -------------------------------------------------------------------------------- */

int archai_serve_send(archai_server *e, const archai_message *m, archai_err *err)
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

int archai_serve_failure(archai_server *e, int64_t id, int code, const archai_err *cause,
                         archai_err *err)
{
    const archai_message m = {.type = ARCHAI_MSG_FAILED,
                              .id = id,
                              .code = code,
                              .text = (char *)(uintptr_t)cause->text};

    return archai_serve_send(e, &m, err);
}

/* The next request. *got is false at the end of the pipe, and when idle on a stop request. */
static int receive(archai_server *e, archai_message *out, bool *got, archai_err *err)
{
    *got = false;
    for (;;) {
        ssize_t n;

        ARCHAI_TRY(archai_frame_take(&e->in, &e->in_used, out, got, err));
        if (*got || stop_requested)
            return ARCHAI_OK;
        if (e->in_used == e->in.size)
            e->in.size = e->in_used = 0;
        archai_buffer_reserve(&e->in, CHUNK);
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

static int open_all(archai_server *e, const archai_message *m, archai_err *err)
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

static int on_open(archai_server *e, const archai_message *m, archai_err *err)
{
    char version[TEXT_MAX];
    const archai_message ready = {
        .type = ARCHAI_MSG_READY, .text = version, .device = e->device_text};
    archai_err cause = ARCHAI_ERR_INIT;
    const int rc = open_all(e, m, &cause);

    if (rc != ARCHAI_OK)
        return archai_serve_failure(e, -1, rc, &cause, err);
    shim_version(version, sizeof version);
    return archai_serve_send(e, &ready, err);
}

int archai_serve_build(archai_server *e, const char *arch, uint64_t seed, archai_network *net,
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

/* --------------------------------------------------------------------------------------------
 */

static int serve(archai_server *e, archai_err *err)
{
    for (;;) {
        archai_message m = {0};
        bool got;
        int rc = ARCHAI_OK;

        ARCHAI_TRY(receive(e, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        switch (m.type) {
        case ARCHAI_MSG_OPEN:
            rc = on_open(e, &m, err);
            break;
        case ARCHAI_MSG_WORK:
            rc = archai_serve_work(e, &m, err);
            break;
        case ARCHAI_MSG_DRAIN: /* the candidate was done before it came */
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
    archai_server e = {.in_used = 0};
    archai_err err = ARCHAI_ERR_INIT;
    int rc;

    archai_out_of_memory_ends("archai-evaluator", "");
    (void)argv;
    if (argc != 1 || !is_open(REQUESTS) || !is_open(REPLIES)) {
        fprintf(stderr,
                "archai-evaluator: started by archai-run and archai-space, not by hand\n");
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
