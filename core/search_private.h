/* core/search_private.h - what the files of the search share among themselves.
 *
 * search.c          records: handing out, judging, telling
 * search_propose.c  the next proposal: the algorithm, then random samples, then enumeration
 * search_restore.c  rows of earlier starts, replay, saved state
 */
#ifndef ARCHAI_CORE_SEARCH_PRIVATE_H
#define ARCHAI_CORE_SEARCH_PRIVATE_H
#include "core/search.h"
#include "core/search_index.h"

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

    bool barren;        /* random samples and enumeration gave nothing new */
    uint64_t cursor;    /* of the enumeration, counted from its start */
};

/* Take over a proposal as a new record, queued where it belongs. */
int archai_search_enter(archai_search *s, archai_proposal *p, archai_err *err);
/* Room for one more record, zeroed, running; not yet counted in n_records. */
int archai_search_reserve(archai_search *s, archai_err *err);
/* Finish a record whose values are set: front, algorithm, text. */
int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err);
/* values[objectives->n + n_metrics] of an evaluation; generational keeps the metrics as well. */
int archai_search_values(archai_search *s, const archai_evaluation *e, double **values,
                         uint16_t *n_metrics, archai_err *err);
void archai_record_fini(archai_record *r);
/* Let go of the text of a finished record that nobody needs any more. */
void archai_search_release_unneeded(archai_search *s, size_t at);
/* The row of `id` that waits to be replayed, or NULL. */
archai_record *archai_search_restored(const archai_search *s, int64_t id);
/* One proposal: *what PROPOSED only if it was entered. */
int archai_search_step(archai_search *s, archai_propose *what, archai_err *err);
double archai_search_budget(const archai_search *s, const archai_proposal *p);
#endif
