/* runner/coordinator/progress.h - progress: one live line on a terminal, else a line every 30 s.
 *
 *   37/200 done, 4 running, 1 failed | val_accuracy 0.9731 | front 6 | 98 % busy | 14/min | 11m left | k=3, width=16
 *
 * Under mpirun the ranks' standard error is a pipe: mpirun's own (/proc/<parent>/fd/2) tells whether it is a
 * terminal. Rank 0 only.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_PROGRESS_H
#define ARCHAI_RUNNER_COORDINATOR_PROGRESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum archai_progress_mode {
    ARCHAI_PROGRESS_AUTO,
    ARCHAI_PROGRESS_LIVE,
    ARCHAI_PROGRESS_PLAIN,
    ARCHAI_PROGRESS_NONE
} archai_progress_mode;
int archai_progress_mode_from_name(const char *name); /* -1: none of auto live plain none */

typedef struct archai_progress_facts {
    int64_t done, total; /* total 0: not known */
    int64_t running, failed;
    const char *objective; /* name of the first one */
    double best;           /* NaN: none yet */
    const char *parameters; /* of the best one: last, since a narrow terminal cuts the line; NULL: none */
    size_t front;
    double busy;           /* share of the workers' time since the start, [0, 1] */
    double elapsed_s;      /* of this start */
    double limit_s;        /* max_time, inf: none */
    int64_t done_before;   /* by earlier starts: not part of the rate */
} archai_progress_facts;

typedef struct archai_progress {
    archai_progress_mode mode; /* resolved: never AUTO */
    double next_s;             /* elapsed time of the next line */
    size_t width;              /* of the live line that stands on the terminal */
} archai_progress;

/* "k=3, width=16": the architecture on the front that is best by the first objective. Caller frees; NULL: none. */
struct archai_search;
char *archai_progress_parameters(const struct archai_search *s);
void archai_progress_init(archai_progress *p, archai_progress_mode mode);
/* Cheap: prints only when a line is due (live: 5 times a second; plain: every 30 s). */
void archai_progress_show(archai_progress *p, const archai_progress_facts *f);
void archai_progress_clear(archai_progress *p); /* before other text, and at the end */
void archai_progress_line(const archai_progress_facts *f, char *out, size_t size); /* for tests */
#endif
