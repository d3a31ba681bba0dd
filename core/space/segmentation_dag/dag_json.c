/* Arch files of the segmentation space: a graph to JSON and, trusting nothing, back. */
#include <stdio.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/space/segmentation_dag/dag.h"

/* -- from JSON --------------------------------------------------------------------------- */

static int read_op(const json_t *v, const char *where, bool last, int *out, archai_err *err)
{
    const char *text = json_string_value(v);

    *out = -1;
    if (last)
        return v == NULL || json_is_null(v)
                   ? ARCHAI_OK
                   : archai_fail(err, ARCHAI_EINVAL, "%sop: the output has none, expected null",
                                 where);
    if (text == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%sop: expected one of conv3x3, conv5x5, ...",
                           where);
    for (int i = 0; i < ARCHAI_DAG_OPS; i++)
        if (strcmp(text, archai_dag_ops[i]) == 0)
            *out = i;
    if (*out >= 0)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EINVAL,
                       "%sop: unknown operation '%.60s', expected one of conv3x3, conv5x5, ...%s",
                       where, text, archai_suggest(text, archai_dag_ops, ARCHAI_DAG_OPS).text);
}

static int read_scale(const json_t *v, const char *where, int *out, archai_err *err)
{
    for (int i = 0; json_is_integer(v) && i < ARCHAI_DAG_SCALES; i++)
        if (json_integer_value(v) == archai_dag_scales[i]) {
            *out = i;
            return ARCHAI_OK;
        }
    return archai_fail(err, ARCHAI_EINVAL,
                       "%sscale: no operation reaches this scale, expected 1, 2, 4, 8 or 16",
                       where);
}

/* Names become parts of state_dict names, where a dot or a dash would be ambiguous. */
static int check_name(const archai_dag *d, const char *name, const char *where, bool last,
                      archai_err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *expected = d->n == 0 ? "input" : last ? "output" : NULL;

    if (name == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%sname: missing, expected a text", where);
    if (expected != NULL && strcmp(name, expected) != 0)
        return archai_fail(err, ARCHAI_EINVAL, "%sname: the %s node is '%.60s', expected '%s'",
                           where, last ? "last" : "first", name, expected);
    if (name[0] == '\0' || strlen(name) >= ARCHAI_DAG_NAME || name[strspn(name, letters)] != '\0')
        return archai_fail(err, ARCHAI_EINVAL,
                           "%sname: '%.60s', expected 1 to %d letters, digits and underscores",
                           where, name, ARCHAI_DAG_NAME - 1);
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->nodes[i].name, name) == 0)
            return archai_fail(err, ARCHAI_EINVAL, "%sname: '%s' appears twice", where, name);
    return ARCHAI_OK;
}

/* Why `name` is not an earlier node: it comes later (the graph has a cycle or is out of order),
 * or there is no such node. */
static int unknown_input(const json_t *nodes, const char *where, const char *name, archai_err *err)
{
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const char *other = json_string_value(json_object_get(json_array_get(nodes, i), "name"));

        if (other != NULL && strcmp(other, name) == 0)
            return archai_fail(
                err, ARCHAI_EINVAL,
                "%sinputs: node '%.60s' is not an earlier one: the graph is cyclic or "
                "not in topological order",
                where, name);
    }
    return archai_fail(err, ARCHAI_EINVAL, "%sinputs: there is no node '%.60s'", where, name);
}

static int read_inputs(archai_dag *d, const json_t *nodes, const json_t *v, const char *where,
                       archai_err *err)
{
    size_t self = d->n - 1;

    if (self == 0)
        return v == NULL || json_is_null(v) || (json_is_array(v) && json_array_size(v) == 0)
                   ? ARCHAI_OK
                   : archai_fail(err, ARCHAI_EINVAL, "%sinputs: the input has none, expected null",
                                 where);
    if (!json_is_array(v))
        return archai_fail(err, ARCHAI_EINVAL,
                           "%sinputs: expected a list of names of earlier nodes", where);
    if (json_array_size(v) > ARCHAI_DAG_MAX_EDGES)
        return archai_fail(err, ARCHAI_EINVAL, "%sinputs: more than %d", where,
                           ARCHAI_DAG_MAX_EDGES);
    for (size_t k = 0; k < json_array_size(v); k++) {
        const char *name = json_string_value(json_array_get(v, k));
        size_t i = 0;

        if (name == NULL)
            return archai_fail(err, ARCHAI_EINVAL, "%sinputs: expected names of earlier nodes",
                               where);
        while (i < self && strcmp(d->nodes[i].name, name) != 0)
            i++;
        if (i == self)
            return unknown_input(nodes, where, name, err);
        archai_dag_add_input(&d->nodes[self], (int)i);
    }
    return ARCHAI_OK;
}

static int read_node(archai_dag *d, const json_t *nodes, archai_err *err)
{
    static const char *const keys[] = {"name", "op", "inputs", "scale"};
    const json_t *v = json_array_get(nodes, d->n);
    const char *name = json_string_value(json_object_get(v, "name"));
    bool last = d->n + 1 == json_array_size(nodes);
    char where[40];
    int op = -1, scale = 0;

    (void)snprintf(where, sizeof where, "architecture[%zu].", d->n);
    if (!json_is_object(v))
        return archai_fail(err, ARCHAI_EINVAL,
                           "architecture[%zu]: expected a node with name, op, inputs and scale",
                           d->n);
    ARCHAI_TRY(archai_err_wrap(err, archai_json_check_keys(v, keys, 4, err), "%s", where));
    ARCHAI_TRY(check_name(d, name, where, last, err));
    ARCHAI_TRY(read_op(json_object_get(v, "op"), where, last, &op, err));
    ARCHAI_TRY(read_scale(json_object_get(v, "scale"), where, &scale, err));
    (void)archai_dag_append(d, name, op, scale);
    return read_inputs(d, nodes, json_object_get(v, "inputs"), where, err);
}

static int read_nodes(archai_dag *d, const json_t *nodes, archai_err *err)
{
    size_t n = json_array_size(nodes);

    if (!json_is_array(nodes))
        return archai_fail(err, ARCHAI_EINVAL, "architecture: %s, expected a list of nodes",
                           nodes == NULL ? "missing" : "not a list");
    if (n < 2 || n > ARCHAI_DAG_MAX_NODES)
        return archai_fail(err, ARCHAI_EINVAL, "architecture: %zu nodes, expected 2 to %d", n,
                           ARCHAI_DAG_MAX_NODES);
    while (d->n < n)
        ARCHAI_TRY(read_node(d, nodes, err));
    return ARCHAI_OK;
}

/* Errors lack the "channels_per_scale." in front. */
static int read_channels(archai_dag *d, const json_t *v, archai_err *err)
{
    static const char *const keys[] = {"base_channels", "delta_channels", "mult_delta"};
    const json_t *mult = json_object_get(v, keys[2]);

    ARCHAI_TRY(archai_json_check_keys(v, keys, 3, err));
    ARCHAI_TRY(archai_json_integer(v, keys[0], 1, ARCHAI_DAG_MAX_WIDTH, &d->base_channels, err));
    ARCHAI_TRY(archai_json_integer(v, keys[1], 0, ARCHAI_DAG_MAX_WIDTH, &d->delta_channels, err));
    if (mult != NULL && !json_is_boolean(mult))
        return archai_fail(err, ARCHAI_EINVAL, "mult_delta: expected true or false");
    d->mult_delta = json_is_true(mult);
    if (d->mult_delta && d->delta_channels < 1)
        return archai_fail(err, ARCHAI_EINVAL, "delta_channels: a factor of 0");
    return ARCHAI_OK;
}

static int read_graph(archai_dag *d, const json_t *arch, archai_err *err)
{
    static const char *const keys[] = {"architecture", "channels_per_scale",
                                       "post_upsample_layers"};
    const json_t *channels = json_object_get(arch, keys[1]);

    if (!json_is_object(arch))
        return archai_fail(err, ARCHAI_EINVAL,
                           "expected a mapping with architecture, channels_per_scale and "
                           "post_upsample_layers");
    ARCHAI_TRY(archai_json_check_keys(arch, keys, 3, err));
    if (!json_is_object(channels))
        return archai_fail(err, ARCHAI_EINVAL,
                           "channels_per_scale: %s, expected base_channels and delta_channels",
                           channels == NULL ? "missing" : "not a mapping");
    ARCHAI_TRY(archai_err_wrap(err, read_channels(d, channels, err), "channels_per_scale."));
    ARCHAI_TRY(archai_json_integer(arch, keys[2], 0, ARCHAI_DAG_MAX_POST, &d->post_upsample_layers,
                                   err));
    ARCHAI_TRY(read_nodes(d, json_object_get(arch, keys[0]), err));
    return archai_dag_check(d, err);
}

int archai_dag_from_json(archai_dag *out, const json_t *arch, archai_err *err)
{
    archai_dag d = {.n = 0};
    const int rc = read_graph(&d, arch, err);

    if (rc == ARCHAI_OK)
        *out = d;
    else
        archai_dag_fini(&d);
    return rc;
}

/* -- to JSON ----------------------------------------------------------------------------- */

static json_t *inputs_to_json(const archai_dag *d, const archai_dag_node *node)
{
    json_t *list = archai_there(json_array());

    for (size_t k = 0; k < node->n_inputs; k++)
        archai_must_have(json_array_append_new(list, json_string(d->nodes[node->inputs[k]].name)) ==
                         0);
    return list;
}

static json_t *node_to_json(const archai_dag *d, size_t i)
{
    const archai_dag_node *node = &d->nodes[i];

    return json_pack("{s:o, s:s, s:s?, s:i}", "inputs",
                     i == 0 ? json_null() : inputs_to_json(d, node), "name", node->name, "op",
                     node->op < 0 ? NULL : archai_dag_ops[node->op], "scale",
                     archai_dag_scales[node->scale]);
}

json_t *archai_dag_to_json(const archai_dag *d)
{
    json_t *nodes = archai_there(json_array()), *channels;

    for (size_t i = 0; i < d->n; i++)
        archai_must_have(json_array_append_new(nodes, node_to_json(d, i)) == 0);
    channels = archai_there(json_pack("{s:I, s:I}", "base_channels", (json_int_t)d->base_channels,
                                      "delta_channels", (json_int_t)d->delta_channels));
    if (d->mult_delta)
        archai_must_have(json_object_set_new(channels, "mult_delta", json_true()) == 0);
    return archai_there(json_pack("{s:o, s:o, s:I}", "architecture", nodes, "channels_per_scale",
                                  channels, "post_upsample_layers",
                                  (json_int_t)d->post_upsample_layers));
}
