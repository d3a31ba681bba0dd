#include "runner/indexer/index_client.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/process/clock.h"

enum { PAUSE_FACTOR = 20 };
static const double min_pause_s = 1;

void archai_index_client_init(archai_index_client *c, const archai_index_run *run)
{
    *c = (archai_index_client)ARCHAI_INDEX_CLIENT_INIT;
    c->run = run;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* The helper is gone, or to be: forget what was under way. */
static void stop(archai_index_client *c)
{
    archai_child_close(&c->child);
    close_fd(&c->request_fd);
    close_fd(&c->reply_fd);
    archai_buffer_free(&c->in);
    archai_buffer_free(&c->out);
    c->out_used = 0;
    c->unanswered = 0;
    c->asked[0] = '\0';
}

void archai_index_client_close(archai_index_client *c)
{
    stop(c);
}

/* -- requests ------------------------------------------------------------------------------ */

static int queue_line(archai_index_client *c, char *line)
{
    const size_t n = strlen(line);

    archai_buffer_reserve(&c->out, n);
    memcpy(c->out.data + c->out.size, line, n);
    c->out.size += n;
    c->unanswered++;
    free(line);
    return ARCHAI_OK;
}

static void flush_lines(archai_index_client *c)
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

static int start(archai_index_client *c, archai_err *err)
{
    char program[PATH_MAX];
    char *argv[] = {program, NULL};
    archai_child_spec spec = {.argv = argv, .n_fds = 2, .fds = {-1, -1}};
    int requests[2] = {-1, -1}, replies[2] = {-1, -1};
    char *line = NULL;
    int rc;

    ARCHAI_TRY(archai_program_path("archai-indexer", program, sizeof program, err));
    if (pipe2(requests, O_CLOEXEC) != 0 || pipe2(replies, O_CLOEXEC) != 0 ||
        fcntl(requests[1], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(replies[0], F_SETFL, O_NONBLOCK) != 0) {
        rc = archai_fail(err, ARCHAI_ECHILD, "pipes for archai-indexer: %s", strerror(errno));
        goto out;
    }
    spec.fds[0] = requests[0];
    spec.fds[1] = replies[1];
    ARCHAI_TRY_GOTO(rc, archai_child_start(&c->child, &spec, err), out);
    c->request_fd = requests[1];
    c->reply_fd = replies[0];
    requests[1] = replies[0] = -1;
    ARCHAI_TRY_GOTO(rc, archai_index_open_format(c->run, &line, err), out);
    rc = queue_line(c, line);
out:
    close_fd(&requests[0]);
    close_fd(&requests[1]);
    close_fd(&replies[0]);
    close_fd(&replies[1]);
    return rc;
}

bool archai_index_client_is_free(const archai_index_client *c, double now, bool hurry)
{
    return c->reply_fd >= 0 && c->asked[0] == '\0' && (hurry || now >= c->next_s);
}

int archai_index_client_refresh(archai_index_client *c, const char *state, int64_t rejected,
                                archai_err *err)
{
    char *line = NULL;

    ARCHAI_TRY(archai_index_refresh_format(state, rejected, &line, err));
    ARCHAI_TRY(queue_line(c, line));
    (void)snprintf(c->asked, sizeof c->asked, "%s", state);
    flush_lines(c);
    return ARCHAI_OK;
}

/* -- answers ------------------------------------------------------------------------------- */

static void note_failure(archai_index_client *c, const archai_err *error)
{
    c->error = *error;
    c->failures++;
    c->next_s = archai_clock_s() + min_pause_s;
    c->asked[0] = '\0';
}

static int on_line(archai_index_client *c, const char *line, size_t size, archai_err *err)
{
    archai_index_reply reply = {0};
    double pause;

    ARCHAI_TRY(archai_index_reply_parse(line, size, &reply, err));
    c->unanswered--;
    if (reply.error.code != ARCHAI_OK) {
        note_failure(c, &reply.error);
        return ARCHAI_OK;
    }
    c->rows = reply.rows;
    c->failures = 0;
    pause = PAUSE_FACTOR * reply.seconds;
    if (c->asked[0] == '\0' || c->unanswered > 0) /* the answer to the opening line */
        return ARCHAI_OK;
    c->next_s = archai_clock_s() + (pause > min_pause_s ? pause : min_pause_s);
    c->refreshes++;
    memcpy(c->published, c->asked, sizeof c->published);
    c->asked[0] = '\0';
    return ARCHAI_OK;
}

static int read_lines(archai_index_client *c, bool *busy, archai_err *err)
{
    enum { CHUNK = 4096, LINE_MAX_BYTES = 1 << 20 };
    size_t used = 0;
    int rc = ARCHAI_OK;

    for (ssize_t n = 1; c->reply_fd >= 0 && n > 0;) {
        archai_buffer_reserve(&c->in, CHUNK);
        n = read(c->reply_fd, c->in.data + c->in.size, CHUNK);
        c->in.size += n > 0 ? (size_t)n : 0;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            archai_child_kill(&c->child); /* if it has not ended: it can answer no more */
        if (c->in.size > LINE_MAX_BYTES)
            return archai_fail(err, ARCHAI_EFORMAT, "archai-indexer: an endless line");
    }
    while (rc == ARCHAI_OK && used < c->in.size) {
        const char *begin = c->in.data + used;
        const char *end = memchr(begin, '\n', c->in.size - used);

        if (end == NULL)
            break;
        *busy = true;
        rc = on_line(c, begin, (size_t)(end - begin), err);
        used += (size_t)(end - begin) + 1;
    }
    c->in.size -= used;
    if (used > 0 && c->in.size > 0)
        memmove(c->in.data, c->in.data + used, c->in.size);
    return rc;
}

int archai_index_client_step(archai_index_client *c, bool *busy, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool ended = false;
    char how[512];
    int rc;

    if (c->reply_fd < 0) {
        if (archai_clock_s() < c->next_s)
            return ARCHAI_OK;
        rc = start(c, &why);
    } else {
        flush_lines(c);
        ARCHAI_TRY(archai_child_poll(&c->child, &ended, err));
        rc = read_lines(c, busy, &why);
        if (rc == ARCHAI_OK && ended) {
            archai_child_describe(&c->child, how, sizeof how);
            rc = archai_fail(&why, ARCHAI_ECHILD, "archai-indexer %s", how);
        }
    }
    if (rc != ARCHAI_OK) {
        stop(c);
        note_failure(c, &why);
        *busy = true;
    }
    return ARCHAI_OK;
}

size_t archai_index_client_wake(const archai_index_client *c, struct pollfd *out, size_t max)
{
    if (c->reply_fd < 0 || max == 0)
        return 0;
    out[0] = (struct pollfd){.fd = c->reply_fd, .events = POLLIN};
    return 1;
}
