/* What a candidate reports while it trains: its learning curves grow, rank 0 hears of it and may end it. */
#include "runner/worker/worker_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

/* A program may report after every step of a microsecond: rank 0 hears of so many at once, and of so many a second. */
static const double burst = 1000, rate = 200;
enum { SHOWN = 8 }; /* measures that are no objectives */

void archai_worker_begin_progress(archai_worker *w)
{
    archai_growing_clear(&w->growing);
    w->stopping = false;
    w->tokens = burst;
    w->tokens_at = archai_clock_s();
}

static bool may_post(archai_worker *w)
{
    const double now = archai_clock_s();

    w->tokens = fmin(burst, w->tokens + rate * (now - w->tokens_at));
    w->tokens_at = now;
    if (w->tokens < 1)
        return false;
    w->tokens -= 1;
    return true;
}

static bool is_source(const archai_worker *w, const char *name)
{
    for (size_t i = 0; i < w->objectives->n; i++)
        if (strcmp(w->objectives->at[i].source, name) == 0)
            return true;
    return false;
}

/* What rank 0 compares and shows: objectives, those too that were known before; a few others. */
static void choose_measures(const archai_worker *w, const archai_trial *reported, archai_trial *out)
{
    const archai_trial *known = &w->queue[0];
    int shown = 0;

    for (size_t i = 0; i < known->n_measures; i++)
        if (is_source(w, known->measures[i].name))
            archai_trial_set_measure(out, known->measures[i].name, known->measures[i].value);
    for (size_t i = 0; reported != NULL && i < reported->n_measures; i++)
        if (is_source(w, reported->measures[i].name) || shown++ < SHOWN)
            archai_trial_set_measure(out, reported->measures[i].name, reported->measures[i].value);
}

static int post_progress(archai_worker *w, const archai_evaluator_event *event, double at, archai_err *err)
{
    archai_trial so_far = {.id = w->queue[0].id};
    const archai_message m = {
        .type = ARCHAI_MSG_PROGRESS,
        .id = w->queue[0].id,
        .epoch = event->epoch,
        .epochs = event->epochs,
        .at = at,
        .by_epoch = event->by_epoch,
        .evaluation = &so_far,
    };
    int rc;

    choose_measures(w, event->result, &so_far);
    rc = archai_comm_post(w->comm, 0, &m, err);
    archai_trial_fini(&so_far);
    return rc;
}

/* Rank 0 counts epochs as the curve's places do, and where nothing is said, reports: so it finds them again in a row. */
int archai_worker_on_progress(archai_worker *w, const archai_evaluator_event *event, archai_err *err)
{
    const archai_trial *r = event->result;
    size_t place;
    double at = event->at;

    if (archai_growing_begin(&w->growing, at, event->by_epoch, &place)) {
        for (size_t i = 0; r != NULL && i < r->n_measures; i++)
            archai_growing_add(&w->growing, place, r->measures[i].name, r->measures[i].value);
        if (isnan(at) || (event->by_epoch && w->growing.stride == 0))
            at = (double)place + 1;
    } else if (isnan(at)) {
        at = (double)w->growing.n_reports;
    }
    return may_post(w) ? post_progress(w, event, at, err) : ARCHAI_OK;
}

int archai_worker_on_prune(archai_worker *w, int64_t id, archai_err *err)
{
    const archai_evaluator_ops *ops = w->evaluator->ops;

    if (w->state != ARCHAI_WORKER_EVALUATING || w->queue[0].id != id || w->stopping || ops->stop == NULL)
        return ARCHAI_OK; /* it was faster */
    w->stopping = true;
    return ops->stop(w->evaluator, err);
}

static bool has_curve(const archai_trial *t, const char *name)
{
    for (size_t i = 0; i < t->n_curves; i++)
        if (strcmp(t->curves[i].name, name) == 0)
            return true;
    return false;
}

/* The evaluator's own curves are the whole ones: they begin where a training did that went on from a checkpoint. */
void archai_worker_end_progress(archai_worker *w)
{
    archai_growing *g = &w->growing;
    archai_trial *t = &w->queue[0];

    for (size_t i = 0; i < g->n; i++) {
        archai_growing_curve *c = &g->at[i];

        if (c->n == 0 || has_curve(t, c->name))
            continue;
        t->curves = archai_realloc(t->curves, t->n_curves + 1, sizeof *t->curves);
        t->curves[t->n_curves++] = (archai_curve){.name = c->name, .values = c->values, .n = c->n};
        *c = (archai_growing_curve){.name = NULL};
    }
    archai_growing_clear(g);
}
