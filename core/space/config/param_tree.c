/* The parameter tree itself: names, values, freeing. What a file means is in param_tree_read.c. */
#include "core/space/config/param_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/space/config/param_tree_private.h"
#include "core/base/json_object.h"
#include "core/base/yaml.h"

/* Each level of a document becomes at most one node. */
enum { MAX_DEPTH = ARCHAI_DOCUMENT_MAX_DEPTH + 1 };

void archai_param_node_path(const archai_param_node *node, const char *last, char *out, size_t size)
{
    const archai_param_node *chain[MAX_DEPTH];
    size_t depth = 0, n = 0;

    for (; node != NULL && node->parent != NULL && depth < MAX_DEPTH; node = node->parent)
        chain[depth++] = node;
    out[0] = '\0';
    while (depth > 0 && n < size) {
        bool entry = chain[--depth]->parent->kind == ARCHAI_NODE_LIST;

        n += (size_t)snprintf(out + n, size - n, "%s%s%s", n > 0 ? "." : "",
                              entry ? "_configs." : "", chain[depth]->name);
    }
    if (last[0] != '\0' && n < size)
        (void)snprintf(out + n, size - n, "%s%s", n > 0 ? "." : "", last);
    if (out[0] == '\0')
        (void)snprintf(out, size, "tree");
}

int archai_param_fault(const archai_param_node *node, const char *last, const char *what,
                       archai_err *err)
{
    char path[256];

    archai_param_node_path(node, last, path, sizeof path);
    return archai_fail(err, ARCHAI_EINVAL, "%s: %s", path, what);
}

int archai_param_check_keys(const archai_param_node *node, const json_t *v, const char *const *keys,
                            size_t n, archai_err *err)
{
    const int rc = archai_json_check_keys(v, keys, n, err);
    char path[256];

    if (rc == ARCHAI_OK)
        return rc;
    archai_param_node_path(node, "", path, sizeof path);
    return archai_err_wrap(err, rc, "%s.", path);
}

int archai_param_located(const archai_lines *lines, const json_t *at, const json_t *around, int rc,
                         archai_err *err)
{
    const char *file;
    int line;

    if (rc == ARCHAI_OK || (!archai_lines_where(lines, at, &file, &line) &&
                            !archai_lines_where(lines, around, &file, &line)))
        return rc;
    return archai_err_wrap(err, rc, "%s:%d: ", file, line);
}

archai_param_node *archai_param_node_child(const archai_param_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_children; i++)
        if (strcmp(node->children[i]->name, name) == 0)
            return node->children[i];
    return NULL;
}

static void destroy_node(archai_param_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->n_children; i++)
        destroy_node(node->children[i]);
    for (size_t i = 0; i < node->n_conditions; i++)
        json_decref(node->conditions[i].values);
    free(node->children);
    free(node->conditions);
    free(node->name);
    json_decref(node->constant);
    json_decref(node->when);
    free(node);
}

void archai_param_tree_destroy(archai_param_tree *t)
{
    if (t == NULL)
        return;
    destroy_node(t->root);
    for (size_t i = 0; i < t->n; i++) {
        free(t->params[i].path);
        free(t->params[i].weights);
        json_decref(t->params[i].choices);
    }
    free(t->params);
    free(t->order);
    free(t->places);
    free(t->first_place);
    free(t);
}
