/* runner/directory/running.h - running.json: the candidates that are being evaluated, as far as they report.
 *
 *   {"updated": 1764600000.5, "candidates": [{"id": 7, "archid": "...", "rank": 1, "since": 1764599990.1,
 *     "epoch": 3, "epochs": 20, "measures": {"val_accuracy": 0.91}}]}
 *
 * "step" in place of "epoch" where the program counts steps; "epochs" where they are known. For whoever looks
 * (archai-inspect watch): nothing reads it back, it is not synced, and it goes when the run ends.
 */
#ifndef ARCHAI_RUNNER_DIRECTORY_RUNNING_H
#define ARCHAI_RUNNER_DIRECTORY_RUNNING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/search/objective.h"

typedef struct archai_running {
    int64_t id; /* -1: none */
    int rank;
    char *archid;  /* owned */
    double since;  /* Unix time of its first report */
    double at;
    bool by_epoch;
    int epochs;    /* 0: not known */
    archai_measure *measures; /* owned; [n_measures] */
    size_t n_measures;
} archai_running;

void archai_running_fini(archai_running *r); /* and id = -1; safe on a zeroed struct */
/* Those of `at` [n] with an id. */
int archai_running_write(const char *directory, double now, const archai_running *at, size_t n, archai_err *err);
void archai_running_remove(const char *directory);
/* *out [*n]: caller frees each, and the list. ARCHAI_ENOTFOUND: there is none. ARCHAI_EFORMAT: it is something else. */
int archai_running_read(const char *directory, archai_running **out, size_t *n, archai_err *err);
#endif
