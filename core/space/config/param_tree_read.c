/* The grammar of a tree: a file's JSON to groups, lists and constants; parameters: param_read.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/space/config/param_tree_private.h"

/* -- nodes ------------------------------------------------------------------------------- */

int archai_grammar_fault(archai_grammar *g, const archai_param_node *node, const char *key,
                         const char *what)
{
    return archai_param_located(g->lines, json_object_get(node->source, key), node->source,
                                archai_param_fault(node, key, what, g->err), g->err);
}

static int fault(archai_grammar *g, const archai_param_node *node, const char *key,
                 const char *what)
{
    return archai_grammar_fault(g, node, key, what);
}

int archai_grammar_check_keys(archai_grammar *g, const archai_param_node *node,
                              const char *const *keys, size_t n)
{
    return archai_param_located(g->lines, NULL, node->source,
                                archai_param_check_keys(node, node->source, keys, n, g->err),
                                g->err);
}

int archai_grammar_node(archai_grammar *g, archai_param_node *parent, const char *name,
                        archai_node_kind kind, const json_t *source, archai_param_node **out)
{
    archai_param_node *node;

    if (++g->n_nodes > ARCHAI_PARAM_NODES_MAX)
        return fault(g, parent, name, "too many members, with repeated groups expanded");
    node = archai_calloc(1, sizeof *node);
    node->kind = kind;
    node->parent = parent;
    node->name = archai_strdup(name);
    node->source = source;
    if (parent != NULL) {
        ARCHAI_RESERVE(parent->children, parent->capacity, parent->n_children + 1);
        parent->children[parent->n_children++] = node;
    }
    *out = node;
    return ARCHAI_OK;
}

int archai_grammar_when(archai_grammar *g, archai_param_node *node)
{
    const json_t *when = json_object_get(node->source, "when");

    if (when != NULL && !json_is_object(when))
        return fault(g, node, "when", "expected names and values: {\"op\": \"conv\"}");
    node->when = json_incref((json_t *)when);
    return ARCHAI_OK;
}

/* -- members ---------------------------------------------------------------------------- */

static int read_member(archai_grammar *g, archai_param_node *parent, const char *name,
                       const json_t *v, size_t scope);

static int read_members(archai_grammar *g, archai_param_node *group, const json_t *v, size_t scope)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value) if (strcmp(key, "when") != 0)
        ARCHAI_TRY(read_member(g, group, key, value, scope));
    return ARCHAI_OK;
}

static int read_group(archai_grammar *g, archai_param_node *parent, const char *name,
                      const json_t *v, size_t scope)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(archai_grammar_node(g, parent, name, ARCHAI_NODE_GROUP, v, &node));
    ARCHAI_TRY(archai_grammar_when(g, node));
    return read_members(g, node, v, scope);
}

/* A copy of the nodes from `from` on, with the same parameters. */
static int mirror(archai_grammar *g, archai_param_node *parent, const char *name,
                  const archai_param_node *from)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(archai_grammar_node(g, parent, name, from->kind, from->source, &node));
    node->param = from->param;
    node->share = from->share;
    node->constant = json_incref(from->constant);
    node->when = json_incref(from->when);
    for (size_t i = 0; i < from->n_children; i++)
        ARCHAI_TRY(mirror(g, node, from->children[i]->name, from->children[i]));
    return ARCHAI_OK;
}

static int read_list(archai_grammar *g, archai_param_node *parent, const char *name,
                     const json_t *v, size_t scope)
{
    static const char *const keys[] = {"repeat", "times", "share_arch", "when"};
    const json_t *share = json_object_get(v, "share_arch"), *block = json_object_get(v, "repeat");
    archai_param_node *node = NULL;
    json_int_t most = 0;

    ARCHAI_TRY(archai_grammar_node(g, parent, name, ARCHAI_NODE_LIST, v, &node));
    ARCHAI_TRY(archai_grammar_check_keys(g, node, keys, 4));
    ARCHAI_TRY(archai_grammar_when(g, node));
    if (!json_is_object(block))
        return fault(g, node, "repeat", "expected a group of members");
    if (share != NULL && !json_is_boolean(share))
        return fault(g, node, "share_arch", "expected true or false");
    node->share = json_is_true(share);
    ARCHAI_TRY(archai_param_read_times(g, node, json_object_get(v, "times"), &most));
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

static int check_name(archai_grammar *g, const archai_param_node *parent, const char *name)
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

static bool is_constant(const json_t *v)
{
    return json_object_size(v) == 1 && json_object_get(v, "constant") != NULL;
}

static bool holds_param(const json_t *v)
{
    const char *key;
    json_t *member;

    if (archai_param_is_one(v) || json_object_get(v, "repeat") != NULL)
        return true;
    if (!is_constant(v))
        json_object_foreach((json_t *)v, key, member) if (holds_param(member)) return true;
    return false;
}

/* A scalar or {"constant": ...}. Lists and mappings without a parameter are most likely parameters
 * that are written as elsewhere, and would go unnoticed as constants. */
static int read_constant(archai_grammar *g, archai_param_node *parent, const char *name,
                         const json_t *v)
{
    archai_param_node *node = NULL;

    ARCHAI_TRY(archai_grammar_node(g, parent, name, ARCHAI_NODE_CONSTANT, v, &node));
    node->constant = json_incref(is_constant(v) ? json_object_get(v, "constant") : (json_t *)v);
    return ARCHAI_OK;
}

static int read_member(archai_grammar *g, archai_param_node *parent, const char *name,
                       const json_t *v, size_t scope)
{
    ARCHAI_TRY(check_name(g, parent, name));
    if (archai_param_is_one(v))
        return archai_param_read(g, parent, name, v, scope);
    if (json_object_get(v, "repeat") != NULL)
        return read_list(g, parent, name, v, scope);
    if (is_constant(v))
        return read_constant(g, parent, name, v);
    if (json_is_object(v) && (g->lenient || json_object_get(v, "when") != NULL || holds_param(v)))
        return read_group(g, parent, name, v, scope);
    if ((json_is_object(v) || json_is_array(v) || archai_param_is_call(v)) && !g->lenient)
        return archai_param_no_form(g, parent, name, v);
    return read_constant(g, parent, name, v);
}

/* -- the tree ---------------------------------------------------------------------------- */

static int read_tree(archai_grammar *g, const json_t *source, bool may_be_empty)
{
    archai_param_tree *t = g->tree;

    ARCHAI_TRY(archai_grammar_node(g, NULL, "", ARCHAI_NODE_GROUP, source, &t->root));
    if (!json_is_object(source))
        return fault(g, t->root, "", "expected a mapping of names to choices");
    if (json_object_get(source, "when") != NULL)
        return fault(g, t->root, "when", "the tree itself cannot have a condition");
    ARCHAI_TRY(read_members(g, t->root, source, 0));
    if (t->n == 0 && !may_be_empty)
        return fault(g, t->root, "",
                     "there is nothing to choose: no member has a choice or a range");
    for (size_t i = 0; i < t->n; i++) {
        archai_param *p = &t->params[i];

        p->n_features = p->one_hot ? json_array_size(p->choices) : 1;
        t->n_features += p->n_features;
    }
    return archai_param_tree_resolve(t, g->lines, g->err);
}

int archai_param_tree_create(archai_param_tree **out, const json_t *source,
                             const archai_lines *lines, unsigned how, archai_err *err)
{
    archai_grammar g = {.tree = archai_calloc(1, sizeof *g.tree),
                        .lines = lines,
                        .lenient = (how & ARCHAI_TREE_LENIENT) != 0,
                        .err = err};
    int rc = read_tree(&g, source, (how & ARCHAI_TREE_MAY_BE_EMPTY) != 0);

    free(g.ids);
    if (rc == ARCHAI_OK)
        *out = g.tree;
    else
        archai_param_tree_destroy(g.tree);
    return rc;
}
