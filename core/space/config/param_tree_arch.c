/* Values to a configuration and back, in the layout of Archai's ArchConfig: at each level
 * constants first, then parameters, lists and groups in the file's order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/space/config/param_tree_private.h"

/* -- writing ---------------------------------------------------------------------------- */

static json_t *write_node(const archai_param_node *node, json_t *const *values);

static json_t *write_children(const archai_param_node *group, json_t *const *values)
{
    json_t *object = archai_there(json_object());

    for (int constants = 1; constants >= 0; constants--)
        for (size_t i = 0; i < group->n_children; i++) {
            const archai_param_node *child = group->children[i];

            if ((child->kind == ARCHAI_NODE_CONSTANT) == (constants == 1))
                archai_must_have(
                    json_object_set_new(object, child->name, write_node(child, values)) == 0);
        }
    return object;
}

static json_t *write_node(const archai_param_node *node, json_t *const *values)
{
    switch (node->kind) {
    case ARCHAI_NODE_CONSTANT:
        return json_incref(node->constant);
    case ARCHAI_NODE_PARAM:
        return json_incref(values[node->param]);
    case ARCHAI_NODE_GROUP:
        return write_children(node, values);
    case ARCHAI_NODE_LIST:
        return json_pack("{s:s, s:b, s:O, s:o}", "_config_type", "config_list", "_share_arch",
                         (int)node->share, "_repeat_times", values[node->param], "_configs",
                         write_children(node, values));
    }
    return NULL;
}

json_t *archai_param_tree_to_json(const archai_param_tree *t, json_t *const *values)
{
    return write_node(t->root, values);
}

static json_t *plain(const archai_param_node *node, json_t *const *values, const bool *exists)
{
    json_t *out;

    if (node->kind == ARCHAI_NODE_CONSTANT)
        return json_incref(node->constant);
    if (node->kind == ARCHAI_NODE_PARAM)
        return json_incref(values[node->param]);
    out = archai_there(node->kind == ARCHAI_NODE_LIST ? json_array() : json_object());
    for (size_t i = 0; i < node->n_children; i++) {
        const archai_param_node *child = node->children[i];

        if (!archai_param_node_holds(child, values, exists))
            continue;
        archai_must_have(
            (node->kind == ARCHAI_NODE_LIST
                 ? json_array_append_new(out, plain(child, values, exists))
                 : json_object_set_new(out, child->name, plain(child, values, exists))) == 0);
    }
    return out;
}

json_t *archai_param_tree_values(const archai_param_tree *t, json_t *const *values)
{
    bool exists[ARCHAI_PARAM_MAX];

    archai_param_tree_exists(t, values, exists);
    return plain(t->root, values, exists);
}

/* -- reading ---------------------------------------------------------------------------- */

typedef struct reader {
    const archai_param_tree *t;
    json_t **values; /* [n]; NULL: not given yet */
    archai_err *err;
} reader;

static int fault(reader *r, const archai_param_node *node, const char *key, const char *what)
{
    return archai_param_fault(node, key, what, r->err);
}

static int read_node(reader *r, const archai_param_node *node, json_t *v);

static int not_a_value(reader *r, const archai_param_node *node, const char *key)
{
    const archai_param *p = &r->t->params[node->param];
    char what[160];
    char *list;

    if (p->choices == NULL) {
        char low[32], high[32];

        archai_format_double(p->range.low, low);
        archai_format_double(p->range.high, high);
        (void)snprintf(what, sizeof what, "is not a %snumber from %s to %s",
                       p->range.integer ? "whole " : "", low, high);
        return fault(r, node, key, what);
    }
    list = archai_there(json_dumps(p->choices, JSON_ENCODE_ANY));
    (void)snprintf(what, sizeof what, "is not one of the choices %.100s", list);
    free(list);
    return fault(r, node, key, what);
}

/* The choice itself where the value is one, so that 2.0 and 2 are written alike. */
static int read_param(reader *r, const archai_param_node *node, const char *key, json_t *v)
{
    json_t *value = archai_param_take(&r->t->params[node->param], v);
    bool differs;

    if (value == NULL)
        return not_a_value(r, node, key);
    if (r->values[node->param] == NULL) {
        r->values[node->param] = value;
        return ARCHAI_OK;
    }
    differs = !archai_value_equal(r->values[node->param], value);
    json_decref(value);
    return differs
               ? fault(r, node, key, "differs from its value elsewhere, but is the same parameter")
               : ARCHAI_OK;
}

static int read_members(reader *r, const archai_param_node *group, const char *place, json_t *v)
{
    const char *key, *names[64];
    size_t n = 0;
    json_t *value;

    if (!json_is_object(v))
        return fault(r, group, place, "expected a mapping of names to values");
    for (; n < group->n_children && n < 64; n++)
        names[n] = group->children[n]->name;
    json_object_foreach(v, key, value)
    {
        const archai_param_node *child = archai_param_node_child(group, key);
        char what[160];

        if (child != NULL) {
            ARCHAI_TRY(read_node(r, child, value));
            continue;
        }
        (void)snprintf(what, sizeof what, "unknown key%s", archai_suggest(key, names, n).text);
        return fault(r, group, key, what);
    }
    return ARCHAI_OK;
}

static int read_list(reader *r, const archai_param_node *node, json_t *v)
{
    static const char *const keys[] = {"_config_type", "_share_arch", "_repeat_times", "_configs"};
    const char *type = json_string_value(json_object_get(v, keys[0]));
    const json_t *share = json_object_get(v, keys[1]);
    json_t *times = json_object_get(v, keys[2]), *configs = json_object_get(v, keys[3]);

    if (!json_is_object(v))
        return fault(r, node, "", "expected a list: _repeat_times and _configs");
    ARCHAI_TRY(archai_param_check_keys(node, v, keys, 4, r->err));
    if (json_object_get(v, keys[0]) != NULL && (type == NULL || strcmp(type, "config_list") != 0))
        return fault(r, node, keys[0], "expected config_list");
    if (share != NULL && (!json_is_boolean(share) || json_is_true(share) != node->share))
        return fault(r, node, keys[1], "differs from the tree's");
    if (times != NULL)
        ARCHAI_TRY(read_param(r, node, keys[2], times));
    return configs != NULL ? read_members(r, node, keys[3], configs) : ARCHAI_OK;
}

static int read_node(reader *r, const archai_param_node *node, json_t *v)
{
    switch (node->kind) {
    case ARCHAI_NODE_CONSTANT:
        return json_equal(node->constant, v) || archai_value_equal(node->constant, v)
                   ? ARCHAI_OK
                   : fault(r, node, "", "differs from the tree's constant");
    case ARCHAI_NODE_PARAM:
        return read_param(r, node, "", v);
    case ARCHAI_NODE_GROUP:
        return read_members(r, node, "", v);
    case ARCHAI_NODE_LIST:
        return read_list(r, node, v);
    }
    return ARCHAI_OK;
}

/* What is not given gets the first choice; only what does not exist may be missing. */
static int complete(reader *r, bool *given, bool *exists)
{
    const archai_param_tree *t = r->t;

    for (size_t i = 0; i < t->n; i++) {
        given[i] = r->values[i] != NULL;
        if (!given[i])
            r->values[i] = archai_param_first(&t->params[i]);
    }
    archai_param_tree_exists(t, r->values, exists);
    for (size_t i = 0; i < t->n; i++)
        if (exists[i] && !given[i])
            return archai_fail(r->err, ARCHAI_EINVAL, "%s: missing", t->params[i].path);
    return ARCHAI_OK;
}

int archai_param_tree_from_json(const archai_param_tree *t, const json_t *arch, json_t **values,
                                archai_err *err)
{
    reader r = {t, values, err};
    bool given[ARCHAI_PARAM_MAX], exists[ARCHAI_PARAM_MAX];
    int rc;

    memset(values, 0, t->n * sizeof(json_t *));
    rc = read_members(&r, t->root, "", (json_t *)arch);
    if (rc == ARCHAI_OK)
        rc = complete(&r, given, exists);
    for (size_t i = 0; i < t->n && rc != ARCHAI_OK; i++)
        json_decref(values[i]);
    return rc;
}
