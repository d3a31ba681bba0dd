/* The graph as a module tree and a data flow, with PyTorch's class and state_dict names. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/alloc.h"
#include "core/space/segmentation_dag/dag.h"

typedef struct builder {
    const archai_dag *d;
    const archai_dag_shape *shape;
    archai_network *net;
    archai_module *edges; /* ModuleDict; borrowed */
} builder;

/* Convolution, batch normalisation, ReLU. */
static archai_module *conv_block(archai_module *parent, const char *name, int in, int out,
                                 int kernel, int stride)
{
    archai_module *b = archai_module_container(parent, name, "NormalConvBlock");

    (void)archai_module_conv2d(b, "conv", in, out, kernel, stride, kernel / 2, 1, true);
    (void)archai_module_batch_norm2d(b, "bn", out);
    (void)archai_module_relu(b, "relu");
    return b;
}

/* One stage of a mobile block: a convolution and its batch normalisation. */
static int stage(archai_network *net, const archai_module *conv, const archai_module *norm, int a)
{
    return archai_network_call(net, norm, archai_network_call(net, conv, a));
}

/* Expansion, depthwise convolution, projection. The one ReLU comes last in the printed form but
 * works after the depthwise stage; nothing follows the projection. Returns the register of the
 * result. */
static int mobile_block(archai_network *net, archai_module *parent, const char *name, int in,
                        int out, const archai_dag_op *op, int stride, int a)
{
    archai_module *b = archai_module_container(parent, name, "SeparableConvBlock");
    archai_module *conv[2], *norm[2];
    const int wide = in * op->expansion;

    if (op->expansion > 1) {
        conv[0] = archai_module_conv2d(b, "_expand_conv", in, wide, 1, 1, 0, 1, true);
        norm[0] = archai_module_batch_norm2d(b, "_bn0", wide);
        a = stage(net, conv[0], norm[0], a);
    }
    conv[0] = archai_module_conv2d(b, "_depthwise_conv", wide, wide, op->kernel, stride,
                                   op->kernel / 2, wide, true);
    norm[0] = archai_module_batch_norm2d(b, "_bn1", wide);
    conv[1] = archai_module_conv2d(b, "_project_conv", wide, out, 1, 1, 0, 1, true);
    norm[1] = archai_module_batch_norm2d(b, "_bn2", out);
    a = stage(net, conv[0], norm[0], a);
    a = archai_network_call(net, archai_module_relu(b, "_act"), a);
    return stage(net, conv[1], norm[1], a);
}

/* The edge's modules and steps; returns the register of its result. */
static int build_edge(builder *b, const archai_dag_node *from, const archai_dag_node *to, int a)
{
    const archai_dag_op *op = &archai_dag_op_kinds[from->op];
    int in = (int)archai_dag_width(b->d, from->scale), out = (int)archai_dag_width(b->d, to->scale);
    int up = to->scale < from->scale ? 1 << (from->scale - to->scale) : 0;
    int stride = up > 0 ? 1 : 1 << (to->scale - from->scale);
    char name[2 * ARCHAI_DAG_NAME];
    archai_module *seq;

    (void)snprintf(name, sizeof name, "%s-%s", from->name, to->name);
    seq = archai_module_container(archai_module_container(b->edges, name, "Block"), "op",
                                  "Sequential");
    if (op->mobile)
        a = mobile_block(b->net, seq, "0", in, out, op, stride, a);
    else
        a = archai_network_call_all(b->net, conv_block(seq, "0", in, out, op->kernel, stride), a);
    if (up > 0)
        a = archai_network_call(b->net, archai_module_upsample_factor(seq, "1", up), a);
    return a;
}

/* `value` is the register of each node's sum, the input's given. */
static void build_edges(builder *b, int *value)
{
    for (size_t i = 1; i < b->d->n; i++) {
        const archai_dag_node *to = &b->d->nodes[i];

        value[i] = -1;
        for (size_t k = 0; k < to->n_inputs; k++) {
            int from = to->inputs[k], v;

            if (!archai_dag_first_mention(to, k))
                continue;
            v = build_edge(b, &b->d->nodes[from], to, value[from]);
            value[i] = value[i] < 0 ? v : archai_network_add(b->net, value[i], v);
        }
    }
}

static void build_head(builder *b, int v)
{
    archai_network *net = b->net;
    int stem = (int)archai_dag_width(b->d, 0);
    int in = (int)archai_dag_width(b->d, b->d->nodes[b->d->n - 1].scale);
    archai_module *post;

    v = archai_network_call(
        net, archai_module_upsample_size(net->root, "up", b->shape->height, b->shape->width), v);
    post = archai_module_container(net->root, "post_upsample", "Sequential");
    for (int i = 0; i < (int)b->d->post_upsample_layers; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "%d", i);
        (void)conv_block(post, name, i == 0 ? in : stem, stem, 3, 1);
    }
    v = archai_network_call_all(net, post, v);
    (void)archai_network_call(
        net,
        archai_module_conv2d(net->root, "classifier", stem, b->shape->classes, 1, 1, 0, 1, true),
        v);
}

void archai_dag_describe(const archai_dag *d, const archai_dag_shape *shape, archai_network *out)
{
    archai_network net = {.root = archai_module_container(NULL, "", "SegmentationDagModel"),
                          .input = {shape->channels, shape->height, shape->width}};
    builder b = {.d = d, .shape = shape, .net = &net};
    int *value = archai_calloc(d->n, sizeof *value);

    /* In PyTorch's order of registration the edges come first; the stem runs first. */
    b.edges = archai_module_container(net.root, "edge_dict", "ModuleDict");
    value[0] = archai_network_call_all(
        &net,
        conv_block(net.root, "stem_block", shape->channels, (int)archai_dag_width(d, 0), 3, 2), 0);
    build_edges(&b, value);
    build_head(&b, value[d->n - 1]);
    free(value);
    *out = net;
}

/* -- drawing ----------------------------------------------------------------------------- */

void archai_dag_dot(const archai_dag *d, const archai_dag_shape *shape, const char *title,
                    FILE *out)
{
    (void)fprintf(out, "digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
                  title);
    for (size_t i = 0; i < d->n; i++) {
        const archai_dag_node *node = &d->nodes[i];
        int s = archai_dag_scales[node->scale];

        (void)fprintf(out, "    n%zu [label=\"%s\\n%s\\nscale %d, %lld x %d x %d\"];\n", i,
                      node->name, node->op < 0 ? "sum" : archai_dag_ops[node->op], s,
                      (long long)archai_dag_width(d, node->scale), shape->height / 2 / s,
                      shape->width / 2 / s);
    }
    (void)fprintf(
        out,
        "    head [label=\"upsample to %d x %d\\n%lld x conv3x3\\nclassifier, %d classes\"];\n",
        shape->height, shape->width, (long long)d->post_upsample_layers, shape->classes);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < d->nodes[i].n_inputs; k++)
            if (archai_dag_first_mention(&d->nodes[i], k))
                (void)fprintf(out, "    n%d -> n%zu;\n", d->nodes[i].inputs[k], i);
    (void)fprintf(out, "    n%zu -> head;\n}\n", d->n - 1);
}
