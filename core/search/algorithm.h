/* core/search/algorithm.h - search algorithms as ask/tell.
 *
 * An algorithm is one file core/algorithm_<name>.c with one `const archai_algorithm_ops` and one
 * line in core/registry.c. It proposes; the search (core/search/search.h) removes duplicates, assigns
 * ids and keeps history and front. Algorithms own one Python-compatible generator.
 */
#ifndef ARCHAI_CORE_SEARCH_ALGORITHM_H
#define ARCHAI_CORE_SEARCH_ALGORITHM_H
#include "core/base/err.h"
#include "core/search/evaluation.h"
#include "core/config/option.h"
#include "core/base/rng.h"
#include "core/search/space.h"
#include "core/search/surrogate.h"

enum { ARCHAI_ALGORITHM_ABI = 1 };
enum { ARCHAI_NEEDS_MUTATE = 1, ARCHAI_NEEDS_CROSSOVER = 2, ARCHAI_NEEDS_ENCODE = 4 };

#define ARCHAI_OPERATOR_INITIAL "initial"     /* a given architecture */
#define ARCHAI_OPERATOR_PROMOTION "promotion" /* evaluated before, with a smaller budget: it goes on */

struct archai_search;
typedef struct archai_algorithm archai_algorithm;

typedef enum archai_propose {
    ARCHAI_PROPOSED,      /* a model is in *out */
    ARCHAI_PROPOSE_WAIT,  /* nothing before something is told (generation not complete) */
    ARCHAI_PROPOSE_DONE   /* search is over; search->done says why */
} archai_propose;

typedef struct archai_proposal {
    archai_model model;    /* owned */
    const char *operator_; /* static storage; ARCHAI_OPERATOR_INITIAL: a given architecture */
    json_t *parents;       /* owned reference: array of archids, or NULL */
    int32_t generation;
    double budget;         /* 0: the default */
    int64_t begin_at;      /* place of the weights to begin from (archai_record.stored); 0: new ones */
} archai_proposal;
void archai_proposal_fini(archai_proposal *p); /* safe on a zeroed struct */

typedef struct archai_algorithm_ops {
    int abi;                      /* ARCHAI_ALGORITHM_ABI */
    const char *name, *help;      /* `search.algorithm`; one line */
    size_t size;                  /* bytes of the concrete struct, archai_algorithm first */
    const archai_option *options; /* keys of [search] beyond the common ones; Archai's names */
    unsigned needs;               /* ARCHAI_NEEDS_* */
    bool breeds;                  /* some proposals have parents */
    bool independent;             /* async: no proposal learns from any result, so that candidates may wait at
                                     a worker behind others. (Those of one generation always may.) */
    unsigned schedules;           /* bits 1 << ARCHAI_ASYNC, 1 << ARCHAI_GENERATIONAL */

    /* (optional) options, rng and search are set. One that gives budgets of its own sets
     * search->max_budget. Errors begin with the key that is wrong. */
    int (*init)(archai_algorithm *self, archai_err *err);
    void (*fini)(archai_algorithm *self); /* (optional); also after an init that failed or never ran */
    /* Propose a model. In async the search asks again when the proposal is a duplicate or violates
     * a cheap constraint; in generational the algorithm sees to constraints itself and duplicates
     * become cached rows. ARCHAI_ENONE: no child this time, ask again. */
    int (*propose)(archai_algorithm *self, archai_propose *what, archai_proposal *out,
                   archai_err *err);
    /* (optional) record `r` (an index into search->records) has finished, or was restored. */
    int (*tell)(archai_algorithm *self, size_t record, archai_err *err);
    /* (optional, all three) predictions that are computed elsewhere (core/search/surrogate.h, which says what
     * job's arguments mean). A job that is open has its id in search->job; propose may WAIT for the
     * answer, which is of search->job and all finite when it comes, also for that of a job that is still
     * to be made, where search->job_due says so. forgo: none will come any more; async only. */
    int (*job)(archai_algorithm *self, size_t held, archai_surrogate_job *out, bool *got,
               bool *busy, archai_err *err);
    int (*answer)(archai_algorithm *self, const archai_surrogate_answer *answer, archai_err *err);
    int (*forgo)(archai_algorithm *self, archai_err *err);
    /* State beyond what the history restores, as JSON; (optional). */
    int (*save)(archai_algorithm *self, json_t **out, archai_err *err);
    int (*load)(archai_algorithm *self, const json_t *state, archai_err *err);
} archai_algorithm_ops;

struct archai_algorithm {            /* base; first member */
    const archai_algorithm_ops *ops; /* borrowed, static lifetime */
    struct archai_search *search;    /* borrowed; owns this */
    archai_rng rng;
};

/* The algorithm of search.algorithm with its options from section [search] and its generator
 * seeded, checked against the space and the schedule. Errors carry "file:line: search.key: ". */
int archai_algorithm_create(archai_algorithm **out, struct archai_search *search, const char *name,
                            archai_ini *ini, archai_err *err);
void archai_algorithm_destroy(archai_algorithm *a); /* NULL is allowed */
/* Complain about search.`key` with the place where it stands, if it does. ARCHAI_EINVAL. */
int archai_algorithm_fail(const archai_ini *ini, const char *key, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

extern const archai_algorithm_ops *const archai_algorithms[]; /* registry.c; NULL-terminated */
#endif
