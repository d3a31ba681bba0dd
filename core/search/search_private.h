/* core/search/search_private.h - what the files of the search share among themselves.
 *
 * search.c          asking and telling
 * search_record.c   a record's way: entered, queued, finished, let go of
 * search_judge.c    measures, constraints, verdicts
 * search_propose.c  the next proposal: the algorithm, then random samples, then enumeration
 * search_restore.c  rows of earlier starts, replay, saved state
 */
#ifndef ARCHAI_CORE_SEARCH_SEARCH_PRIVATE_H
#define ARCHAI_CORE_SEARCH_SEARCH_PRIVATE_H
#include "core/search/search.h"
#include "core/search/search_index.h"

/* Indices of records, first in first out. */
struct archai_search_fifo {
    size_t *at; /* owned */
    size_t head, n, capacity;
};
int archai_search_fifo_push(struct archai_search_fifo *f, size_t record, archai_err *err);
bool archai_search_fifo_pop(struct archai_search_fifo *f, size_t *record);
void archai_search_fifo_remove(struct archai_search_fifo *f, size_t record);

/* What a record needs until it is finished and reported. */
struct archai_flight {
    archai_model model; /* archid NULL once the model was handed out */
    const char *operator_;   /* of the proposal (static) or `restored_operator` */
    char restored_operator[32];
    char *parents;      /* owned; JSON array text */
    json_t *metadata;   /* owned reference */
    size_t first;       /* the record that this one repeats; SIZE_MAX: none */
    int64_t begin_at;   /* place of the weights to begin from; 0: new ones */
    bool queued;        /* waits to be handed out (again) */
};

struct archai_search_queues {
    struct archai_search_fifo hand_out; /* running, to be handed out */
    struct archai_search_fifo report;   /* finished without an evaluation, to be reported */
    struct archai_search_fifo waiting;  /* repeat a record that still runs */

    archai_record *restored; /* generational: rows to be replayed, in order of id; owned */
    size_t n_restored, restored_capacity;
    size_t n_rows;      /* rows restored, in either schedule */
    int64_t last_row;   /* the id of the last one */
    bool restore_ended;

    double cardinality; /* of the space */
    int patience;       /* proposals of the algorithm in a row that may be no use; see there */
    bool barren;        /* random samples and enumeration gave nothing new */
    uint64_t cursor;    /* of the enumeration, counted from its start */
};

/* -- records ------------------------------------------------------------------------------------ */
/* Take over a proposal as a new record, queued where it belongs. */
int archai_search_enter(archai_search *s, archai_proposal *p, archai_err *err);
/* Room for one more record, zeroed, running; not yet counted in n_records. */
int archai_search_reserve(archai_search *s, archai_err *err);
/* The running record of an id, or ARCHAI_ENOTFOUND. */
int archai_search_running(const archai_search *s, int64_t id, size_t *at, archai_err *err);
/* Queue a running record to be handed out, unless it is queued already. */
int archai_search_queue(archai_search *s, size_t at, archai_err *err);
/* Finish a record whose values are set: front, algorithm, and those that repeat it. */
int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err);
/* A finished record needs its flight no more, and perhaps not its text. */
void archai_search_land(archai_search *s, size_t at);
void archai_record_fini(archai_record *r);
double archai_search_budget(const archai_search *s, const archai_proposal *p);

/* -- verdicts ------------------------------------------------------------------------------------ */
/* values[objectives->n + n_metrics] of an evaluation; generational keeps the metrics as well. */
int archai_search_values(archai_search *s, const archai_evaluation *e, double **values,
                         uint16_t *n_metrics, archai_err *err);
/* Is any objective cheap (and constrained)? */
bool archai_search_any_cheap(const archai_objectives *o, bool constrained);
/* Cheap measures of a model. There are none of an architecture whose network does not fit together
 * (a kernel larger than what is left of the image): it violates every constraint, and without one
 * its evaluation fails with the reason. */
int archai_search_measure(archai_space *space, const archai_model *m, archai_measure **out, size_t *n,
                          archai_err *err);
/* Values of the cheap measures of a model and the objective whose constraint they violate, or -1.
 * Without constraints the model is not looked at and no values are written. */
int archai_search_violation(archai_search *s, const archai_model *m, int *which, double *values,
                            archai_err *err);
/* An ok evaluation is one whose objectives are numbers and whose constraints hold. */
int archai_search_judge_at(archai_search *s, size_t at, archai_evaluation *e, archai_err *err);

/* -- proposals, restored rows ----------------------------------------------------------------------- */
/* One proposal: *what PROPOSED only if it was entered. */
int archai_search_step(archai_search *s, archai_propose *what, archai_err *err);
/* The row of `id` that waits to be replayed, or NULL. */
archai_record *archai_search_restored(const archai_search *s, int64_t id);
#endif
