#include "runner/evaluator/instant.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

int archai_instant_open(archai_evaluator *self, archai_err *err)
{
    (void)err;
    ((archai_instant *)self)->is_opening = true;
    return ARCHAI_OK;
}

static void forget(archai_instant *e)
{
    if (e->answer != NULL)
        archai_trial_fini(e->answer);
    free(e->answer);
    e->answer = NULL;
}

void archai_instant_close(archai_evaluator *self)
{
    archai_instant *e = (archai_instant *)self;

    forget(e);
    e->is_opening = false;
}

archai_trial *archai_instant_answer(archai_instant *e, const archai_trial *c)
{
    const double delay = archai_delay_draw(&e->delay, c->seed);

    forget(e);
    e->problem.code = ARCHAI_OK;
    e->ready_at = delay > 0 ? archai_clock_s() + delay : 0;
    e->answer = archai_calloc(1, sizeof *e->answer);
    return e->answer;
}

int archai_instant_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    archai_instant *e = (archai_instant *)self;

    (void)err;
    if (e->is_opening) {
        e->is_opening = false;
        out->kind = ARCHAI_EVALUATOR_READY;
    } else if (e->answer != NULL && (e->ready_at == 0 || archai_clock_s() >= e->ready_at)) {
        if (e->problem.code != ARCHAI_OK) {
            archai_evaluator_event_set(out, ARCHAI_EVALUATOR_FAILED, e->problem.code,
                                       e->problem.text);
            forget(e);
            return ARCHAI_OK;
        }
        out->kind = ARCHAI_EVALUATOR_MEASURED;
        out->result = e->answer;
        e->answer = NULL;
    }
    return ARCHAI_OK;
}

double archai_instant_due(archai_evaluator *self)
{
    const archai_instant *e = (const archai_instant *)self;

    return e->answer != NULL ? e->ready_at : 0;
}
