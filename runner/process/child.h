/* runner/process/child.h - starting, watching and ending child processes without harm to an MPI
 * rank.
 *
 * A child is started by archai-guard, which gives it a session of its own, PR_SET_PDEATHSIG,
 * only the named descriptors and oom_score_adj 1000, and kills the child and all its descendants
 * when its lifeline (a pipe that this process holds) closes. The variables of MPI launchers are
 * removed from its environment: a child that imports mpi4py would otherwise wait for the job's other
 * ranks. The last bytes of its standard output and error are kept, and their last line is quoted
 * in errors. Not collective, never blocks.
 */
#ifndef ARCHAI_RUNNER_PROCESS_CHILD_H
#define ARCHAI_RUNNER_PROCESS_CHILD_H
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/base/err.h"
#include "runner/process/watch/output_log.h"

enum { ARCHAI_CHILD_TAIL = 4096, ARCHAI_CHILD_FDS = 8 };

typedef struct archai_child_spec {
    char *const *argv;         /* borrowed; argv[0]: a path, or one of our programs: "archai-inspect" */
    const char *const *env;    /* borrowed; extra "NAME=value", NULL-terminated, or NULL */
    int fds[ARCHAI_CHILD_FDS]; /* become 3, 4, ... in the child; -1 leaves a gap; still ours */
    size_t n_fds;
    bool want_stdin;           /* a pipe to its standard input; else /dev/null */
    bool want_stdout;          /* its standard output kept apart (stdout_fd); else into the tail */
    int64_t memory_limit;      /* bytes it may allocate (RLIMIT_DATA); 0: none */
} archai_child_spec;

typedef struct archai_child {
    pid_t guard;             /* 0: not running */
    pid_t program;           /* 0: not yet known */
    int lifeline;            /* closing it kills the child and its descendants */
    int stdin_fd, stdout_fd; /* -1: none; non-blocking; the caller may close them and set -1 */
    int output_fd;           /* combined output into the tail */
    int report_fd;           /* from the guard */
    char tail[ARCHAI_CHILD_TAIL]; /* last bytes of output, oldest first */
    size_t tail_n;
    double killed_at;        /* clock: when it was told to end; 0: it was not */
    archai_output_log *log;  /* borrowed; gets what the tail gets; NULL: none. Set after the start */
    bool started;            /* the guard reported a successful exec */
    int exec_errno;          /* else why not; 0: not known yet */
    bool ended;              /* the program has ended (or never started) */
    int status;              /* its wait status then; the guard's, if the guard was killed */
} archai_child;

#define ARCHAI_CHILD_INIT                                                                          \
    {                                                                                              \
        .lifeline = -1, .stdin_fd = -1, .stdout_fd = -1, .output_fd = -1, .report_fd = -1          \
    }

/* A name without a slash is searched for beside the running program, then in ../bin: ARCHAI_ENOTFOUND
 * says where. ARCHAI_ECHILD: the guard cannot be started; poll says whether the program could be. */
int archai_child_start(archai_child *c, const archai_child_spec *spec, archai_err *err);
/* Read output into the tail, and reap. True once the program and its descendants are gone
 * (c->status). */
bool archai_child_poll(archai_child *c);
void archai_child_kill(archai_child *c);  /* with its descendants; poll says when they are gone */
void archai_child_close(archai_child *c); /* kill if alive and close everything; idempotent */
/* The last act of a process that had children, after they are closed: guards that do not end are killed, and so is
 * whatever is left of their programs. Waits a few seconds at most. */
void archai_children_end(void);
/* "killed by signal 11 (Segmentation fault)", "exited with 3", plus the last line of output;
 * control characters and broken UTF-8 are replaced. */
void archai_child_describe(const archai_child *c, char *text, size_t size);

/* Descriptors that do not block; -1: nothing happens. */
void archai_fd_close(int *fd); /* -1 afterwards */
/* At most n bytes; how many were transferred. Closes *fd at its end and on errors. */
size_t archai_fd_read(int *fd, void *out, size_t n);
size_t archai_fd_write(int *fd, const void *data, size_t n);
/* Copies to `out` those of the n entries that have a descriptor, at most `max`; returns how many. */
size_t archai_fd_wake(const struct pollfd *from, size_t n, struct pollfd *out, size_t max);
#endif
