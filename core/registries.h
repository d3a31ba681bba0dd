/* core/registries.h - the registries of core/: spaces and algorithms. */
#ifndef ARCHAI_CORE_REGISTRIES_H
#define ARCHAI_CORE_REGISTRIES_H
#include "core/config/registry.h"
#include "core/search/algorithm.h"
#include "core/search/space.h"

#define ARCHAI_SPACE_PLUGIN "plugin" /* as space.name: the space that space.plugin brings */

extern const archai_registry archai_space_registry, archai_algorithm_registry;

/* What was chosen; NULL: nothing, because something else is wrong. `common` is filled in, borrows from the
 * space and must live as long as the answer. */
archai_choice archai_space_choice(const archai_space *s, archai_space_common *common);
archai_choice archai_algorithm_choice(const archai_algorithm *a);
#endif
