/* core/registry.c - the search spaces and algorithms, in the order in which --help prints them: one
 * line each. */
#include "core/search/algorithm.h"
#include "core/search/space.h"

#define SPACES(X)                                                                                  \
    X(cnn)                                                                                         \
    X(segmentation_dag)                                                                            \
    X(config)                                                                                      \
    X(natsbench_tss)                                                                               \
    X(transformer_flex)

#define ALGORITHMS(X)                                                                              \
    X(random_search)                                                                               \
    X(local_search)                                                                                \
    X(regularized_evolution)                                                                       \
    X(evolution_pareto)                                                                            \
    X(nsga2)                                                                                       \
    X(mo_bananas)                                                                                  \
    X(bayes_opt)                                                                                   \
    X(successive_halving)                                                                          \
    X(asha)                                                                                        \
    X(retrain)

#define X(name) extern const archai_space_ops archai_space_##name;
SPACES(X)
#undef X
#define X(name) &archai_space_##name,
const archai_space_ops *const archai_spaces[] = {SPACES(X) NULL};
#undef X

#define X(name) extern const archai_algorithm_ops archai_algorithm_##name;
ALGORITHMS(X)
#undef X
#define X(name) &archai_algorithm_##name,
const archai_algorithm_ops *const archai_algorithms[] = {ALGORITHMS(X) NULL};
#undef X
