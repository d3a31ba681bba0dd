/* core/algorithm/bayes_opt/bayes_candidates.h - the architectures among which Bayesian optimisation chooses.
 *
 * In a space that can be enumerated (up to 100,000 architectures) every architecture is a candidate and
 * has a number. The pools of the model hold all of them as long as there is room and time; otherwise
 * those that looked best. In a larger space candidates are mutants of the best architectures, mutants of
 * the most promising candidates, and random samples; some new ones come with every proposal, and the
 * least promising leave.
 *
 * There are two models while the second one, with new kernels, is built bit by bit.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_CANDIDATES_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_CANDIDATES_H
#include "core/algorithm/bayes_opt/bayes_model.h"
#include "core/base/hash.h"
#include "core/search/search.h"

enum { ARCHAI_BAYES_ENUMERABLE = 100000 };

typedef struct archai_bayes_candidates {
    archai_gp_features features;
    archai_bayes_model now;  /* members of its pools are candidates */
    archai_bayes_model next; /* m is 0 while there is none */
    bool enumerated;
    size_t n, capacity; /* numbers that were ever used; all of them where enumerated */
    struct archai_bayes_candidate {
        uint64_t hash; /* of the archid */
        float score;   /* when it was last looked at; HUGE_VALF: never */
        bool taken;    /* enumerated: handed out, or it violates a constraint */
        char *arch;    /* owned; generated ones in use only */
    } *numbers;        /* [capacity], owned */
    unsigned char *points; /* [capacity] packed; owned */
    archai_hash_table by_hash; /* enumerated: numbers */
    uint32_t *unused;          /* generated: numbers to be used again; owned */
    size_t n_unused;
} archai_bayes_candidates;

/* Learn the features, and enumerate the space where that can be done. `now` is without points. */
int archai_bayes_candidates_init(archai_bayes_candidates *c, archai_search *s, archai_err *err);
void archai_bayes_candidates_fini(archai_bayes_candidates *c); /* safe on a zeroed struct */
bool archai_bayes_enumerable(const archai_space *space);

/* This architecture was handed out, whatever proposed it: it is not a candidate any more. */
void archai_bayes_candidates_take(archai_bayes_candidates *c, const char *archid);
/* This number is not a candidate any more (proposed, or violates a constraint). */
void archai_bayes_candidates_remove(archai_bayes_candidates *c, uint32_t number);
/* Let candidates into the pools of `now`, as long as *work (multiplications) lasts; it goes down by
 * what was done. `best` [n_best] are records to be mutated, the best first; `rng` picks among them. */
int archai_bayes_candidates_fill(archai_bayes_candidates *c, archai_search *s, const size_t *best,
                                 size_t n_best, archai_rng *rng, double *work, archai_err *err);
/* Members of `now`, the most promising first, become members of `next`: as many as *work allows, or
 * 16. True once all are for which there is room; the swap drops the others, which are let in again
 * later where the space is enumerated. */
bool archai_bayes_candidates_move(archai_bayes_candidates *c, double *work);
/* `next` takes the place of `now`. */
void archai_bayes_candidates_swap(archai_bayes_candidates *c);
/* The model of a candidate. */
int archai_bayes_candidates_model(const archai_bayes_candidates *c, archai_search *s,
                                  uint32_t number, archai_model *out, archai_err *err);
#endif
