/* runner/directory/rundir.h - the results directory: its owner, what is in it, how a run ended.
 *
 *   owner   JSON: host, boot id, pid namespace, pid, job, its restart count, ranks, heartbeat (Unix time);
 *           exists while a run holds the directory
 *
 * The other files: io/results/README.md. Rank 0 only; not collective. No file locks (NFS, Lustre):
 * `owner` is created by link(), carries a heartbeat, and is stale when its process is gone (in this
 * boot and pid namespace), when it has been silent for longer than ARCHAI_OWNER_SILENT_S and stays so
 * while it is watched (elsewhere: another host, another container), or when an earlier start of the same
 * SLURM job left it.
 */
#ifndef ARCHAI_RUNNER_DIRECTORY_RUNDIR_H
#define ARCHAI_RUNNER_DIRECTORY_RUNDIR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "core/base/err.h"
#include "core/search/space.h"

enum { ARCHAI_OWNER_BEAT_S = 10, ARCHAI_OWNER_SILENT_S = 120 };

typedef struct archai_rundir {
    char *path;       /* owned; as given */
    bool held;        /* this process wrote `owner` */
    bool resumed;     /* earlier segments or results are there and count */
    int start;        /* number of this start, from 0: names its segments */
    int ranks;        /* of this run, for `owner` */
    double last_beat; /* Unix time */
    double renewed_at; /* clock: when `owner` was written last */
} archai_rundir;

/* What is at `path`? Changes nothing.
 *   nothing, or an empty directory               ok
 *   results of a run, without `resume`           ARCHAI_EEXIST, hints at --resume
 *   results held by a living run                 ARCHAI_EEXIST, names host, pid and job
 *   owner, run.log, ... that are no files        ARCHAI_EINVAL
 *   a directory with foreign files only          ARCHAI_EEXIST unless resume (which begins a new run)
 *   not writable (not checked with `resume`),
 *   or impossible to create                      ARCHAI_EIO
 *   not a directory, not a possible path         ARCHAI_EINVAL */
int archai_rundir_check(const char *path, bool resume, archai_err *err);
/* ARCHAI_EIO: nothing can be written into the directory. */
int archai_rundir_writable(const char *path, archai_err *err);
/* Does a living run hold the directory? `who` describes its owner, living or dead ("process 12 on
 * node1, last seen 3 s ago"); unchanged if there is none. Changes nothing in the directory. */
bool archai_rundir_owner_alive(const char *directory, char who[512]);
/* ARCHAI_EEXIST: a living run holds the directory, as far as one look can tell; ARCHAI_EINVAL: `owner` is no
 * regular file. */
int archai_rundir_owner_check(const char *directory, archai_err *err);
/* The same for a start that is about to take the directory: an owner elsewhere that has been silent for long is
 * watched for two heartbeats, since clocks differ; a line to `say` (NULL: none) announces that. Waits at most
 * once for the same owner. */
int archai_rundir_watch(const char *directory, FILE *say, const archai_interrupt *interrupt,
                        archai_err *err);
/* One more than the highest start that left a segment in it; 0: there are no segments. */
int archai_rundir_starts(const char *directory);
/* Create the directory (with parents), take `owner`, remove a stale exit_code, find `start`.
 * `starts`: how many there were when their rows were read (-1: any number); if there are more now:
 * ARCHAI_EEXIST. */
int archai_rundir_open(archai_rundir *d, const char *path, bool resume, int starts, int ranks,
                       archai_err *err);
/* Hold a directory that exists for a while, without being a run: nothing in it changes but `owner`. */
int archai_rundir_hold(archai_rundir *d, const char *path, FILE *say, archai_err *err);
/* Renew the heartbeat when it is due; cheap to call in every turn of the loop. ARCHAI_EEXIST:
 * another run has taken the directory over; it is no longer held. */
int archai_rundir_beat(archai_rundir *d, double now, archai_err *err);
/* Write exit_code, then remove `owner`: the last act of rank 0. If `owner` names another run, the
 * directory stays as it is. */
int archai_rundir_finish(archai_rundir *d, int exit_code, archai_err *err);
void archai_rundir_close(archai_rundir *d); /* removes `owner` if still held; idempotent */
#endif
