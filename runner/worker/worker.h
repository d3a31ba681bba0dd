/* runner/worker/worker.h - a worker slot: candidates in, committed evaluations out.
 *
 * One per rank (rank 0 has one too, unless run.coordinator_evaluates = no). Its life with a
 * candidate:
 *
 *   IDLE -> OPENING -> FETCHING -> EVALUATING -> OFFERING -> AWAITING -> WRITING -> COMMITTING -> IDLE
 *
 *   MEASURING   other evaluators measure: before OPENING, or after EVALUATING (only where there are any)
 *   OPENING     the evaluator starts (only for the first candidate and after a death)
 *   FETCHING    the weights that it begins from are read (only where there are any)
 *   OFFERING    there are weights (or a failure that may be tried again): room for the row is
 *               secured before rank 0 is asked
 *   AWAITING    rank 0 was asked: keep the weights, and where?
 *   WRITING     the weights are written, a piece at a time (only where they are kept)
 *   COMMITTING  the row follows, then the report, both together with those of other instant
 *               evaluations
 *
 * Until the row is written the candidate counts as running. A worker never waits: archai_worker_step does
 * what can be done and returns. Not collective.
 */
#ifndef ARCHAI_RUNNER_WORKER_WORKER_H
#define ARCHAI_RUNNER_WORKER_WORKER_H
#include "core/progress/growing.h"
#include "core/search/objective.h"
#include "io/segment/offered.h"
#include "io/segment/stored.h"
#include "runner/rank/comm.h"
#include "runner/evaluator/evaluator.h"
#include "runner/worker/writer.h"

typedef enum archai_worker_state {
    ARCHAI_WORKER_IDLE,
    ARCHAI_WORKER_MEASURING,
    ARCHAI_WORKER_OPENING,
    ARCHAI_WORKER_FETCHING,
    ARCHAI_WORKER_EVALUATING,
    ARCHAI_WORKER_DYING,   /* the evaluator was killed: perhaps by a stop request that arrives in a moment */
    ARCHAI_WORKER_OFFERING,
    ARCHAI_WORKER_AWAITING,
    ARCHAI_WORKER_WRITING,
    ARCHAI_WORKER_COMMITTING,
    ARCHAI_WORKER_RETIRED
} archai_worker_state;

/* An evaluator that takes one measure ([measure.NAME] with kind = command), or those of the model where the
 * candidates' own evaluator does not (name NULL). */
typedef struct archai_worker_part {
    const char *name; /* borrowed */
    int stage;        /* archai_stage */
    archai_evaluator_setup setup;
    void *settings;              /* owned; NULL: none */
    archai_evaluator *evaluator; /* owned */
    enum { ARCHAI_PART_CLOSED, ARCHAI_PART_OPENING, ARCHAI_PART_OPEN, ARCHAI_PART_BUSY } state;
} archai_worker_part;

typedef struct archai_worker {
    archai_comm *comm;                   /* borrowed */
    const archai_config *config;         /* borrowed */
    const archai_objectives *objectives; /* borrowed */
    archai_evaluator_setup setup;
    archai_evaluator *evaluator;         /* owned */
    archai_worker_part *parts; /* owned; [n_parts] */
    size_t n_parts;
    archai_config parts_config; /* as config; borrows from it */
    size_t part;                /* MEASURING: the one at work */
    int stage;                  /* MEASURING: archai_stage */
    bool row_is_begun, before_is_done; /* of the current candidate */
    archai_space *space;                 /* owned; for what follows from an architecture alone */
    archai_writer writer;
    archai_trial *reports; /* owned; [n_reports]: finished, their rows gathered; rank 0 will hear of them */
    size_t n_reports, reports_capacity;
    archai_worker_state state;

    archai_trial *queue; /* [n_queue], the first is the current one and gets its results filled in; points
                            into `store` */
    size_t n_queue;
    archai_trial *store; /* owned; [capacity] */
    size_t capacity;
    archai_stored stored;     /* FETCHING: what is being read */
    int given_fd;             /* FETCHING: a given model's weights, being copied; -1: none */
    uint64_t given_at, given_bytes; /* how much of them is copied, of how much */
    double fetch_at, fetch_by; /* clock: try (again) then; train from the beginning after that */
    archai_offered offered;   /* WRITING: what is being written */
    double write_at;          /* clock: try then whether the segment is visible */
    char *device;             /* owned; as the evaluator calls it */
    archai_output_log log;    /* of the current candidate */
    size_t n_logs;            /* that were written */
    archai_growing growing;   /* EVALUATING: learning curves of the current candidate */
    bool stopping;            /* it was asked to end early */
    double tokens, tokens_at; /* how many reports rank 0 may hear of now; clock: as of then */
    char host[256];
    double began;             /* clock: EVALUATING since */
    double dying_until;       /* clock */
    bool is_open;             /* the evaluator said READY */
    bool said_hello;
    int failed_starts;        /* in a row */
    double open_after;        /* clock: not started again before */

    bool draining, asked_to_leave;
    double drain_by;  /* clock: what runs is interrupted then */
    double sync_at;   /* clock: of the next fdatasync */
} archai_worker;

/* Borrows all pointers. `directory`: the results. */
int archai_worker_init(archai_worker *w, archai_comm *comm, const archai_evaluator_ops *ops,
                       const archai_evaluator_setup *setup, const archai_objectives *objectives,
                       const char *directory, archai_err *err);
void archai_worker_fini(archai_worker *w); /* safe on a zeroed struct */

/* WORK, GRANT, VERDICT, PRUNE, DRAIN. Takes over what it needs of the message. */
int archai_worker_handle(archai_worker *w, archai_message *m, archai_err *err);
/* *busy: something was done, call again soon. A failure that is not a candidate's (the results directory)
 * is reported to rank 0 and retires the worker; a returned error is one of MPI. */
int archai_worker_step(archai_worker *w, bool *busy, archai_err *err);
/* Descriptors that end a sleep; *due: the clock time by which to look again. */
size_t archai_worker_wake(archai_worker *w, struct pollfd *out, size_t max, double *due);
#endif
