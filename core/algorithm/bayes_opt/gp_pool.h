/* core/algorithm/bayes_opt/gp_pool.h - points whose predictions follow a growing Gaussian process.
 *
 * For each member x the vector v = chol^-1 k(X, x) is kept; mean and variance are two scalar
 * products of it. When the process grows by a point, every v grows by one number, O(members * n)
 * in all, where a fresh prediction of all members would cost O(members * n^2). Single precision:
 * 4 n bytes per member.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_POOL_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_POOL_H
#include "core/algorithm/bayes_opt/gp.h"

typedef struct archai_gp_pool {
    size_t n, capacity;    /* members */
    size_t rows;           /* numbers in each v: points of the process that it knows of */
    size_t row_capacity;   /* and room for so many */
    unsigned char *points; /* [capacity] packed; owned, as are all below */
    float *v;              /* [capacity, row_capacity] */
    float *explained;      /* [capacity] |v|^2: the part of the variance that the points explain */
    float *mean;           /* [capacity]; set by archai_gp_pool_predict */
    uint32_t *ids;         /* [capacity] the caller's numbers for the members */
} archai_gp_pool;

void archai_gp_pool_fini(archai_gp_pool *p); /* safe on a zeroed struct */
/* Add members, O(n^2) each. The pool must be up to date with the process. */
void archai_gp_pool_add(archai_gp_pool *p, const archai_gp *gp, const void *points,
                        const uint32_t *ids, size_t count);
/* The last member takes the place of member `at`. */
void archai_gp_pool_remove(archai_gp_pool *p, const archai_gp *gp, size_t at);
/* The process was appended to: every member gets as many more numbers. */
void archai_gp_pool_extend(archai_gp_pool *p, const archai_gp *gp);
/* Means for the targets of the last archai_gp_solve. */
void archai_gp_pool_predict(archai_gp_pool *p, const archai_gp *gp);
/* Variance of member `at` (of the process, without noise). */
double archai_gp_pool_variance(const archai_gp_pool *p, const archai_gp *gp, size_t at);
#endif
