/* runner/rank/runlog.h - run.log: what happened, a line per event with time and rank.
 *
 * Rank 0 writes the file; other ranks send it what to write. `say` writes to standard error as well.
 * Lines are lower case, name the cause and have no key=value noise:
 *
 *   2026-01-31T12:00:00.123Z rank 3: candidate 17 failed: killed by signal 9 (Killed) after 3.2 s
 */
#ifndef ARCHAI_RUNNER_RANK_RUNLOG_H
#define ARCHAI_RUNNER_RANK_RUNLOG_H
#include <stdio.h>
#include <time.h>
#include "core/base/err.h"

typedef struct archai_runlog {
    FILE *file;           /* owned; NULL: standard error alone */
    time_t second;        /* of the last lines about single candidates */
    long lines, left_out; /* in that second: written, and not written */
} archai_runlog;

int archai_runlog_open(archai_runlog *log, const char *directory, archai_err *err); /* appends */
void archai_runlog_note(archai_runlog *log, int rank, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* note, about one candidate. Evaluations that take no time give thousands of these a second: beyond 200
 * in a second they are only counted, and one line says how many. results.h5 has all the rows. */
void archai_runlog_candidate(archai_runlog *log, int rank, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* note, and the same line on standard error, with "archai-run: " in place of the time and the rank. */
void archai_runlog_say(archai_runlog *log, int rank, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void archai_runlog_say_lines(archai_runlog *log, int rank, const char *text); /* NULL: none */
void archai_runlog_close(archai_runlog *log); /* safe on a zeroed struct */

/* "2026-01-31T12:00:00.123Z"; `size` >= 25. */
void archai_runlog_time(double unix_s, char *out, size_t size);
#endif
