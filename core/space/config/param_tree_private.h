/* core/space/config/param_tree_private.h - what the files of the parameter tree share. */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_PRIVATE_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_PRIVATE_H
#include "core/space/config/param_tree.h"

/* Parameters with an id are one within a scope; each group of an unshared list is a scope. */
typedef struct archai_shared_id {
    const char *id; /* borrowed from the source */
    size_t scope, param;
} archai_shared_id;

/* A tree while its source is read. */
typedef struct archai_grammar {
    archai_param_tree *tree;
    const archai_lines *lines; /* NULL: unknown */
    bool lenient;              /* what is not a parameter is a constant */
    archai_shared_id *ids;     /* owned */
    size_t n_ids, capacity, n_scopes, n_nodes, n_choices;
    archai_err *err;
} archai_grammar;

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
/* Put "FILE:LINE: " of the first of these values that has a line before an error of the above. */
int archai_param_located(const archai_lines *lines, const json_t *at, const json_t *around, int rc,
                         archai_err *err);

/* A member of the source with its line: "FILE:LINE: PATH.KEY: what". */
int archai_grammar_fault(archai_grammar *g, const archai_param_node *node, const char *key,
                         const char *what);
/* Keys of the node's source. */
int archai_grammar_check_keys(archai_grammar *g, const archai_param_node *node,
                              const char *const *keys, size_t n);
/* A new last child of `parent` (NULL: the root), read from `source`. */
int archai_grammar_node(archai_grammar *g, archai_param_node *parent, const char *name,
                        archai_node_kind kind, const json_t *source, archai_param_node **out);
int archai_grammar_when(archai_grammar *g, archai_param_node *node);

/* Is it a parameter: a choice, a range, or a mention of one, {"id": "S"}? */
bool archai_param_is_one(const json_t *v);
int archai_param_read(archai_grammar *g, archai_param_node *parent, const char *name,
                      const json_t *v, size_t scope);
/* The numbers of groups of a list; *most is the largest. */
int archai_param_read_times(archai_grammar *g, archai_param_node *node, const json_t *times,
                            json_int_t *most);

/* A text like "suggest_int('width', 8, 16)"? */
bool archai_param_is_call(const json_t *v);
/* A list or mapping that holds no parameter, or a call: says how what it seems to mean is
 * written. */
int archai_param_no_form(archai_grammar *g, const archai_param_node *parent, const char *name,
                         const json_t *v);

/* Resolve every `when`; find the order of dependence and what is conditional. */
int archai_param_tree_resolve(archai_param_tree *t, const archai_lines *lines, archai_err *err);
#endif
