/* core/algorithm.h - search algorithms as ask/tell.
 *
 * An algorithm is one file core/algorithm_<name>.c with one `const archai_algorithm_ops` and one
 * line in core/registry.c. It proposes; the search (core/search.h) removes duplicates, assigns
 * ids and keeps history and front. Algorithms own one Python-compatible generator.
 */
#ifndef ARCHAI_CORE_ALGORITHM_H
#define ARCHAI_CORE_ALGORITHM_H
#include "core/err.h"
#include "core/evaluation.h"
#include "core/option.h"
#include "core/rng.h"
#include "core/space.h"

enum { ARCHAI_ALGORITHM_ABI = 1 };
enum { ARCHAI_NEEDS_MUTATE = 1, ARCHAI_NEEDS_CROSSOVER = 2, ARCHAI_NEEDS_ENCODE = 4 };

struct archai_search;
typedef struct archai_algorithm archai_algorithm;

typedef enum archai_propose {
    ARCHAI_PROPOSED,      /* a model is in *out */
    ARCHAI_PROPOSE_WAIT,  /* nothing before something is told (generation not complete) */
    ARCHAI_PROPOSE_DONE   /* search is over; search->done says why */
} archai_propose;

typedef struct archai_proposal {
    archai_model model;
    const char *operator_; /* static storage */
    json_t *parents;       /* owned reference: array of archids, or NULL */
    int32_t generation;
    double budget;         /* 0: the default */
} archai_proposal;

typedef struct archai_algorithm_ops {
    int abi;                      /* ARCHAI_ALGORITHM_ABI */
    const char *name, *help;      /* `search.algorithm`; one line */
    size_t size;                  /* bytes of the concrete struct, archai_algorithm first */
    const archai_option *options; /* keys of [search] beyond the common ones; Archai's names */
    unsigned needs;               /* ARCHAI_NEEDS_* */
    unsigned schedules;           /* bit 0: async, bit 1: generational */

    int (*init)(archai_algorithm *self, archai_err *err); /* options, rng and search are set */
    void (*fini)(archai_algorithm *self);                 /* (optional) */
    /* Propose a model. In async the search asks again when the proposal is a duplicate; in
     * generational duplicates become cached rows. */
    int (*propose)(archai_algorithm *self, archai_propose *what, archai_proposal *out,
                   archai_err *err);
    /* (optional) record `r` (an index into search->records) has finished. */
    int (*tell)(archai_algorithm *self, size_t record, archai_err *err);
    /* State beyond what the history restores, as JSON; (optional). */
    int (*save)(archai_algorithm *self, json_t **out, archai_err *err);
    int (*load)(archai_algorithm *self, const json_t *state, archai_err *err);
} archai_algorithm_ops;

struct archai_algorithm {            /* base; first member */
    const archai_algorithm_ops *ops; /* borrowed, static lifetime */
    struct archai_search *search;    /* borrowed; owns this */
    archai_rng rng;
};

extern const archai_algorithm_ops *const archai_algorithms[]; /* registry.c; NULL-terminated */
#endif
