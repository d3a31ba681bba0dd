/* core/algorithm/generation.h - the generational schedule: batches that are bred, evaluated and bred from.
 *
 * Everything here follows Archai's order of draws exactly, so that a seed gives its candidates. What it
 * decides depends only on the finished records in order of id, never on the order in which they were
 * told, so that any number of ranks gives the same search. Where Archai loops for ever the number of
 * tries is bounded (ARCHAI_MAX_ROUNDS, ARCHAI_MAX_VAIN).
 */
#ifndef ARCHAI_CORE_ALGORITHM_GENERATION_H
#define ARCHAI_CORE_ALGORITHM_GENERATION_H
#include "core/algorithm/ranking.h"
#include "core/algorithm/variation.h"
#include "core/base/hash.h"

enum {
    ARCHAI_MAX_ROUNDS = 1000,
    ARCHAI_MAX_VAIN = 100000 /* useless random samples in a row, however large a round is */
};

typedef struct archai_proposals {
    archai_trial *at; /* owned, as is each; those that were moved out are zeroed */
    size_t n, capacity;
    archai_hash_table by_archid;
} archai_proposals;
void archai_proposals_push(archai_proposals *l, archai_trial *p); /* takes the proposal over */
/* The first proposal of this architecture, or NULL. */
archai_trial *archai_proposals_find(const archai_proposals *l, const char *archid);
void archai_proposals_fini(archai_proposals *l);

typedef struct archai_generation {
    archai_proposals batch;
    size_t next;       /* the first of the batch not yet handed out */
    int32_t iteration; /* of the batch, once there is one (`begun`) */
    bool begun;
} archai_generation;
void archai_generation_fini(archai_generation *g);

/* propose() of a generational algorithm: hand out the batch, wait until all of it is told, then let
 * `breed` fill the next one (iteration from 0), `num_iters` times in all. An empty batch ends the
 * search. */
typedef int archai_breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                         archai_err *err);
int archai_generation_propose(archai_generation *g, archai_algorithm *self, int64_t num_iters,
                              archai_breed *breed, archai_propose *what, archai_trial *out,
                              archai_err *err);

/* Is the batch handed out and told, so that the next propose() breeds? */
bool archai_generation_is_over(const archai_generation *g, const archai_search *s);

/* Archai's sample_models: rounds of `n` random samples, of which the valid ones (and, with `fresh`,
 * only those never seen before the batch) are kept, until there are n or the limit of `rounds` or
 * ARCHAI_MAX_VAIN is reached; the rest of the last round is dropped. */
int archai_generation_sample(archai_search *s, int64_t n, int rounds, bool fresh,
                             archai_proposals *batch, archai_err *err);
/* Archai's mutate_parents: of each parent in turn `per_parent` different new mutants, at most
 * `patience` tries, among which invalid ones count only with `count_invalid`. A mutant that is in
 * the batch already, of an earlier parent, keeps its place and takes the later parent. */
int archai_generation_mutate(archai_search *s, const size_t *parents, size_t n, int64_t per_parent,
                             int patience, bool count_invalid, archai_proposals *batch,
                             archai_err *err);
#endif
