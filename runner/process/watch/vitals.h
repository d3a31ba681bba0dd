/* runner/process/watch/vitals.h - does a helper process still get anywhere?
 *
 * One that is stopped, or waits for a mount that is gone, never answers; one that writes a large file may take long.
 * The difference: a process at work uses processor time, or reads and writes. Waiting for a disk (state D) counts
 * only after a much longer time, since syncing many gigabytes looks the same.
 */
#ifndef ARCHAI_RUNNER_PROCESS_WATCH_VITALS_H
#define ARCHAI_RUNNER_PROCESS_WATCH_VITALS_H
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct archai_vitals {
    pid_t pid;       /* whose */
    uint64_t mark;   /* changes with every bit of work */
    double since;    /* clock: when it changed last */
    double looked;   /* clock */
    bool on_disk;    /* it waits for a disk */
} archai_vitals;

/* Begin anew: something was just asked of it. */
void archai_vitals_reset(archai_vitals *v);
/* Seconds without a sign of work since then; looks at /proc ten times a second at most. pid 0: not known yet. */
double archai_vitals_idle(archai_vitals *v, pid_t pid);
/* Idle for so long that it is given up. */
bool archai_vitals_hung(archai_vitals *v, pid_t pid);
/* "has shown no sign of work for 30 s", for messages. */
void archai_vitals_describe(const archai_vitals *v, char *text, unsigned long size);
#endif
