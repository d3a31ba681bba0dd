#include "runner/process/evaluator_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/process/clock.h"

/* A process that ends closes its pipe a moment before; one that lives on without it is of no use. */
static const double dying_s = 10;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* -- start and end ------------------------------------------------------------------------- */

static int open_pipes(int *child_reads, int *child_writes, archai_evaluator_client *c)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *child_reads = fds[0];
    c->request_fd = fds[1];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    c->reply_fd = fds[0];
    *child_writes = fds[1];
    if (fcntl(c->request_fd, F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return fcntl(c->reply_fd, F_SETFL, O_NONBLOCK);
}

int archai_evaluator_client_start(archai_evaluator_client *c, const archai_message *open,
                                  int data_fd, bool exchange, const char *const *env,
                                  int64_t memory_limit, archai_err *err)
{
    char program[PATH_MAX];
    char *argv[] = {program, NULL};
    archai_child_spec spec = {.argv = argv, .env = env, .memory_limit = memory_limit};
    int child_reads = -1, child_writes = -1;
    int rc;

    *c = (archai_evaluator_client)ARCHAI_EVALUATOR_CLIENT_INIT;
    ARCHAI_TRY(archai_program_path("archai-evaluator", program, sizeof program, err));
    /* memfds leave nothing behind in /dev/shm, however this process ends. */
    c->weights_fd = memfd_create("archai-weights", MFD_CLOEXEC);
    if (exchange)
        c->exchange_fd = memfd_create("archai-exchange", MFD_CLOEXEC);
    if (c->weights_fd < 0 || (exchange && c->exchange_fd < 0) ||
        open_pipes(&child_reads, &child_writes, c) != 0) {
        rc = archai_fail(err, ARCHAI_ECHILD, "pipes for archai-evaluator: %s", strerror(errno));
        goto out;
    }
    spec.fds[spec.n_fds++] = child_reads;
    spec.fds[spec.n_fds++] = child_writes;
    spec.fds[spec.n_fds++] = c->weights_fd;
    spec.fds[spec.n_fds++] = data_fd;
    spec.fds[spec.n_fds++] = c->exchange_fd;
    ARCHAI_TRY_GOTO(rc, archai_child_start(&c->child, &spec, err), out);
    ARCHAI_TRY_GOTO(rc, archai_evaluator_client_send(c, open, err), out);
out:
    close_fd(&child_reads);
    close_fd(&child_writes);
    if (rc != ARCHAI_OK)
        archai_evaluator_client_close(c);
    return rc;
}

void archai_evaluator_client_close(archai_evaluator_client *c)
{
    archai_child_close(&c->child);
    close_fd(&c->request_fd);
    close_fd(&c->reply_fd);
    close_fd(&c->weights_fd);
    close_fd(&c->exchange_fd);
    archai_buffer_free(&c->in);
    archai_buffer_free(&c->out);
    c->in_used = c->out_used = 0;
    c->silent_since = 0;
}

/* -- requests ------------------------------------------------------------------------------ */

/* As much as the pipe takes. A broken pipe is no error here: poll sees how the process ended.
 */
static void flush_requests(archai_evaluator_client *c)
{
    while (c->request_fd >= 0 && c->out_used < c->out.size) {
        const ssize_t n =
            write(c->request_fd, c->out.data + c->out_used, c->out.size - c->out_used);

        if (n > 0) {
            c->out_used += (size_t)n;
        } else {
            if (errno != EAGAIN && errno != EINTR)
                close_fd(&c->request_fd);
            break;
        }
    }
    if (c->out_used == c->out.size)
        c->out.size = c->out_used = 0;
}

int archai_evaluator_client_send(archai_evaluator_client *c, const archai_message *m,
                                 archai_err *err)
{
    ARCHAI_TRY(archai_frame_append(m, &c->out, err));
    flush_requests(c);
    return ARCHAI_OK;
}

/* -- replies ------------------------------------------------------------------------------- */

static void receive(archai_evaluator_client *c)
{
    enum { CHUNK = 65536 };

    if (c->in_used > CHUNK || c->in_used == c->in.size) { /* or a flood would never end it */
        c->in.size -= c->in_used;
        if (c->in.size > 0)
            memmove(c->in.data, c->in.data + c->in_used, c->in.size);
        c->in_used = 0;
    }
    while (c->reply_fd >= 0 && c->in.size - c->in_used <= (size_t)ARCHAI_FRAME_MAX) {
        ssize_t n;

        archai_buffer_reserve(&c->in, CHUNK);
        n = read(c->reply_fd, c->in.data + c->in.size, CHUNK);
        if (n > 0) {
            c->in.size += (size_t)n;
        } else {
            if (n == 0 || (errno != EAGAIN && errno != EINTR))
                close_fd(&c->reply_fd);
            break;
        }
    }
}

int archai_evaluator_client_poll(archai_evaluator_client *c, archai_message *out, bool *got,
                                 bool *ended, archai_err *err)
{
    bool gone;

    *got = *ended = false;
    flush_requests(c);
    /* The process first: when it is gone, everything that it wrote is in the pipe. */
    ARCHAI_TRY(archai_child_poll(&c->child, &gone, err));
    receive(c);
    ARCHAI_TRY(archai_frame_take(&c->in, &c->in_used, out, got, err));
    *ended = gone && !*got;
    if (c->reply_fd >= 0 || *got || gone)
        return ARCHAI_OK;
    if (c->silent_since <= 0)
        c->silent_since = archai_clock_s();
    return archai_clock_s() - c->silent_since < dying_s
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EFORMAT, "closed its pipe and went on");
}

int archai_evaluator_client_wait(archai_evaluator_client *c, archai_message *out,
                                 double limit_s, archai_err *err)
{
    const double end = archai_clock_s() + limit_s;
    char text[512];

    for (;;) {
        struct pollfd fds[] = {
            {.fd = c->reply_fd, .events = POLLIN},
            {.fd = c->child.output_fd, .events = POLLIN},
            {.fd = c->out_used < c->out.size ? c->request_fd : -1, .events = POLLOUT},
        };
        bool got, ended;

        ARCHAI_TRY(archai_evaluator_client_poll(c, out, &got, &ended, err));
        if (got)
            return ARCHAI_OK;
        if (ended) {
            archai_child_describe(&c->child, text, sizeof text);
            return archai_fail(err, ARCHAI_ECHILD, "archai-evaluator %s", text);
        }
        if (archai_clock_s() > end)
            return archai_fail(err, ARCHAI_ETIMEOUT,
                               "archai-evaluator gave no answer in %.0f s", limit_s);
        (void)poll(fds, 3, 20); /* its end is seen by waiting for it, hence the short time */
    }
}

int archai_evaluator_client_expect(archai_evaluator_client *c, archai_message_type type,
                                   double limit_s, archai_err *err)
{
    archai_message m = {0};
    int rc = archai_evaluator_client_wait(c, &m, limit_s, err);

    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_FAILED)
        rc = archai_fail(err, m.code, "%s", m.text);
    else if (rc == ARCHAI_OK && m.type != type)
        rc = archai_fail(err, ARCHAI_EINTERNAL, "archai-evaluator answered %s, expected %s",
                         archai_message_name(m.type), archai_message_name(type));
    archai_message_fini(&m);
    return rc;
}
