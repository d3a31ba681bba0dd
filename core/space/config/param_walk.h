/* core/space/config/param_walk.h - counting and enumerating what a parameter tree can be.
 *
 * Architectures are told apart by the parameters that exist: others keep their first choice.
 * Choices of one parameter that have the same features are one.
 */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_WALK_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_WALK_H
#include "core/space/config/param_tree.h"

typedef struct archai_param_walk {
    const archai_param_tree *tree; /* borrowed */
    bool product;   /* every combination of choices is an architecture of its own */
    double count;   /* of architectures; infinity: too many to be counted */
    json_t **value; /* owned; [n]; the choices at which it stands, borrowed from the tree */
    size_t *distinct; /* owned; indexes of choices that differ, those of parameter p */
    size_t *first;    /* owned; from first[p] up to first[p + 1]; [n + 1] */
    size_t *choice;   /* owned; [n]; which of these */
    bool *exists;   /* owned */
    uint64_t index; /* of the architecture at which it stands */
} archai_param_walk;

/* Conditional trees are counted one by one, up to `limit`. With `all` every parameter counts,
 * whether it exists or not. The tree must outlive the walk. */
int archai_param_walk_init(archai_param_walk *w, const archai_param_tree *tree, bool all,
                           uint64_t limit, archai_err *err);
void archai_param_walk_fini(archai_param_walk *w); /* safe on a zeroed struct */
/* Go to architecture `index`, less than `count`, which is finite; a conditional tree is walked
 * through from where it stands, or from its beginning where that lies behind. */
void archai_param_walk_to(archai_param_walk *w, uint64_t index);
#endif
