/* archai-guard: stands between a rank and one of its child processes.
 *
 *   archai-guard N_FDS MEMORY_LIMIT PROGRAM [ARGUMENT]...
 *
 * Started by runner/process/child.c with descriptors 0-2, the program's own 3 .. 3+N_FDS-1, then a
 * report pipe to the rank and a lifeline from it. The guard closes whatever else it inherited
 * (Open MPI's sockets and pipes among it: mpirun waits until nobody holds them), opens a session
 * of its own, starts the program and waits. When the program ends or the lifeline closes (the
 * rank closed it, or died, however suddenly), the program and all its descendants are killed. A
 * parent's death signal alone would not do: it reaches the child but not what the child started.
 *
 * A program may stop or kill its parent. Therefore there are two: the guard proper, the program's parent, and above it a
 * keeper, which has it go on when it is stopped, and does its work when it was killed or does not get to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner/process/guard.h"

static void report(int fd, int kind, int value)
{
    const archai_guard_report r = {.kind = kind, .value = value};

    (void)TEMP_FAILURE_RETRY(write(fd, &r, sizeof r)); /* less than PIPE_BUF: whole or not at all */
}

static void close_from(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
        return;
#endif
    for (long fd = first, n = sysconf(_SC_OPEN_MAX); fd < n; fd++)
        (void)close((int)fd);
}

static void set_oom_score(void)
{
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, "1000", 4) < 0) {
        /* a kernel without it, or a sandbox: only the preference is lost */
    }
    (void)close(fd);
}

/* In the program's process, between fork and exec. Returns only on failure, with errno. */
static void become_program(pid_t guard, const sigset_t *mask, long long memory_limit,
                           char **argv)
{
    struct rlimit limit = {.rlim_cur = (rlim_t)memory_limit, .rlim_max = (rlim_t)memory_limit};

    /* Asked for first, then checked: the guard may have died in between. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != guard)
        _exit(127);
    if (setpgid(0, 0) != 0) /* a group of its own, so that killing it spares the guard */
        return;
    set_oom_score(); /* the kernel's OOM killer takes a candidate, not the rank */
    if (memory_limit > 0 && setrlimit(RLIMIT_DATA, &limit) != 0)
        return;
    if (sigprocmask(SIG_SETMASK, mask, NULL) != 0)
        return;
    execv(argv[0], argv);
}

/* Start the program; returns its pid, or -1 with *error set. */
static pid_t start(const sigset_t *mask, long long memory_limit, char **argv, int *error)
{
    const pid_t guard = getpid();
    int pipe_fds[2];
    pid_t pid;
    ssize_t n;

    /* Closed by a successful exec; carries errno from a failed one. */
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        *error = errno;
        return -1;
    }
    pid = fork(); /* the guard is a small process of one thread: fork is safe here */
    if (pid == 0) {
        int e;

        become_program(guard, mask, memory_limit, argv);
        e = errno;
        if (write(pipe_fds[1], &e, sizeof e) != (ssize_t)sizeof e) {
            /* the guard then sees an exit with 127 */
        }
        _exit(127);
    }
    *error = errno;
    (void)close(pipe_fds[1]);
    if (pid > 0) {
        n = TEMP_FAILURE_RETRY(read(pipe_fds[0], error, sizeof *error));
        if (n == (ssize_t)sizeof *error) {
            (void)waitpid(pid, NULL, 0);
            pid = -1;
        }
    }
    (void)close(pipe_fds[0]);
    return pid;
}

/* Reap orphans that have ended; true once the program has ended. It stays a zombie, so that the number of
 * its group cannot be reused before the group is killed. */
static bool has_ended(pid_t program)
{
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
            return false;
        if (info.si_pid == program)
            return true;
        (void)waitpid(info.si_pid, NULL, 0);
    }
}

/* The numbers in a /proc of another pid namespace mean other processes. */
static bool sees_pids(void)
{
    char self[32];
    const ssize_t n = readlink("/proc/self", self, sizeof self - 1);

    self[n > 0 ? n : 0] = '\0';
    return strtol(self, NULL, 10) == (long)getpid();
}

/* Kill the direct children: the guard is a subreaper and inherits every orphan below it, including those
 * that left the program's group or session. False: there were none. */
static bool kill_children(void)
{
    char text[4096];
    char *at = text, *end;
    bool any = false;
    const int fd = sees_pids() ? open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    for (;;) {
        const long pid = strtol(at, &end, 10);

        if (end == at || pid <= 0 || *end == '\0') /* each ends in a blank, but one that was cut off */
            return any;
        any = kill((pid_t)pid, SIGKILL) == 0 || any;
        at = end;
    }
}

/* Until nothing below this process is left. */
static void kill_all(void)
{
    while (kill_children())
        (void)TEMP_FAILURE_RETRY(waitpid(-1, NULL, 0));
}

/* The same for the guard; returns the program's wait status. */
static int end_all(pid_t program)
{
    int status = 0;

    (void)kill(-program, SIGKILL);
    (void)TEMP_FAILURE_RETRY(waitpid(program, &status, 0));
    kill_all();
    return status;
}

static int watch(pid_t program, int signal_fd, int lifeline)
{
    struct pollfd fds[2] = {
        {.fd = signal_fd, .events = POLLIN},
        {.fd = lifeline, .events = POLLIN},
    };

    for (;;) {
        struct signalfd_siginfo info;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        if (fds[1].revents != 0)
            break;
        if (fds[0].revents != 0 &&
            read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info && has_ended(program))
            break;
    }
    return end_all(program);
}

/* The same descriptor above the program's numbers, among which there may be gaps. */
static int raised(int fd, int min)
{
    const int high = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, min) : -1;

    if (fd >= 0)
        (void)close(fd);
    return high;
}

static int signal_descriptor(const sigset_t *mask, int min)
{
    return raised(signalfd(-1, mask, SFD_CLOEXEC), min);
}

/* False: errno says why. */
static bool raised_pipe(int ends[2], int min)
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    ends[0] = raised(ends[0], min);
    ends[1] = raised(ends[1], min);
    return ends[0] >= 0 && ends[1] >= 0;
}

/* -- the guard proper ---------------------------------------------------------------------- */

static int guard(int report_fd, int lifeline, const sigset_t *old, long long memory_limit, char **argv)
{
    sigset_t child;
    int error = 0, signal_fd;
    pid_t program;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signal_fd = signal_descriptor(&child, lifeline + 1);
    program = signal_fd >= 0 ? start(old, memory_limit, argv, &error) : -1;
    if (program < 0) {
        report(report_fd, ARCHAI_GUARD_NOT_STARTED, error != 0 ? error : errno);
        return 1;
    }
    report(report_fd, ARCHAI_GUARD_STARTED, (int)program);
    /* Only the program may hold its pipes: readers must see their end when it ends. */
    for (int fd = 0; fd < report_fd; fd++)
        (void)close(fd);
    report(report_fd, ARCHAI_GUARD_ENDED, watch(program, signal_fd, lifeline));
    return 0;
}

/* -- the keeper ---------------------------------------------------------------------------- */

enum { ORDERLY_MS = 5000 }; /* for the guard to end everything, once it was told to */

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* True once the guard has ended; then *status is how. */
static bool look_at_guard(pid_t pid, int *status)
{
    while (waitpid(pid, status, WNOHANG | WUNTRACED) == pid) {
        if (!WIFSTOPPED(*status))
            return true;
        (void)kill(pid, SIGCONT);
    }
    return false;
}

/* Orphans of a guard that was killed are children of this process, too. `to_guard`: the guard's lifeline. */
static int keep(pid_t pid, int signal_fd, int lifeline, int to_guard, int report_fd)
{
    int64_t deadline = INT64_MAX;
    int status = 0;

    while (!look_at_guard(pid, &status)) {
        struct pollfd fds[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = lifeline, .events = POLLIN}};
        const int64_t left = deadline - now_ms();
        struct signalfd_siginfo info;

        if (left <= 0)
            (void)kill(pid, SIGKILL);
        if (poll(fds, 2, deadline == INT64_MAX ? -1 : left > 0 ? (int)left : 10) < 0 && errno != EINTR)
            break;
        if (fds[0].revents != 0 && read(signal_fd, &info, sizeof info) < 0)
            continue;
        if (lifeline >= 0 && fds[1].revents != 0) {
            lifeline = -1;
            (void)close(to_guard);
            deadline = now_ms() + ORDERLY_MS;
        }
    }
    kill_all();
    if (WIFSIGNALED(status)) /* the program has died with it */
        report(report_fd, ARCHAI_GUARD_ENDED, status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
    sigset_t all, old, child;
    int report_fd, lifeline, signal_fd, ends[2];
    pid_t pid;

    if (argc < 4) {
        (void)fprintf(stderr, "archai-guard is started by archai-run and not meant to be "
                              "called by hand\n");
        return 2;
    }
    report_fd = 3 + atoi(argv[1]);
    lifeline = report_fd + 1;
    close_from(lifeline + 1);
    (void)fcntl(report_fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(lifeline, F_SETFD, FD_CLOEXEC);
    (void)setsid();
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* not inherited */

    /* Signals to the job (scancel reaches each of its processes) are for the program and the rank: the
     * guard ends when its lifeline closes. */
    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &all, &old);
    signal_fd = signal_descriptor(&child, lifeline + 1);
    pid = signal_fd >= 0 && raised_pipe(ends, lifeline + 1) ? fork() : -1;
    if (pid < 0) {
        report(report_fd, ARCHAI_GUARD_NOT_STARTED, errno);
        return 1;
    }
    if (pid == 0) {
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        (void)close(signal_fd);
        (void)dup3(ends[0], lifeline, O_CLOEXEC);
        close_from(lifeline + 1);
        return guard(report_fd, lifeline, &old, atoll(argv[2]), argv + 3);
    }
    for (int fd = 0; fd < report_fd; fd++)
        (void)close(fd);
    (void)close(ends[0]);
    return keep(pid, signal_fd, lifeline, ends[1], report_fd);
}
