/* core/search/search.h - a search: a space, objectives and an algorithm around one history.
 *
 * The runner asks for candidates and tells evaluations; everything that decides *what* is
 * evaluated is here and in the algorithms, with no MPI, no clock and no printing, so that a
 * search can be replayed and tested without a cluster.
 *
 * Duplicates are handled here, in one place: an archid that was evaluated, is being evaluated or
 * has failed at a budget is not handed out again. In the generational schedule a repeated
 * proposal becomes a `cached` row instead (as soon as the first one is told).
 *
 * A search ends by itself when the algorithm is through (generational) or when nothing new can be
 * proposed: first the algorithm is asked, then random samples are drawn, then the space is
 * enumerated where it can be, each a bounded number of times.
 *
 * Resume: archai_search_restore() for every row, then archai_search_restore_end(). async goes on
 * from the history (generators are seeded afresh from the seed and the number of rows, unless
 * archai_search_load() brings back theirs). generational replays itself: it proposes everything
 * again, takes the values of restored rows and hands out only what is missing, under the same id.
 */
#ifndef ARCHAI_CORE_SEARCH_SEARCH_H
#define ARCHAI_CORE_SEARCH_SEARCH_H
#include "core/search/algorithm.h"
#include "core/search/evaluation.h"
#include "core/search/objective.h"
#include "core/pareto/pareto.h"
#include "core/search/space.h"

typedef enum archai_schedule { ARCHAI_ASYNC, ARCHAI_GENERATIONAL } archai_schedule;

enum { ARCHAI_STATUS_RUNNING = -1 }; /* a record that is not finished; never in a row */

/* What a candidate became, kept for everything that was handed out. Small on purpose: rank 0 may
 * hold a million of these. */
typedef struct archai_record {
    int64_t id;
    char *archid;    /* owned */
    char *arch;      /* owned; an arch file's text. Let go of (NULL) once the record is finished
                        and neither the front nor the algorithm (`keep`) needs it */
    archai_model *model; /* owned; `arch` as it was read when it was needed, for the next time: parents come
                            up again and again. NULL: not read yet, or let go of with `arch` */
    double *values;  /* owned; [objectives->n + n_metrics], NaN: none; NULL while running */
    float *encoding; /* owned; [space->encoding_size]; NULL unless the algorithm needs encode */
    struct archai_flight *flight; /* owned; what is needed until it is finished; then NULL */
    int64_t stored; /* place of its weights (archai_evaluation); 0: none */
    double budget;
    int32_t generation;
    uint16_t n_metrics; /* further measures, named by search->metrics; generational only */
    int8_t status;      /* archai_status or ARCHAI_STATUS_RUNNING */
    uint8_t attempts;   /* failed ones that were tried again */
    uint8_t losses;     /* how often whatever evaluated it was lost; not kept over a resume */
    bool keep;          /* set by the algorithm in tell(); archai_search_release() ends it */
    bool on_front;
} archai_record;

typedef struct archai_search {
    archai_space *space;                 /* borrowed */
    const archai_objectives *objectives; /* borrowed */
    archai_algorithm *algorithm;         /* owned */
    archai_schedule schedule;
    uint64_t seed;
    int retries;
    double default_budget;
    double max_budget; /* of an algorithm that gives budgets, the largest; 0: it gives none */
    bool inherit;      /* children begin from their first parent's weights */

    archai_record *records; /* in order of id, owned */
    size_t n_records, capacity;
    int64_t next_id;
    size_t n_running;  /* handed out or queued to be, and not told */
    size_t n_finished; /* told or restored; rows that repeat another one not counted */
    int64_t rejected;  /* candidates that a cheap constraint turned away */
    archai_front front;                    /* tags are indices into records */
    struct archai_search_index *by_archid; /* (archid, budget) -> record */
    struct archai_search_queues *queues;   /* records that wait to be handed out or reported */
    char **metrics; /* owned; [n_metrics] names of measures beyond the objectives' values */
    size_t n_metrics;
    int64_t job;    /* what an algorithm wants predicted and waits for (core/search/surrogate.h); 0: none */
    bool job_due;   /* it waits for a job that is being made, or will be with the next call for one */
    size_t slots;   /* candidates that are evaluated at once; whoever drives a search that has jobs sets it;
                       1 at first */
    char done[256]; /* why ask() said DONE, in words; "" before */
} archai_search;

typedef struct archai_search_settings {
    const char *algorithm; /* name */
    archai_schedule schedule;
    uint64_t seed;
    int retries;           /* further attempts at a candidate that failed */
    double default_budget; /* epochs; 0: 1 */
    bool inherit;          /* train.inherit_weights */
} archai_search_settings;

/* Create the algorithm from section [search] and check what it needs of the space ("needs mutate,
 * which space X does not have"). */
int archai_search_init(archai_search *s, archai_space *space, const archai_objectives *objectives,
                       const archai_search_settings *settings, archai_ini *ini, archai_err *err);
void archai_search_fini(archai_search *s); /* safe on a zeroed struct */

typedef enum archai_ask {
    ARCHAI_ASK_CANDIDATE,
    ARCHAI_ASK_CACHED,
    ARCHAI_ASK_WAIT,
    ARCHAI_ASK_DONE
} archai_ask;

/* What to do next. CANDIDATE: *out must be evaluated and told (archai_search_know fills in its measures
 * and encoding, where they are not there already). CACHED: *cached is a finished row that must be recorded, nothing to evaluate (a repetition in the generational schedule, or a
 * given architecture that violates a constraint); it is already told. WAIT: nothing until
 * something is told. DONE: nothing ever again (unless a candidate is requeued), s->done says why.
 * Only the output that the answer names is written; the caller frees it. */
int archai_search_ask(archai_search *s, archai_ask *what, archai_candidate *out,
                      archai_evaluation *cached, archai_err *err);
/* What follows from a candidate's architecture alone: its encoding and, where there is a cheap objective,
 * the cheap measures, unless they are there already. The row has them, whatever comes of it. Whoever
 * evaluates it calls this, so that the search need not: it proposes for many. Of `space` any that the same configuration made; c->model.arch
 * may be NULL, then it is read from c->arch. */
int archai_search_know(archai_candidate *c, archai_space *space, const archai_objectives *o,
                       archai_err *err);
/* Do proposals learn from results? Then one is to be asked for when a slot is free, and nothing waits at a
 * slot behind something else, so that it knows every result but those of the candidates that are being
 * evaluated. false: they are the same whatever was told before. */
bool archai_search_learns(const archai_search *s);
/* What tell() will make of an evaluation, without telling it yet, so that a row can be written
 * first: an ok one whose objective is missing, NaN or infinite becomes failed, one that violates
 * a constraint infeasible; then `error` is set. *joins: it would join the front as it is now. */
int archai_search_judge(archai_search *s, archai_evaluation *e, bool *joins, archai_err *err);
/* An evaluation came back (ok, failed, infeasible, pruned); it is judged, as above. *on_front: it
 * joined the front. ARCHAI_ENOTFOUND: no such candidate is running (told twice, or foreign). */
int archai_search_tell(archai_search *s, archai_evaluation *e, bool *on_front, archai_err *err);
/* Must its weights be kept, because others may begin from them: itself with a larger budget, or its
 * children? `e` was judged. */
bool archai_search_keeps(const archai_search *s, const archai_evaluation *e);
/* The candidate's evaluator was interrupted: it will be handed out again, same id. */
int archai_search_requeue(archai_search *s, int64_t id, archai_err *err);
/* Whatever evaluated the candidate was lost: a rank, a node. *again: it is queued under its old id;
 * otherwise it was lost ARCHAI_LOSSES_MAX times, may be the cause, and has failed: *row must be recorded
 * (caller fini), it is already told. */
enum { ARCHAI_LOSSES_MAX = 3 };
int archai_search_lost(archai_search *s, int64_t id, bool *again, archai_evaluation *row,
                       archai_err *err);
/* The candidate failed. *again: it is to be tried again (`retries`), is queued under its old id and
 * the failure is no row; otherwise the failure is final and to be told. */
int archai_search_retry(archai_search *s, int64_t id, bool *again, archai_err *err);

/* Enter a row of an earlier start, in order of id, before the first ask. Status RUNNING: it was
 * handed out but not finished, and will be handed out again first, under its id. */
int archai_search_restore(archai_search *s, const archai_evaluation *e, archai_err *err);
/* After the last row. ARCHAI_EFORMAT: a generational search proposes other candidates than the
 * rows hold, so something was changed. */
int archai_search_restore_end(archai_search *s, archai_err *err);
/* Generators and the algorithm's state as JSON (caller decrefs), and back. Load comes after
 * restore_end; the generational schedule, which replays itself, has no use for it and ignores it. */
int archai_search_save(archai_search *s, json_t **out, archai_err *err);
int archai_search_load(archai_search *s, const json_t *state, archai_err *err);

/* -- for algorithms ---------------------------------------------------------------------- */
const archai_record *archai_search_find(const archai_search *s, const char *archid, double budget);
/* Of a candidate that was handed out; "" of one that was not. Holds until the search is released. */
const char *archai_search_archid(const archai_search *s, int64_t id);
/* How often a candidate that was handed out has failed by now, attempts that were tried again included. */
int archai_search_failures(const archai_search *s, int64_t id);
/* Was this archid handed out, at any budget? */
bool archai_search_seen(const archai_search *s, const char *archid);
/* Cheap measures within their constraints; counts one rejection where not. */
int archai_search_valid(archai_search *s, const archai_model *m, bool *valid, archai_err *err);
/* A record's model from its text. ARCHAI_EINTERNAL where the text was let go of. */
int archai_search_model(archai_search *s, size_t record, archai_model *out, archai_err *err);
/* The algorithm needs the architecture of a record no more. */
void archai_search_release(archai_search *s, size_t record);
/* Ok and cached rows: those that take part in fronts. */
bool archai_record_counts(const archai_record *r);
#endif
