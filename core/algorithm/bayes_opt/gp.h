/* core/algorithm/bayes_opt/gp.h - a Gaussian process that grows point by point.
 *
 * The Cholesky factor of the covariance of all points depends on where they are alone, not on what
 * was measured there. So a point can be appended, O(n^2), when it is proposed and its value is not yet
 * known: it makes the process certain of its neighbourhood and keeps other workers away from
 * there. Its missing value is taken to be what the known ones predict (Ginsbourger, Le Riche,
 * Carraro 2010, the "kriging believer"), exactly, for all missing ones at once.
 *
 * The process has mean 0, so the caller centres the targets; its variance (`scale`) follows from the
 * targets. Source of the formulas: Rasmussen, Williams 2006, "Gaussian Processes for Machine
 * Learning", algorithm 2.1 and section 5.4.1. LAPACK and BLAS run on one thread, so that results do
 * not depend on how many there are.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_H
#include <stdbool.h>
#include "core/algorithm/bayes_opt/gp_kernel.h"
#include "core/base/err.h"

typedef struct archai_gp {
    const archai_gp_features *features; /* borrowed */
    archai_gp_kernel kernel;
    double noise; /* variance of the noise, relative to `scale` */
    double scale; /* variance of the process; set by archai_gp_solve */
    size_t n, capacity;
    unsigned char *points; /* [capacity] packed points, owned */
    double *chol;          /* [capacity, capacity], lower triangle, row-major; owned */
    double *z;             /* [capacity], chol^-1 targets; owned */
    double *table;         /* scratch of archai_gp_covariances; owned */
} archai_gp;

/* An empty process for points of these features, with kernel parameters to begin with. */
void archai_gp_init(archai_gp *gp, const archai_gp_features *features);
void archai_gp_fini(archai_gp *gp); /* safe on a zeroed struct */

/* Append `count` packed points, O(n^2) each; many at once are several times faster than one by one. */
void archai_gp_append(archai_gp *gp, const void *points, size_t count);
/* Condition on targets[n]; known[n] says which of them are known. Sets z and scale; `filled` [n] (may be
 * NULL) gets the targets with predictions in place of the missing ones. O(n^2), and O(n^2) more for
 * each missing one. */
int archai_gp_solve(archai_gp *gp, const double *targets, const bool *known, double *filled,
                    archai_err *err);

/* Choose kernel and noise by the likelihood of targets [n] at n packed points, with a weak prior.
 * The process must have no points. O(n^3), about forty times. Returns the logarithm of how much likelier
 * a target has become than as noise alone, on average. */
double archai_gp_fit(archai_gp *gp, const void *points, size_t n, const double *targets);
#endif
