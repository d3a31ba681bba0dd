#include "core/space/segmentation_dag/dag.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* clang-format off */
const char *const archai_dag_ops[ARCHAI_DAG_OPS] = {
    "conv3x3", "conv5x5", "conv7x7", "mbconv3x3_e1", "mbconv3x3_e2", "mbconv5x5_e1", "mbconv5x5_e2",
};
const archai_dag_op archai_dag_op_kinds[ARCHAI_DAG_OPS] = {
    {false, 3, 1}, {false, 5, 1}, {false, 7, 1}, {true, 3, 1}, {true, 3, 2}, {true, 5, 1}, {true, 5, 2},
};
/* clang-format on */
const int archai_dag_scales[ARCHAI_DAG_SCALES] = {1, 2, 4, 8, 16};

/* -- the graph --------------------------------------------------------------------------- */

void archai_dag_fini(archai_dag *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->nodes[i].inputs);
    free(d->nodes);
    *d = (archai_dag){.n = 0};
}

archai_dag_node *archai_dag_append(archai_dag *d, const char *name, int op, int scale)
{
    archai_dag_node *node;

    ARCHAI_RESERVE(d->nodes, d->capacity, d->n + 1);
    node = &d->nodes[d->n++];
    *node = (archai_dag_node){.op = op, .scale = scale};
    (void)snprintf(node->name, ARCHAI_DAG_NAME, "%s", name);
    return node;
}

void archai_dag_add_input(archai_dag_node *node, int input)
{
    ARCHAI_RESERVE(node->inputs, node->capacity, node->n_inputs + 1);
    node->inputs[node->n_inputs++] = input;
}

void archai_dag_copy(archai_dag *out, const archai_dag *from)
{
    *out = *from;
    out->nodes = archai_memdup(from->nodes, from->n * sizeof *from->nodes);
    out->capacity = from->n;
    for (size_t i = 0; i < from->n; i++) {
        archai_dag_node *node = &out->nodes[i];

        node->inputs = archai_memdup(node->inputs, node->n_inputs * sizeof *node->inputs);
        node->capacity = node->n_inputs;
    }
}

bool archai_dag_has_input(const archai_dag_node *node, int input)
{
    for (size_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] == input)
            return true;
    return false;
}

bool archai_dag_first_mention(const archai_dag_node *node, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (node->inputs[k] == node->inputs[i])
            return false;
    return true;
}

void archai_dag_out_degrees(const archai_dag *d, int *out)
{
    memset(out, 0, d->n * sizeof *out);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->nodes[i].n_inputs; k++)
            out[d->nodes[i].inputs[k]] += archai_dag_first_mention(&d->nodes[i], k);
}

int64_t archai_dag_width(const archai_dag *d, int scale)
{
    int64_t width = d->base_channels;

    for (int i = 0; i < scale && width <= ARCHAI_DAG_MAX_WIDTH; i++)
        width = d->mult_delta ? width * d->delta_channels : width + d->delta_channels;
    return width <= ARCHAI_DAG_MAX_WIDTH ? width : ARCHAI_DAG_MAX_WIDTH + 1;
}

/* -- whether it is a network ------------------------------------------------------------- */

static int check_nodes(const archai_dag *d, archai_err *err)
{
    int out_degree[ARCHAI_DAG_MAX_NODES];
    size_t edges = 0;

    if (d->n < 2 || d->n > ARCHAI_DAG_MAX_NODES)
        return archai_fail(err, ARCHAI_EINVAL, "architecture: %zu nodes, expected 2 to %d", d->n,
                           ARCHAI_DAG_MAX_NODES);
    archai_dag_out_degrees(d, out_degree);
    for (size_t i = 0; i < d->n; i++) {
        const archai_dag_node *node = &d->nodes[i];

        edges += node->n_inputs;
        if (i > 0 && node->n_inputs == 0)
            return archai_fail(
                err, ARCHAI_EINVAL,
                "architecture[%zu].inputs: node '%s' has none, the graph is disconnected", i,
                node->name);
        if (i + 1 < d->n && out_degree[i] == 0)
            return archai_fail(
                err, ARCHAI_EINVAL,
                "architecture[%zu].name: nothing uses node '%s', the graph is disconnected", i,
                node->name);
    }
    if (d->nodes[0].scale != 0)
        return archai_fail(err, ARCHAI_EINVAL, "architecture[0].scale: the input's scale is 1");
    if (edges > ARCHAI_DAG_MAX_EDGES)
        return archai_fail(err, ARCHAI_EINVAL, "architecture: %zu inputs in all, more than %d",
                           edges, ARCHAI_DAG_MAX_EDGES);
    return ARCHAI_OK;
}

static int check_widths(const archai_dag *d, archai_err *err)
{
    const archai_dag_node *last = &d->nodes[d->n - 1];

    for (size_t i = 0; i < d->n; i++)
        if (archai_dag_width(d, d->nodes[i].scale) > ARCHAI_DAG_MAX_WIDTH)
            return archai_fail(err, ARCHAI_EINVAL,
                               "channels_per_scale: more than %d channels at scale %d",
                               ARCHAI_DAG_MAX_WIDTH, archai_dag_scales[d->nodes[i].scale]);
    if (d->post_upsample_layers == 0 && archai_dag_width(d, last->scale) != archai_dag_width(d, 0))
        return archai_fail(err, ARCHAI_EINVAL,
                           "post_upsample_layers: 0 leaves %lld channels at the output, but the "
                           "classifier takes %lld; expected at least 1",
                           (long long)archai_dag_width(d, last->scale),
                           (long long)archai_dag_width(d, 0));
    return ARCHAI_OK;
}

int archai_dag_check(const archai_dag *d, archai_err *err)
{
    ARCHAI_TRY(check_nodes(d, err));
    return check_widths(d, err);
}
