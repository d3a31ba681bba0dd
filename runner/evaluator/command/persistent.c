/* One process for many candidates. Each is a line of JSON on its standard input, progress and result are lines on
 * its standard output (said.h). It is started when there is no process that has done well so far; one that crashes,
 * says what nobody understands, or is given up costs the candidate that it was at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/evaluator/command/command.h"
#include "runner/evaluator/command/said.h"
#include "runner/evaluator/command_text.h"

enum {
    CHUNKS = 16,       /* of output that are read in one poll */
    LINES_A_POLL = 256 /* about another candidate: the worker is not kept from its messages */
};

/* -- a candidate goes in ------------------------------------------------------------------- */

/* What once.c puts into the environment. */
static json_t *places(const archai_command *e, const archai_trial *c)
{
    json_t *more = json_object();
    char path[64];

    archai_file_name_fd(path, sizeof path, e->weights_fd);
    (void)json_object_set_new(more, "weights", json_string(path));
    archai_file_name_fd(path, sizeof path, e->start_fd);
    if (c->begin_at != 0)
        (void)json_object_set_new(more, "start_weights", json_string(path));
    if (e->checkpoint != NULL) /* NAME=path; a path that is no UTF-8 is left out */
        (void)json_object_set_new(more, "checkpoint", json_string(strchr(e->checkpoint, '=') + 1));
    return more;
}

static bool is_running(archai_command *e)
{
    return e->child.guard != 0 && !archai_child_poll(&e->child) && e->child.stdin_fd >= 0;
}

static int start(archai_command *e, archai_err *err)
{
    archai_spoken_clear(&e->lines);
    e->answers = 0;
    archai_environment_init(&e->environment, e->base.setup, e->base.setup->device);
    return archai_command_start(e, err);
}

/* What was said before a candidate is sent is not about it. */
static void forget_earlier(archai_command *e)
{
    char data[16384];

    for (int i = 0; i < CHUNKS && archai_command_read(e, data, sizeof data) > 0; i++)
        continue;
    archai_spoken_clear(&e->lines);
}

int archai_persistent_begin(archai_command *e, const archai_trial *c, archai_err *err)
{
    json_t *more;
    int rc;

    if (!is_running(e))
        archai_command_end_program(e);
    else
        forget_earlier(e);
    free(e->request);
    e->request = NULL;
    ARCHAI_TRY(archai_command_prepare(e, c, err));
    more = places(e, c);
    rc = archai_command_request(e->space, c, more, &e->request, err);
    json_decref(more);
    ARCHAI_TRY(rc);
    e->request_size = strlen(e->request);
    e->id = c->id;
    e->stopped = e->heard = false;
    e->at = e->epochs = NAN;
    e->child.tail_n = 0; /* its last words are about this candidate */
    return e->child.guard != 0 ? ARCHAI_OK : start(e, err);
}

void archai_persistent_stop(archai_command *e)
{
    const char *before = e->request != NULL ? e->request : "";
    char *both;

    if (!e->busy)
        return;
    both = archai_printf("%s{\"stop\": %lld}\n", before, (long long)e->id);
    free(e->request);
    e->request = both;
    e->request_size = strlen(both);
    e->stopped = true;
}

/* -- what comes out ------------------------------------------------------------------------ */

/* The candidate fails, and the process cannot be trusted with another. */
static void give_up(archai_command *e, int code, const char *why, archai_evaluator_event *out)
{
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, code, why);
    archai_command_end_program(e);
}

static void on_progress(archai_command *e, archai_said *s, archai_evaluator_event *out)
{
    e->at = s->is_epoch ? s->at : NAN; /* steps are no part of `epochs` */
    e->epochs = isnan(s->epochs) ? e->epochs : s->epochs;
    out->kind = ARCHAI_EVALUATOR_PROGRESS;
    out->at = s->at;
    out->by_epoch = s->is_epoch;
    out->epoch = isfinite(s->at) ? (int)fmin(fmax(s->at, 0), 1e9) : 0;
    out->epochs = isfinite(s->epochs) ? (int)fmin(fmax(s->epochs, 0), 1e9) : 0;
    out->result = s->measured;
    s->measured = NULL;
}

/* False: the line says nothing about the candidate. */
static bool on_line(archai_command *e, const char *line, archai_evaluator_event *out)
{
    archai_said said = {.measured = NULL};
    archai_err why = ARCHAI_ERR_INIT;
    char text[1200];
    const int rc = archai_said_read(line, e->id, &said, &why);

    if (rc != ARCHAI_OK) {
        (void)snprintf(text, sizeof text, "command: %.300s; it wrote '%.120s%s', expected lines of JSON "
                       "on standard output (other words go to standard error)",
                       why.text, line, strlen(line) > 120 ? "..." : "");
        give_up(e, rc, text, out);
        return true;
    }
    if (said.kind == ARCHAI_SAID_PROGRESS) {
        on_progress(e, &said, out);
    } else if (said.kind == ARCHAI_SAID_RESULT) {
        (void)archai_child_poll(&e->child); /* what it said on standard error belongs to this candidate */
        if (e->stopped && !(e->at >= e->epochs)) /* false where it has come to the end nevertheless */
            said.measured->status = ARCHAI_STATUS_PRUNED;
        archai_command_measured(e, said.measured, out);
        said.measured = NULL;
        e->busy = false;
        e->answers++;
    } else if (said.kind == ARCHAI_SAID_ERROR) {
        (void)archai_child_poll(&e->child);
        (void)snprintf(text, sizeof text, "command: %.900s", said.error);
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, ARCHAI_ECHILD, text);
        e->busy = false;
        e->answers++;
    }
    archai_said_fini(&said);
    return out->kind != ARCHAI_EVALUATOR_NOTHING;
}

/* The next line about the candidate, out of what was read. `more`: there are lines that wait for the next poll. */
static bool take_lines(archai_command *e, archai_evaluator_event *out, bool *more)
{
    const char *line = "";
    int i;

    for (i = 0; i < LINES_A_POLL && (line = archai_spoken_next(&e->lines)) != NULL; i++)
        if (e->busy && on_line(e, line, out))
            return true;
    *more = line != NULL;
    if (!archai_spoken_too_long(&e->lines))
        return false;
    if (!e->busy) {
        archai_spoken_clear(&e->lines);
    } else {
        give_up(e, ARCHAI_EFORMAT, "command: a line of output is longer than 1 MiB", out);
        return true;
    }
    return false;
}

/* Reads no further than to the next event: a program that talks faster than is listened waits on its pipe. */
static bool listen(archai_command *e, archai_evaluator_event *out)
{
    char data[16384];

    for (int i = 0; i < CHUNKS; i++) {
        bool more = false;
        size_t n;

        if (take_lines(e, out, &more))
            return true;
        if (more)
            return false;
        n = archai_command_read(e, data, sizeof data);
        if (n == 0)
            return false;
        e->heard = e->heard || n > 0;
        archai_spoken_add(&e->lines, data, n);
    }
    return false;
}

/* Did the process end before it read all of the request? */
static bool is_unread(const archai_command *e)
{
    int left = 0;

    return e->sent < e->request_size || e->child.stdin_fd < 0 ||
           (ioctl(e->child.stdin_fd, FIONREAD, &left) == 0 && left > 0);
}

/* One that ended after an earlier candidate, when this one was on its way already: the next process gets it. */
static bool begin_again(archai_command *e, archai_evaluator_event *out)
{
    char *request = e->request;
    archai_err why = ARCHAI_ERR_INIT;

    if (e->answers == 0 || e->heard)
        return false;
    e->request = NULL;
    archai_command_end_program(e);
    e->request = request;
    e->sent = 0;
    if (start(e, &why) != ARCHAI_OK) {
        give_up(e, why.code, why.text, out);
        return true;
    }
    e->child.log = e->base.log;
    e->busy = true;
    return true;
}

static void ended(archai_command *e, archai_evaluator_event *out)
{
    const char *line;
    char how[512], text[700];

    if (listen(e, out) || !archai_child_poll(&e->child))
        return;
    line = archai_spoken_rest(&e->lines);
    if (line != NULL && on_line(e, line, out))
        return;
    if (is_unread(e) && begin_again(e, out))
        return;
    if (!archai_command_ended(e, out)) {
        if (begin_again(e, out))
            return;
        archai_child_describe(&e->child, how, sizeof how);
        (void)snprintf(text, sizeof text, "command %s before it gave a \"result\"", how);
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, ARCHAI_ECHILD, text);
    }
    archai_command_end_program(e);
}

void archai_persistent_poll(archai_command *e, archai_evaluator_event *out)
{
    const bool over = e->child.guard == 0 || archai_child_poll(&e->child);

    if (!e->busy) { /* it may end between candidates, and what it says then is about none */
        (void)listen(e, out);
        return;
    }
    archai_command_feed(e);
    if (over)
        ended(e, out);
    else
        (void)listen(e, out);
}
