/* A process for each candidate. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "runner/evaluator/command/command.h"
#include "runner/evaluator/command_text.h"

enum {
    CHUNKS = 16,      /* of output that are read in one poll */
    LAST_CHUNKS = 256 /* and after the end: more than a pipe holds */
};

static void make_environment(archai_command *e, const archai_trial *c)
{
    char text[64];

    archai_environment_init(&e->environment, e->base.setup, e->base.setup->device);
    archai_file_name_fd(text, sizeof text, e->start_fd);
    if (c->begin_at != 0)
        archai_environment_set(&e->environment, "ARCHAI_START_WEIGHTS", text);
    (void)snprintf(text, sizeof text, "%lld", (long long)c->seed);
    archai_environment_set(&e->environment, "ARCHAI_SEED", text);
    archai_format_double(c->budget, text);
    archai_environment_set(&e->environment, "ARCHAI_BUDGET", text);
    if (e->checkpoint != NULL)
        archai_environment_add(&e->environment, e->checkpoint);
}

int archai_once_begin(archai_command *e, const archai_trial *c, archai_err *err)
{
    archai_command_end_program(e);
    archai_last_line_clear(&e->out);
    ARCHAI_TRY(archai_command_prepare(e, c, err));
    ARCHAI_TRY(archai_command_request(e->space, c, NULL, &e->request, err));
    e->request_size = strlen(e->request);
    make_environment(e, c);
    return archai_command_start(e, err);
}

/* At most `chunks` at a time, so that the worker is not kept from its messages. */
static void drain(archai_command *e, int chunks)
{
    char data[16384];
    size_t n = 1;

    for (int i = 0; i < chunks && n > 0; i++) {
        n = archai_command_read(e, data, sizeof data);
        archai_last_line_take(&e->out, data, n);
    }
}

static int read_result(archai_command *e, archai_trial *r, archai_err *err)
{
    const char *line = archai_last_line_end(&e->out);

    if (e->out.too_long)
        return archai_fail(err, ARCHAI_EFORMAT, "last line of output is longer than %d bytes",
                           ARCHAI_LAST_LINE_MAX);
    if (line[0] == '\0')
        return archai_fail(
            err, ARCHAI_EFORMAT,
            "wrote nothing to standard output, expected a JSON object of measures");
    return archai_err_wrap(err, archai_command_result(line, r, err), "last line of output: ");
}

/* The program has ended by itself with status 0. */
static void finished(archai_command *e, archai_evaluator_event *out)
{
    archai_trial *r = archai_calloc(1, sizeof *r);
    archai_err why = ARCHAI_ERR_INIT;
    const int rc = archai_err_wrap(&why, read_result(e, r, &why), "command: ");

    if (rc == ARCHAI_OK) {
        archai_command_measured(e, r, out);
        return;
    }
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, rc, why.text);
    archai_trial_fini(r);
    free(r);
}

void archai_once_poll(archai_command *e, archai_evaluator_event *out)
{
    archai_command_feed(e);
    if (e->sent == e->request_size) /* a program need not read its input: then its end of the pipe closes early */
        archai_fd_close(&e->child.stdin_fd);
    drain(e, CHUNKS);
    if (!archai_child_poll(&e->child))
        return;
    drain(e, LAST_CHUNKS);
    if (!archai_command_ended(e, out))
        finished(e, out);
    archai_command_end_program(e);
}
