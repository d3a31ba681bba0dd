/* runner/child.h - starting, watching and ending child processes without harm to an MPI rank.
 *
 * posix_spawn of archai-guard, which gives the child a session of its own, PR_SET_PDEATHSIG, only
 * the named descriptors, a clean environment and oom_score_adj 1000, and kills the whole group
 * when its lifeline (a pipe that this process holds) closes. Standard output and error of the child
 * go into a bounded tail; its last lines are for `error`. Not collective, never blocks.
 */
#ifndef ARCHAI_RUNNER_CHILD_H
#define ARCHAI_RUNNER_CHILD_H
#include <stdbool.h>
#include <sys/types.h>
#include "core/err.h"

enum { ARCHAI_CHILD_TAIL = 4096, ARCHAI_CHILD_FDS = 8 };

typedef struct archai_child_spec {
    char *const *argv;       /* borrowed; argv[0] is a path */
    const char *const *env;  /* borrowed; extra "NAME=value", NULL-terminated, or NULL */
    int fds[ARCHAI_CHILD_FDS]; /* descriptors of this process that become 3, 4, ... in the child */
    size_t n_fds;
    bool want_stdin;         /* a pipe to its standard input; else /dev/null */
    bool want_stdout;        /* its standard output kept apart (stdout_fd); else into the tail */
    int64_t memory_limit;    /* bytes of address space... of resident memory (RLIMIT_DATA); 0: none */
} archai_child_spec;

typedef struct archai_child {
    pid_t guard;             /* 0: not running */
    int lifeline;            /* closing it kills the group */
    int stdin_fd, stdout_fd; /* -1: none */
    int output_fd;           /* combined output into the tail */
    char tail[ARCHAI_CHILD_TAIL]; /* last bytes of output */
    size_t tail_n;
    int status;              /* wait status of the program itself, once reaped */
    bool started;            /* the guard reported a successful exec */
    int exec_errno;          /* else why not */
    int report_fd;           /* from the guard */
} archai_child;

#define ARCHAI_CHILD_INIT                                                                          \
    {                                                                                              \
        .lifeline = -1, .stdin_fd = -1, .stdout_fd = -1, .output_fd = -1, .report_fd = -1          \
    }

int archai_child_start(archai_child *c, const archai_child_spec *spec, archai_err *err);
/* Drain output into the tail and reap: *ended is set once the program is gone (c->status). */
int archai_child_poll(archai_child *c, bool *ended, archai_err *err);
void archai_child_kill(archai_child *c);  /* SIGKILL to the whole group; poll reaps */
void archai_child_close(archai_child *c); /* kill if alive, reap, close everything; idempotent */
/* "killed by signal 11 (Segmentation fault)", "exited with 3", plus the last line of output. */
void archai_child_describe(const archai_child *c, char *text, size_t size);

/* Directory of the running program, for its siblings; static storage, "" when unknown. */
const char *archai_program_directory(void);
#endif
