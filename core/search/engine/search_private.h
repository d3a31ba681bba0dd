/* core/search/engine/search_private.h - what the files of the search share among themselves.
 *
 * search.c          asking and telling
 * search_enter.c    a proposal becomes a record
 * search_record.c   a record: looked up, queued, finished, its trial released
 * search_measure.c  measures, constraints, what an evaluation amounts to
 * search_propose.c  the next proposal: the algorithm, then random samples, then enumeration
 * search_front.c    the front as the results have it
 * search_prune.c    candidates that end early
 * search_restore.c  rows of earlier starts, replay
 */
#ifndef ARCHAI_CORE_SEARCH_SEARCH_PRIVATE_H
#define ARCHAI_CORE_SEARCH_SEARCH_PRIVATE_H
#include "core/search/search.h"

/* Indices of records, first in first out. */
struct archai_search_fifo {
    size_t *at; /* owned */
    size_t head, n, capacity;
};
void archai_search_fifo_push(struct archai_search_fifo *f, size_t record);
bool archai_search_fifo_pop(struct archai_search_fifo *f, size_t *record);
void archai_search_fifo_remove(struct archai_search_fifo *f, size_t record);

/* generational: a row of an earlier start, until it is replayed. */
struct archai_search_row {
    int64_t id, stored;
    char *archid;   /* owned */
    double *values; /* owned; NULL once it was replayed */
    double budget;
    uint16_t n_metrics;
    int8_t status;
    bool evaluated; /* counted in n_finished; false: it repeats another one */
    bool tested;
};

struct archai_search_inner {
    struct archai_search_fifo hand_out; /* running, to be handed out */
    struct archai_search_fifo report;   /* finished without an evaluation, to be reported */
    struct archai_search_fifo waiting;  /* repeat a record that still runs */

    struct archai_search_row *rows; /* generational: to be replayed, in order of id; owned */
    size_t n_rows, rows_capacity;
    size_t n_restored; /* rows of earlier starts, in either schedule */
    int64_t last_row;  /* the id of the last one */
    bool restore_ended;

    double cardinality; /* of the space */
    int patience;       /* proposals of the algorithm in a row that may be no use; see there */
    bool exhausted;     /* random samples and enumeration gave nothing new */
    uint64_t cursor;    /* of the enumeration, counted from its start */
};

/* -- records ------------------------------------------------------------------------------------ */
/* Take over a proposal as a new record, queued where it belongs. */
int archai_search_enter(archai_search *s, archai_trial *p, archai_err *err);
/* Room for one more record, zeroed, running; not yet counted in n_records. */
int archai_search_reserve(archai_search *s, archai_err *err);
/* Enter the reserved record under its archid, unless (archid, budget) is there already, and count it. */
void archai_search_add(archai_search *s);
/* May others begin from the weights of an evaluation with this budget? */
bool archai_search_is_beginning(const archai_search *s, double budget);
/* A trial whose model and budget are known gets the rest that the search gives. */
void archai_search_complete(const archai_search *s, const archai_record *r);
/* The first record under (archid, budget), or under archid at whatever budget; SIZE_MAX: none. */
size_t archai_search_first(const archai_search *s, const char *archid, double budget);
size_t archai_search_first_any(const archai_search *s, const char *archid);
/* Among `n` items of `size` bytes that begin with their id: ids ascend, but rows that a killed start lost
 * leave gaps. SIZE_MAX: none. */
size_t archai_search_find_id(const void *items, size_t n, size_t size, int64_t id);
/* The running record of an id, or ARCHAI_ENOTFOUND. */
int archai_search_running(const archai_search *s, int64_t id, size_t *at, archai_err *err);
/* Queue a running record to be handed out, unless it is queued already. */
void archai_search_queue(archai_search *s, size_t at);
/* Finish a record whose values are set: front, algorithm, and those that repeat it. */
int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err);
/* Record `at` becomes what its first one has become. */
int archai_search_repeat(archai_search *s, size_t at, archai_err *err);
/* A record that finished without an evaluation: its trial is kept until it is reported, unless an
 * earlier start has written the row. */
void archai_search_report(archai_search *s, size_t at);
/* A finished record needs its trial no more, and perhaps not its text. */
void archai_search_drop_trial(archai_search *s, size_t at);
/* The trial of a finished record as its row: the caller's from here on. */
void archai_search_take_trial(archai_search *s, size_t at, archai_trial *out);
void archai_record_fini(archai_record *r);
/* Is it an architecture that the user gave? It becomes a row whatever the constraints say. */
bool archai_search_is_given(const archai_trial *p);
double archai_search_budget(const archai_search *s, const archai_trial *p);

/* -- measures ------------------------------------------------------------------------------------ */
/* values[objectives->n + n_metrics] of an evaluation; generational keeps the metrics as well. */
int archai_search_values(archai_search *s, const archai_trial *e, double **values,
                         uint16_t *n_metrics, archai_err *err);
/* Encode the trial's architecture where the space can, unless it is encoded. */
int archai_search_encode(archai_trial *t, archai_space *space, archai_err *err);
/* Values of the cheap measures of a model and the objective whose constraint they violate, or -1.
 * Without constraints the model is not looked at and no values are written. */
int archai_search_violation(archai_search *s, const archai_model *m, int *which, double *values,
                            archai_err *err);
/* Missing cheap measures are computed, then archai_trial_check. */
int archai_search_check(archai_search *s, size_t at, archai_trial *e, archai_err *err);

/* Does an evaluation that ended like this count against search.max_evaluations? Repetitions do not, nor
 * does one that a constraint ended early. archai_search_count adds it up. */
bool archai_search_counts(const archai_search *s, int status, const double *values);
void archai_search_count(archai_search *s, int status, const double *values);

/* -- candidates that end early ---------------------------------------------------------------------- */
/* Creates the pruner, if one is asked for. */
int archai_search_init_pruner(archai_search *s, const archai_search_settings *settings, const archai_ini *ini,
                              archai_err *err);
/* A candidate was told (with the values of its record), or given back (NULL). */
void archai_search_end_pruning(archai_search *s, int64_t id, int status, const double *values);
/* What a row of an earlier start reported. */
void archai_search_restore_pruning(archai_search *s, const archai_trial *e);

/* -- proposals, restored rows ----------------------------------------------------------------------- */
/* One proposal: *what PROPOSED only if it was entered. */
int archai_search_step(archai_search *s, archai_propose *what, archai_err *err);
/* The row of `id` that waits to be replayed, or NULL. */
struct archai_search_row *archai_search_row_of(const archai_search *s, int64_t id);
void archai_search_rows_free(struct archai_search_inner *q);
#endif
