/* Starting a child: its environment, its descriptors, the guard. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/process/child.h"
#include "runner/process/watch/strays.h"

extern char **environ;

/* -- environment --------------------------------------------------------------------------- */

/* Variables from which a child would conclude that it is a rank of the job. PyTorch's launchers read those
 * of SLURM; what SLURM says about the allocation (job id, node list, GPUs) stays. */
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

/* A list of borrowed strings, to be freed as a list only. */
static char **child_environment(const char *const *extra)
{
    size_t n = 0, capacity = 0;
    char **env = NULL;

    for (size_t i = 0; environ[i] != NULL; i++) {
        ARCHAI_RESERVE(env, capacity, n + 2);
        if (!belongs_to_launcher(environ[i]) && !is_replaced(environ[i], extra))
            env[n++] = environ[i];
    }
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++) {
        ARCHAI_RESERVE(env, capacity, n + 2);
        env[n++] = (char *)(uintptr_t)extra[i]; /* posix_spawn does not write to it */
    }
    ARCHAI_RESERVE(env, capacity, n + 1);
    env[n] = NULL;
    return env;
}

/* The path of a program that is installed with this one. */
static int program_path(const char *name, char *out, size_t size, archai_err *err)
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
    return archai_fail(err, ARCHAI_ENOTFOUND, "%s is not beside this program in %s", name, self);
}

/* -- start --------------------------------------------------------------------------------- */

/* The child's descriptors have small numbers; their sources must have larger ones, or laying one out would
 * overwrite another. */
enum { CHILD_FDS_MAX = 3 + ARCHAI_CHILD_FDS + 2, SOURCE_FD_MIN = CHILD_FDS_MAX };

typedef struct layout {
    int source[CHILD_FDS_MAX]; /* of this process, owned; -1: a gap */
    int n;
} layout;

static int copy_high(int fd)
{
    const int high = fcntl(fd, F_DUPFD_CLOEXEC, SOURCE_FD_MIN);

    if (high < 0 && errno == EINVAL) /* the limit is below that number */
        errno = EMFILE;
    return high;
}

static int move_high(int fd)
{
    const int high = copy_high(fd);

    archai_fd_close(&fd);
    return high;
}

/* A pipe whose ends close on exec and whose near end (of this process) does not block. */
static int make_pipe(int *near_end, int *far_end, bool to_child)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *near_end = fds[to_child ? 1 : 0];
    *far_end = move_high(fds[to_child ? 0 : 1]);
    return *far_end < 0 ? -1 : fcntl(*near_end, F_SETFL, O_NONBLOCK);
}

static int lay_out(archai_child *c, const archai_child_spec *spec, layout *l)
{
    const int report = 3 + (int)spec->n_fds, lifeline = report + 1;

    for (int i = 0; i < CHILD_FDS_MAX; i++)
        l->source[i] = -1;
    l->n = lifeline + 1;
    if (spec->want_stdin ? make_pipe(&c->stdin_fd, &l->source[0], true) != 0
                         : (l->source[0] = move_high(open("/dev/null", O_RDONLY | O_CLOEXEC))) < 0)
        return -1;
    if (make_pipe(&c->output_fd, &l->source[2], false) != 0)
        return -1;
    if (spec->want_stdout
            ? make_pipe(&c->stdout_fd, &l->source[1], false) != 0
            : (l->source[1] = copy_high(l->source[2])) < 0)
        return -1;
    for (size_t i = 0; i < spec->n_fds; i++) {
        if (spec->fds[i] >= 0 && (l->source[3 + i] = copy_high(spec->fds[i])) < 0)
            return -1;
    }
    if (make_pipe(&c->report_fd, &l->source[report], false) != 0)
        return -1;
    return make_pipe(&c->lifeline, &l->source[lifeline], true);
}

static int spawn_guard(archai_child *c, char *guard, char *program, const archai_child_spec *spec,
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
    argv = archai_calloc(argc + 4, sizeof *argv);
    (void)snprintf(n_fds, sizeof n_fds, "%zu", spec->n_fds);
    (void)snprintf(limit, sizeof limit, "%lld", (long long)spec->memory_limit);
    argv[0] = guard;
    argv[1] = n_fds;
    argv[2] = limit;
    memcpy(argv + 3, spec->argv, argc * sizeof *argv);
    argv[3] = program;

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

int archai_child_start(archai_child *c, const archai_child_spec *spec, archai_err *err)
{
    char guard[PATH_MAX], beside[PATH_MAX];
    char *program = spec->argv[0];
    char **env = NULL;
    layout l = {.n = 0};
    int rc, e;

    *c = (archai_child)ARCHAI_CHILD_INIT;
    if (spec->n_fds > ARCHAI_CHILD_FDS)
        return archai_fail(err, ARCHAI_EINTERNAL, "%zu descriptors for a child", spec->n_fds);
    ARCHAI_TRY(program_path("archai-guard", guard, sizeof guard, err));
    if (strchr(program, '/') == NULL) {
        ARCHAI_TRY(program_path(program, beside, sizeof beside, err));
        program = beside;
    }
    if (lay_out(c, spec, &l) != 0) {
        rc = errno == EMFILE
                 ? archai_fail(err, ARCHAI_ECHILD, "pipes for %s: more than the %ld open files that a process "
                                                   "may have here (ulimit -n)",
                               spec->argv[0], sysconf(_SC_OPEN_MAX))
                 : archai_fail(err, ARCHAI_ECHILD, "pipes for %s: %s", spec->argv[0], strerror(errno));
    } else {
        env = child_environment(spec->env);
        archai_strays_begin();
        e = spawn_guard(c, guard, program, spec, &l, env);
        rc = e == 0 ? ARCHAI_OK : archai_fail(err, ARCHAI_ECHILD, "%s: %s", guard, strerror(e));
        if (rc == ARCHAI_OK)
            archai_strays_spare(c->guard);
    }
    free(env);
    for (int i = 0; i < l.n; i++)
        archai_fd_close(&l.source[i]);
    if (rc != ARCHAI_OK)
        archai_child_close(c);
    return rc;
}
