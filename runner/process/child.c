#include "runner/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/process/guard.h"

extern char **environ;

/* -- environment --------------------------------------------------------------------------- */

/* What makes a child believe that it is a rank of the job. PyTorch's launchers read SLURM's
 * numbers; what SLURM says about the allocation (job id, node list, GPUs) stays. */
static bool belongs_to_launcher(const char *variable)
{
    static const char *const prefixes[] = {
        "OMPI_", "PMIX_",         "PMI_",           "ORTE_",         "OPAL_",
        "PRTE_", "SLURM_PROCID=", "SLURM_LOCALID=", "SLURM_NTASKS=", "SLURM_NPROCS=",
    };

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static bool same_name(const char *a, const char *b)
{
    const size_t n = strcspn(a, "=");

    return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool is_replaced(const char *variable, const char *const *extra)
{
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++)
        if (same_name(extra[i], variable))
            return true;
    return false;
}

/* A list of borrowed strings, to be freed as a list only; NULL when out of memory. */
static char **child_environment(const char *const *extra)
{
    size_t n = 0, m = 0;
    char **env;

    while (environ[n] != NULL)
        n++;
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++)
        n++;
    env = calloc(n + 1, sizeof *env);
    if (env == NULL)
        return NULL;
    for (size_t i = 0; environ[i] != NULL; i++)
        if (!belongs_to_launcher(environ[i]) && !is_replaced(environ[i], extra))
            env[m++] = environ[i];
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++)
        env[m++] = (char *)(uintptr_t)extra[i]; /* posix_spawn does not write to it */
    return env;
}

int archai_program_path(const char *name, char *out, size_t size, archai_err *err)
{
    static const char *const places[] = {"", "../bin/"};
    char self[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (n < 0)
        return archai_fail(err, ARCHAI_EIO, "/proc/self/exe: %s", strerror(errno));
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (slash != NULL)
        slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const int len = snprintf(out, size, "%s%s%s", self, places[i], name);

        if (len > 0 && (size_t)len < size && access(out, X_OK) == 0)
            return ARCHAI_OK;
    }
    return archai_fail(err, ARCHAI_ENOTFOUND, "%s is not beside this program in %s", name,
                       self);
}

/* -- start --------------------------------------------------------------------------------- */

/* Descriptors of the child are numbered below; while they are laid out, their sources must lie
 * above, or one would overwrite the other. */
enum { CHILD_FDS_MAX = 3 + ARCHAI_CHILD_FDS + 2, SOURCE_FD_MIN = 64 };

typedef struct layout {
    int source[CHILD_FDS_MAX]; /* of this process, owned; -1: a gap */
    int n;
} layout;

/* A pipe whose ends close on exec and whose near end (of this process) does not block. */
static int make_pipe(int *near_end, int *far_end, bool to_child)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *near_end = fds[to_child ? 1 : 0];
    *far_end = fcntl(fds[to_child ? 0 : 1], F_DUPFD_CLOEXEC, SOURCE_FD_MIN);
    (void)close(fds[to_child ? 0 : 1]);
    if (*far_end < 0 || fcntl(*near_end, F_SETFL, O_NONBLOCK) != 0)
        return -1;
    return 0;
}

static int open_null(int flags)
{
    const int fd = open("/dev/null", flags | O_CLOEXEC);
    const int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, SOURCE_FD_MIN) : -1;

    if (fd >= 0)
        (void)close(fd);
    return high;
}

static int lay_out(archai_child *c, const archai_child_spec *spec, layout *l)
{
    const int report = 3 + (int)spec->n_fds, lifeline = report + 1;

    for (int i = 0; i < CHILD_FDS_MAX; i++)
        l->source[i] = -1;
    l->n = lifeline + 1;
    if (spec->want_stdin ? make_pipe(&c->stdin_fd, &l->source[0], true) != 0
                         : (l->source[0] = open_null(O_RDONLY)) < 0)
        return -1;
    if (make_pipe(&c->output_fd, &l->source[2], false) != 0)
        return -1;
    if (spec->want_stdout
            ? make_pipe(&c->stdout_fd, &l->source[1], false) != 0
            : (l->source[1] = fcntl(l->source[2], F_DUPFD_CLOEXEC, SOURCE_FD_MIN)) < 0)
        return -1;
    for (size_t i = 0; i < spec->n_fds; i++) {
        if (spec->fds[i] < 0)
            continue;
        l->source[3 + i] = fcntl(spec->fds[i], F_DUPFD_CLOEXEC, SOURCE_FD_MIN);
        if (l->source[3 + i] < 0)
            return -1;
    }
    if (make_pipe(&c->report_fd, &l->source[report], false) != 0)
        return -1;
    return make_pipe(&c->lifeline, &l->source[lifeline], true);
}

static int spawn_guard(archai_child *c, const char *guard, const archai_child_spec *spec,
                       const layout *l, char *const *env)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char n_fds[16], limit[32];
    size_t argc = 0;
    sigset_t all, none;
    char **argv;
    int e;

    while (spec->argv[argc] != NULL)
        argc++;
    argv = calloc(argc + 4, sizeof *argv);
    if (argv == NULL)
        return ENOMEM;
    (void)snprintf(n_fds, sizeof n_fds, "%zu", spec->n_fds);
    (void)snprintf(limit, sizeof limit, "%lld", (long long)spec->memory_limit);
    argv[0] = (char *)(uintptr_t)guard;
    argv[1] = n_fds;
    argv[2] = limit;
    memcpy(argv + 3, spec->argv, argc * sizeof *argv);

    /* A rank ignores SIGPIPE and handles others; the child begins with the defaults. */
    sigfillset(&all);
    sigemptyset(&none);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    (void)posix_spawnattr_setsigdefault(&attributes, &all);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawn_file_actions_init(&actions);
    e = 0;
    for (int i = 0; i < l->n && e == 0; i++)
        if (l->source[i] >= 0)
            e = posix_spawn_file_actions_adddup2(&actions, l->source[i], i);
        else
            e = posix_spawn_file_actions_addclose(&actions, i);
    if (e == 0)
        e = posix_spawn(&c->guard, guard, &actions, &attributes, argv, env);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    free(argv);
    if (e != 0)
        c->guard = 0;
    return e;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

int archai_child_start(archai_child *c, const archai_child_spec *spec, archai_err *err)
{
    char guard[PATH_MAX];
    char **env = NULL;
    layout l = {.n = 0};
    int rc, e;

    *c = (archai_child)ARCHAI_CHILD_INIT;
    if (spec->n_fds > ARCHAI_CHILD_FDS)
        return archai_fail(err, ARCHAI_EINTERNAL, "%zu descriptors for a child", spec->n_fds);
    ARCHAI_TRY(archai_program_path("archai-guard", guard, sizeof guard, err));
    if (lay_out(c, spec, &l) != 0) {
        rc =
            archai_fail(err, ARCHAI_ECHILD, "pipes for %s: %s", spec->argv[0], strerror(errno));
        goto out;
    }
    env = child_environment(spec->env);
    e = env != NULL ? spawn_guard(c, guard, spec, &l, env) : ENOMEM;
    rc = e == 0 ? ARCHAI_OK : archai_fail(err, ARCHAI_ECHILD, "%s: %s", guard, strerror(e));
out:
    free(env);
    for (int i = 0; i < l.n; i++)
        close_fd(&l.source[i]);
    if (rc != ARCHAI_OK)
        archai_child_close(c);
    return rc;
}

/* -- watch --------------------------------------------------------------------------------- */

static void append_tail(archai_child *c, const char *data, size_t n)
{
    if (n > sizeof c->tail) {
        data += n - sizeof c->tail;
        n = sizeof c->tail;
    }
    if (c->tail_n + n > sizeof c->tail) {
        const size_t drop = c->tail_n + n - sizeof c->tail;

        memmove(c->tail, c->tail + drop, c->tail_n - drop);
        c->tail_n -= drop;
    }
    memcpy(c->tail + c->tail_n, data, n);
    c->tail_n += n;
}

/* A child may write faster than this process cares to read: at most so much at a time, then it
 * waits on its full pipe. */
static void drain_output(archai_child *c)
{
    enum { CHUNK = 16384, CHUNKS = 16 };
    char data[CHUNK];

    for (int i = 0; i < CHUNKS && c->output_fd >= 0; i++) {
        const ssize_t n = read(c->output_fd, data, sizeof data);

        if (n > 0) {
            append_tail(c, data, (size_t)n);
        } else {
            if (n == 0 || (errno != EAGAIN && errno != EINTR))
                close_fd(&c->output_fd);
            return;
        }
    }
}

static void read_reports(archai_child *c)
{
    archai_guard_report r;

    while (c->report_fd >= 0) {
        const ssize_t n = read(c->report_fd, &r, sizeof r);

        if (n != (ssize_t)sizeof r) {
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
                close_fd(&c->report_fd);
            return;
        }
        if (r.kind == ARCHAI_GUARD_STARTED) {
            c->started = true;
            c->program = r.value;
        } else if (r.kind == ARCHAI_GUARD_NOT_STARTED) {
            c->exec_errno = r.value;
            c->ended = true;
        } else if (r.kind == ARCHAI_GUARD_ENDED) {
            c->status = r.value;
            c->ended = true;
        }
    }
}

int archai_child_poll(archai_child *c, bool *ended, archai_err *err)
{
    int status = 0;
    pid_t pid;

    *ended = c->ended && c->guard == 0;
    if (c->guard == 0)
        return ARCHAI_OK;
    drain_output(c);
    read_reports(c);
    pid = waitpid(c->guard, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return ARCHAI_OK;
    if (pid < 0 && errno != ECHILD)
        return archai_fail(err, ARCHAI_ECHILD, "waitpid: %s", strerror(errno));
    c->guard = 0;
    read_reports(c);
    drain_output(c);
    if (!c->ended) {
        /* The guard was killed: its death signal took the program along, this its group. */
        if (c->program > 0)
            (void)kill(-c->program, SIGKILL);
        c->status = status;
        c->ended = true;
    }
    *ended = true;
    return ARCHAI_OK;
}

void archai_child_kill(archai_child *c)
{
    close_fd(&c->lifeline);
}

/* Guards that were still at it when their child was closed: a large process takes time to die. */
static pid_t leaving[32];

static void reap_leaving(void)
{
    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++)
        if (leaving[i] > 0 && waitpid(leaving[i], NULL, WNOHANG) != 0)
            leaving[i] = 0;
}

static void reap_later(pid_t guard)
{
    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++) {
        if (leaving[i] <= 0) {
            leaving[i] = guard;
            return;
        }
    }
}

void archai_child_close(archai_child *c)
{
    close_fd(&c->lifeline);
    close_fd(&c->stdin_fd);
    close_fd(&c->stdout_fd);
    close_fd(&c->output_fd);
    close_fd(&c->report_fd);
    /* The guard now kills and ends by itself; a short wait keeps it from staying a zombie. */
    for (int i = 0; c->guard > 0 && i < 200; i++) {
        if (waitpid(c->guard, NULL, WNOHANG) != 0)
            c->guard = 0;
        else
            (void)usleep(500);
    }
    reap_leaving();
    if (c->guard > 0)
        reap_later(c->guard);
    c->guard = 0;
}

/* -- describe ------------------------------------------------------------------------------ */

/* Length of the UTF-8 sequence at s (at most n bytes), or 0 where it is broken. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t len;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

/* The last line of the tail that is not blank, cleaned for a message. */
static void last_line(const archai_child *c, char *text, size_t size)
{
    size_t end = c->tail_n, begin, n = 0;

    while (end > 0 && (unsigned char)c->tail[end - 1] <= ' ')
        end--;
    begin = end;
    while (begin > 0 && c->tail[begin - 1] != '\n' && c->tail[begin - 1] != '\r')
        begin--;
    while (begin < end && c->tail[begin] == ' ')
        begin++;
    while (begin < end) {
        const unsigned char *s = (const unsigned char *)c->tail + begin;
        const size_t len = utf8_length(s, end - begin);

        if (n + (len > 0 ? len : 1) + 1 > size)
            break;
        if (len == 0 || (len == 1 && (*s < ' ' || *s == 0x7f)))
            text[n++] = *s == '\t' ? ' ' : '?';
        else
            for (size_t i = 0; i < len; i++)
                text[n++] = (char)s[i];
        begin += len > 0 ? len : 1;
    }
    text[n] = '\0';
}

void archai_child_describe(const archai_child *c, char *text, size_t size)
{
    char line[400];
    int n;

    if (!c->started && c->exec_errno != 0)
        n = snprintf(text, size, "cannot be started: %s", strerror(c->exec_errno));
    else if (!c->ended)
        n = snprintf(text, size, "still running");
    else if (WIFSIGNALED(c->status))
        n = snprintf(text, size, "killed by signal %d (%s)", WTERMSIG(c->status),
                     strsignal(WTERMSIG(c->status)));
    else
        n = snprintf(text, size, "exited with %d", WEXITSTATUS(c->status));
    last_line(c, line, sizeof line);
    if (line[0] != '\0' && n > 0 && (size_t)n < size)
        (void)snprintf(text + n, size - (size_t)n, ": %s", line);
}
