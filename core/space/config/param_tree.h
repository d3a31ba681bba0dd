/* core/space/config/param_tree.h - a space declared in a file as a tree of parameters: Archai's
 * ArchParamTree.
 *
 * A tree is an object of members; a member is
 *
 *   {"choice": [3, 5, 7]}           a parameter; numbers, strings, booleans, null and lists to
 *                                   choose from
 *       "weights": [1, 1, 2]        optional: how often each is sampled
 *       "id": "S"                   optional: parameters with the same id are one parameter,
 *                                   whose choices need be written only once
 *       "encode": "one_hot"         optional: numeric or one_hot; by default numeric where all
 *                                   choices are numbers or booleans
 *   {"range": [1.0e-5, 1.0e-1]}     a parameter; any number between two or, where both are whole,
 *                                   any whole number: [0, 1] is 0 or 1, [0.0, 1.0] also what is
 *                                   between
 *       "step": 16                  optional: only the first number, that plus 16, plus 32, ...;
 *                                   the default is 1 for whole numbers, none for others
 *       "log": true                 optional: drawn and mutated on the logarithmic scale
 *       "id": "S"                   as above
 *   {"repeat": {...}, "times": [0, 1, 2]}   a list of groups; their number is a parameter, which
 *                                   may also be {"range": [0, 2]} or {"choice": [0, 1, 2]}
 *       "share_arch": true          optional: all groups have the same values; by default each
 *                                   has its own, even those of parameters with an id
 *   {...}                           a group of members, at least one of them a parameter
 *   3, "text", true, null           a constant
 *   {"constant": [3, 4]}            a constant that may be a list or a mapping
 *
 * All else is refused: a list or a mapping without a parameter is one that is written as elsewhere.
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
#include "core/base/yaml.h"
#include "core/space/config/param_range.h"

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
    char *path;         /* owned; its first place: "blocks._configs.0.op" */
    json_t *choices;    /* owned reference to an array, not empty; NULL: a range */
    archai_range range; /* without choices */
    double *weights;    /* owned; as many as choices; NULL: equal */
    bool one_hot;       /* a feature per choice, else the number itself */
    bool times;         /* the number of groups of a list */
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
    const json_t *source;         /* what it was read from; borrowed, gone when that is freed */
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

/* How a tree is read. */
enum {
    ARCHAI_TREE_LENIENT = 1,     /* lists and mappings without a parameter are constants */
    ARCHAI_TREE_MAY_BE_EMPTY = 2 /* there need not be a parameter */
};

/* Read `source`, whose `lines` may be unknown (NULL). Errors begin with file, line and the member's
 * path, "tree.yaml:3: blocks.w.when: ...", or with the path alone. */
int archai_param_tree_create(archai_param_tree **out, const json_t *source,
                             const archai_lines *lines, unsigned how, archai_err *err);
void archai_param_tree_destroy(archai_param_tree *t); /* NULL is allowed */

/* Equal as in Python: 2 and 2.0 are, "2" and 2 are not. */
bool archai_value_equal(const json_t *a, const json_t *b);
/* A boolean, or a number that an encoding can hold. */
bool archai_value_is_number(const json_t *v);
double archai_value_number(const json_t *v); /* of one: false is 0, true 1 */
/* Index of `value` among the choices, or -1. */
int archai_param_index(const archai_param *p, const json_t *value);

/* The values of a parameter, each a new reference. The first choice, or the low end: */
json_t *archai_param_first(const archai_param *p);
json_t *archai_param_draw(const archai_param *p, archai_rng *rng); /* a sample */
/* A mutation of `value`: any choice with equal chance, whatever the weights, so it may be the old
 * one; of a range a number nearby or, unless `local`, a sample. */
json_t *archai_param_mutate(const archai_param *p, const json_t *value, bool local,
                            archai_rng *rng);
/* What is written down for `v`: the choice that is equal to it, or the number; NULL where v is no
 * such value. Numbers outside the choices are values where the encoding is a number. */
json_t *archai_param_take(const archai_param *p, const json_t *v);

/* The child of that name, or NULL. */
archai_param_node *archai_param_node_child(const archai_param_node *node, const char *name);

/* Which parameters exist for these values, [n] each. */
void archai_param_tree_exists(const archai_param_tree *t, json_t *const *values, bool *exists);
/* Do the node's own conditions hold? */
bool archai_param_node_holds(const archai_param_node *node, json_t *const *values,
                             const bool *exists);
/* Whether parameter `p` exists, given those before it in `order`. */
bool archai_param_exists(const archai_param_tree *t, size_t p, json_t *const *values,
                         const bool *exists);

/* The configuration of these values as Archai's ArchConfig writes it, including those that do not
 * exist. A new reference. */
json_t *archai_param_tree_to_json(const archai_param_tree *t, json_t *const *values);
/* The same as plain values by name, for a network: groups are objects, a list is an array of its
 * groups, and what does not exist is left out. A new reference. */
json_t *archai_param_tree_values(const archai_param_tree *t, json_t *const *values);
/* The values of a configuration: n new references. Values that do not exist may be absent (they get
 * the first choice), and so may constants. Numbers outside the choices are accepted where the
 * parameter is encoded as a number. Errors begin with the key. */
int archai_param_tree_from_json(const archai_param_tree *t, const json_t *arch, json_t **values,
                                archai_err *err);
#endif
