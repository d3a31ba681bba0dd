/* runner/inspect/report/forest.h - which parameters matter: importances by a random forest.
 *
 * Mean decrease in impurity (Breiman, Friedman, Olshen, Stone 1984; Breiman 2001, "Random Forests"), as
 * scikit-learn's RandomForestRegressor(bootstrap=True, max_features=1.0) computes feature_importances_: each
 * tree grows on a bootstrap sample until its leaves are pure, the best split over all features counts, ties
 * are broken at random; the decrease of the squared error by each feature is a share of the tree's, averaged
 * over the trees.
 */
#ifndef ARCHAI_RUNNER_INSPECT_REPORT_FOREST_H
#define ARCHAI_RUNNER_INSPECT_REPORT_FOREST_H
#include <stddef.h>
#include <stdint.h>

/* codes [n, p]: the rank of each value among the values of its feature, from 0; n_codes [p]: how many there
 * are. y [n], finite. out [p]: shares that sum to 1, or all 0 where nothing can be told. The same for the
 * same arguments. */
void inspect_forest(const uint32_t *codes, const uint32_t *n_codes, size_t n, size_t p,
                    const double *y, int trees, uint64_t seed, double *out);
#endif
