/* core/space/config/param_tree.h - a space declared in a file as a tree of parameters: Archai's
 * ArchParamTree.
 *
 * A tree is an object of members; a member is
 *
 *   {"choice": [3, 5, 7]}           a parameter; numbers, strings and booleans to choose from
 *       "weights": [1, 1, 2]        optional: how often each is sampled
 *       "id": "S"                   optional: parameters with the same id are one parameter,
 *                                   whose choices need be written only once
 *       "encode": "one_hot"         optional: numeric or one_hot; by default numeric where all
 *                                   choices are numbers or booleans
 *   {"repeat": {...}, "times": [0, 1, 2]}   a list of groups; their number is a parameter
 *       "share_arch": true          optional: all groups have the same values; by default each
 *                                   has its own, even those of parameters with an id
 *   {...}                           a group of members
 *   anything else                   a constant
 *
 * Parameters, lists and groups may have "when": {"op": "conv", "k": [3, 5]}: they exist only
 * where each named parameter exists and has (one of) these values; an empty list is never true.
 * Names are looked up in the group around the member, then outwards; dots lead into groups,
 * and the name of a list stands for its number of groups.
 *
 * A parameter's value is always chosen, mutated and crossed over, as in Archai; where it does not
 * exist it takes no part in identity and encoding. Archai finds out
 * which parameters exist by tracking those that a model asks for; here the file says so. Parameters
 * asked for in a branch have a `when`, and those of group i of a list exist where there are
 * more than i groups. A shared parameter exists where it exists in any of its places (Archai
 * looks only at the first, so different architectures can have one archid).
 */
#ifndef ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_H
#define ARCHAI_CORE_SPACE_CONFIG_PARAM_TREE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

/* Bounds of a tree with its repeated groups expanded. */
enum {
    ARCHAI_PARAM_MAX = 4096,
    ARCHAI_PARAM_NODES_MAX = 65536,
    ARCHAI_PARAM_CHOICES_MAX = 262144 /* of all parameters together, and so of features */
};

/* Holds where the parameter exists and its value is among `values` or, without values, is more
 * than `above`. */
typedef struct archai_condition {
    size_t param;
    json_t *values; /* owned reference to an array; NULL */
    int64_t above;
} archai_condition;

typedef struct archai_param {
    char *path;      /* owned; its first place: "blocks._configs.0.op" */
    json_t *choices; /* owned reference to an array, not empty */
    double *weights; /* owned; as many; NULL: equal */
    bool one_hot;    /* a feature per choice, else the number itself */
    bool times;      /* the number of groups of a list */
    size_t n_features;
} archai_param;

typedef enum archai_node_kind {
    ARCHAI_NODE_CONSTANT,
    ARCHAI_NODE_PARAM,
    ARCHAI_NODE_GROUP,
    ARCHAI_NODE_LIST /* its children are groups named "0", "1", ... up to the largest number */
} archai_node_kind;

typedef struct archai_param_node archai_param_node;
struct archai_param_node {
    archai_node_kind kind;
    char *name;                   /* owned; "" at the root */
    archai_param_node *parent;    /* NULL at the root */
    archai_param_node **children; /* owned, as is each; in the file's order */
    size_t n_children, capacity;
    size_t param;                 /* PARAM; LIST: its number of groups */
    bool share;                   /* LIST */
    json_t *constant;             /* CONSTANT; owned reference */
    json_t *when;                 /* as written; owned reference, NULL: none */
    archai_condition *conditions; /* owned; `when` resolved, and a group's place in its list */
    size_t n_conditions;
};

typedef struct archai_param_tree {
    archai_param_node *root; /* owned */
    archai_param *params;    /* owned; in the file's order, each once */
    size_t n, capacity;
    size_t *order; /* owned; all parameters, each after those on which its existence depends */
    archai_param_node **places; /* owned; the nodes (borrowed) of each parameter: */
    size_t *first_place; /* owned; those of p are at first_place[p] up to first_place[p + 1] */
    size_t n_features;
    bool conditional; /* some parameter does not always exist */
} archai_param_tree;

/* Read `source`; errors begin with the member's path: "blocks.w.when: ...". */
int archai_param_tree_create(archai_param_tree **out, const json_t *source, archai_err *err);
void archai_param_tree_destroy(archai_param_tree *t); /* NULL is allowed */

/* Equal as in Python: 2 and 2.0 are, "2" and 2 are not. */
bool archai_value_equal(const json_t *a, const json_t *b);
/* A boolean, or a number that an encoding can hold. */
bool archai_value_is_number(const json_t *v);
double archai_value_number(const json_t *v); /* of one: false is 0, true 1 */
/* Index of `value` among the choices, or -1. */
int archai_param_index(const archai_param *p, const json_t *value);

/* The child of that name, or NULL. */
archai_param_node *archai_param_node_child(const archai_param_node *node, const char *name);

/* Which parameters exist for these values, [n] each. */
void archai_param_tree_exists(const archai_param_tree *t, json_t *const *values, bool *exists);
/* Whether parameter `p` exists, given those before it in `order`. */
bool archai_param_exists(const archai_param_tree *t, size_t p, json_t *const *values,
                         const bool *exists);

/* The configuration of these values as Archai's ArchConfig writes it, including those that do not
 * exist. A new reference. */
json_t *archai_param_tree_to_json(const archai_param_tree *t, json_t *const *values);
/* The values of a configuration: n new references. Values that do not exist may be absent (they get
 * the first choice), and so may constants. Numbers outside the choices are accepted where the
 * parameter is encoded as a number. Errors begin with the key. */
int archai_param_tree_from_json(const archai_param_tree *t, const json_t *arch, json_t **values,
                                archai_err *err);
#endif
