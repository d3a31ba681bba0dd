/* runner/evaluator/instant.h - for evaluators that know the answer at once. They bring init, fini and begin;
 * open, poll, close and due are here. `delay` simulates a duration. */
#ifndef ARCHAI_RUNNER_EVALUATOR_INSTANT_H
#define ARCHAI_RUNNER_EVALUATOR_INSTANT_H
#include "core/config/delay.h"
#include "runner/evaluator/evaluator.h"

typedef struct archai_instant { /* first member of the concrete type */
    archai_evaluator base;
    archai_delay delay; /* set by init */
    bool is_opening;      /* READY is still to be said */
    double ready_at;      /* 0: at once */
    archai_trial *answer; /* owned; NULL: no candidate */
    archai_err problem;   /* code != 0: the candidate fails with it */
} archai_instant;

/* For begin: a new, empty answer to the candidate. */
archai_trial *archai_instant_answer(archai_instant *e, const archai_trial *c);

int archai_instant_open(archai_evaluator *self, archai_err *err);
void archai_instant_close(archai_evaluator *self);
int archai_instant_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err);
double archai_instant_due(archai_evaluator *self);
#endif
