/* Candidates evaluated by the user's program, in any language, without a shell: started once per candidate
 * (once.c), or one for many (persistent.c); runner/evaluator/command_text.h says what it reads and writes. Its
 * standard error is kept for `error`. In its environment, beside the number of threads (OMP_NUM_THREADS):
 *
 *   ARCHAI_WEIGHTS        a file into which it may write weights as safetensors (a memfd of this process, so
 *                         that nothing is left behind whatever happens)
 *   ARCHAI_START_WEIGHTS  a file with weights to begin from, where there are any
 *   ARCHAI_DEVICE         cpu or cuda
 *   ARCHAI_SEED, ARCHAI_BUDGET
 *   ARCHAI_CHECKPOINT     with train.checkpoint = epoch: a path that it may write to, and finds again on its
 *                         next attempt (io/file/checkpoint.h)
 *
 * What differs from candidate to candidate a persistent program finds in the request instead.
 */
#include "runner/evaluator/command/command.h"

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
#include "runner/evaluator/weights.h"

/* clang-format off */
static const archai_option command_options[] = {
    {"command", ARCHAI_OPT_STRING, offsetof(archai_command_settings, command), 0, 0, "", "", NULL, "program and arguments, split at blanks outside \"...\"; no shell"},
    {"persistent", ARCHAI_OPT_BOOL, offsetof(archai_command_settings, persistent), 0, 0, "no", "", NULL, "one process for many candidates: each is a line of JSON in, its progress and its result are lines out"},
    ARCHAI_OPTION_END,
};
/* clang-format on */
static const char *const measuring_keys[] = {"command", NULL};

/* -- set-up -------------------------------------------------------------------------------- */

static int read_command(const archai_command_settings *s, char ***out, archai_err *err)
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
    const archai_command_settings *s = settings;
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
    archai_command *e = (archai_command *)self;
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

void archai_command_end_program(archai_command *e)
{
    archai_child_close(&e->child);
    e->child = (archai_child)ARCHAI_CHILD_INIT;
    free(e->request);
    e->request = NULL;
    e->busy = false;
}

static void command_fini(archai_evaluator *self)
{
    archai_command *e = (archai_command *)self;

    archai_command_free(e->argv);
    archai_space_destroy(e->space);
    free(e->checkpoint);
    archai_last_line_fini(&e->out);
    archai_spoken_fini(&e->lines);
    archai_fd_close(&e->weights_fd);
    archai_fd_close(&e->start_fd);
}

static int command_open(archai_evaluator *self, archai_err *err)
{
    (void)err;
    ((archai_command *)self)->is_opening = true;
    return ARCHAI_OK;
}

static void command_close(archai_evaluator *self)
{
    archai_command *e = (archai_command *)self;

    archai_command_end_program(e);
    e->is_opening = false;
}

/* -- one candidate ------------------------------------------------------------------------- */

/* A directory that cannot be written to costs only the checkpoint: writing rows will report it. */
static void offer_checkpoint(archai_command *e, const archai_trial *c)
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

int archai_command_prepare(archai_command *e, const archai_trial *c, archai_err *err)
{
    if (ftruncate(e->weights_fd, 0) != 0 ||
        (c->begin_at == 0 && ftruncate(e->start_fd, 0) != 0))
        return archai_fail(err, ARCHAI_EIO, "weights: %s", strerror(errno));
    offer_checkpoint(e, c);
    e->sent = 0;
    return ARCHAI_OK;
}

int archai_command_start(archai_command *e, archai_err *err)
{
    const archai_child_spec spec = {
        .argv = e->argv,
        .env = e->environment.at,
        .want_stdin = true,
        .want_stdout = true,
        .memory_limit = e->base.setup->config->evaluator.memory_limit,
    };
    const char *device = e->base.setup->device;
    char path[64];

    archai_file_name_fd(path, sizeof path, e->weights_fd);
    archai_environment_set(&e->environment, "ARCHAI_WEIGHTS", path);
    archai_environment_set(&e->environment, "ARCHAI_DEVICE", device);
    return archai_child_start(&e->child, &spec, err);
}

static bool command_reports(const void *settings)
{
    return ((const archai_command_settings *)settings)->persistent;
}

static bool is_persistent(const archai_evaluator *self)
{
    return command_reports(self->setup->settings);
}

static int command_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    archai_command *e = (archai_command *)self;

    ARCHAI_TRY(is_persistent(self) ? archai_persistent_begin(e, c, err) : archai_once_begin(e, c, err));
    e->child.log = self->log;
    e->busy = true;
    return ARCHAI_OK;
}

static int command_stop(archai_evaluator *self, archai_err *err)
{
    (void)err;
    if (is_persistent(self))
        archai_persistent_stop((archai_command *)self);
    return ARCHAI_OK;
}

static int command_start_fd(archai_evaluator *self)
{
    return ((archai_command *)self)->start_fd;
}

void archai_command_feed(archai_command *e)
{
    size_t n = 1;

    while (n > 0 && e->sent < e->request_size) {
        n = archai_fd_write(&e->child.stdin_fd, e->request + e->sent, e->request_size - e->sent);
        e->sent += n;
    }
}

size_t archai_command_read(archai_command *e, char *data, size_t size)
{
    const size_t n = archai_fd_read(&e->child.stdout_fd, data, size);

    if (e->base.log != NULL)
        archai_output_log_add(e->base.log, data, n);
    return n;
}

/* -- its end ------------------------------------------------------------------------------- */

/* Weights that cannot be kept do not cost the measures: `error` says what was left out. */
static int offer_weights(const archai_command *e, archai_trial *r, archai_err *err)
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

void archai_command_measured(archai_command *e, archai_trial *r, archai_evaluator_event *out)
{
    archai_err why = ARCHAI_ERR_INIT;
    int rc = archai_weights_check(e->weights_fd, e->base.setup->config, &why);

    out->kind = ARCHAI_EVALUATOR_MEASURED;
    out->result = r;
    if (rc == ARCHAI_OK)
        rc = archai_err_wrap(&why, offer_weights(e, r, &why), "weights: ");
    if (rc == ARCHAI_OK)
        return;
    (void)archai_err_wrap(&why, rc, "command: ");
    archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, rc, why.text);
    archai_evaluator_event_fini(out);
}

bool archai_command_ended(archai_command *e, archai_evaluator_event *out)
{
    const archai_child *c = &e->child;
    char how[512], text[600];

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
        return false;
    }
    return true;
}

static int command_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    archai_command *e = (archai_command *)self;
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
    if (is_persistent(self))
        archai_persistent_poll(e, out);
    else if (e->busy)
        archai_once_poll(e, out);
    if (e->busy && out->kind == ARCHAI_EVALUATOR_NOTHING &&
        archai_weights_check(e->weights_fd, self->setup->config, &why) != ARCHAI_OK) {
        /* Not only at its end: the file lies in memory, which this process shares. */
        (void)archai_err_wrap(&why, why.code, "command: ");
        archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, why.code, why.text);
        archai_command_end_program(e);
        (void)ftruncate(e->weights_fd, 0);
    }
    return ARCHAI_OK;
}

static int command_weights_fd(archai_evaluator *self)
{
    return ((archai_command *)self)->weights_fd;
}

static size_t command_wake(archai_evaluator *self, struct pollfd *out, size_t max)
{
    const archai_command *e = (const archai_command *)self;
    const struct pollfd fds[] = {
        {.fd = e->child.stdout_fd, .events = POLLIN},
        {.fd = e->child.report_fd, .events = POLLIN},
        {.fd = e->sent < e->request_size ? e->child.stdin_fd : -1, .events = POLLOUT},
    };

    return e->busy ? archai_fd_wake(fds, sizeof fds / sizeof fds[0], out, max) : 0;
}

const archai_evaluator_ops archai_evaluator_command = {
    .name = "command",
    .help = "measures with your own program, started once per candidate or for many",
    .options = command_options,
    .settings_size = sizeof(archai_command_settings),
    .measuring_keys = measuring_keys,
    .size = sizeof(archai_command),
    .checkpoints = true,
    .reports = command_reports,
    .check = command_check,
    .init = command_init,
    .fini = command_fini,
    .open = command_open,
    .begin = command_begin,
    .start_fd = command_start_fd,
    .poll = command_poll,
    .stop = command_stop,
    .close = command_close,
    .weights_fd = command_weights_fd,
    .wake = command_wake,
};
