/* core/algorithm/bayes_opt/bayes_front.h - the front that Bayesian optimisation is to improve.
 *
 * Members are what is known and what is predicted for candidates under way, so that near copies of these
 * are not proposed. Costs are relative to the extent between the best known one and the reference.
 * Improvements count below a reference point. It is not configured but computed from the front:
 *
 *   half the front's extent beyond its worst. Two kinds of ends count: those that are known and those
 *   that are to be expected, the other objectives of the candidate that may be best in one (the
 *   payoff table of Benayoun, Montgolfier, Tergny, Laritchev 1971). Without the latter a search never
 *   looks for an end beyond those that it has found;
 *   and no less than the worst known cost that is not an outlier.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_FRONT_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_FRONT_H
#include "core/algorithm/bayes_opt/bayes_improvement.h"
#include "core/algorithm/bayes_opt/bayes_model.h"

enum { ARCHAI_BAYES_FIRST = 16 /* results that count as drawn at random */ };

/* r: results of the model's rows; filled: what archai_bayes_model_predict gave. `rng` draws weights
 * where there are more than three objectives. r has at least one result. */
void archai_bayes_front(archai_improvement *out, const archai_bayes_model *x,
                        const archai_bayes_results *r, const double *filled, const archai_search *s,
                        archai_rng *rng);
#endif
