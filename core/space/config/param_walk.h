/* core/space/config/param_walk.h - counting and enumerating the architectures of a parameter tree.
 *
 * Architectures differ in the parameters that exist; all others keep their first choice.
 * Choices of one parameter that have the same features count as one. A range of any numbers
 * between two is counted as infinitely many values and walked as its low end.
 */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_WALK_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_WALK_H
#include "core/space/config/param_tree.h"

typedef struct archai_param_walk {
    const archai_param_tree *tree; /* borrowed */
    bool product;                  /* every combination of choices is an architecture of its own */
    double count;                  /* of architectures; infinity: too many to be counted */
    json_t **value;                /* owned; [n]; the current values, a reference to each */
    size_t *distinct;              /* owned; indices of choices that differ, those of parameter p */
    size_t *first;                 /* owned; from first[p] up to first[p + 1]; [n + 1] */
    uint64_t *n_values;            /* owned; [n]; how many there are: of these, or of a range */
    uint64_t *choice;              /* owned; [n]; the current one */
    bool *exists;                  /* owned; [n] */
    uint64_t index;                /* of the current architecture */
} archai_param_walk;

/* Architectures of a conditional tree are counted one by one, up to `limit`. With `all` every
 * parameter counts, whether it exists or not. The tree must outlive the walk. */
void archai_param_walk_init(archai_param_walk *w, const archai_param_tree *tree, bool all,
                            uint64_t limit);
void archai_param_walk_fini(archai_param_walk *w); /* safe on a zeroed struct */
/* Go to architecture `index` < count, which must be finite. A conditional tree is walked from the
 * current architecture, or from the first one if `index` is before it. */
void archai_param_walk_to(archai_param_walk *w, uint64_t index);
#endif
