/* core/search/search.h - a search: a space, objectives and an algorithm around one history.
 *
 * The runner asks for candidates and tells results; everything that decides *what* is evaluated is here
 * and in the algorithms, without MPI, clock or printing, so that a search can be replayed and tested
 * without a cluster.
 *
 * Duplicates are handled here, in one place: an archid that was evaluated, is being evaluated or
 * has failed at a budget is not handed out again. In the generational schedule a repeated proposal
 * becomes a `cached` row instead (as soon as the first one is told).
 *
 * A search ends by itself when the algorithm has finished (generational) or when nothing new can be
 * proposed: first the algorithm is asked, then random samples are drawn, then the space is enumerated
 * if it can be, each a bounded number of times.
 *
 * Resume: archai_search_restore() for every row, then archai_search_restore_end(). async goes on
 * from the history (generators are seeded afresh from the seed and the number of rows). generational
 * replays itself: it proposes everything again, takes the values of restored rows and hands out only
 * what is missing, under the same id.
 */
#ifndef ARCHAI_CORE_SEARCH_SEARCH_H
#define ARCHAI_CORE_SEARCH_SEARCH_H
#include "core/search/algorithm.h"
#include "core/search/given.h"
#include "core/base/hash.h"
#include "core/search/objective.h"
#include "core/search/trial.h"
#include "core/pareto/pareto.h"
#include "core/progress/prune.h"
#include "core/search/space.h"

typedef enum archai_schedule { ARCHAI_ASYNC, ARCHAI_GENERATIONAL } archai_schedule;

enum { ARCHAI_STATUS_RUNNING = -1 }; /* a record that is not finished; never in a row */

/* What a candidate became, kept for everything that was handed out. Small on purpose: rank 0 may
 * hold a million of these. */
typedef struct archai_record {
    int64_t id;
    char *archid;    /* owned */
    char *arch;      /* owned; an arch file's text. Released (NULL) once the record is finished and neither
                        the front nor the algorithm (`keep`) needs it */
    archai_model *model; /* owned; `arch` as it was read when it was first needed: parents come up again and
                            again. NULL: not read yet, or released with `arch` */
    double *values;  /* owned; [objectives->n + n_metrics], NaN: none; NULL while running */
    char *metadata;  /* owned; of a model that may be promoted: its arch does not say whose child it is. NULL: none */
    float *encoding; /* owned; [space->encoding_size]; NULL unless the algorithm needs encode */
    archai_trial *trial; /* owned, but for its archid and arch, which are those above; NULL once the
                            record is finished and reported */
    int64_t stored;      /* place of its weights (archai_trial); 0: none */
    double budget;
    int32_t generation;
    uint32_t repeats;   /* index of the record that has the same archid and budget, + 1; 0: none */
    uint16_t n_metrics; /* further measures, named by search->metrics; generational only */
    int8_t status;      /* archai_status or ARCHAI_STATUS_RUNNING */
    uint8_t attempts;   /* failed ones that were tried again */
    uint8_t losses;     /* how often the rank that evaluated it was lost; forgotten by a resume */
    bool keep;          /* the algorithm needs `arch`: it sets this in tell(), until archai_search_release() */
    bool stands;        /* for its architecture: ok, and none of the architecture at a higher budget is */
    bool on_front;
    bool queued;        /* waits to be handed out (again) */
    bool tested;        /* it was measured on the test data, or cannot be */
} archai_record;

typedef struct archai_search {
    archai_space *space;                 /* borrowed */
    const archai_objectives *objectives; /* borrowed */
    const archai_giver *giver;           /* borrowed; of architectures in other results; NULL: none */
    archai_algorithm *algorithm;         /* owned */
    archai_schedule schedule;
    uint64_t seed;
    int retries;
    double default_budget;
    double max_budget; /* of an algorithm that gives budgets, the largest; 0: it gives none */
    bool many_budgets; /* an architecture may be on the front again after it was dominated */
    bool inherit;      /* children begin from their first parent's weights */

    archai_record *records; /* in order of id, owned */
    size_t n_records, capacity;
    int64_t next_id;
    size_t n_running;  /* handed out or queued to be, and not told */
    size_t n_finished; /* told or restored, as far as they count (archai_search_counts) */
    int64_t max_infeasible; /* ends the search; 0: nothing does */
    size_t n_infeasible;    /* ended by a constraint before all was measured, since the last ok one */
    size_t n_judged;   /* records that finished, but did not fail */
    int64_t rejected;  /* proposals that a cheap constraint rejected */
    archai_front front;                    /* tags are indices into records; each architecture is compared by
                                              the first of its ok records of the highest budget, alone */
    archai_hash_table by_archid;           /* the first record of every (archid, budget) */
    size_t n_archids;                      /* different ones, at whatever budgets */
    struct archai_search_inner *inner;     /* owned; queues, restored rows, where proposing stands */
    char **metrics; /* owned; [n_metrics] names of measures beyond the objectives' values */
    size_t n_metrics;
    archai_pruner *pruner; /* owned; NULL: nothing ends early */
    size_t pruned_by;      /* the objective that it compares */
    int64_t job;    /* the open job that an algorithm waits for (core/search/surrogate.h); 0: none */
    bool job_due;   /* it waits for a job that is being made, or will be with the next call for one */
    size_t slots;   /* candidates that are evaluated at once; set by the caller where the search has jobs; 1 at
                       first */
    char done[256]; /* why ask() said DONE, in words; "" before */
} archai_search;

typedef struct archai_search_settings {
    const char *algorithm; /* name */
    archai_schedule schedule;
    uint64_t seed;
    int retries;           /* further attempts at a candidate that failed */
    double default_budget; /* epochs; 0: 1 */
    bool inherit;          /* train.inherit_weights */
    const archai_giver *giver; /* borrowed; outlives the search's creation; NULL: no results can be read */
    int64_t max_infeasible; /* candidates in a row that a constraint ended early; 0: any number */
    archai_prune_settings prune;
    const char *prune_source; /* a source of an objective; NULL, "auto": of the first that is measured */
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

/* What to do next. CANDIDATE: *out must be evaluated and told; it is borrowed, and there until it is told
 * or lost for good; its model may be cleared at once. (archai_search_know adds what is missing.)
 * CACHED: *cached is a finished row that must be recorded, nothing to evaluate (a repetition in the
 * generational schedule, or a given architecture that violates a constraint); it is told already, and the
 * caller's. WAIT: nothing until something is told. DONE: nothing ever again (unless a candidate is
 * requeued), s->done says why. Only the output that the answer names is written. */
int archai_search_ask(archai_search *s, archai_ask *what, archai_trial **out,
                      archai_trial *cached, archai_err *err);
/* What follows from a candidate's architecture alone: its encoding and, where there is a cheap objective,
 * the cheap measures, unless they are there already. Every row has them, also a failed one. The worker
 * calls this, since the search proposes for many. `space`: any that the same configuration made;
 * c->model.arch may be NULL, then it is read from c->arch. */
int archai_search_know(archai_trial *c, archai_space *space, const archai_objectives *o,
                       archai_err *err);
/* Do proposals learn from results? Then ask for one only when a slot is free, and let nothing wait behind
 * another candidate, so that each proposal knows every result so far. false: proposals are the same
 * whatever was told before. */
bool archai_search_learns(const archai_search *s);
/* What tell() will make of an evaluation, without telling it yet, so that its row can be written first: an
 * ok one becomes failed if an objective is missing, NaN or infinite, and infeasible if it violates a
 * constraint; `error` says why. *joins: it would join the front as it is now. */
int archai_search_assess(archai_search *s, archai_trial *e, bool *joins, archai_err *err);
/* An evaluation came back (ok, failed, infeasible, pruned); it is assessed as above. *on_front: it
 * joined the front. ARCHAI_ENOTFOUND: no such candidate is running (told twice, or foreign). */
int archai_search_tell(archai_search *s, archai_trial *e, bool *on_front, archai_err *err);
/* A candidate has come to an epoch or step `at` and measured so much; e->measures may also hold what else is known of it.
 * *prune: it should end now, because of *value, which should have been better than *cutoff; it is still to be told,
 * pruned or, if it was faster, otherwise. Nothing where it is not running. search_prune.c */
int archai_search_progress(archai_search *s, const archai_trial *e, double at, bool *prune, double *value,
                           double *cutoff, archai_err *err);
/* What keeps e, which is under way, from being compared with others: the first objective that is not known yet; NULL:
 * nothing, or nothing is pruned. */
const char *archai_search_unknown(const archai_search *s, const archai_trial *e);
/* Must its weights be kept, because others may begin from them: itself with a larger budget, or its
 * children? `e` was assessed. */
bool archai_search_keeps(const archai_search *s, const archai_trial *e);
/* The candidate's evaluator was interrupted: it will be handed out again, same id. */
int archai_search_requeue(archai_search *s, int64_t id, archai_err *err);
/* The rank that evaluated the candidate was lost. *again: the candidate is queued under its old id.
 * Otherwise it was lost ARCHAI_LOSSES_MAX times, may be the cause, and has failed: *row must be recorded
 * (caller fini); it is already told. */
enum { ARCHAI_LOSSES_MAX = 3 };
int archai_search_lost(archai_search *s, int64_t id, bool *again, archai_trial *row,
                       archai_err *err);
/* The candidate failed. *again: it will be tried again (`retries`) under its old id, and the failure is
 * not a row; otherwise the failure is final and must be told. */
int archai_search_retry(archai_search *s, int64_t id, bool *again, archai_err *err);

/* Enter a row of an earlier start, in order of id, before the first ask. Status RUNNING: it was
 * handed out but not finished, and will be handed out again first, under its id. What the search keeps
 * of `e` it takes over. */
int archai_search_restore(archai_search *s, archai_trial *e, archai_err *err);
/* After the last row. ARCHAI_EFORMAT: a generational search proposes candidates that differ from the rows,
 * so something was changed. */
int archai_search_restore_end(archai_search *s, archai_err *err);

/* -- for algorithms ---------------------------------------------------------------------- */
const archai_record *archai_search_find(const archai_search *s, const char *archid, double budget);
/* Of a candidate that was handed out; "" of one that was not. Holds until the search is released. */
const char *archai_search_archid(const archai_search *s, int64_t id);
/* How often a candidate that was handed out has failed so far, retried attempts included. */
int archai_search_failures(const archai_search *s, int64_t id);
/* Was this archid handed out, at any budget? */
bool archai_search_seen(const archai_search *s, const char *archid);
/* Cheap measures within their constraints; counts one rejection where not. */
int archai_search_valid(archai_search *s, const archai_model *m, bool *valid, archai_err *err);
/* A record's model from its text. ARCHAI_EINTERNAL if the text was released. */
int archai_search_model(archai_search *s, size_t record, archai_model *out, archai_err *err);
/* The algorithm no longer needs the architecture of a record. */
void archai_search_release(archai_search *s, size_t record);
/* Has every evaluation so far failed? false: there is none. */
bool archai_search_all_failed(const archai_search *s);
/* The best value so far of the first optimised objective, as something to be minimised; NaN: none. */
double archai_search_best(const archai_search *s);
/* The front as results.h5 has it: each architecture by its first ok or cached record of the highest budget, and
 * no others. *out [n]: indices of records; caller frees. Looks at all records: once in a run. */
void archai_search_front(const archai_search *s, size_t **out, size_t *n);
/* Ok and cached rows: those that take part in fronts. */
bool archai_record_counts(const archai_record *r);
#endif
