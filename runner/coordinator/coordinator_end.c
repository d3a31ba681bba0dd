/* When a run ends: everything is done, the time is over, a stop was asked for, or no worker is left. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner/coordinator/coordinator.h"
#include "runner/process/clock.h"

static const double second_stop_s = 0.5; /* one request may reach a rank in several ways */

static int tell_workers(archai_coordinator *c, double seconds, archai_err *err)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN, .seconds = seconds};

    for (int i = 0; i < c->slots.n; i++) {
        if (!c->slots.at[i].exists || c->slots.at[i].retired)
            continue;
        c->slots.at[i].leaving = true;
        ARCHAI_TRY(archai_comm_post(c->comm, i, &drain, err));
    }
    return ARCHAI_OK;
}

int archai_coordinator_drain(archai_coordinator *c, const char *state, int exit_code,
                             double seconds, archai_err *err, const char *fmt, ...)
{
    va_list ap;

    if (c->phase > ARCHAI_PHASE_DRAINING)
        return ARCHAI_OK;
    if (c->phase == ARCHAI_PHASE_RUNNING)
        c->busy = archai_slots_busy(&c->slots, c->began, archai_clock_s());
    if (c->phase == ARCHAI_PHASE_RUNNING ||
        exit_code == 74) { /* a full disk matters more than a stop */
        c->outcome.state = state;
        c->outcome.exit_code = exit_code;
        va_start(ap, fmt);
        (void)vsnprintf(c->outcome.why, sizeof c->outcome.why, fmt, ap);
        va_end(ap);
        archai_progress_clear(&c->progress);
        archai_runlog_note(c->log, 0, "%s", c->outcome.why);
    }
    c->phase = ARCHAI_PHASE_DRAINING;
    c->changed = true;
    return tell_workers(c, seconds, err);
}

int archai_coordinator_stop(archai_coordinator *c, int source, const char *signal_name,
                            archai_err *err)
{
    archai_slot *slot = &c->slots.at[source];
    const double now = archai_clock_s();
    const double grace = c->plan->config.run.grace_s;
    const bool again = slot->stopped_at > 0 && now - slot->stopped_at > second_stop_s;

    if (c->phase == ARCHAI_PHASE_OVER)
        return ARCHAI_OK;
    if (slot->stopped_at <= 0)
        slot->stopped_at = now;
    if (c->stops == 0 && c->phase > ARCHAI_PHASE_DRAINING) {
        c->stops = 1;
        archai_runlog_say(c->log, 0, "%s: only results.h5 is still to be written; a second signal stops at once",
                          signal_name);
        return ARCHAI_OK;
    }
    if (c->stops == 0) {
        c->stops = 1;
        archai_progress_clear(&c->progress);
        archai_runlog_say(
            c->log, 0,
            "%s: stopping; running candidates have %.0f s to finish, a second signal stops them "
            "at once",
            signal_name, grace);
        return archai_coordinator_drain(c, "interrupted", 75, grace, err, "stopped by %s",
                                        signal_name);
    }
    if (c->stops == 1 && again) {
        c->stops = 2;
        c->hurried_at = now;
        archai_runlog_say(c->log, 0, "%s again: stopping at once", signal_name);
        return c->phase > ARCHAI_PHASE_DRAINING ? ARCHAI_OK : tell_workers(c, 0, err);
    }
    return ARCHAI_OK;
}

int archai_coordinator_check_time(archai_coordinator *c, archai_err *err)
{
    const double now = archai_clock_s();

    if (c->phase != ARCHAI_PHASE_RUNNING || now < c->drain_at)
        return ARCHAI_OK;
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0, "search.max_time is nearly over: stopping");
    return archai_coordinator_drain(c, "interrupted", 75, fmax(0, c->kill_at - now), err,
                                    "stopped by search.max_time = %.0f s",
                                    c->plan->config.search.max_time_s);
}

/* The search has nothing more to do. */
static int complete(archai_coordinator *c, const char *why, archai_err *err)
{
    char *failed;

    if (!archai_search_all_failed(&c->plan->search))
        return archai_coordinator_drain(c, "complete", 0, 0, err, "%s", why);
    ARCHAI_TRY(archai_coordinator_drain(c, "complete", 1, 0, err, "%s", why));
    failed = archai_failures_all(&c->plan->failures);
    archai_runlog_say_lines(c->log, 0, failed);
    free(failed);
    return ARCHAI_OK;
}

/* Nothing under way, nothing to come? */
int archai_coordinator_check_complete(archai_coordinator *c, archai_err *err)
{
    const archai_search *s = &c->plan->search;
    const bool over = (int64_t)s->n_finished >= c->plan->config.search.max_evaluations;
    char why[sizeof s->done + 64];
    size_t tests = 0;

    if (c->phase != ARCHAI_PHASE_RUNNING || c->slots.under_way > 0)
        return ARCHAI_OK;
    if (over || c->search_is_done)
        tests = archai_coordinator_tests_left(c);
    if (tests > 0 && archai_slots_alive(&c->slots) > 0)
        return ARCHAI_OK;
    if (over && tests == 0) {
        (void)snprintf(why, sizeof why, "complete: %zu evaluations", s->n_finished);
        return complete(c, why, err);
    }
    if (c->search_is_done && tests == 0) {
        (void)snprintf(why, sizeof why, "complete after %zu evaluations: %s", s->n_finished, s->done);
        return complete(c, why, err);
    }
    if (archai_slots_alive(&c->slots) == 0 && c->n_lost > 0)
        return archai_coordinator_drain(c, "interrupted", 75, 0, err,
                                        "no worker is left: %d %s lost", c->n_lost,
                                        c->n_lost == 1 ? "was" : "were");
    if (archai_slots_alive(&c->slots) == 0)
        return archai_coordinator_drain(c, "failed", 1, 0, err,
                                        "no worker is left that can evaluate anything");
    return ARCHAI_OK;
}
