/* The grammar: a file's JSON to nodes and parameters. */
#include "core/space/config/param_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/space/config/param_tree_private.h"

enum { TIMES_MAX = 1000, CHOICES_MAX = 65535 };

/* Parameters with an id are one within a scope; each group of an unshared list is a scope. */
typedef struct shared_id {
    const char *id; /* borrowed from the source */
    size_t scope, param;
} shared_id;

typedef struct grammar {
    archai_param_tree *tree;
    shared_id *ids; /* owned */
    size_t n_ids, capacity, n_scopes, n_nodes, n_choices;
    archai_err *err;
} grammar;

/* -- nodes ------------------------------------------------------------------------------- */

static int fault(grammar *g, const archai_param_node *node, const char *key, const char *what)
{
    return archai_param_fault(node, key, what, g->err);
}

/* A new last child of `parent` (NULL: the root). */
static int add_node(grammar *g, archai_param_node *parent, const char *name, archai_node_kind kind,
                    archai_param_node **out)
{
    archai_param_node *node;

    if (++g->n_nodes > ARCHAI_PARAM_NODES_MAX)
        return fault(g, parent, name, "too many members, with repeated groups expanded");
    node = archai_calloc(1, sizeof *node);
    node->kind = kind;
    node->parent = parent;
    node->name = archai_strdup(name);
    if (parent != NULL) {
        ARCHAI_RESERVE(parent->children, parent->capacity, parent->n_children + 1);
        parent->children[parent->n_children++] = node;
    }
    *out = node;
    return ARCHAI_OK;
}

/* -- parameters -------------------------------------------------------------------------- */

static int add_param(grammar *g, const archai_param_node *node, const char *last, json_t *choices,
                     size_t *out)
{
    archai_param_tree *t = g->tree;
    char path[256];

    archai_param_node_path(node, last, path, sizeof path);
    if (t->n == ARCHAI_PARAM_MAX)
        return fault(g, node, last, "too many parameters, with repeated groups expanded");
    g->n_choices += json_array_size(choices);
    if (g->n_choices > ARCHAI_PARAM_CHOICES_MAX)
        return fault(g, node, last, "too many choices, with repeated groups expanded");
    ARCHAI_RESERVE(t->params, t->capacity, t->n + 1);
    t->params[t->n] = (archai_param){
        .path = archai_strdup(path), .choices = json_incref(choices), .n_features = 1};
    for (size_t i = 0; i < json_array_size(choices); i++)
        t->params[t->n].one_hot |= json_is_string(json_array_get(choices, i));
    *out = t->n++;
    return ARCHAI_OK;
}

static int check_choices(grammar *g, const archai_param_node *node, const json_t *choices)
{
    size_t n = json_array_size(choices);

    if (!json_is_array(choices) || n == 0 || n > CHOICES_MAX)
        return fault(g, node, "choice", "expected a list of numbers, strings or booleans");
    for (size_t i = 0; i < n; i++)
        if (!json_is_string(json_array_get(choices, i)) &&
            !archai_value_is_number(json_array_get(choices, i)))
            return fault(g, node, "choice", "expected strings, booleans or numbers up to 3e38");
    return ARCHAI_OK;
}

static int read_weights(grammar *g, const archai_param_node *node, const json_t *weights,
                        archai_param *p)
{
    size_t n = json_array_size(p->choices);
    double sum = 0;

    if (weights == NULL)
        return ARCHAI_OK;
    if (!json_is_array(weights) || json_array_size(weights) != n)
        return fault(g, node, "weights", "expected a list of as many numbers as there are choices");
    p->weights = archai_calloc(n, sizeof *p->weights);
    for (size_t i = 0; i < n; i++) {
        p->weights[i] = json_number_value(json_array_get(weights, i));
        if (!json_is_number(json_array_get(weights, i)) || p->weights[i] < 0)
            return fault(g, node, "weights", "expected numbers that are not negative");
        sum += p->weights[i];
    }
    if (!(sum > 0) || isinf(sum))
        return fault(g, node, "weights", "expected a positive sum");
    return ARCHAI_OK;
}

static int read_encode(grammar *g, const archai_param_node *node, const json_t *encode,
                       archai_param *p)
{
    const char *text = json_string_value(encode);

    if (encode == NULL || (text != NULL && strcmp(text, "auto") == 0))
        return ARCHAI_OK;
    if (text != NULL && strcmp(text, "one_hot") == 0)
        p->one_hot = true;
    else if (text == NULL || strcmp(text, "numeric") != 0)
        return fault(g, node, "encode", "expected auto, numeric or one_hot");
    else if (p->one_hot)
        return fault(g, node, "encode", "the choices are not all numbers");
    return ARCHAI_OK;
}

/* -- members ---------------------------------------------------------------------------- */

static int read_member(grammar *g, archai_param_node *parent, const char *name, const json_t *v,
                       size_t scope);

static int take_when(grammar *g, archai_param_node *node, const json_t *when)
{
    if (when != NULL && !json_is_object(when))
        return fault(g, node, "when", "expected names and values: {\"op\": \"conv\"}");
    node->when = json_incref((json_t *)when);
    return ARCHAI_OK;
}

/* The latest parameter with this id; one in this scope, if there is one. */
static const shared_id *find_id(const grammar *g, const char *id, size_t scope)
{
    const shared_id *found = NULL;

    for (size_t i = 0; i < g->n_ids; i++)
        if (strcmp(g->ids[i].id, id) == 0 && (found == NULL || found->scope != scope))
            found = &g->ids[i];
    return found;
}

static void keep_id(grammar *g, const char *id, size_t scope, size_t param)
{
    ARCHAI_RESERVE(g->ids, g->capacity, g->n_ids + 1);
    g->ids[g->n_ids++] = (shared_id){id, scope, param};
}

/* A parameter with an id that is known: the same one in the same scope, else one like it. */
static int reuse_param(grammar *g, archai_param_node *node, const json_t *v, const shared_id *known,
                       size_t scope)
{
    const json_t *choices = json_object_get(v, "choice");
    const archai_param *p = &g->tree->params[known->param];
    archai_param *copy;

    if (choices != NULL && !json_equal(choices, p->choices))
        return fault(g, node, "choice", "differs from the choices given before with this id");
    if (known->scope == scope) {
        node->param = known->param;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(add_param(g, node, "", p->choices, &node->param));
    copy = &g->tree->params[node->param];
    p = &g->tree->params[known->param]; /* they may have moved */
    copy->one_hot = p->one_hot;
    if (p->weights != NULL)
        copy->weights =
            archai_memdup(p->weights, json_array_size(p->choices) * sizeof *copy->weights);
    keep_id(g, known->id, scope, node->param);
    return ARCHAI_OK;
}

static int read_param(grammar *g, archai_param_node *parent, const char *name, const json_t *v,
                      size_t scope)
{
    static const char *const keys[] = {"choice", "weights", "id", "encode", "when"};
    json_t *choices = json_object_get(v, "choice");
    const json_t *id = json_object_get(v, "id");
    const shared_id *known = NULL;
    archai_param_node *node = NULL;

    ARCHAI_TRY(add_node(g, parent, name, ARCHAI_NODE_PARAM, &node));
    ARCHAI_TRY(archai_param_check_keys(node, v, keys, 5, g->err));
    ARCHAI_TRY(take_when(g, node, json_object_get(v, "when")));
    if (id != NULL && !json_is_string(id))
        return fault(g, node, "id", "expected a text");
    if (id != NULL)
        known = find_id(g, json_string_value(id), scope);
    if (known != NULL)
        return reuse_param(g, node, v, known, scope);
    if (choices == NULL)
        return fault(g, node, "id", "no earlier parameter has this id, expected a choice");
    ARCHAI_TRY(check_choices(g, node, choices));
    ARCHAI_TRY(add_param(g, node, "", choices, &node->param));
    ARCHAI_TRY(read_weights(g, node, json_object_get(v, "weights"), &g->tree->params[node->param]));
    ARCHAI_TRY(read_encode(g, node, json_object_get(v, "encode"), &g->tree->params[node->param]));
    if (id != NULL)
        keep_id(g, json_string_value(id), scope, node->param);
    return ARCHAI_OK;
}

static int read_members(grammar *g, archai_param_node *group, const json_t *v, size_t scope)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value) if (strcmp(key, "when") != 0)
        ARCHAI_TRY(read_member(g, group, key, value, scope));
    return ARCHAI_OK;
}

static int read_group(grammar *g, archai_param_node *parent, const char *name, const json_t *v,
                      size_t scope)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(add_node(g, parent, name, ARCHAI_NODE_GROUP, &node));
    ARCHAI_TRY(take_when(g, node, json_object_get(v, "when")));
    return read_members(g, node, v, scope);
}

/* The numbers of groups to choose from: a number or a list; *most is the largest. */
static int read_times(grammar *g, archai_param_node *node, const json_t *times, json_int_t *most)
{
    json_t *list =
        json_is_array(times) ? json_incref((json_t *)times) : json_pack("[O]", times); /* or NULL */
    size_t n = json_array_size(list);
    int rc = ARCHAI_OK;

    if (n == 0 || n > CHOICES_MAX)
        rc = fault(g, node, "times", "expected a number of groups or a list of them");
    *most = 0;
    for (size_t i = 0; i < n && rc == ARCHAI_OK; i++) {
        const json_t *v = json_array_get(list, i);

        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > TIMES_MAX)
            rc = fault(g, node, "times", "expected whole numbers from 0 to 1000");
        else if (json_integer_value(v) > *most)
            *most = json_integer_value(v);
    }
    if (rc == ARCHAI_OK)
        rc = add_param(g, node, "_repeat_times", list, &node->param);
    if (rc == ARCHAI_OK)
        g->tree->params[node->param].times = true;
    json_decref(list);
    return rc;
}

/* A copy of the nodes from `from` on, with the same parameters. */
static int mirror(grammar *g, archai_param_node *parent, const char *name,
                  const archai_param_node *from)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(add_node(g, parent, name, from->kind, &node));
    node->param = from->param;
    node->share = from->share;
    node->constant = json_incref(from->constant);
    node->when = json_incref(from->when);
    for (size_t i = 0; i < from->n_children; i++)
        ARCHAI_TRY(mirror(g, node, from->children[i]->name, from->children[i]));
    return ARCHAI_OK;
}

static int read_list(grammar *g, archai_param_node *parent, const char *name, const json_t *v,
                     size_t scope)
{
    static const char *const keys[] = {"repeat", "times", "share_arch", "when"};
    const json_t *share = json_object_get(v, "share_arch"), *block = json_object_get(v, "repeat");
    archai_param_node *node = NULL;
    json_int_t most = 0;

    ARCHAI_TRY(add_node(g, parent, name, ARCHAI_NODE_LIST, &node));
    ARCHAI_TRY(archai_param_check_keys(node, v, keys, 4, g->err));
    ARCHAI_TRY(take_when(g, node, json_object_get(v, "when")));
    if (!json_is_object(block))
        return fault(g, node, "repeat", "expected a group of members");
    if (share != NULL && !json_is_boolean(share))
        return fault(g, node, "share_arch", "expected true or false");
    node->share = json_is_true(share);
    ARCHAI_TRY(read_times(g, node, json_object_get(v, "times"), &most));
    for (json_int_t i = 0; i < most; i++) {
        char entry[24];

        (void)snprintf(entry, sizeof entry, "%" JSON_INTEGER_FORMAT, i);
        if (node->share && i > 0)
            ARCHAI_TRY(mirror(g, node, entry, node->children[0]));
        else
            ARCHAI_TRY(read_group(g, node, entry, block, node->share ? scope : ++g->n_scopes));
    }
    return ARCHAI_OK;
}

static int check_name(grammar *g, const archai_param_node *parent, const char *name)
{
    static const char *const reserved[] = {"_config_type", "_share_arch", "_repeat_times",
                                           "_configs"};

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(name, reserved[i]) == 0)
            return fault(g, parent, name, "this name is reserved");
    if (name[0] == '\0' || strchr(name, '.') != NULL)
        return fault(g, parent, name, "a name must not be empty or contain a dot");
    return ARCHAI_OK;
}

/* A choice, or a mention of one: {"id": "S"}. */
static bool is_param(const json_t *v)
{
    size_t mention = json_object_get(v, "when") != NULL ? 2 : 1;

    return json_object_get(v, "choice") != NULL ||
           (json_is_string(json_object_get(v, "id")) && json_object_size(v) == mention);
}

static int read_member(grammar *g, archai_param_node *parent, const char *name, const json_t *v,
                       size_t scope)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(check_name(g, parent, name));
    if (is_param(v))
        return read_param(g, parent, name, v, scope);
    if (json_object_get(v, "repeat") != NULL)
        return read_list(g, parent, name, v, scope);
    if (json_is_object(v))
        return read_group(g, parent, name, v, scope);
    ARCHAI_TRY(add_node(g, parent, name, ARCHAI_NODE_CONSTANT, &node));
    node->constant = json_incref((json_t *)v);
    return ARCHAI_OK;
}

/* -- the tree ---------------------------------------------------------------------------- */

static int read_tree(grammar *g, const json_t *source)
{
    archai_param_tree *t = g->tree;

    ARCHAI_TRY(add_node(g, NULL, "", ARCHAI_NODE_GROUP, &t->root));
    if (!json_is_object(source))
        return fault(g, t->root, "", "expected a mapping of names to choices");
    if (json_object_get(source, "when") != NULL)
        return fault(g, t->root, "when", "the tree itself cannot have a condition");
    ARCHAI_TRY(read_members(g, t->root, source, 0));
    if (t->n == 0)
        return fault(g, t->root, "", "there is nothing to choose: no member has a choice");
    for (size_t i = 0; i < t->n; i++) {
        archai_param *p = &t->params[i];

        p->n_features = p->one_hot ? json_array_size(p->choices) : 1;
        t->n_features += p->n_features;
    }
    return archai_param_tree_resolve(t, g->err);
}

int archai_param_tree_create(archai_param_tree **out, const json_t *source, archai_err *err)
{
    grammar g = {.tree = archai_calloc(1, sizeof *g.tree), .err = err};
    int rc = read_tree(&g, source);

    free(g.ids);
    if (rc == ARCHAI_OK)
        *out = g.tree;
    else
        archai_param_tree_destroy(g.tree);
    return rc;
}
