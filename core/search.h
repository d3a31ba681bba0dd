/* core/search.h - a search: a space, objectives and an algorithm around one history.
 *
 * The runner asks for candidates and tells evaluations; everything that decides *what* is
 * evaluated is here and in the algorithms, with no MPI, no clock and no printing, so that a
 * search can be replayed and tested without a cluster.
 *
 * Duplicates are handled here, in one place: an archid that was evaluated, is being evaluated or
 * has failed (more often than `retries`) at a budget is not handed out again. In the
 * generational schedule a repeated proposal becomes a `cached` row at once instead.
 */
#ifndef ARCHAI_CORE_SEARCH_H
#define ARCHAI_CORE_SEARCH_H
#include "core/algorithm.h"
#include "core/evaluation.h"
#include "core/objective.h"
#include "core/pareto.h"
#include "core/space.h"

typedef enum archai_schedule { ARCHAI_ASYNC, ARCHAI_GENERATIONAL } archai_schedule;

/* What a candidate became, kept for every archid that was handed out. Small on purpose: rank 0
 * may hold a million of these. */
typedef struct archai_record {
    int64_t id;
    char *archid;      /* owned */
    json_t *arch;      /* owned reference; may be NULL once the algorithm needs it no more */
    double *values;    /* owned; [objectives->n], NaN: none; NULL while running */
    float *encoding;   /* owned; or NULL */
    double budget;
    int32_t generation;
    int8_t status;     /* archai_status, or -1 while it runs */
    int8_t attempts;
} archai_record;

typedef struct archai_search {
    archai_space *space;                 /* borrowed */
    const archai_objectives *objectives; /* borrowed */
    archai_algorithm *algorithm;         /* owned */
    archai_schedule schedule;
    uint64_t seed;
    int retries;

    archai_record *records; /* in order of id, owned */
    size_t n_records, capacity;
    size_t n_running;
    size_t n_finished; /* told, cached rows not counted */
    int64_t rejected;  /* candidates that a cheap constraint turned away */
    archai_front front;             /* tags are indices into records */
    struct archai_search_index *by_archid; /* hash: (archid, budget) -> record */
    char done[256];    /* why ask() said DONE, in words; "" before */
} archai_search;

typedef struct archai_search_settings {
    const char *algorithm; /* name */
    archai_schedule schedule;
    uint64_t seed;
    int retries;
} archai_search_settings;

/* Create the algorithm from section [search] and check what it needs of the space ("needs mutate,
 * which space X does not have"). */
int archai_search_init(archai_search *s, archai_space *space, const archai_objectives *objectives,
                       const archai_search_settings *settings, archai_ini *ini, archai_err *err);
void archai_search_fini(archai_search *s);

typedef enum archai_ask { ARCHAI_ASK_CANDIDATE, ARCHAI_ASK_CACHED, ARCHAI_ASK_WAIT, ARCHAI_ASK_DONE } archai_ask;

/* What to do next. CANDIDATE: *out must be evaluated and told. CACHED: *cached is a finished row
 * that must be recorded, nothing to evaluate (generational only; it is already told). WAIT:
 * nothing until something is told. DONE: nothing ever again, s->done says why. */
int archai_search_ask(archai_search *s, archai_ask *what, archai_candidate *out,
                      archai_evaluation *cached, archai_err *err);
/* An evaluation came back (ok, failed, infeasible, pruned). Its status may be changed: an ok one
 * whose objective is NaN becomes failed, one that violates an expensive constraint infeasible;
 * then `error` is set. *on_front: it joined the front. */
int archai_search_tell(archai_search *s, archai_evaluation *e, bool *on_front, archai_err *err);
/* The candidate's evaluator was interrupted: it will be handed out again, same id. */
int archai_search_requeue(archai_search *s, int64_t id, archai_err *err);
/* Resume: enter a row of an earlier start, in order of id, before the first ask. */
int archai_search_restore(archai_search *s, const archai_evaluation *e, archai_err *err);

/* -- for algorithms ---------------------------------------------------------------------- */
const archai_record *archai_search_find(const archai_search *s, const char *archid, double budget);
/* Cheap measures within their constraints; counts one rejection where not. */
int archai_search_valid(archai_search *s, const archai_model *m, bool *valid, archai_err *err);
#endif
