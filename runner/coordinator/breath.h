/* runner/coordinator/breath.h - what rank 0 attends to while its search takes long.
 *
 * A space may look for a valid architecture for minutes, breeding a generation may take seconds. Meanwhile
 * the search calls archai_space_breathe, and every few milliseconds rank 0 checks signals, max_time, the
 * heartbeat in `owner`, the workers' messages and its own worker slot. Evaluations cannot be told to a
 * search that is in the middle of a proposal: such messages, and later ones of the same worker, are held
 * back until it has finished. Rank 0 only.
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
    archai_held *held; /* owned; [n_held], of which `taken` were taken; in the order of arrival */
    size_t n_held, taken, capacity;
} archai_breath;

/* From now on the coordinator's search breathes. */
void archai_breath_init(archai_breath *b, archai_coordinator *coordinator, archai_worker *worker,
                        int *signals_seen);
void archai_breath_fini(archai_breath *b); /* safe on a zeroed struct */
/* The next message that was held; the caller owns it. */
bool archai_breath_take(archai_breath *b, int *source, archai_message *out);
/* Act on signals to this rank that came since *seen. */
int archai_breath_check_signals(archai_coordinator *c, int *seen, archai_err *err);
#endif
