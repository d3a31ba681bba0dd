#include "runner/worker/worker_private.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

/* How often in a row an evaluator may fail to start before its worker retires, and the pause.
 */
enum { MAX_FAILED_STARTS = 4 };
static const double restart_pause_s = 0.25;
/* scancel reaches every process of a job, in any order: after a death by one of its signals the stop
 * request itself may arrive a moment later, and then this was not a failure. */
static const double dying_s = 1;
/* In a drain, a row whose place or verdict does not come by then is given up. */
static const double stuck_s = 5;

void archai_worker_close(archai_worker *w)
{
    w->evaluator->ops->close(w->evaluator);
    w->is_open = false;
}

/* -- evaluating ---------------------------------------------------------------------------- */

int archai_worker_not_started(archai_worker *w, const char *text, archai_err *err)
{
    char why[ARCHAI_ERR_TEXT_MAX + 64];

    archai_worker_close(w);
    w->failed_starts++;
    if (w->failed_starts >= MAX_FAILED_STARTS) {
        (void)snprintf(why, sizeof why,
                       "the evaluator could not be started %d times in a row: %s",
                       w->failed_starts, text);
        return archai_worker_retire(w, why, err);
    }
    w->open_after = archai_clock_s() + restart_pause_s * (1 << w->failed_starts);
    w->state = ARCHAI_WORKER_IDLE;
    return ARCHAI_OK;
}

int archai_worker_start_row(archai_worker *w, archai_err *err)
{
    if (w->row_is_begun)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_worker_begin_row(w, err));
    archai_output_log_clear(&w->log);
    w->began = archai_clock_s();
    w->row_is_begun = true;
    return ARCHAI_OK;
}

int archai_worker_begin(archai_worker *w, archai_err *err)
{
    ARCHAI_TRY(archai_worker_start_row(w, err));
    archai_worker_begin_progress(w);
    w->state = ARCHAI_WORKER_EVALUATING;
    return w->evaluator->ops->begin(w->evaluator, &w->queue[0], err);
}

/* Rank 0 is told a worker's host and device when it is ready, and when the device changes. */
static int on_ready(archai_worker *w, const char *device, archai_err *err)
{
    archai_message hello = {.type = ARCHAI_MSG_HELLO, .text = w->host};
    const bool changed = device[0] != '\0' && strcmp(device, w->device) != 0;

    w->is_open = true;
    w->failed_starts = 0;
    w->state = ARCHAI_WORKER_IDLE;
    if (changed) {
        free(w->device);
        w->device = archai_strdup(device);
    }
    if (w->said_hello && !changed)
        return ARCHAI_OK;
    w->said_hello = true;
    hello.device = w->device;
    return archai_worker_post(w, &hello, err);
}

int archai_worker_note(archai_worker *w, char *text, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_NOTE, .id = w->queue[0].id, .text = text};

    return archai_worker_post(w, &m, err);
}

/* Is a measure missing that is to be optimised, and that nobody else takes? */
static bool lacks_objective(const archai_worker *w)
{
    const archai_trial *t = &w->queue[0];
    double values[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(w->objectives, t->measures, t->n_measures, values);
    for (size_t i = 0; i < w->objectives->n; i++)
        if (w->objectives->at[i].direction != ARCHAI_CONSTRAIN && isnan(values[i]) &&
            !archai_worker_is_taken(w, w->objectives->at[i].source))
            return true;
    return false;
}

static int on_measured(archai_worker *w, archai_trial *r, archai_err *err)
{
    const bool left_out = r->error != NULL && r->error[0] != '\0';
    archai_trial *t = &w->queue[0];
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < r->n_measures; i++)
        if (!archai_worker_is_taken(w, r->measures[i].name))
            archai_trial_set_measure(t, r->measures[i].name, r->measures[i].value);
    if (r->device != NULL && r->device[0] != '\0') { /* it says how it computed */
        free(t->device);
        t->device = r->device;
        r->device = NULL;
    }
    t->curves = r->curves;
    t->n_curves = r->n_curves;
    t->tensors = r->tensors;
    t->n_tensors = r->n_tensors;
    r->curves = NULL;
    r->tensors = NULL;
    r->n_curves = r->n_tensors = 0;
    t->status = r->status == ARCHAI_STATUS_PRUNED ? ARCHAI_STATUS_PRUNED : ARCHAI_STATUS_OK;
    if (t->status == ARCHAI_STATUS_PRUNED) { /* nothing more is measured, nothing is missing */
        archai_trial_drop_tensors(t);
        archai_worker_finish(w);
        return left_out ? archai_worker_note(w, r->error, err) : ARCHAI_OK;
    }
    /* What was left out tells more than "is missing", unless a constraint excuses it. */
    if (left_out && lacks_objective(w) && !archai_worker_is_infeasible(w)) {
        archai_worker_fail(w, r->error);
        return ARCHAI_OK;
    }
    if (left_out)
        rc = archai_worker_note(w, r->error, err);
    if (w->n_parts == 0 || !archai_worker_begin_stage(w, ARCHAI_AFTER))
        archai_worker_finish(w);
    return rc;
}

static bool is_stop_signal(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGUSR1 ||
           number == SIGUSR2;
}

static int on_gone(archai_worker *w, const archai_evaluator_event *event, archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];

    archai_worker_close(w);
    if (w->state !=
        ARCHAI_WORKER_EVALUATING) { /* between candidates: the next one starts another */
        w->state = ARCHAI_WORKER_IDLE;
        return ARCHAI_OK;
    }
    (void)snprintf(text, sizeof text, "evaluator %.800s (after %.1f s)", event->text,
                   archai_clock_s() - w->began);
    if (event->signal != 0 && w->draining)
        return archai_worker_give_back(w, err);
    if (!is_stop_signal(event->signal)) {
        archai_worker_fail(w, text);
        return ARCHAI_OK;
    }
    archai_trial_set_error(&w->queue[0], ARCHAI_STATUS_FAILED, text);
    w->dying_until = archai_clock_s() + dying_s;
    w->state = ARCHAI_WORKER_DYING;
    return ARCHAI_OK;
}

/* After an error of the device its context may be poisoned and its memory in pieces: the next candidate gets a new one.
 * Errors of a GPU come up anywhere later, and not all of their texts name it. */
bool archai_worker_is_device_error(const archai_worker *w, int code)
{
    return code == ARCHAI_EDEVMEM || (strncmp(w->device, "cuda", 4) == 0 && code == ARCHAI_ETORCH);
}

static void on_failed(archai_worker *w, const archai_evaluator_event *event)
{
    if (archai_worker_is_device_error(w, event->code))
        archai_worker_close(w);
    archai_worker_forget(w); /* it led to this: it must not be continued */
    archai_worker_fail(w, event->text);
}

int archai_worker_poll(archai_worker *w, bool *busy, archai_err *err)
{
    archai_evaluator_event event = {.kind = ARCHAI_EVALUATOR_NOTHING};
    int rc;

    ARCHAI_TRY_GOTO(rc, w->evaluator->ops->poll(w->evaluator, &event, err), out);
    if (event.kind != ARCHAI_EVALUATOR_NOTHING)
        *busy = true;
    switch (event.kind) {
    case ARCHAI_EVALUATOR_READY:
        rc = on_ready(w, event.text, err);
        break;
    case ARCHAI_EVALUATOR_NOT_STARTED:
        rc = archai_worker_not_started(w, event.text, err);
        break;
    case ARCHAI_EVALUATOR_GONE:
        rc = on_gone(w, &event, err);
        break;
    case ARCHAI_EVALUATOR_MEASURED:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = on_measured(w, event.result, err);
        break;
    case ARCHAI_EVALUATOR_FAILED:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            on_failed(w, &event);
        break;
    case ARCHAI_EVALUATOR_PROGRESS:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = archai_worker_on_progress(w, &event, err);
        break;
    case ARCHAI_EVALUATOR_NOTE:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = archai_worker_note(w, event.text, err);
        break;
    case ARCHAI_EVALUATOR_NOTHING:
        break;
    }
out:
    archai_evaluator_event_fini(&event);
    return rc;
}

/* What the clock says about the running candidate. */
int archai_worker_check_limits(archai_worker *w, archai_err *err)
{
    const double now = archai_clock_s();
    const double timeout = w->config->evaluator.timeout_s;
    char text[128];

    if (w->draining && now > w->drain_by + stuck_s &&
        (w->state == ARCHAI_WORKER_OFFERING || w->state == ARCHAI_WORKER_AWAITING ||
         w->state == ARCHAI_WORKER_WRITING || w->state == ARCHAI_WORKER_COMMITTING))
        return archai_worker_give_back(w, err);
    if (w->state != ARCHAI_WORKER_EVALUATING && w->state != ARCHAI_WORKER_MEASURING)
        return ARCHAI_OK;
    if (w->draining && now > w->drain_by) {
        archai_worker_close(w);
        archai_worker_parts_close(w);
        return archai_worker_give_back(w, err);
    }
    if (now - w->began > timeout) {
        if (w->state == ARCHAI_WORKER_EVALUATING)
            archai_worker_close(w);
        archai_worker_parts_close(w);
        (void)snprintf(text, sizeof text, "timeout: no result after %.1f s (evaluator.timeout)",
                       now - w->began);
        archai_worker_fail(w, text);
    }
    return ARCHAI_OK;
}
