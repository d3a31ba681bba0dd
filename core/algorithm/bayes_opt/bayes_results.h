/* core/algorithm/bayes_opt/bayes_results.h - measures as targets of Gaussian processes.
 *
 * Each objective by itself becomes a target, in two ways:
 *
 *   ranked  the rank of a cost among all costs, as a quantile of the normal distribution, so that
 *           neither outliers nor the unit matter. The way back, from a target to the cost that it
 *           stands for, is linear between known pairs.
 *   plain   the cost itself, less its mean, in standard deviations: for measures that follow
 *           simple rules that ranks would hide, such as a number of parameters.
 *
 * Costs and targets are minimised. Candidates that violate a constraint on an expensive measure rank
 * behind all others in every objective.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_RESULTS_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_RESULTS_H
#include "core/algorithm/ranking.h"

typedef enum archai_bayes_way { ARCHAI_BAYES_RANKED, ARCHAI_BAYES_PLAIN, ARCHAI_BAYES_WAYS } archai_bayes_way;

/* A piecewise linear map between costs and targets. */
typedef struct archai_bayes_scale {
    size_t n;       /* different costs of feasible records (of all where none is) */
    double *cost;   /* [n] ascending, owned */
    double *target; /* [n] ascending, owned */
    double below;   /* slope of the cost below the best target */
    bool usable;    /* plain: without outliers that would outweigh all else */
} archai_bayes_scale;

typedef struct archai_bayes_results {
    size_t n, m;    /* records, objectives */
    bool *known;    /* [n] has a result */
    double *cost;   /* [n, m] */
    double *target[ARCHAI_BAYES_WAYS];            /* [m, n] */
    archai_bayes_scale *scale[ARCHAI_BAYES_WAYS]; /* [m] */
    size_t *order;  /* [n_known] places, the best first: front by front */
    size_t n_known;
    size_t n_front; /* the first of them, which form the first front; feasible where any is */
} archai_bayes_results;

/* Quantile of the standard normal distribution, 0 < p < 1. Source: Wichura 1988, algorithm AS 241
 * (PPND7), about 7 digits. */
double archai_normal_quantile(double p);

/* Look at the records rows[n]. */
void archai_bayes_results_of(archai_bayes_results *out, const archai_search *s, const size_t *rows,
                             size_t n);
void archai_bayes_results_fini(archai_bayes_results *r); /* safe on a zeroed struct */

/* The cost of a target and the target of a cost; beyond the best and the worst known ones it
 * continues with the slopes there. The scale has at least one cost. */
double archai_bayes_cost_of(const archai_bayes_scale *s, double target);
double archai_bayes_target_of(const archai_bayes_scale *s, double cost);
#endif
