/* core/registry.c - the tables of registered types, in the order in which --help prints them. */
#include "core/algorithm.h"
#include "core/space.h"

extern const archai_space_ops archai_space_cnn;

const archai_space_ops *const archai_spaces[] = {
    &archai_space_cnn,
    NULL,
};

const archai_algorithm_ops *const archai_algorithms[] = {
    NULL,
};
