/* core/registry.c - the tables of registered types, in the order in which --help prints them. */
#include "core/search/algorithm.h"
#include "core/search/space.h"

extern const archai_space_ops archai_space_cnn;
extern const archai_space_ops archai_space_config;
extern const archai_space_ops archai_space_segmentation_dag;

const archai_space_ops *const archai_spaces[] = {
    &archai_space_cnn,
    &archai_space_segmentation_dag,
    &archai_space_config,
    NULL,
};

extern const archai_algorithm_ops archai_algorithm_random_search;
extern const archai_algorithm_ops archai_algorithm_local_search;
extern const archai_algorithm_ops archai_algorithm_regularized_evolution;
extern const archai_algorithm_ops archai_algorithm_evolution_pareto;
extern const archai_algorithm_ops archai_algorithm_nsga2;
extern const archai_algorithm_ops archai_algorithm_mo_bananas;
extern const archai_algorithm_ops archai_algorithm_bayes_opt;
extern const archai_algorithm_ops archai_algorithm_successive_halving;
extern const archai_algorithm_ops archai_algorithm_asha;

const archai_algorithm_ops *const archai_algorithms[] = {
    &archai_algorithm_random_search,
    &archai_algorithm_local_search,
    &archai_algorithm_regularized_evolution,
    &archai_algorithm_evolution_pareto,
    &archai_algorithm_nsga2,
    &archai_algorithm_mo_bananas,
    &archai_algorithm_bayes_opt,
    &archai_algorithm_successive_halving,
    &archai_algorithm_asha,
    NULL,
};
