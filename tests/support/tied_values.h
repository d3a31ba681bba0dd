/* tests/support/tied_values.h - what a state_dict holds under second names. */
#ifndef ARCHAI_TESTS_TIED_VALUES_H
#define ARCHAI_TESTS_TIED_VALUES_H
#include "core/network/network.h"

/* Values of weights below a module that belong to another module. */
static inline int64_t tied_values(const archai_module *m)
{
    archai_module untied = *m;
    int64_t n = 0;

    untied.tied = NULL;
    if (m->tied != NULL)
        n = archai_module_params(&untied) - archai_module_params(m);
    for (size_t i = 0; i < m->n_children; i++)
        n += tied_values(m->children[i]);
    return n;
}
#endif
