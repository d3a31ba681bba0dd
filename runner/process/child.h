/* runner/process/child.h - starting, watching and ending child processes without harm to an MPI rank.
 *
 * posix_spawn of archai-guard, which gives the child a session of its own, PR_SET_PDEATHSIG, only
 * the named descriptors and oom_score_adj 1000, and kills everything below it when its lifeline (a
 * pipe that this process holds) closes. The environment loses what MPI launchers put there: a child
 * that imports mpi4py would otherwise wait for the job's other ranks. Standard output and error of
 * the child go into a bounded tail; its last line is for `error`. Not collective, never blocks.
 */
#ifndef ARCHAI_RUNNER_PROCESS_CHILD_H
#define ARCHAI_RUNNER_PROCESS_CHILD_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "core/base/err.h"

enum { ARCHAI_CHILD_TAIL = 4096, ARCHAI_CHILD_FDS = 8 };

typedef struct archai_child_spec {
    char *const *argv;         /* borrowed; argv[0] is a path */
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
    int lifeline;            /* closing it kills the child and all below it */
    int stdin_fd, stdout_fd; /* -1: none; non-blocking; the caller may close them and set -1 */
    int output_fd;           /* combined output into the tail */
    int report_fd;           /* from the guard */
    char tail[ARCHAI_CHILD_TAIL]; /* last bytes of output, oldest first */
    size_t tail_n;
    bool started;            /* the guard reported a successful exec */
    int exec_errno;          /* else why not; 0: not known yet */
    bool ended;              /* the program has ended (or never started) */
    int status;              /* its wait status then; of the guard, should that have been killed */
} archai_child;

#define ARCHAI_CHILD_INIT                                                                          \
    {                                                                                              \
        .lifeline = -1, .stdin_fd = -1, .stdout_fd = -1, .output_fd = -1, .report_fd = -1          \
    }

/* ARCHAI_ECHILD when the guard cannot be started; whether the program could is seen in poll. */
int archai_child_start(archai_child *c, const archai_child_spec *spec, archai_err *err);
/* Drain output into the tail and reap: *ended is set once the program is gone (c->status). */
int archai_child_poll(archai_child *c, bool *ended, archai_err *err);
void archai_child_kill(archai_child *c);  /* SIGKILL to all of it; poll tells when it is gone */
void archai_child_close(archai_child *c); /* kill if alive and close everything; idempotent */
/* "killed by signal 11 (Segmentation fault)", "exited with 3", plus the last line of output;
 * control characters and broken UTF-8 are replaced. */
void archai_child_describe(const archai_child *c, char *text, size_t size);

/* Path of a program that lies beside the running one (or in ../bin of it): "archai-evaluator".
 * ARCHAI_ENOTFOUND names where it was looked for. */
int archai_program_path(const char *name, char *out, size_t size, archai_err *err);
#endif
