#include "runner/process/evaluator_client.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int archai_evaluator_client_start(archai_evaluator_client *c, const archai_message *open,
                                  int data_fd, bool exchange, const char *const *env,
                                  int64_t memory_limit, archai_err *err)
{
    char *argv[] = {(char *)"archai-evaluator", NULL};
    archai_child_spec spec = {.argv = argv, .env = env, .memory_limit = memory_limit};
    int rc;

    *c = (archai_evaluator_client)ARCHAI_EVALUATOR_CLIENT_INIT;
    /* memfds leave nothing behind in /dev/shm, however this process ends. */
    c->weights_fd = memfd_create("archai-weights", MFD_CLOEXEC);
    if (exchange)
        c->exchange_fd = memfd_create("archai-exchange", MFD_CLOEXEC);
    if (c->weights_fd < 0 || (exchange && c->exchange_fd < 0)) {
        rc = archai_fail(err, ARCHAI_ECHILD, "memory for weights: %s", strerror(errno));
    } else {
        spec.fds[spec.n_fds++] = c->weights_fd;
        spec.fds[spec.n_fds++] = data_fd;
        spec.fds[spec.n_fds++] = c->exchange_fd;
        rc = archai_peer_start(&c->peer, &spec, err);
    }
    if (rc == ARCHAI_OK)
        rc = archai_peer_send(&c->peer, open, err);
    if (rc != ARCHAI_OK)
        archai_evaluator_client_close(c);
    return rc;
}

void archai_evaluator_client_close(archai_evaluator_client *c)
{
    archai_peer_close(&c->peer);
    archai_fd_close(&c->weights_fd);
    archai_fd_close(&c->exchange_fd);
}

static int expect(archai_evaluator_client *c, archai_message_type type, double limit_s,
                  archai_err *err)
{
    archai_message m = {0};
    int rc = archai_err_wrap(err, archai_peer_wait(&c->peer, &m, limit_s, err), "archai-evaluator ");

    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_FAILED)
        rc = archai_peer_failure(&m, err);
    else if (rc == ARCHAI_OK && m.type != type)
        rc = archai_fail(err, ARCHAI_EINTERNAL, "archai-evaluator answered %s, expected %s",
                         archai_message_name(m.type), archai_message_name(type));
    archai_message_fini(&m);
    return rc;
}

int archai_evaluator_client_ask(archai_evaluator_client *c, const archai_message *request,
                                archai_message_type type, double limit_s, archai_err *err)
{
    static const double start_limit_s = 120;

    ARCHAI_TRY(expect(c, ARCHAI_MSG_READY, start_limit_s, err));
    ARCHAI_TRY(archai_peer_send(&c->peer, request, err));
    return expect(c, type, limit_s, err);
}
