#include "runner/indexer/earlier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/process/limit.h"
#include "runner/rank/signals.h"

enum { CHUNK = 64 * 1024, POLL_MS = 200, END_MS = 5 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void archai_earlier_close(archai_earlier *e)
{
    archai_child_close(&e->child);
    close_fd(&e->fd);
    archai_buffer_free(&e->in);
    archai_message_fini(&e->head);
    free(e->reading);
    *e = (archai_earlier)ARCHAI_EARLIER_INIT;
}

/* Without results.h5 a search goes on from its segments, and without a segment from what
 * results.h5 has: if that is what is damaged, say so. */
static int damaged(const archai_earlier *e, const char *what, archai_err *err)
{
    const char *slash = e->reading != NULL ? strrchr(e->reading, '/') : NULL;
    const char *hint = "";

    if (slash != NULL && strncmp(what, e->reading, strlen(e->reading)) == 0)
        hint = strcmp(slash, "/results.h5") == 0
                   ? "; once it is moved away, --resume makes a new one from the segments"
                   : "; once it is moved away, --resume goes on with the rows that results.h5 "
                     "has of it, "
                     "without weights";
    return archai_fail(err, ARCHAI_EFORMAT, "%s%s", what, hint);
}

/* The reader has closed its end without a last word. */
static int on_end(archai_earlier *e, archai_err *err)
{
    char how[1024];
    bool ended = false;

    for (;;) {
        ARCHAI_TRY(archai_child_poll(&e->child, &ended, err));
        if (ended)
            break;
        (void)poll(NULL, 0, END_MS);
    }
    if (e->child.started && archai_limit_crash(e->child.status) != NULL && e->reading != NULL) {
        (void)snprintf(how, sizeof how, "%s: damaged: HDF5 %s while it read the file",
                       e->reading, archai_limit_crash(e->child.status));
        return damaged(e, how, err);
    }
    archai_child_describe(&e->child, how, sizeof how);
    return archai_fail(err, ARCHAI_ECHILD, "archai-indexer, which reads earlier rows, %s", how);
}

/* Wait for more bytes. *end: there are none. */
static int receive(archai_earlier *e, bool *end, archai_err *err)
{
    struct pollfd p = {.fd = e->fd, .events = POLLIN};
    bool ended;
    ssize_t n;

    *end = false;
    if (archai_signals_count() > 0) /* millions of rows take their time */
        return archai_fail(err, ARCHAI_EINTR,
                           "stopped by %s while earlier rows were read; --resume goes on",
                           archai_signals_name());
    if (e->used > 0) {
        e->in.size -= e->used;
        memmove(e->in.data, e->in.data + e->used, e->in.size);
        e->used = 0;
    }
    archai_buffer_reserve(&e->in, CHUNK);
    if (poll(&p, 1, POLL_MS) <= 0) /* its other output must not fill its pipe */
        return archai_child_poll(&e->child, &ended, err);
    n = read(e->fd, e->in.data + e->in.size, CHUNK);
    if (n > 0)
        e->in.size += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        *end = true;
    return ARCHAI_OK;
}

/* The next message but for notes. */
static int take(archai_earlier *e, archai_message *m, archai_err *err)
{
    bool got = false, end = false;

    for (;;) {
        if (e->in.size > e->used) {
            const int rc = archai_frame_take(&e->in, &e->used, m, &got, err);

            ARCHAI_TRY(archai_err_wrap(err, rc, "archai-indexer: "));
        }
        if (got && m->type != ARCHAI_MSG_NOTE)
            return ARCHAI_OK;
        if (got) {
            free(e->reading);
            e->reading = m->text;
            m->text = NULL;
            archai_message_fini(m);
            got = false;
            continue;
        }
        if (end)
            return on_end(e, err);
        ARCHAI_TRY(receive(e, &end, err));
    }
}

/* A message that is none of rows: the last word, or nonsense. */
static int last_word(const archai_earlier *e, archai_message *m, bool *is_all, archai_err *err)
{
    int rc = ARCHAI_OK;

    *is_all = m->type == ARCHAI_MSG_STOP && m->code == ARCHAI_OK;
    if (m->type != ARCHAI_MSG_STOP)
        rc = archai_fail(err, ARCHAI_EFORMAT, "archai-indexer sent a '%s'",
                         archai_message_name(m->type));
    else if (m->code == ARCHAI_EFORMAT)
        rc = damaged(e, m->text, err);
    else if (m->code != ARCHAI_OK)
        rc =
            archai_fail(err, m->code > 0 && m->code < ARCHAI_RC_COUNT ? m->code : ARCHAI_ECHILD,
                        "%s", m->text);
    archai_message_fini(m);
    return rc;
}

static int start(archai_earlier *e, const char *directory, archai_err *err)
{
    char program[PATH_MAX];
    char *argv[] = {program, (char *)"--read", (char *)(uintptr_t)directory, NULL};
    archai_child_spec spec = {.argv = argv, .n_fds = 1, .fds = {-1}};
    int rows[2], rc;

    ARCHAI_TRY(archai_program_path("archai-indexer", program, sizeof program, err));
    if (pipe2(rows, O_CLOEXEC) != 0)
        return archai_fail(err, ARCHAI_ECHILD, "a pipe for archai-indexer: %s",
                           strerror(errno));
    spec.fds[0] = rows[1];
    rc = archai_child_start(&e->child, &spec, err);
    close_fd(&rows[1]);
    e->fd = rows[0];
    return rc;
}

int archai_earlier_open(archai_earlier *e, const char *directory, archai_err *err)
{
    archai_message m = {0};
    bool is_all;
    int rc;

    *e = (archai_earlier)ARCHAI_EARLIER_INIT;
    rc = start(e, directory, err);
    if (rc == ARCHAI_OK)
        rc = take(e, &m, err);
    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_EARLIER) {
        e->head = m;
        return ARCHAI_OK;
    }
    if (rc == ARCHAI_OK)
        rc = last_word(e, &m, &is_all, err);
    if (rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EFORMAT, "archai-indexer left without a word");
    archai_earlier_close(e);
    return rc;
}

int archai_earlier_next(archai_earlier *e, archai_trial *out, bool *got, archai_err *err)
{
    archai_message m = {0};
    bool is_all;

    *got = false;
    ARCHAI_TRY(take(e, &m, err));
    if (m.type != ARCHAI_MSG_ROW)
        return last_word(e, &m, &is_all, err);
    *out = *m.evaluation;
    out->stored = m.stored;
    *m.evaluation = (archai_trial){0};
    archai_message_fini(&m);
    *got = true;
    return ARCHAI_OK;
}
