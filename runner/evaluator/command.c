/* Candidates evaluated by a program of the user's own, in any language, once per candidate and
 * without a shell; runner/evaluator/command_text.h has what it reads and writes.
 *
 * In its environment: ARCHAI_WEIGHTS, a file into which it may write weights as safetensors (a
 * memfd of this process, so that nothing is left behind whatever happens), ARCHAI_DEVICE (cpu
 * or cuda), ARCHAI_SEED and ARCHAI_BUDGET, and the number of threads that it should use; where
 * there are weights to begin from, ARCHAI_START_WEIGHTS, a file with them; with train.checkpoint =
 * epoch ARCHAI_CHECKPOINT, a path that it may write to and finds again on its next attempt
 * (io/file/checkpoint.h). Its standard error is kept for `error`.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/ini.h"
#include "core/config/option.h"
#include "io/file/checkpoint.h"
#include "runner/process/child.h"
#include "runner/evaluator/command_text.h"
#include "runner/evaluator/evaluator.h"

enum {
    VARIABLES_MAX = 11,
    VARIABLE_MAX = 256,
    LINE_MAX_BYTES = 1 << 20,
    CHUNKS = 16,      /* of output that are read in one poll */
    LAST_CHUNKS = 256 /* and after the end: more than a pipe holds */
};

/* Lines of standard output, of which the last that is not blank counts. */
typedef struct line_reader {
    char *line,
        *last; /* owned; [LINE_MAX_BYTES + 1]; the one being read, the last complete one */
    size_t n;
    bool too_long; /* the last line did not fit */
} line_reader;

typedef struct command_evaluator {
    archai_evaluator base;
    char **argv;         /* owned; argv[0] is the program's path */
    archai_space *space; /* owned; tells a candidate's parameters */
    archai_child child;
    bool is_open, told, busy;
    char unusable[256]; /* why the program cannot be started here; "" as far as is known */
    char *request;      /* owned; for standard input */
    size_t sent, request_size;
    line_reader out;
    int weights_fd, start_fd; /* memfds */
    char variables[VARIABLES_MAX][VARIABLE_MAX];
    char *checkpoint; /* owned; ARCHAI_CHECKPOINT=path, or NULL */
    const char *environment[VARIABLES_MAX + 1];
} command_evaluator;

/* -- set-up -------------------------------------------------------------------------------- */

static int read_command(const archai_config *config, char ***out, archai_err *err)
{
    char **argv = NULL, *path = NULL;
    int rc;

    if (config->evaluator.command[0] == '\0')
        return archai_fail(err, ARCHAI_EINVAL,
                           "evaluator.command: missing, kind = command runs a program");
    rc = archai_command_split(config->evaluator.command, &argv, err);
    if (rc == ARCHAI_OK)
        rc = archai_command_find(argv[0], &path, err);
    if (rc != ARCHAI_OK) {
        archai_command_free(argv);
        return archai_err_wrap(err, rc, "evaluator.command: ");
    }
    free(argv[0]);
    argv[0] = path;
    *out = argv;
    return ARCHAI_OK;
}

static int command_check(const archai_config *config, archai_err *err)
{
    char **argv = NULL;

    ARCHAI_TRY(read_command(config, &argv, err));
    archai_command_free(argv);
    return ARCHAI_OK;
}

/* A node on which the program is missing says so when it is opened, not here. */
static int take_command(command_evaluator *e, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc = read_command(e->base.setup->config, &e->argv, &why);

    if (rc == ARCHAI_ENOMEM)
        return archai_fail(err, rc, "%s", why.text);
    if (rc != ARCHAI_OK)
        (void)snprintf(e->unusable, sizeof e->unusable, "%.250s", why.text);
    return ARCHAI_OK;
}

static int command_init(archai_evaluator *self, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;

    e->child = (archai_child)ARCHAI_CHILD_INIT;
    e->weights_fd = memfd_create("archai-weights", MFD_CLOEXEC);
    e->start_fd = memfd_create("archai-start-weights", MFD_CLOEXEC);
    if (e->weights_fd < 0 || e->start_fd < 0)
        return archai_fail(err, ARCHAI_EIO, "memfd_create: %s", strerror(errno));
    e->out.line = malloc(LINE_MAX_BYTES + 1);
    e->out.last = malloc(LINE_MAX_BYTES + 1);
    if (e->out.line == NULL || e->out.last == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a program's output");
    ARCHAI_TRY(take_command(e, err));
    return archai_evaluator_space(&e->base, &e->space, err);
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
    free(e->out.line);
    free(e->out.last);
    if (e->weights_fd >= 0)
        (void)close(e->weights_fd);
    if (e->start_fd >= 0)
        (void)close(e->start_fd);
}

static int command_open(archai_evaluator *self, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;

    (void)err;
    e->is_open = true;
    e->told = false;
    return ARCHAI_OK;
}

static void command_close(archai_evaluator *self)
{
    command_evaluator *e = (command_evaluator *)self;

    end_program(e);
    e->is_open = false;
}

/* -- one candidate ------------------------------------------------------------------------- */

static void set_variable(command_evaluator *e, size_t *n, const char *name, const char *value)
{
    (void)snprintf(e->variables[*n], VARIABLE_MAX, "%s=%s", name, value);
    e->environment[*n] = e->variables[*n];
    (*n)++;
}

static void make_environment(command_evaluator *e, const archai_trial *c)
{
    const archai_evaluator_setup *setup = e->base.setup;
    char text[64];
    size_t n = 0;

    (void)snprintf(text, sizeof text, "/proc/%ld/fd/%d", (long)getpid(), e->weights_fd);
    set_variable(e, &n, "ARCHAI_WEIGHTS", text);
    (void)snprintf(text, sizeof text, "/proc/%ld/fd/%d", (long)getpid(), e->start_fd);
    if (c->begin_at != 0)
        set_variable(e, &n, "ARCHAI_START_WEIGHTS", text);
    set_variable(e, &n, "ARCHAI_DEVICE", setup->device);
    (void)snprintf(text, sizeof text, "%lld", (long long)c->seed);
    set_variable(e, &n, "ARCHAI_SEED", text);
    archai_format_double(c->budget, text);
    set_variable(e, &n, "ARCHAI_BUDGET", text);
    (void)snprintf(text, sizeof text, "%d", setup->threads);
    set_variable(e, &n, "OMP_NUM_THREADS", text);
    set_variable(e, &n, "MKL_NUM_THREADS", text);
    set_variable(e, &n, "OPENBLAS_NUM_THREADS", text);
    if (strcmp(setup->device, "cpu") == 0)
        set_variable(e, &n, "CUDA_VISIBLE_DEVICES", "");
    else if (setup->gpu != NULL)
        set_variable(e, &n, "CUDA_VISIBLE_DEVICES", setup->gpu);
    if (e->checkpoint != NULL)
        e->environment[n++] = e->checkpoint;
    e->environment[n] = NULL;
}

/* A directory that cannot be written to costs the checkpoint alone: rows will tell. */
static int offer_checkpoint(command_evaluator *e, const archai_trial *c, archai_err *err)
{
    const archai_config *config = e->base.setup->config;
    char *path = NULL;

    free(e->checkpoint);
    e->checkpoint = NULL;
    if (config->train.checkpoint == ARCHAI_CHECKPOINT_NONE ||
        archai_checkpoint_mark(config->output.directory, c, &path, NULL) != ARCHAI_OK)
        return ARCHAI_OK;
    if (asprintf(&e->checkpoint, "ARCHAI_CHECKPOINT=%s", path) < 0)
        e->checkpoint = NULL;
    free(path);
    return e->checkpoint != NULL ? ARCHAI_OK
                                 : archai_fail(err, ARCHAI_ENOMEM, "out of memory for a path");
}

static int command_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;
    const archai_child_spec spec = {
        .argv = e->argv,
        .env = e->environment,
        .want_stdin = true,
        .want_stdout = true,
        .memory_limit = self->setup->config->evaluator.memory_limit,
    };

    end_program(e);
    e->out.n = 0;
    e->out.last[0] = '\0';
    e->out.too_long = false;
    if (ftruncate(e->weights_fd, 0) != 0 ||
        (c->begin_at == 0 && ftruncate(e->start_fd, 0) != 0))
        return archai_fail(err, ARCHAI_EIO, "weights: %s", strerror(errno));
    ARCHAI_TRY(archai_command_request(e->space, c, &e->request, err));
    e->request_size = strlen(e->request);
    e->sent = 0;
    ARCHAI_TRY(offer_checkpoint(e, c, err));
    make_environment(e, c);
    ARCHAI_TRY(archai_child_start(&e->child, &spec, err));
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
    while (e->child.stdin_fd >= 0) {
        ssize_t n = e->sent < e->request_size ? write(e->child.stdin_fd, e->request + e->sent,
                                                      e->request_size - e->sent)
                                              : 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        e->sent += n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            (void)close(e->child.stdin_fd);
            e->child.stdin_fd = -1;
        }
    }
}

/* The line being read ends here: it is the last one unless it is blank. */
static void end_line(line_reader *r)
{
    char *swap = r->last;

    if (r->n > LINE_MAX_BYTES) {
        r->too_long = true;
        r->last[0] = '\0';
        r->n = 0;
        return;
    }
    r->line[r->n] = '\0';
    r->n = 0;
    if (r->line[strspn(r->line, " \t\r")] == '\0')
        return;
    r->last = r->line;
    r->line = swap;
    r->too_long = false;
}

static void take_output(line_reader *r, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n')
            end_line(r);
        else if (r->n < LINE_MAX_BYTES)
            r->line[r->n++] = data[i] != '\0' ? data[i] : ' ';
        else
            r->n = LINE_MAX_BYTES + 1;
    }
}

/* So much at a time, then the worker looks after its messages. */
static void drain(command_evaluator *e, int chunks)
{
    char data[16384];

    for (int i = 0; i < chunks && e->child.stdout_fd >= 0; i++) {
        ssize_t n = read(e->child.stdout_fd, data, sizeof data);

        if (n > 0) {
            take_output(&e->out, data, (size_t)n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            (void)close(e->child.stdout_fd);
            e->child.stdout_fd = -1;
        }
        return;
    }
}

/* -- its end ------------------------------------------------------------------------------- */

/* What the program wrote into ARCHAI_WEIGHTS, if anything. */
static int offer_weights(command_evaluator *e, archai_trial *r, archai_err *err)
{
    archai_tensors t = {0};
    struct stat s;
    int rc = ARCHAI_OK;

    if (fstat(e->weights_fd, &s) != 0 || s.st_size == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_safetensors_open_fd(&t, e->weights_fd, err));
    r->tensors = calloc(t.n + 1, sizeof *r->tensors);
    for (size_t i = 0; i < t.n && r->tensors != NULL && rc == ARCHAI_OK; i++) {
        archai_tensor_place *to = &r->tensors[r->n_tensors++];

        to->dtype = t.at[i].dtype;
        to->ndim = t.at[i].ndim;
        memcpy(to->shape, t.at[i].shape, sizeof to->shape);
        to->name = strdup(t.at[i].name);
        if (to->name == NULL)
            rc = ARCHAI_ENOMEM;
    }
    if (r->tensors == NULL || rc != ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", t.n);
    archai_tensors_close(&t);
    return rc;
}

static int read_result(command_evaluator *e, archai_trial *r, archai_err *err)
{
    if (e->out.n > 0)
        end_line(&e->out); /* a last line without a newline */
    if (e->out.too_long)
        return archai_fail(err, ARCHAI_EFORMAT, "last line of output is longer than %d bytes",
                           LINE_MAX_BYTES);
    if (e->out.last[0] == '\0')
        return archai_fail(
            err, ARCHAI_EFORMAT,
            "wrote nothing to standard output, expected a JSON object of measures");
    ARCHAI_TRY(archai_err_wrap(err, archai_command_result(e->out.last, r, err),
                               "last line of output: "));
    return archai_err_wrap(err, offer_weights(e, r, err), "weights: ");
}

static void set_event(archai_evaluator_event *out, archai_evaluator_event_kind kind, int code,
                      const char *text)
{
    out->kind = kind;
    out->code = code;
    (void)snprintf(out->text, sizeof out->text, "%s", text);
}

/* The program has ended by itself with status 0. */
static int measured(command_evaluator *e, archai_evaluator_event *out, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    out->result = calloc(1, sizeof *out->result);
    if (out->result == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
    rc = archai_err_wrap(&why, read_result(e, out->result, &why), "command: ");
    if (rc == ARCHAI_ENOMEM)
        return archai_fail(err, rc, "%s", why.text);
    if (rc == ARCHAI_OK) {
        out->kind = ARCHAI_EVALUATOR_MEASURED;
        return ARCHAI_OK;
    }
    set_event(out, ARCHAI_EVALUATOR_FAILED, rc, why.text);
    archai_evaluator_event_fini(out);
    return ARCHAI_OK;
}

static int ended(command_evaluator *e, archai_evaluator_event *out, archai_err *err)
{
    const archai_child *c = &e->child;
    char how[512], text[600];
    int rc = ARCHAI_OK;

    drain(e, LAST_CHUNKS);
    archai_child_describe(c, how, sizeof how);
    (void)snprintf(text, sizeof text, "command %s", how);
    if (!c->started && c->exec_errno != 0) {
        (void)snprintf(e->unusable, sizeof e->unusable, "%.100s: %.140s", e->argv[0], how);
        set_event(out, ARCHAI_EVALUATOR_NOT_STARTED, ARCHAI_ECHILD, e->unusable);
    } else if (WIFSIGNALED(c->status)) {
        set_event(out, ARCHAI_EVALUATOR_GONE, ARCHAI_ECHILD, how);
        out->signal = WTERMSIG(c->status);
    } else if (WEXITSTATUS(c->status) != 0) {
        set_event(out, ARCHAI_EVALUATOR_FAILED, ARCHAI_ECHILD, text);
    } else {
        rc = measured(e, out, err);
    }
    end_program(e);
    return rc;
}

static int command_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    command_evaluator *e = (command_evaluator *)self;
    bool gone;

    if (e->is_open && !e->told) {
        e->told = true;
        if (e->unusable[0] != '\0')
            set_event(out, ARCHAI_EVALUATOR_NOT_STARTED, ARCHAI_ECHILD, e->unusable);
        else
            set_event(out, ARCHAI_EVALUATOR_READY, ARCHAI_OK, self->setup->device);
        return ARCHAI_OK;
    }
    if (!e->busy)
        return ARCHAI_OK;
    feed(e);
    drain(e, CHUNKS);
    ARCHAI_TRY(archai_child_poll(&e->child, &gone, err));
    return gone ? ended(e, out, err) : ARCHAI_OK;
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
    size_t n = 0;

    for (size_t i = 0; e->busy && i < sizeof fds / sizeof fds[0] && n < max; i++)
        if (fds[i].fd >= 0)
            out[n++] = fds[i];
    return n;
}

const archai_evaluator_ops archai_evaluator_command = {
    .name = "command",
    .kind = ARCHAI_EVALUATOR_COMMAND,
    .help = "measures with a program of your own, once per candidate",
    .size = sizeof(command_evaluator),
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
