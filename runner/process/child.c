/* Watching a child, ending it, saying how it ended. */
#include "runner/process/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/text.h"
#include "runner/process/clock.h"
#include "runner/process/guard.h"
#include "runner/process/watch/strays.h"

void archai_fd_close(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static size_t transferred(int *fd, ssize_t n, size_t wanted)
{
    if (n > 0)
        return (size_t)n;
    if (wanted > 0 && (n == 0 || (errno != EAGAIN && errno != EINTR)))
        archai_fd_close(fd);
    return 0;
}

size_t archai_fd_read(int *fd, void *out, size_t n)
{
    return *fd >= 0 ? transferred(fd, read(*fd, out, n), n) : 0;
}

size_t archai_fd_write(int *fd, const void *data, size_t n)
{
    return *fd >= 0 ? transferred(fd, write(*fd, data, n), n) : 0;
}

size_t archai_fd_wake(const struct pollfd *from, size_t n, struct pollfd *out, size_t max)
{
    size_t taken = 0;

    for (size_t i = 0; i < n && taken < max; i++)
        if (from[i].fd >= 0)
            out[taken++] = from[i];
    return taken;
}

/* -- what it says --------------------------------------------------------------------------------- */

static void append_tail(archai_child *c, const char *data, size_t n)
{
    if (c->log != NULL)
        archai_output_log_add(c->log, data, n);
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

/* A child may write faster than this process reads: after so much, it waits on its full pipe until the next
 * call. */
static void drain_output(archai_child *c)
{
    enum { CHUNK = 16384, CHUNKS = 16 };
    char data[CHUNK];
    size_t n = 1;

    for (int i = 0; i < CHUNKS && n > 0; i++) {
        n = archai_fd_read(&c->output_fd, data, sizeof data);
        append_tail(c, data, n);
    }
}

static void read_reports(archai_child *c)
{
    archai_guard_report r;

    while (archai_fd_read(&c->report_fd, &r, sizeof r) == sizeof r) {
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

/* -- the guard ----------------------------------------------------------------------------- */

/* A large process takes time to die; a guard that is still there after so long cannot do its work. */
static const double guard_limit_s = 30;

static struct {
    bool dying;     /* strays that were killed are not gone yet */
    double next_s;  /* clock: when to look again */
} strays;

static void sweep(pid_t session)
{
    strays.dying = archai_strays_sweep(session);
    strays.next_s = archai_clock_s() + 0.02;
}

static void sweep_again(void)
{
    if (strays.dying && archai_clock_s() >= strays.next_s)
        sweep(0);
}

/* True once it is gone, with its wait status. One that a program below it has stopped goes on; what was below
 * one that was killed is killed while the guard is a zombie, so that the number of its session cannot be reused. */
static bool reap_guard(pid_t guard, int *status)
{
    siginfo_t info = {.si_pid = 0};

    if (waitid(P_PID, (id_t)guard, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0) {
        if (errno != ECHILD)
            return false;
        *status = 0; /* somebody else has reaped it */
    } else if (info.si_pid == 0) {
        return false;
    } else if (info.si_code == CLD_STOPPED) {
        (void)waitid(P_PID, (id_t)guard, &info, WSTOPPED | WNOHANG);
        (void)kill(guard, SIGCONT);
        return false;
    } else {
        /* what was below what is killed shows up a moment later */
        for (int i = 0, quiet = 0; info.si_code != CLD_EXITED && quiet < 2 && i < 100; i++) {
            sweep(guard);
            quiet = strays.dying ? 0 : quiet + 1;
            if (strays.dying)
                (void)usleep(1000);
        }
        (void)waitpid(guard, status, 0);
    }
    archai_strays_forget(guard);
    return true;
}

bool archai_child_poll(archai_child *c)
{
    int status = 0;

    sweep_again();
    if (c->guard == 0)
        return c->ended;
    drain_output(c);
    read_reports(c);
    if (c->killed_at > 0 && archai_clock_s() - c->killed_at > guard_limit_s)
        (void)kill(c->guard, SIGKILL);
    if (!reap_guard(c->guard, &status))
        return false;
    c->guard = 0;
    read_reports(c);
    drain_output(c);
    if (!c->ended) {
        /* The guard was killed. The program has died with it; this kills the rest of its group. */
        if (c->program > 0)
            (void)kill(-c->program, SIGKILL);
        c->status = status;
        c->ended = true;
    }
    return true;
}

void archai_child_kill(archai_child *c)
{
    archai_fd_close(&c->lifeline);
    if (c->guard > 0)
        (void)kill(c->guard, SIGCONT); /* a program may have stopped it */
    if (c->killed_at <= 0)
        c->killed_at = archai_clock_s();
}

/* Guards that had not ended when their child was closed: a large process takes time to die. */
static pid_t leaving[32];

static bool reap_leaving(void)
{
    bool any = false;
    int status;

    for (size_t i = 0; i < sizeof leaving / sizeof leaving[0]; i++) {
        if (leaving[i] > 0 && reap_guard(leaving[i], &status))
            leaving[i] = 0;
        any = any || leaving[i] > 0;
    }
    return any;
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
    int status;

    archai_child_kill(c);
    archai_fd_close(&c->stdin_fd);
    archai_fd_close(&c->stdout_fd);
    archai_fd_close(&c->output_fd);
    archai_fd_close(&c->report_fd);
    /* The guard now kills and ends by itself; a short wait keeps it from staying a zombie. */
    for (int i = 0; c->guard > 0 && i < 200; i++) {
        if (reap_guard(c->guard, &status))
            c->guard = 0;
        else
            (void)usleep(500);
    }
    (void)reap_leaving();
    if (c->guard > 0)
        reap_later(c->guard);
    c->guard = 0;
}

void archai_children_end(void)
{
    static const double patience_s = 2, limit_s = 4;
    const double began = archai_clock_s();
    double t = 0;

    sweep(0);
    while ((reap_leaving() || strays.dying) && t < limit_s) {
        t = archai_clock_s() - began;
        for (size_t i = 0; t > patience_s && i < sizeof leaving / sizeof leaving[0]; i++)
            if (leaving[i] > 0)
                (void)kill(leaving[i], SIGKILL);
        (void)usleep(2000);
        sweep(0);
    }
}

/* -- describe ------------------------------------------------------------------------------ */

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
        const char *s = c->tail + begin;
        const size_t len = archai_utf8_length(s, end - begin);

        if (n + (len > 0 ? len : 1) + 1 > size)
            break;
        if (len == 0 || (len == 1 && ((unsigned char)*s < ' ' || *s == 0x7f)))
            text[n++] = *s == '\t' ? ' ' : '?';
        else
            for (size_t i = 0; i < len; i++)
                text[n++] = s[i];
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
