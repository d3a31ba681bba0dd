/* Candidates evaluated by the user's program, in any language, started once per candidate and without a
 * shell; runner/evaluator/command_text.h says what it reads and writes. Its standard error is kept for
 * `error`. In its environment, beside the number of threads (OMP_NUM_THREADS):
 *
 *   ARCHAI_WEIGHTS        a file into which it may write weights as safetensors (a memfd of this process, so
 *                         that nothing is left behind whatever happens)
 *   ARCHAI_START_WEIGHTS  a file with weights to begin from, where there are any
 *   ARCHAI_DEVICE         cpu or cuda
 *   ARCHAI_SEED, ARCHAI_BUDGET
 *   ARCHAI_CHECKPOINT     with train.checkpoint = epoch: a path that it may write to, and finds again on its
 *                         next attempt (io/file/checkpoint.h)
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/checkpoint.h"
#include "io/file/file.h"
#include "runner/evaluator/command_text.h"
#include "runner/evaluator/environment.h"
#include "runner/evaluator/evaluator.h"
#include "runner/evaluator/last_line.h"
#include "runner/evaluator/weights.h"
#include "runner/process/child.h"

enum {
    CHUNKS = 16,      /* of output that are read in one poll */
    LAST_CHUNKS = 256 /* and after the end: more than a pipe holds */
};

typedef struct command_settings {
    char *command;
} command_settings;

/* clang-format off */
static const archai_option command_options[] = {
    {"command", ARCHAI_OPT_STRING, offsetof(command_settings, command), 0, 0, "", "", NULL, "program and arguments, split at blanks outside \"...\"; no shell"},
    ARCHAI_OPTION_END,
};
/* clang-format on */
static const char *const measuring_keys[] = {"command", NULL};

typedef struct command_evaluator {
    archai_evaluator base;
    char **argv;         /* owned; argv[0] is the program's path */
    archai_space *space; /* owned; knows a candidate's parameters */
    archai_child child;
    bool is_opening, busy; /* READY is still to be said; a program is running */
    char unusable[256]; /* why the program cannot be started here; "": it can, as far as is known */
    char *request;      /* owned; for standard input */
    size_t sent, request_size;
    archai_last_line out; /* of its standard output */
    int weights_fd, start_fd; /* memfds */
    archai_environment environment;
    char *checkpoint; /* owned; ARCHAI_CHECKPOINT=path, or NULL */
} command_evaluator;

/* -- set-up -------------------------------------------------------------------------------- */

static int read_command(const command_settings *s, char ***out, archai_err *err)
{
    char **argv = NULL, *path = NULL;
    int rc = archai_command_split(s->command, &argv, err);

    if (rc == ARCHAI_OK)
        rc = archai_command_find(argv[0], &path, err);
    if (rc != ARCHAI_OK) {
        archai_command_free(argv);
        return rc;
    }
    free(argv[0]);
    argv[0] = path;
    *out = argv;
    return ARCHAI_OK;
}

static void command_check(const void *settings, archai_check *c)
{
    const command_settings *s = settings;
    archai_err why = ARCHAI_ERR_INIT;
    char **argv = NULL;

    archai_check_given(c, "command", s->command, "kind",
                       "missing, kind = command needs a program and its arguments");
    if (s->command[0] != '\0' && read_command(s, &argv, &why) != ARCHAI_OK)
        archai_check_fail(c, "command", NULL, "%s", why.text);
    archai_command_free(argv);
}

static int command_init(archai_evaluator *self, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;
    archai_err why = ARCHAI_ERR_INIT;

    e->child = (archai_child)ARCHAI_CHILD_INIT;
    e->weights_fd = memfd_create("archai-weights", MFD_CLOEXEC);
    e->start_fd = memfd_create("archai-start-weights", MFD_CLOEXEC);
    if (e->weights_fd < 0 || e->start_fd < 0)
        return archai_fail(err, ARCHAI_EIO, "memfd_create: %s", strerror(errno));
    archai_last_line_init(&e->out);
    /* A node on which the program is missing says so when it is opened, not here. */
    if (read_command(self->setup->settings, &e->argv, &why) != ARCHAI_OK)
        (void)snprintf(e->unusable, sizeof e->unusable, "evaluator.command: %.230s", why.text);
    return archai_evaluator_space(self, &e->space, err);
}

static void end_program(command_evaluator *e)
{
    archai_child_close(&e->child);
    e->child = (archai_child)ARCHAI_CHILD_INIT;
    free(e->request);
    e->request = NULL;
    e->busy = false;
}

static void command_fini(archai_evaluator *self)
{
    command_evaluator *e = (command_evaluator *)self;

    archai_command_free(e->argv);
    archai_space_destroy(e->space);
    free(e->checkpoint);
    archai_last_line_fini(&e->out);
    archai_fd_close(&e->weights_fd);
    archai_fd_close(&e->start_fd);
}

static int command_open(archai_evaluator *self, archai_err *err)
{
    (void)err;
    ((command_evaluator *)self)->is_opening = true;
    return ARCHAI_OK;
}

static void command_close(archai_evaluator *self)
{
    command_evaluator *e = (command_evaluator *)self;

    end_program(e);
    e->is_opening = false;
}

/* -- one candidate ------------------------------------------------------------------------- */

static void make_environment(command_evaluator *e, const archai_trial *c)
{
    const char *device = e->base.setup->device;
    char text[64];

    archai_environment_init(&e->environment, e->base.setup, device);
    archai_file_name_fd(text, sizeof text, e->weights_fd);
    archai_environment_set(&e->environment, "ARCHAI_WEIGHTS", text);
    archai_file_name_fd(text, sizeof text, e->start_fd);
    if (c->begin_at != 0)
        archai_environment_set(&e->environment, "ARCHAI_START_WEIGHTS", text);
    archai_environment_set(&e->environment, "ARCHAI_DEVICE", device);
    (void)snprintf(text, sizeof text, "%lld", (long long)c->seed);
    archai_environment_set(&e->environment, "ARCHAI_SEED", text);
    archai_format_double(c->budget, text);
    archai_environment_set(&e->environment, "ARCHAI_BUDGET", text);
    if (e->checkpoint != NULL)
        archai_environment_add(&e->environment, e->checkpoint);
}

/* A directory that cannot be written to costs only the checkpoint: writing rows will report it. */
static void offer_checkpoint(command_evaluator *e, const archai_trial *c)
{
    const archai_config *config = e->base.setup->config;
    char *path = NULL;

    free(e->checkpoint);
    e->checkpoint = NULL;
    if (config->train.checkpoint != ARCHAI_CHECKPOINT_NONE &&
        archai_checkpoint_mark(config->output.directory, c, &path, NULL) == ARCHAI_OK)
        e->checkpoint = archai_printf("ARCHAI_CHECKPOINT=%s", path);
    free(path);
}

static int command_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;
    const archai_child_spec spec = {
        .argv = e->argv,
        .env = e->environment.at,
        .want_stdin = true,
        .want_stdout = true,
        .memory_limit = self->setup->config->evaluator.memory_limit,
    };

    end_program(e);
    archai_last_line_clear(&e->out);
    if (ftruncate(e->weights_fd, 0) != 0 ||
        (c->begin_at == 0 && ftruncate(e->start_fd, 0) != 0))
        return archai_fail(err, ARCHAI_EIO, "weights: %s", strerror(errno));
    ARCHAI_TRY(archai_command_request(e->space, c, &e->request, err));
    e->request_size = strlen(e->request);
    e->sent = 0;
    offer_checkpoint(e, c);
    make_environment(e, c);
    ARCHAI_TRY(archai_child_start(&e->child, &spec, err));
    e->child.log = self->log;
    e->busy = true;
    return ARCHAI_OK;
}

static int command_start_fd(archai_evaluator *self)
{
    return ((command_evaluator *)self)->start_fd;
}

/* A program need not read its input: then its end of the pipe closes early. */
static void feed(command_evaluator *e)
{
    size_t n = 1;

    while (n > 0 && e->sent < e->request_size) {
        n = archai_fd_write(&e->child.stdin_fd, e->request + e->sent, e->request_size - e->sent);
        e->sent += n;
    }
    if (e->sent == e->request_size)
        archai_fd_close(&e->child.stdin_fd);
}

/* At most `chunks` at a time, so that the worker is not kept from its messages. */
static void drain(command_evaluator *e, int chunks)
{
    char data[16384];
    size_t n = 1;

    for (int i = 0; i < chunks && n > 0; i++) {
        n = archai_fd_read(&e->child.stdout_fd, data, sizeof data);
        if (e->base.log != NULL)
            archai_output_log_add(e->base.log, data, n);
        archai_last_line_take(&e->out, data, n);
    }
}

/* -- its end ------------------------------------------------------------------------------- */

/* Weights that cannot be kept do not cost the measures: `error` says what was left out. */
static int offer_weights(const command_evaluator *e, archai_trial *r, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    char *before = r->error;
    const int rc = archai_weights_offer(e->weights_fd, r, &why);

    if (rc != ARCHAI_ENOTSUP) {
        if (rc != ARCHAI_OK && err != NULL)
            *err = why;
        return rc;
    }
    r->error = archai_printf("%s%sthe weights are not kept: %s", before != NULL ? before : "",
                             before != NULL ? "; " : "", why.text);
    free(before);
    return ARCHAI_OK;
}

static int read_result(command_evaluator *e, archai_trial *r, archai_err *err)
{
    const char *line = archai_last_line_end(&e->out);

    if (e->out.too_long)
        return archai_fail(err, ARCHAI_EFORMAT, "last line of output is longer than %d bytes",
                           ARCHAI_LAST_LINE_MAX);
    if (line[0] == '\0')
        return archai_fail(
            err, ARCHAI_EFORMAT,
            "wrote nothing to standard output, expected a JSON object of measures");
    ARCHAI_TRY(archai_weights_check(e->weights_fd, e->base.setup->config, err));
    ARCHAI_TRY(archai_err_wrap(err, archai_command_result(line, r, err), "last line of output: "));
    return archai_err_wrap(err, offer_weights(e, r, err), "weights: ");
}

/* The program has ended by itself with status 0. */
static void measured(command_evaluator *e, archai_evaluator_event *out)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    out->kind = ARCHAI_EVALUATOR_MEASURED;
    out->result = archai_calloc(1, sizeof *out->result);
    rc = archai_err_wrap(&why, read_result(e, out->result, &why), "command: ");
    if (rc == ARCHAI_OK)
        return;
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, rc, why.text);
    archai_evaluator_event_fini(out);
}

static void ended(command_evaluator *e, archai_evaluator_event *out)
{
    const archai_child *c = &e->child;
    char how[512], text[600];

    drain(e, LAST_CHUNKS);
    archai_child_describe(c, how, sizeof how);
    (void)snprintf(text, sizeof text, "command %s", how);
    if (!c->started && c->exec_errno != 0) {
        (void)snprintf(e->unusable, sizeof e->unusable, "%.100s: %.140s", e->argv[0], how);
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOT_STARTED, ARCHAI_ECHILD, e->unusable);
    } else if (WIFSIGNALED(c->status)) {
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_GONE, ARCHAI_ECHILD, how);
        out->signal = WTERMSIG(c->status);
    } else if (WEXITSTATUS(c->status) != 0) {
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, ARCHAI_ECHILD, text);
    } else {
        measured(e, out);
    }
    end_program(e);
}

static int command_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;
    archai_err why = ARCHAI_ERR_INIT;

    (void)err;
    if (e->is_opening) {
        e->is_opening = false;
        if (e->unusable[0] != '\0')
            archai_evaluator_event_set(out, ARCHAI_EVALUATOR_NOT_STARTED, ARCHAI_ECHILD, e->unusable);
        else
            archai_evaluator_event_set(out, ARCHAI_EVALUATOR_READY, ARCHAI_OK, self->setup->device);
        return ARCHAI_OK;
    }
    if (!e->busy)
        return ARCHAI_OK;
    feed(e);
    drain(e, CHUNKS);
    if (archai_child_poll(&e->child)) {
        ended(e, out);
    } else if (archai_weights_check(e->weights_fd, self->setup->config, &why) != ARCHAI_OK) {
        /* Not only at its end: the file lies in memory, which this process shares. */
        (void)archai_err_wrap(&why, why.code, "command: ");
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, why.code, why.text);
        end_program(e);
        (void)ftruncate(e->weights_fd, 0);
    }
    return ARCHAI_OK;
}

static int command_weights_fd(archai_evaluator *self)
{
    return ((command_evaluator *)self)->weights_fd;
}

static size_t command_wake(archai_evaluator *self, struct pollfd *out, size_t max)
{
    const command_evaluator *e = (const command_evaluator *)self;
    const struct pollfd fds[] = {
        {.fd = e->child.stdout_fd, .events = POLLIN},
        {.fd = e->child.report_fd, .events = POLLIN},
        {.fd = e->child.stdin_fd, .events = POLLOUT},
    };

    return e->busy ? archai_fd_wake(fds, sizeof fds / sizeof fds[0], out, max) : 0;
}

const archai_evaluator_ops archai_evaluator_command = {
    .name = "command",
    .help = "measures with your own program, started once per candidate",
    .options = command_options,
    .settings_size = sizeof(command_settings),
    .measuring_keys = measuring_keys,
    .size = sizeof(command_evaluator),
    .checkpoints = true,
    .check = command_check,
    .init = command_init,
    .fini = command_fini,
    .open = command_open,
    .begin = command_begin,
    .start_fd = command_start_fd,
    .poll = command_poll,
    .close = command_close,
    .weights_fd = command_weights_fd,
    .wake = command_wake,
};
