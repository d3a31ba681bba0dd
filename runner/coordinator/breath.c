#include "runner/coordinator/breath.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"
#include "runner/rank/pulse.h"
#include "runner/rank/signals.h"

enum { MESSAGES_MAX = 256 }; /* in one breath */
static const double pause_s = 0.002;

int archai_breath_check_signals(archai_coordinator *c, int *seen, archai_err *err)
{
    const int n = archai_signals_count();

    if (n == *seen)
        return ARCHAI_OK;
    *seen = n;
    return archai_coordinator_stop(c, 0, archai_signals_name(), err);
}

/* -- messages ------------------------------------------------------------------------------ */

static bool holds_of(const archai_breath *b, int source)
{
    for (size_t i = b->taken; i < b->n_held; i++)
        if (b->held[i].source == source)
            return true;
    return false;
}

static void hold(archai_breath *b, int source, archai_message *m)
{
    ARCHAI_RESERVE(b->held, b->capacity, b->n_held + 1);
    b->held[b->n_held++] = (archai_held){source, *m};
    *m = (archai_message){0};
}

bool archai_breath_take(archai_breath *b, int *source, archai_message *out)
{
    if (b->taken == b->n_held)
        return false;
    *source = b->held[b->taken].source;
    *out = b->held[b->taken++].message;
    if (b->taken == b->n_held)
        b->taken = b->n_held = 0;
    return true;
}

/* A stop request waits for nothing. */
static int handle(archai_breath *b, int source, archai_message *m, archai_err *err)
{
    if (archai_message_is_for_worker(m->type, source))
        return b->worker != NULL ? archai_worker_handle(b->worker, m, err) : ARCHAI_OK;
    if (m->type != ARCHAI_MSG_DRAIN && (m->type == ARCHAI_MSG_DONE || holds_of(b, source))) {
        hold(b, source, m);
        return ARCHAI_OK;
    }
    return archai_coordinator_handle(b->coordinator, source, m, err);
}

static int take_messages(archai_breath *b, archai_err *err)
{
    for (int i = 0; i < MESSAGES_MAX; i++) {
        archai_message m = {0};
        int source, rc;
        bool got;

        ARCHAI_TRY(archai_comm_take(b->coordinator->comm, &source, &m, &got, err));
        if (!got)
            break;
        rc = handle(b, source, &m, err);
        archai_message_fini(&m);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* -- a breath ------------------------------------------------------------------------------ */

static int attend(archai_breath *b, archai_err *err)
{
    archai_coordinator *c = b->coordinator;
    bool busy = false;

    archai_pulse_turn();
    ARCHAI_TRY(archai_breath_check_signals(c, b->signals_seen, err));
    ARCHAI_TRY(archai_coordinator_look_at_clock(c, err));
    ARCHAI_TRY(archai_comm_progress(c->comm, err));
    ARCHAI_TRY(take_messages(b, err));
    if (b->worker != NULL)
        ARCHAI_TRY(archai_worker_step(b->worker, &busy, err));
    return archai_comm_progress(c->comm, err);
}

static int breathe(void *payload, archai_err *err)
{
    archai_breath *b = payload;
    const double now = archai_clock_s();
    int rc;

    if (b->inside || now < b->next)
        return ARCHAI_OK;
    b->inside = true;
    rc = attend(b, err);
    b->inside = false;
    b->next = archai_clock_s() + pause_s;
    if (rc == ARCHAI_OK && b->coordinator->phase != ARCHAI_PHASE_RUNNING)
        return archai_fail(err, ARCHAI_EINTR, "the run is stopping");
    return rc;
}

void archai_breath_init(archai_breath *b, archai_coordinator *coordinator, archai_worker *worker,
                        int *signals_seen)
{
    *b = (archai_breath){
        .coordinator = coordinator,
        .worker = worker,
        .signals_seen = signals_seen,
        .interrupt = {.check = breathe, .payload = b},
    };
    coordinator->plan->space->interrupt = &b->interrupt;
}

void archai_breath_fini(archai_breath *b)
{
    int source;
    archai_message m;

    if (b->coordinator == NULL)
        return;
    b->coordinator->plan->space->interrupt = NULL;
    while (archai_breath_take(b, &source, &m))
        archai_message_fini(&m);
    free(b->held);
    *b = (archai_breath){0};
}
