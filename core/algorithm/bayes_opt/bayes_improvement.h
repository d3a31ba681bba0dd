/* core/algorithm/bayes_opt/bayes_improvement.h - by how much a candidate is expected to improve a front.
 *
 * A candidate's objectives are independent normal variables on the scale of targets; costs are what
 * a piecewise linear map makes of them (core/algorithm/bayes_opt/bayes_results.h). What counts is the hypervolume that
 * the candidate adds to the front below a reference point:
 *
 *   E[improvement] = integral of P(Y1 <= t1) ... P(Ym <= tm) over all t that the front does not
 *                    dominate and the reference point does not exceed.
 *
 * Up to three objectives that region is cut into boxes, O(front) of them, and the integral over a
 * box is a product of differences of Psi_k(t) = integral of P(Yk <= .) up to t, which has a closed
 * form on every piece of the map. With one objective that is the expected improvement of Jones,
 * Schonlau, Welch 1998. Sources: Emmerich, Deutz, Klinkenberg 2011, "Hypervolume-based expected
 * improvement"; Yang, Emmerich, Deutz, Baeck 2019, "Efficient computation of expected hypervolume
 * improvement using box decomposition algorithms", section 3 (the sweep).
 *
 * Beyond three objectives: the expected improvement of one Chebyshev scalarisation (ParEGO, Knowles
 * 2006) with weights that the caller draws, by quadrature of the same product along a line.
 *
 * An objective whose standard deviation is 0 is known exactly.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_IMPROVEMENT_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_IMPROVEMENT_H
#include "core/algorithm/bayes_opt/bayes_results.h"

enum { ARCHAI_IMPROVEMENT_EXACT = 3 /* objectives */ };

typedef struct archai_improvement {
    size_t m;
    size_t n_front;
    double *front; /* [n_front, m] targets; owned, as are all below */
    struct archai_improvement_axis {
        size_t n;       /* knots: the costs at which boxes begin and end, ascending */
        double *cost;   /* [n] */
        double *target; /* [n] ascending */
        double below;   /* slope of cost over target below the first knot */
        double *psi;    /* [n + 1] scratch; 0 of minus infinity, then of the knots */
    } *axis;            /* [m] */
    struct archai_improvement_box {
        unsigned short low[ARCHAI_IMPROVEMENT_EXACT], high[ARCHAI_IMPROVEMENT_EXACT];
    } *box; /* numbers of psi */
    size_t n_boxes, box_capacity;
    double *line; /* more than three objectives: [n_line, m] targets of equal steps */
    size_t n_line;
} archai_improvement;

/* What init() reads: a front as costs [n, m] and as targets [n, m], the reference point as both
 * [m], and the slopes of the map below the best known targets [m]. No boxes are cut by points that do
 * not lie below the reference in every objective. Up to 60,000 points. */
typedef struct archai_improvement_front {
    size_t n, m;
    const double *cost, *target;
    const double *reference_cost, *reference_target;
    const double *below;
} archai_improvement_front;

/* `weights` [m]: beyond three objectives; else not read. */
void archai_improvement_init(archai_improvement *out, const archai_improvement_front *front,
                             const double *weights);
void archai_improvement_fini(archai_improvement *x); /* safe on a zeroed struct */
/* The expected improvement by a candidate with these means and standard deviations [m] of its targets.
 * 0 where 3.5 standard deviations are not enough to reach past the front. Costs count as they are: the
 * caller chooses their units. */
double archai_improvement_expected(const archai_improvement *x, const double *mean,
                                   const double *deviation);
#endif
