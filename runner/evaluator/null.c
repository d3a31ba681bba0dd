/* The evaluator that does no work: it measures the runner itself. A candidate's cheap measures
 * are all there is. `delay` pretends a duration. */
#include <stdlib.h>

#include "core/config/delay.h"
#include "runner/process/clock.h"
#include "runner/evaluator/evaluator.h"

typedef struct null_evaluator {
    archai_evaluator base;
    archai_delay delay;
    bool is_open, told, busy;
    double ready_at;
} null_evaluator;

static int null_init(archai_evaluator *self, archai_err *err)
{
    null_evaluator *e = (null_evaluator *)self;

    return archai_delay_parse(self->setup->config->evaluator.delay, &e->delay, err);
}

static int null_open(archai_evaluator *self, archai_err *err)
{
    null_evaluator *e = (null_evaluator *)self;

    (void)err;
    e->is_open = true;
    e->told = false;
    return ARCHAI_OK;
}

static void null_close(archai_evaluator *self)
{
    null_evaluator *e = (null_evaluator *)self;

    e->is_open = e->busy = false;
}

static int null_begin(archai_evaluator *self, const archai_trial *c, archai_err *err)
{
    null_evaluator *e = (null_evaluator *)self;
    const double delay = archai_delay_draw(&e->delay, c->seed);

    (void)err;
    e->busy = true;
    e->ready_at = delay > 0 ? archai_clock_s() + delay : 0;
    return ARCHAI_OK;
}

static int null_poll(archai_evaluator *self, archai_evaluator_event *out, archai_err *err)
{
    null_evaluator *e = (null_evaluator *)self;

    if (e->is_open && !e->told) {
        e->told = true;
        out->kind = ARCHAI_EVALUATOR_READY;
    } else if (e->busy && (e->ready_at == 0 || archai_clock_s() >= e->ready_at)) {
        out->result = calloc(1, sizeof *out->result);
        if (out->result == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
        e->busy = false;
        out->kind = ARCHAI_EVALUATOR_MEASURED;
    }
    return ARCHAI_OK;
}

static double null_due(archai_evaluator *self)
{
    const null_evaluator *e = (const null_evaluator *)self;

    return e->busy ? e->ready_at : 0;
}

const archai_evaluator_ops archai_evaluator_null = {
    .name = "null",
    .kind = ARCHAI_EVALUATOR_NULL,
    .help = "no work at all; only params, macs and the like are known",
    .size = sizeof(null_evaluator),
    .init = null_init,
    .open = null_open,
    .begin = null_begin,
    .poll = null_poll,
    .close = null_close,
    .due = null_due,
};
