/* runner/evaluator/command/said.h - what a persistent program says: one line, one JSON object.
 *
 *   {"id": 7, "epoch": 3, "val_accuracy": 0.91}      progress; "step" or "epoch", perhaps "epochs": how many there
 *                                                    will be; every other number is a measure
 *   {"id": 7, "result": {"val_accuracy": 0.93}}      the end of the candidate: measures and curves
 *   {"id": 7, "result": null, "error": "no memory"}  its end without a result
 *
 * "id" may be left out; a line about another candidate is passed over. Numbers and measures as in
 * runner/evaluator/command_text.h.
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_COMMAND_SAID_H
#define ARCHAI_RUNNER_EVALUATOR_COMMAND_SAID_H
#include "core/search/trial.h"

typedef enum archai_said_kind {
    ARCHAI_SAID_PROGRESS,
    ARCHAI_SAID_RESULT,
    ARCHAI_SAID_ERROR,
    ARCHAI_SAID_OF_ANOTHER
} archai_said_kind;

typedef struct archai_said {
    archai_said_kind kind;
    double at;     /* progress: the epoch or else the step; NaN: neither was said */
    bool is_epoch;
    double epochs; /* progress: NaN: not said */
    archai_trial *measured; /* owned; progress, result: measures, curves; `error`: what of them was left out */
    char *error;            /* owned; error */
} archai_said;

/* `id`: of the candidate that is evaluated. ARCHAI_EFORMAT: the line is none of these. */
int archai_said_read(const char *line, int64_t id, archai_said *out, archai_err *err);
void archai_said_fini(archai_said *s); /* safe on a zeroed struct */
#endif
