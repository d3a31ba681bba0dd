/* core/bayes_candidates.h - the architectures among which Bayesian optimisation looks for the best.
 *
 * A space that can be enumerated (up to 100,000 architectures) is a candidate as a whole: every
 * architecture has a number, and the pool of predictions holds all of them as long as there is room
 * and time; otherwise those that looked best. In a larger space candidates are mutants of the best
 * architectures, of the most promising candidates, and random samples, some new ones with every
 * proposal; the least promising leave.
 *
 * Private to core/algorithm_bayes_opt.c.
 */
#ifndef ARCHAI_CORE_BAYES_CANDIDATES_H
#define ARCHAI_CORE_BAYES_CANDIDATES_H
#include "core/gp_pool.h"
#include "core/search.h"

enum { ARCHAI_BAYES_ENUMERABLE = 100000 };

typedef struct archai_bayes_candidates {
    archai_gp_features features;
    archai_gp_pool pool; /* ids are the numbers below */
    bool enumerated;
    size_t n, capacity; /* numbers in use; all of them where enumerated */
    struct archai_bayes_candidate {
        uint64_t hash;    /* of the archid */
        uint32_t at;      /* its place in the pool, or one of the two below */
        float score;      /* when it was last looked at; HUGE_VALF: never */
        char *arch;       /* owned; generated ones only */
    } *numbers;            /* [capacity], owned */
    unsigned char *points; /* [n] packed; enumerated only, owned */
    uint32_t *table;       /* enumerated: open addressing by hash, number + 1; owned */
    size_t table_size;
    uint32_t *unused; /* generated: numbers to be used again; owned */
    size_t n_unused;
} archai_bayes_candidates;

/* Numbers that are none; no enum, whose values are ints. */
#define ARCHAI_BAYES_OUTSIDE UINT32_MAX
#define ARCHAI_BAYES_TAKEN   (UINT32_MAX - 1)

/* Learn the features, and enumerate the space where that can be done. */
int archai_bayes_candidates_init(archai_bayes_candidates *c, archai_search *s, archai_err *err);
void archai_bayes_candidates_fini(archai_bayes_candidates *c); /* safe on a zeroed struct */
bool archai_bayes_enumerable(const archai_space *space);

/* This architecture was handed out, by whomever: it is no candidate any more. */
void archai_bayes_candidates_take(archai_bayes_candidates *c, const archai_gp *gp,
                                  const char *archid);
/* A member of the pool is no candidate any more (proposed, or violates a constraint). */
void archai_bayes_candidates_remove(archai_bayes_candidates *c, const archai_gp *gp, size_t at);
/* Empty the pool (the process is to be rebuilt). */
void archai_bayes_candidates_drop(archai_bayes_candidates *c, const archai_gp *gp);
/* Let candidates into the pool, within the time that a proposal may take. `best` are records to
 * be mutated (n_best of them, the best first); `rng` picks among them. */
int archai_bayes_candidates_fill(archai_bayes_candidates *c, archai_search *s, const archai_gp *gp,
                                 const size_t *best, size_t n_best, archai_rng *rng,
                                 archai_err *err);
/* The model of a member of the pool. */
int archai_bayes_candidates_model(const archai_bayes_candidates *c, archai_search *s, size_t at,
                                  archai_model *out, archai_err *err);
#endif
