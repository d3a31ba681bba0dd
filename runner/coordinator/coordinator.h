/* runner/coordinator/coordinator.h - rank 0: which candidate goes to which worker, what is kept, when it is over.
 *
 * Never computes, never blocks. Phases:
 *
 *   RUNNING    candidates go out (coordinator_dispatch.c), evaluations come back (coordinator_inbox.c)
 *   DRAINING   nothing goes out; workers finish or give back what they have, then leave. Entered when
 *              everything is done, on a stop request, when the time is over, when no worker is left
 *   INDEXING   the last results.h5 is written, with the final state
 *   OVER       every rank was told the exit code. Where a rank was lost, archai_coordinator_dismiss
 *              tells the others, after the final output, and no rank waits for another
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_COORDINATOR_H
#define ARCHAI_RUNNER_COORDINATOR_COORDINATOR_H
#include "runner/rank/comm.h"
#include "runner/coordinator/grants.h"
#include "runner/indexer/index_client.h"
#include "runner/rank/plan.h"
#include "runner/coordinator/progress.h"
#include "runner/directory/rundir.h"
#include "runner/directory/running.h"
#include "runner/rank/runlog.h"
#include "runner/coordinator/slots.h"
#include "runner/coordinator/surrogate_client.h"
#include "runner/worker/writer.h"

typedef enum archai_phase {
    ARCHAI_PHASE_RUNNING,
    ARCHAI_PHASE_DRAINING,
    ARCHAI_PHASE_INDEXING,
    ARCHAI_PHASE_OVER
} archai_phase;

/* The front is measured on the test data once the search is over (train.test = front). */
typedef struct archai_test {
    size_t record; /* in the search */
    int failures, losses;
} archai_test;

typedef struct archai_tests {
    bool begun;      /* what follows is known; nothing else goes out any more */
    archai_test *at; /* owned; [n] */
    size_t n, next;  /* those before `next` were handed out */
    size_t left;     /* not over yet */
} archai_tests;

/* How a run ended: what stands in results.h5, and the exit code. */
typedef struct archai_outcome {
    const char *state; /* "complete", "interrupted", "failed"; static storage */
    int exit_code;
    char why[ARCHAI_ERR_TEXT_MAX]; /* a sentence */
} archai_outcome;

typedef struct archai_coordinator {
    archai_comm *comm;     /* borrowed */
    archai_plan *plan;     /* borrowed */
    archai_rundir *dir;    /* borrowed */
    archai_runlog *log;    /* borrowed */
    archai_slots slots;
    archai_grants grants;
    archai_writer writer;  /* of rows that no worker evaluates */
    archai_message index_run; /* ARCHAI_MSG_INDEX, borrows its texts */
    archai_index_client index;
    archai_surrogate_client surrogate;
    archai_progress progress;
    char started[40];      /* ISO 8601 */
    char software[256];    /* versions of this program, HDF5 and MPI */

    archai_phase phase;
    archai_outcome outcome; /* set when DRAINING begins */
    double busy;            /* share of the workers' time that went into evaluations, until then */
    bool search_is_done;    /* the search has nothing more to propose */
    archai_tests tests;
    archai_running *running; /* owned; [slots.n]; archid NULL: nothing was reported */
    bool running_changed, complained_of_prune;
    double show_running_at;  /* clock: not written again before */
    bool changed;           /* rows were committed since the last refresh began */
    double began, drain_at, kill_at; /* clock; inf: never */
    int64_t n_before;       /* finished evaluations of earlier starts */
    int64_t n_failed, n_said; /* failures; those printed on standard error */
    int n_lost;             /* ranks that are lost now */
    int stops;              /* stop requests followed: 1 drain, 2 now */
    double hurried_at;      /* clock: when the second came */
} archai_coordinator;

/* `workers[size]`: which ranks evaluate (borrowed for the call). */
void archai_coordinator_init(archai_coordinator *c, archai_comm *comm, archai_plan *plan,
                             archai_rundir *dir, archai_runlog *log, const bool *workers,
                             archai_progress_mode progress);
void archai_coordinator_fini(archai_coordinator *c); /* safe on a zeroed struct */

/* HELLO, NEED, OFFER, DONE, RETURNED, RETIRED, FAILED, NOTE, PROGRESS, and DRAIN (a rank got a signal). */
int archai_coordinator_handle(archai_coordinator *c, int source, archai_message *m,
                              archai_err *err);
int archai_coordinator_step(archai_coordinator *c, bool *busy, archai_err *err);
/* The heartbeat and max_time: at the beginning of a step, and in the middle of one that takes long
 * (breath.h). */
int archai_coordinator_look_at_clock(archai_coordinator *c, archai_err *err);
/* A signal of this name to rank `source` asks for a stop: the first one means drain, a later one to the
 * same rank means at once. (mpirun sends one signal to all ranks, which report it at different times.) */
int archai_coordinator_stop(archai_coordinator *c, int source, const char *signal_name,
                            archai_err *err);

/* To all ranks that are left: leave, without waiting for the others. */
int archai_coordinator_dismiss(archai_coordinator *c, archai_err *err);

/* Write and free a row that no worker has evaluated. */
int archai_coordinator_record(archai_coordinator *c, archai_trial *e, archai_err *err);

/* -- parts, each in coordinator_*.c -------------------------------------------------------------- */
int archai_coordinator_take_back(archai_coordinator *c, int source, int64_t id, archai_err *err);
/* Look for ranks that were lost or came back (coordinator_loss.c). */
int archai_coordinator_watch(archai_coordinator *c, archai_err *err);
/* What a candidate reports while it is evaluated (coordinator_progress.c). show: now and then into running.json, which
 * hide removes for good. */
int archai_coordinator_on_progress(archai_coordinator *c, int source, archai_message *m, archai_err *err);
void archai_coordinator_show_running(archai_coordinator *c);
void archai_coordinator_hide_running(archai_coordinator *c);
/* A worker's evaluation came back: should it get more work (coordinator_quarantine.c)? */
int archai_coordinator_trust(archai_coordinator *c, int source, int64_t id, bool failed,
                             double seconds, archai_err *err);
int archai_coordinator_dispatch(archai_coordinator *c, bool *busy, archai_err *err);
/* An OFFER: may the weights be kept, may the failure be tried again (coordinator_offer.c)? */
int archai_coordinator_on_offer(archai_coordinator *c, int source, archai_message *m,
                                archai_err *err);
/* coordinator_test.c. left: something is still to be measured (or has to be looked for first). */
size_t archai_coordinator_tests_left(archai_coordinator *c);
int archai_coordinator_dispatch_tests(archai_coordinator *c, bool *busy, archai_err *err);
int archai_coordinator_on_test(archai_coordinator *c, int source, const archai_trial *e);
/* It came back unmeasured. lost: with the rank that had it; false: so often that it is given up. */
bool archai_coordinator_requeue_test(archai_coordinator *c, int64_t id, bool lost);
/* coordinator_end.c */
int archai_coordinator_check_time(archai_coordinator *c, archai_err *err);
int archai_coordinator_check_complete(archai_coordinator *c, archai_err *err);
int archai_coordinator_drain(archai_coordinator *c, const char *state, int exit_code,
                             double seconds, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
#endif
