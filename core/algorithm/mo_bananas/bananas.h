/* core/algorithm/mo_bananas/bananas.h - the candidates of mo_bananas, and their order by independent Thompson sampling.
 *
 * Source: White, Neiswanger, Savani 2021, "BANANAS: Bayesian Optimization with Neural Architectures
 * for Neural Architecture Search" (independent Thompson sampling, section 4), in Archai's form
 * for several objectives: each predicted objective of each candidate is drawn from its predicted
 * normal distribution, what follows from the architecture alone is exact, and candidates go
 * front by front of a non-dominated sort of these values, shuffled inside each front.
 */
#ifndef ARCHAI_CORE_ALGORITHM_MO_BANANAS_BANANAS_H
#define ARCHAI_CORE_ALGORITHM_MO_BANANAS_BANANAS_H
#include "core/algorithm/generation.h"

/* Is objective `k` predicted? Otherwise it follows from the architecture. */
bool archai_bananas_predicts(const archai_search *s, size_t k);
size_t archai_bananas_targets(const archai_search *s); /* how many are */

typedef struct archai_bananas_pool {
    archai_proposals proposals;
    float *encodings; /* owned; [n, encoding_size] */
    double *values;   /* owned; [n, objectives]: those that are not predicted */
    size_t encodings_capacity, values_capacity;
} archai_bananas_pool;
void archai_bananas_pool_fini(archai_bananas_pool *p); /* safe on a zeroed struct */
/* Takes the proposal over, also on failure. */
int archai_bananas_pool_add(archai_bananas_pool *p, archai_search *s, archai_trial *proposal,
                            archai_err *err);

/* order[n]: the most promising candidate first. mean and var [n, targets], targets in the order of
 * the objectives. Draws from numpy's generator: n normal deviates for each optimised predicted
 * objective, then one shuffle for each front. A candidate that is predicted to violate a
 * constraint comes after all others. Without generations the others are then ordered by
 * archai_bananas_by_improvement(). */
int archai_bananas_rank(archai_search *s, const archai_bananas_pool *p, const float *mean,
                        const float *var, archai_rng *rng, size_t *order, archai_err *err);
/* Reorder order[0..n), rows of `points`, so that each adds most to the hypervolume of `front` and of
 * those before it (TSEMO's choice: Bradford, Schweidtmann, Lapkin 2018, "Efficient multiobjective
 * optimization employing Gaussian processes, spectral sampling and a genetic algorithm", section
 * 3.2; few volumes are computed, since none adds more later than earlier: Minoux 1978, "Accelerated
 * greedy algorithms for maximizing submodular set functions"). What adds nothing keeps its order
 * behind them. points: rows of front->n_objectives, minimised; objective k of the front is their column
 * column[k]. Does nothing for one objective or more than three, nor while the front has no
 * extent in one of them. */
int archai_bananas_by_improvement(const archai_front *front, const size_t *column,
                                  const double *points, size_t *order, size_t n, archai_err *err);
/* Draw n members of the front (n <= front->n) without replacement, each in proportion to the
 * hypervolume that it alone adds (Efraimidis, Spirakis 2006, "Weighted random sampling with a
 * reservoir"), so that mutants are made where the front is thin. out[n]: their numbers. With equal odds
 * where archai_bananas_by_improvement() does nothing, and for n >= 128; of a front of more than 128
 * members 128 take part, drawn at random. */
int archai_bananas_parents(const archai_front *front, archai_rng *rng, size_t n, size_t *out,
                           archai_err *err);
/* Note what was predicted of a candidate in its metadata: predicted_<objective>_mean and _var.
 * mean and var [targets]. */
void archai_bananas_note(const archai_search *s, archai_trial *p, const float *mean,
                         const float *var);
#endif
