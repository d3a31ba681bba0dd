/* core/space/config/param_tree_private.h - what the files of the parameter tree share. */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_PRIVATE_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_PRIVATE_H
#include "core/space/config/param_tree.h"

/* Dotted names from the root to the node, with `last` appended ("" for none); "tree" at the root.
 * Truncated where it does not fit. */
void archai_param_node_path(const archai_param_node *node, const char *last, char *out,
                            size_t size);
/* ARCHAI_EINVAL: "PATH: what", with the path as above. */
int archai_param_fault(const archai_param_node *node, const char *last, const char *what,
                       archai_err *err);
/* archai_json_check_keys() of the object that a node is read from, "PATH.KEY: ...". */
int archai_param_check_keys(const archai_param_node *node, const json_t *v, const char *const *keys,
                            size_t n, archai_err *err);
/* Resolve every `when`; find the order of dependence and what is conditional. */
int archai_param_tree_resolve(archai_param_tree *t, archai_err *err);
#endif
