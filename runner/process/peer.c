#include "runner/process/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runner/process/clock.h"

enum { POLL_MS = 20 };
/* A process that ends closes its pipe a moment earlier. One that is still there after so long without its
 * pipe is useless. */
static const double dying_s = 10;

/* -- start and end ------------------------------------------------------------------------- */

static int open_pipes(int *child_reads, int *child_writes, archai_peer *p)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *child_reads = fds[0];
    p->request_fd = fds[1];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    p->reply_fd = fds[0];
    *child_writes = fds[1];
    if (fcntl(p->request_fd, F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return fcntl(p->reply_fd, F_SETFL, O_NONBLOCK);
}

int archai_peer_start(archai_peer *p, const archai_child_spec *spec, archai_err *err)
{
    archai_child_spec with_pipes = *spec;
    int child_reads = -1, child_writes = -1;
    int rc;

    *p = (archai_peer)ARCHAI_PEER_INIT;
    if (spec->n_fds + 2 > ARCHAI_CHILD_FDS)
        return archai_fail(err, ARCHAI_EINTERNAL, "%zu descriptors for a child", spec->n_fds);
    if (open_pipes(&child_reads, &child_writes, p) != 0) {
        rc = archai_fail(err, ARCHAI_ECHILD, "pipes for %s: %s", spec->argv[0], strerror(errno));
    } else {
        with_pipes.n_fds = spec->n_fds + 2;
        with_pipes.fds[0] = child_reads;
        with_pipes.fds[1] = child_writes;
        memcpy(with_pipes.fds + 2, spec->fds, spec->n_fds * sizeof spec->fds[0]);
        rc = archai_child_start(&p->child, &with_pipes, err);
    }
    archai_fd_close(&child_reads);
    archai_fd_close(&child_writes);
    if (rc != ARCHAI_OK)
        archai_peer_close(p);
    return rc;
}

void archai_peer_close(archai_peer *p)
{
    archai_child_close(&p->child);
    archai_fd_close(&p->request_fd);
    archai_fd_close(&p->reply_fd);
    archai_inbox_clear(&p->in);
    archai_buffer_free(&p->out);
    p->out_used = 0;
    p->silent_since = 0;
}

/* -- to the child -------------------------------------------------------------------------- */

/* Writes what the pipe takes. A broken pipe is not an error here: poll sees how the process ended. */
static void flush(archai_peer *p)
{
    size_t n = 1;

    while (n > 0 && p->out_used < p->out.size) {
        n = archai_fd_write(&p->request_fd, p->out.data + p->out_used, p->out.size - p->out_used);
        p->out_used += n;
    }
    if (p->out_used == p->out.size)
        p->out.size = p->out_used = 0;
}

int archai_peer_send(archai_peer *p, const archai_message *m, archai_err *err)
{
    ARCHAI_TRY(archai_frame_append(m, &p->out, err));
    flush(p);
    return ARCHAI_OK;
}

/* -- from the child ------------------------------------------------------------------------ */

static int take(archai_peer *p, archai_message *out, bool *got, archai_err *err)
{
    return archai_err_wrap(err, archai_inbox_take(&p->in, out, got, err), "sent a bad message: ");
}

/* False: nothing came. */
static bool receive(archai_peer *p)
{
    const ssize_t n = p->reply_fd >= 0 ? archai_inbox_read(&p->in, p->reply_fd) : -1;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        archai_fd_close(&p->reply_fd);
    return n > 0;
}

int archai_peer_poll(archai_peer *p, archai_message *out, bool *got, archai_err *err)
{
    char how[512];
    bool gone;

    flush(p);
    ARCHAI_TRY(take(p, out, got, err));
    if (*got)
        return ARCHAI_OK;
    /* The process first: when it is gone, everything that it wrote is in the pipe. */
    gone = archai_child_poll(&p->child);
    while (!*got && receive(p))
        ARCHAI_TRY(take(p, out, got, err));
    if (*got || (p->reply_fd >= 0 && !gone))
        return ARCHAI_OK;
    if (gone) {
        archai_child_describe(&p->child, how, sizeof how);
        return archai_fail(err, ARCHAI_ECHILD, "%s", how);
    }
    if (p->silent_since <= 0)
        p->silent_since = archai_clock_s();
    return archai_clock_s() - p->silent_since < dying_s
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EFORMAT, "closed its pipe but did not end");
}

int archai_peer_wait(archai_peer *p, archai_message *out, double limit_s, archai_err *err)
{
    const double end = archai_clock_s() + limit_s;

    for (;;) {
        struct pollfd fds[3];
        bool got;

        ARCHAI_TRY(archai_peer_poll(p, out, &got, err));
        if (got)
            return ARCHAI_OK;
        if (archai_clock_s() > end)
            return archai_fail(err, ARCHAI_ETIMEOUT, "gave no answer in %.0f s", limit_s);
        /* A short time: no descriptor tells of every end, and its output must not fill its pipe. */
        (void)poll(fds, (nfds_t)archai_peer_wake(p, fds, 3), POLL_MS);
    }
}

size_t archai_peer_wake(const archai_peer *p, struct pollfd *out, size_t max)
{
    const struct pollfd fds[] = {
        {.fd = p->reply_fd, .events = POLLIN},
        {.fd = p->child.report_fd, .events = POLLIN},
        {.fd = p->out_used < p->out.size ? p->request_fd : -1, .events = POLLOUT},
    };

    return archai_fd_wake(fds, sizeof fds / sizeof fds[0], out, max);
}

int archai_peer_failure(const archai_message *m, archai_err *err)
{
    return archai_fail(err, m->code > ARCHAI_OK && m->code < ARCHAI_RC_COUNT ? m->code : ARCHAI_ECHILD,
                       "%s", m->text);
}
