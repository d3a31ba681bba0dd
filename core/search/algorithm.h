/* core/search/algorithm.h - search algorithms as ask/tell.
 *
 * An algorithm is one file core/algorithm/<name>.c with one `const archai_algorithm_ops` and one line in
 * core/registry.c. It proposes; the search (core/search/search.h) removes duplicates, assigns ids and
 * keeps history and front. Every algorithm owns one Python-compatible generator.
 */
#ifndef ARCHAI_CORE_SEARCH_ALGORITHM_H
#define ARCHAI_CORE_SEARCH_ALGORITHM_H
#include "core/base/err.h"
#include "core/config/option.h"
#include "core/base/rng.h"
#include "core/search/space.h"
#include "core/search/surrogate.h"
#include "core/search/trial.h"

enum { ARCHAI_ALGORITHM_ABI = 1 };
enum { ARCHAI_NEEDS_MUTATE = 1, ARCHAI_NEEDS_CROSSOVER = 2, ARCHAI_NEEDS_ENCODE = 4 };

#define ARCHAI_OPERATOR_INITIAL "initial"     /* a given architecture */
#define ARCHAI_OPERATOR_RETRAIN "retrain"     /* a given model of other results, perhaps with its weights */
#define ARCHAI_OPERATOR_PROMOTION "promotion" /* evaluated before, with a smaller budget: it goes on */

struct archai_search;
typedef struct archai_algorithm archai_algorithm;

typedef enum archai_propose {
    ARCHAI_PROPOSED,      /* a model is in *out */
    ARCHAI_PROPOSE_WAIT,  /* nothing before something is told (generation not complete) */
    ARCHAI_PROPOSE_DONE   /* search is over; search->done says why */
} archai_propose;

typedef struct archai_algorithm_ops {
    int abi;                      /* ARCHAI_ALGORITHM_ABI */
    const char *name, *help;      /* `search.algorithm`; one line */
    size_t size;                  /* bytes of the concrete struct, archai_algorithm first */
    const archai_option *options; /* keys of [search] beyond the common ones; Archai's names */
    unsigned needs;               /* ARCHAI_NEEDS_* */
    bool breeds;                  /* some proposals have parents */
    bool independent;             /* async: no proposal learns from any result, so that candidates may wait at
                                     a worker behind others. (Those of one generation always may.) */
    bool given;                   /* proposes given architectures alone, none of its own */
    unsigned schedules;           /* bits 1 << ARCHAI_ASYNC, 1 << ARCHAI_GENERATIONAL */

    /* (optional) options, rng and search are set. An algorithm with budgets of its own sets
     * search->max_budget. Errors begin with the key that is wrong. */
    int (*init)(archai_algorithm *self, archai_err *err);
    void (*fini)(archai_algorithm *self); /* (optional); also after an init that failed or never ran */
    /* Propose a model: fill in the first part of the zeroed trial, always with its operator. In async the
     * search asks again when the proposal is a duplicate or violates a cheap constraint; in generational
     * the algorithm checks constraints itself, and duplicates become cached rows. ARCHAI_ENONE: no child
     * this time, ask again. */
    int (*propose)(archai_algorithm *self, archai_propose *what, archai_trial *out,
                   archai_err *err);
    /* (optional) record `r` (an index into search->records) has finished, or was restored. */
    int (*tell)(archai_algorithm *self, size_t record, archai_err *err);
    /* (optional, all three) predictions that are computed elsewhere (core/search/surrogate.h explains the
     * arguments of job). An open job has its id in search->job; propose may WAIT for its answer, which is
     * all finite when it comes. search->job_due: it may also wait for a job that is still to be made.
     * abandon_jobs: no answer will ever come; async only. */
    int (*job)(archai_algorithm *self, size_t held, archai_surrogate_job *out, bool *got,
               bool *busy, archai_err *err);
    int (*answer)(archai_algorithm *self, const archai_surrogate_answer *answer, archai_err *err);
    int (*abandon_jobs)(archai_algorithm *self, archai_err *err);
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
/* A schedule that nobody chose becomes one that the algorithm has. */
struct archai_config;
void archai_algorithm_fit_schedule(struct archai_config *config, const archai_ini *ini);
void archai_algorithm_destroy(archai_algorithm *a); /* NULL is allowed */
/* An error about search.`key`, with its file and line where it is set. ARCHAI_EINVAL. */
int archai_algorithm_fail(const archai_ini *ini, const char *key, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

extern const archai_algorithm_ops *const archai_algorithms[]; /* registry.c; NULL-terminated */
#endif
