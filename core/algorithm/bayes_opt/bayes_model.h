/* core/algorithm/bayes_opt/bayes_model.h - one Gaussian process per objective.
 *
 * Each process has its own kernel. All have the same points (the records in `rows`, in that
 * order) and pools with the same members in the same places (core/algorithm/bayes_opt/gp_pool.h).
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_MODEL_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_MODEL_H
#include "core/algorithm/bayes_opt/bayes_results.h"
#include "core/algorithm/bayes_opt/gp_pool.h"

typedef struct archai_bayes_model {
    size_t m;
    archai_bayes_way *way; /* [m] what targets each is given; owned, as are all below */
    archai_gp *gp;        /* [m] */
    archai_gp_pool *pool; /* [m] */
    uint32_t *at;         /* [numbers] place of a candidate in the pools, or ARCHAI_BAYES_OUTSIDE */
    size_t *rows; /* [n_rows] records that are points, or are to become points */
    size_t n_rows, row_capacity;
} archai_bayes_model;

/* In `at`: not a member. (An enum holds ints only.) */
#define ARCHAI_BAYES_OUTSIDE UINT32_MAX

/* m processes without points; candidates will be numbered below n_numbers. */
void archai_bayes_model_init(archai_bayes_model *out, const archai_gp_features *features, size_t m,
                             size_t n_numbers);
void archai_bayes_model_fini(archai_bayes_model *x); /* safe on a zeroed struct */

/* Add a record to the rows, which are points or to become points. */
void archai_bayes_model_row(archai_bayes_model *x, size_t record);
/* Make points of rows as long as *work (multiplications) lasts; it goes down by what was done. */
void archai_bayes_model_grow(archai_bayes_model *x, const archai_search *s, double *work);
/* Choose way and kernel parameters of objective k by the likelihood of (a part of) r, beginning with
 * those of `before`. There must be no points yet. `s` and `rows`: of r. */
void archai_bayes_model_fit(archai_bayes_model *x, const archai_bayes_model *before, size_t k,
                            const archai_search *s, const size_t *rows,
                            const archai_bayes_results *r);
/* Multiplications of such a fit. */
double archai_bayes_model_fit_work(const archai_bayes_results *r);

/* The pools. */
size_t archai_bayes_model_members(const archai_bayes_model *x);
void archai_bayes_model_add(archai_bayes_model *x, const uint32_t *numbers, const void *points,
                            size_t n);
void archai_bayes_model_remove(archai_bayes_model *x, uint32_t number); /* if it is a member */
double archai_bayes_model_add_work(const archai_bayes_model *x); /* for one member */
/* Condition on results and predict all members. filled: [m, n_rows] targets, predicted
 * where they are not known. */
int archai_bayes_model_predict(archai_bayes_model *x, const archai_bayes_results *r,
                               double *filled, archai_err *err);
/* Mean and standard deviation of the targets [m] of the member in place i. */
void archai_bayes_model_member(const archai_bayes_model *x, size_t i, double *mean,
                               double *deviation);
#endif
