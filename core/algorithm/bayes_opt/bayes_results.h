/* core/algorithm/bayes_opt/bayes_results.h - what was measured, as Bayesian optimisation looks at it.
 *
 * Each objective by itself becomes a target for a Gaussian process, in two ways:
 *
 *   ranked  the rank of a cost among all costs, as a quantile of the normal distribution, so that
 *           neither outliers nor the unit matter. The way back, from a target to the cost that it
 *           stands for, goes straight from one known pair to the next.
 *   plain   the cost itself, less its mean, in standard deviations: for measures that follow
 *           simple rules, which ranks would hide, such as a number of parameters.
 *
 * Costs and targets are minimised. Who violates a constraint on an expensive measure ranks behind
 * all who do not, in every objective.
 *
 * Private to core/algorithm/bayes_opt/bayes_opt.c.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_RESULTS_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_RESULTS_H
#include "core/search/search.h"

typedef enum archai_bayes_way { ARCHAI_BAYES_RANKED, ARCHAI_BAYES_PLAIN, ARCHAI_BAYES_WAYS } archai_bayes_way;

/* Costs and their targets, and between them. */
typedef struct archai_bayes_scale {
    size_t n;       /* different costs of feasible ones (of all where none is) */
    double *cost;   /* [n] ascending, owned */
    double *target; /* [n] ascending, owned */
    double below;   /* slope of the cost below the best target */
    bool usable;    /* plain: no outliers that would be all that counts */
} archai_bayes_scale;

typedef struct archai_bayes_results {
    size_t n, m;    /* records, objectives */
    bool *known;    /* [n] has a result */
    double *cost;   /* [n, m] */
    double *target[ARCHAI_BAYES_WAYS];            /* [m, n] */
    archai_bayes_scale *scale[ARCHAI_BAYES_WAYS]; /* [m] */
    size_t *order;  /* [n_known] places, the best first: front by front */
    size_t n_known;
    size_t n_front; /* of them, those of the first front; feasible where any is */
} archai_bayes_results;

/* Quantile of the standard normal distribution, 0 < p < 1. Source: Wichura 1988, algorithm AS 241
 * (PPND7), about 7 digits. */
double archai_normal_quantile(double p);

/* Ok, or infeasible with all its objectives. */
bool archai_bayes_has_result(const archai_search *s, const archai_record *r);

/* Look at the records rows[n]. */
int archai_bayes_results_of(archai_bayes_results *out, const archai_search *s, const size_t *rows,
                            size_t n, archai_err *err);
void archai_bayes_results_fini(archai_bayes_results *r); /* safe on a zeroed struct */

/* The cost of a target and the target of a cost; beyond the best and the worst known ones along the
 * slopes there. The scale has at least one cost. */
double archai_bayes_cost_of(const archai_bayes_scale *s, double target);
double archai_bayes_target_of(const archai_bayes_scale *s, double cost);
#endif
