/* A GPU or a node that fails everything at once gets no more work. Its failures stay: rows are never taken
 * back. With evaluator.retries a failure that is not a row yet is tried again. */
#include <stdio.h>

#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

int archai_coordinator_trust(archai_coordinator *c, int source, int64_t id, bool failed,
                             double seconds, archai_err *err)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};
    const archai_slot *s = &c->slots.at[source];
    archai_suspicion suspicion;

    /* A candidate that failed before, here or elsewhere, says nothing about this worker, which may have a
     * whole batch of them. */
    if (failed && archai_search_failures(&c->plan->search, id) > 1) {
        archai_slots_pace(&c->slots, source, seconds);
        return ARCHAI_OK;
    }
    archai_slots_note(&c->slots, source, failed, seconds);
    if (!failed || s->leaving)
        return ARCHAI_OK;
    suspicion = archai_slots_suspect(&c->slots, source, archai_clock_s());
    if (suspicion == ARCHAI_SUSPECT_NONE)
        return ARCHAI_OK;
    archai_progress_clear(&c->progress);
    if (suspicion == ARCHAI_SUSPECT_HOST)
        archai_runlog_say(c->log, source,
                          "%s fails every candidate within a second while others do not: it gets "
                          "no more work",
                          s->host);
    else
        archai_runlog_say(c->log, source,
                          "rank %d (%s on %s) failed its last %d candidates within a second each "
                          "while others do not: it gets no more work",
                          source, s->device != NULL ? s->device : "a device",
                          s->host != NULL ? s->host : "a host", s->quick_failures);
    for (int i = 0; i < c->slots.n; i++) {
        archai_slot *slot = &c->slots.at[i];

        if (!slot->exists || slot->retired ||
            (i != source &&
             (suspicion != ARCHAI_SUSPECT_HOST || !archai_slots_is_on(&c->slots, i, source))))
            continue;
        slot->leaving = slot->quarantined = true;
        ARCHAI_TRY(archai_comm_post(c->comm, i, &drain, err));
    }
    return ARCHAI_OK;
}
