/* runner/coordinator/breath.h - what rank 0 looks at while its search is at work for longer than a moment.
 *
 * A space may look for a valid architecture for minutes, a generation may be bred for seconds. The
 * search asks (archai_space_breathe), and every few milliseconds there are looked at: signals, max_time,
 * the heartbeat in `owner`, what the workers send, and rank 0's own worker slot. Evaluations cannot be
 * told to a search that is in the middle of a proposal: these messages, and what the same worker sends
 * after them, are held until it is through. Rank 0 only.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_BREATH_H
#define ARCHAI_RUNNER_COORDINATOR_BREATH_H
#include "runner/coordinator/coordinator.h"
#include "runner/worker/worker.h"

typedef struct archai_held {
    int source;
    archai_message message; /* owned */
} archai_held;

typedef struct archai_breath {
    archai_coordinator *coordinator; /* borrowed */
    archai_worker *worker;           /* borrowed; NULL: none */
    int *signals_seen;               /* borrowed */
    archai_interrupt interrupt;      /* what the search's space gets */
    double next;                     /* clock: not before */
    bool inside;
    archai_held *held; /* owned; [n_held], of which `taken` were taken; in the order of their coming */
    size_t n_held, taken, capacity;
} archai_breath;

/* From now on the coordinator's search asks. */
void archai_breath_init(archai_breath *b, archai_coordinator *coordinator, archai_worker *worker,
                        int *signals_seen);
void archai_breath_fini(archai_breath *b); /* safe on a zeroed struct */
/* The next message that was held; it is the caller's then. */
bool archai_breath_take(archai_breath *b, int *source, archai_message *out);
/* A stop was asked for since the last look, by a signal to this rank. */
int archai_breath_heed_signals(archai_coordinator *c, int *seen, archai_err *err);
#endif
