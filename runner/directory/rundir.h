/* runner/directory/rundir.h - the results directory: who owns it, what is in it already, how a run ended.
 *
 *   owner      JSON: host, pid, job, its restart count, ranks, heartbeat (Unix time); present while a run holds it
 *   config.ini, run.log, exit_code   see design of the results directory in io/README.md
 *
 * Rank 0 only; not collective. No file locks (NFS, Lustre): `owner` is made by link(), carries
 * a heartbeat and is stale when its process is gone (same host) or silent for longer than
 * ARCHAI_OWNER_SILENT_S (another host), or left by an earlier start of the same SLURM job.
 */
#ifndef ARCHAI_RUNNER_DIRECTORY_RUNDIR_H
#define ARCHAI_RUNNER_DIRECTORY_RUNDIR_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

enum { ARCHAI_OWNER_BEAT_S = 10, ARCHAI_OWNER_SILENT_S = 120 };

typedef struct archai_rundir {
    char *path;       /* owned; as given */
    bool held;        /* this process wrote `owner` */
    bool resumed;     /* earlier segments or results are there and count */
    int start;        /* number of this start, from 0: names its segments */
    int ranks;        /* of this run, for `owner` */
    double last_beat; /* Unix time */
} archai_rundir;

/* What stands at `path`, without changing anything:
 *   not there, or an empty directory             ok
 *   results of a run, `resume` not asked for     ARCHAI_EEXIST, with the hint --resume
 *   results held by a living run                 ARCHAI_EEXIST, names host, pid and job
 *   a directory with foreign files only          ARCHAI_EEXIST unless resume (which starts afresh)
 *   not writable (`resume`: not looked at), or
 *   where it cannot be made                      ARCHAI_EIO
 *   not a directory, no possible path            ARCHAI_EINVAL */
int archai_rundir_check(const char *path, bool resume, archai_err *err);
/* ARCHAI_EIO where nothing can be written into a directory that is there. */
int archai_rundir_writable(const char *path, archai_err *err);
/* Does a living run hold the directory? `who` describes the last one that did ("process 12 on node1,
 * last seen 3 s ago"), unchanged when none. For tools: changes nothing. */
bool archai_rundir_owner_alive(const char *directory, char who[512]);
/* How many starts have left segments in it. */
int archai_rundir_starts(const char *path);
/* Make the directory (with parents), take `owner`, remove a stale exit_code, find `start`. `starts`: how
 * many there were when their rows were read; more of them now are ARCHAI_EEXIST. -1: any number. */
int archai_rundir_open(archai_rundir *d, const char *path, bool resume, int starts, int ranks,
                       archai_err *err);
/* Renew the heartbeat when it is due; cheap to call in every turn of the loop. ARCHAI_EEXIST: another run
 * has taken the directory over; it is held no more. */
int archai_rundir_beat(archai_rundir *d, double now, archai_err *err);
/* Write `text` to <directory>/<name>: beside, fsync, rename. */
int archai_rundir_write(const archai_rundir *d, const char *name, const char *text, size_t size,
                        archai_err *err);
/* exit_code (by rename), then `owner` goes: the last act of rank 0. Where `owner` is not held, another
 * run's directory stays as it is. */
int archai_rundir_finish(archai_rundir *d, int exit_code, archai_err *err);
void archai_rundir_close(archai_rundir *d); /* gives `owner` back if still held; idempotent */
#endif
