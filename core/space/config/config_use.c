/* What a network and the trainer make of the parameters: the group `train`, and what nothing
 * uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/config/train_own.h"
#include "core/space/config/config_private.h"
#include "core/space/config/param_tree_private.h"

enum { TRIED = 16 };

static const char group[] = "train";

static const archai_param_node *train_of(const archai_param_tree *t)
{
    const archai_param_node *node = archai_param_node_child(t->root, group);

    return node != NULL && node->kind == ARCHAI_NODE_GROUP ? node : NULL;
}

int archai_config_space_train(archai_space *base, const archai_model *m, json_t **out,
                              archai_err *err)
{
    archai_config_space *c = (archai_config_space *)base;
    json_t *values[ARCHAI_PARAM_MAX], *all;

    *out = NULL;
    if (train_of(c->tree) == NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_config_space_values(c, m, values, err));
    all = archai_param_tree_values(c->tree, values);
    *out = json_incref(json_object_get(all, group)); /* NULL: it does not exist */
    json_decref(all);
    archai_config_space_release(c, values);
    return ARCHAI_OK;
}

/* -- before a run starts
 * ------------------------------------------------------------------------ */

typedef struct checker {
    const archai_config_space *c;
    const archai_space_use *use;
    archai_err *err;
} checker;

/* "tree: FILE:LINE: ..." of an error about a node. */
static int at(const checker *k, const archai_param_node *node, int rc)
{
    rc = archai_param_located(k->c->lines, node->source, node->parent->source, rc, k->err);
    return archai_err_wrap(k->err, rc, "tree: ");
}

static int check_value(const checker *k, const archai_param_node *node, json_t *value)
{
    const int rc = archai_train_check_value(node->name, value, k->use->budgets, k->err);

    json_decref(value);
    return at(k, node, archai_err_wrap(k->err, rc, "%s.", group));
}

/* Every choice; of a range its ends and a number between that is not whole if it need not be.
 */
static int check_values(const checker *k, const archai_param_node *node, const archai_param *p)
{
    const archai_range *r = &p->range;

    for (size_t i = 0; i < json_array_size(p->choices); i++)
        ARCHAI_TRY(check_value(k, node, json_incref(json_array_get(p->choices, i))));
    if (p->choices != NULL)
        return ARCHAI_OK;
    ARCHAI_TRY(check_value(k, node, archai_range_value(r, r->low)));
    ARCHAI_TRY(check_value(k, node, archai_range_value(r, r->high)));
    return check_value(
        k, node,
        archai_range_value(r, r->step > 0 ? archai_range_at(r, 1)
                                          : r->low + 0.3819660112501051 * (r->high - r->low)));
}

static int check_train(const checker *k, const archai_param_node *train)
{
    for (size_t i = 0; i < train->n_children; i++) {
        const archai_param_node *node = train->children[i];

        if (node->kind == ARCHAI_NODE_PARAM)
            ARCHAI_TRY(check_values(k, node, &k->c->tree->params[node->param]));
        else if (node->kind == ARCHAI_NODE_CONSTANT)
            ARCHAI_TRY(check_value(k, node, json_incref(node->constant)));
        else
            return at(k, node,
                      archai_param_fault(node, "", "expected a choice, a range or a constant",
                                         k->err));
    }
    return ARCHAI_OK;
}

static bool decides_existence(const archai_param_node *node, size_t param)
{
    for (size_t i = 0; i < node->n_conditions; i++)
        if (node->conditions[i].param == param && node->conditions[i].values != NULL)
            return true;
    for (size_t i = 0; i < node->n_children; i++)
        if (decides_existence(node->children[i], param))
            return true;
    return false;
}

/* The node's path without the places in lists: "stages.kernel". */
static void plain_path(const archai_param_node *node, char *out, size_t size)
{
    out[0] = '\0';
    if (node->parent == NULL)
        return;
    plain_path(node->parent, out, size);
    if (node->parent->kind != ARCHAI_NODE_LIST)
        (void)snprintf(out + strlen(out), size - strlen(out), "%s%s", out[0] != '\0' ? "." : "",
                       node->name);
}

static bool is_used(const checker *k, const archai_param_node *node)
{
    static const char *const cnn[] = {"nb_layers", "kernel_size", "hidden_dim"};
    char path[512];

    plain_path(node, path, sizeof path);
    if (k->c->network != NULL)
        return archai_network_file_uses(k->c->network, path);
    for (size_t i = 0; i < sizeof cnn / sizeof cnn[0]; i++)
        if (strcmp(path, cnn[i]) == 0)
            return true;
    return false;
}

/* Where it would be used. */
static const char *hint(const checker *k, const archai_param_node *node)
{
    if (archai_train_is_key(node->name))
        return "; a key of [train] belongs in the group 'train'";
    return k->c->network != NULL
               ? "; neither `network` nor a block mentions it"
               : "; a network of the space cnn has nb_layers, kernel_size and hidden_dim";
}

/* A parameter is used where it is used in one of its places, or decides whether others exist.
 */
static int check_param(const checker *k, size_t param)
{
    const archai_param_tree *t = k->c->tree;
    const archai_param_node *train = train_of(t), *first = t->places[t->first_place[param]];

    for (size_t i = t->first_place[param]; i < t->first_place[param + 1]; i++)
        if (is_used(k, t->places[i]) || (train != NULL && t->places[i]->parent == train))
            return ARCHAI_OK;
    if (decides_existence(t->root, param))
        return ARCHAI_OK;
    return at(k, first,
              archai_fail(k->err, ARCHAI_EINVAL, "%s: nothing uses this parameter%s",
                          t->params[param].path, hint(k, first)));
}

/* What an earlier version did not look at may stay in a run that it began. */
int archai_config_space_check_use(archai_space *base, const archai_space_use *use,
                                  archai_err *err)
{
    archai_config_space *c = (archai_config_space *)base;
    const checker k = {c, use, err};

    if (train_of(c->tree) != NULL)
        ARCHAI_TRY(check_train(&k, train_of(c->tree)));
    for (size_t i = 0; i < c->tree->n && !c->resumed; i++)
        ARCHAI_TRY(check_param(&k, i));
    return c->resumed ? ARCHAI_OK : archai_config_space_try(c, TRIED, true, err);
}
