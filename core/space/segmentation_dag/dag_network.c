/* The graph as a module tree and a data flow, with PyTorch's class and state_dict names. */
#include <stdio.h>
#include <stdlib.h>

#include "core/space/segmentation_dag/dag.h"

typedef struct builder {
    const archai_dag *d;
    const archai_dag_shape *shape;
    archai_network *net;
    archai_module *edges; /* ModuleDict; borrowed, as are the modules below */
    int *value;           /* register of each node's sum; owned */
} builder;

/* Convolution, batch normalisation, ReLU. */
static archai_module *conv_block(archai_module *parent, const char *name, int in, int out,
                                 int kernel, int stride)
{
    archai_module *b = archai_module_container(parent, name, "NormalConvBlock");

    if (b == NULL ||
        archai_module_conv2d(b, "conv", in, out, kernel, stride, kernel / 2, 1, true) == NULL ||
        archai_module_batch_norm2d(b, "bn", out) == NULL ||
        archai_module_relu(b, "relu") == NULL)
        return NULL;
    return b;
}

/* One stage of a mobile block; returns the register, -1 when out of memory. */
static int mobile_stage(archai_network *net, const archai_module *conv,
                        const archai_module *norm, int a)
{
    int v = conv != NULL && norm != NULL ? archai_network_call(net, conv, a) : -1;

    return v >= 0 ? archai_network_call(net, norm, v) : -1;
}

/* Expansion, depthwise convolution, projection. The one ReLU stands last in the printed form
 * but works after the depthwise stage; nothing follows the projection. */
static int mobile_block(archai_network *net, archai_module *parent, const char *name, int in,
                        int out, const archai_dag_op *op, int stride, int a)
{
    archai_module *b = archai_module_container(parent, name, "SeparableConvBlock");
    archai_module *conv[3] = {NULL}, *norm[3] = {NULL}, *relu;
    int wide = in * op->expansion;

    if (b == NULL)
        return -1;
    if (op->expansion > 1) {
        conv[0] = archai_module_conv2d(b, "_expand_conv", in, wide, 1, 1, 0, 1, true);
        norm[0] = archai_module_batch_norm2d(b, "_bn0", wide);
        a = mobile_stage(net, conv[0], norm[0], a);
    }
    conv[1] = archai_module_conv2d(b, "_depthwise_conv", wide, wide, op->kernel, stride,
                                   op->kernel / 2, wide, true);
    norm[1] = archai_module_batch_norm2d(b, "_bn1", wide);
    conv[2] = archai_module_conv2d(b, "_project_conv", wide, out, 1, 1, 0, 1, true);
    norm[2] = archai_module_batch_norm2d(b, "_bn2", out);
    relu = archai_module_relu(b, "_act");
    a = a >= 0 ? mobile_stage(net, conv[1], norm[1], a) : -1;
    a = a >= 0 && relu != NULL ? archai_network_call(net, relu, a) : -1;
    return a >= 0 ? mobile_stage(net, conv[2], norm[2], a) : -1;
}

/* The edge's modules and steps; returns the register of its result, -1 when out of memory. */
static int build_edge(builder *b, const archai_dag_node *from, const archai_dag_node *to, int a)
{
    const archai_dag_op *op = &archai_dag_op_kinds[from->op];
    int in = (int)archai_dag_width(b->d, from->scale),
        out = (int)archai_dag_width(b->d, to->scale);
    int up = to->scale < from->scale ? 1 << (from->scale - to->scale) : 0;
    int stride = up > 0 ? 1 : 1 << (to->scale - from->scale);
    char name[2 * ARCHAI_DAG_NAME];
    archai_module *block, *seq, *conv;

    (void)snprintf(name, sizeof name, "%s-%s", from->name, to->name);
    block = archai_module_container(b->edges, name, "Block");
    seq = block != NULL ? archai_module_container(block, "op", "Sequential") : NULL;
    if (seq == NULL)
        return -1;
    if (op->mobile) {
        a = mobile_block(b->net, seq, "0", in, out, op, stride, a);
    } else {
        conv = conv_block(seq, "0", in, out, op->kernel, stride);
        a = conv != NULL ? archai_network_call_all(b->net, conv, a) : -1;
    }
    if (a >= 0 && up > 0) {
        const archai_module *enlarge = archai_module_upsample_factor(seq, "1", up);

        a = enlarge != NULL ? archai_network_call(b->net, enlarge, a) : -1;
    }
    return a;
}

static bool build_edges(builder *b)
{
    for (size_t i = 1; i < b->d->n; i++) {
        const archai_dag_node *to = &b->d->nodes[i];

        b->value[i] = -1;
        for (size_t k = 0; k < to->n_inputs; k++) {
            int from = to->inputs[k], v;

            if (!archai_dag_first_mention(to, k))
                continue;
            v = build_edge(b, &b->d->nodes[from], to, b->value[from]);
            if (v >= 0 && b->value[i] >= 0)
                v = archai_network_add(b->net, b->value[i], v);
            if (v < 0)
                return false;
            b->value[i] = v;
        }
    }
    return true;
}

static bool build_head(builder *b)
{
    archai_network *net = b->net;
    int stem = (int)archai_dag_width(b->d, 0);
    int in = (int)archai_dag_width(b->d, b->d->nodes[b->d->n - 1].scale);
    archai_module *up =
        archai_module_upsample_size(net->root, "up", b->shape->height, b->shape->width);
    archai_module *post = archai_module_container(net->root, "post_upsample", "Sequential");
    archai_module *last;
    int v = up != NULL ? archai_network_call(net, up, b->value[b->d->n - 1]) : -1;

    if (v < 0 || post == NULL)
        return false;
    for (int i = 0; i < (int)b->d->post_upsample_layers; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "%d", i);
        if (conv_block(post, name, i == 0 ? in : stem, stem, 3, 1) == NULL)
            return false;
    }
    if (b->d->post_upsample_layers > 0)
        v = archai_network_call_all(net, post, v);
    last = archai_module_conv2d(net->root, "classifier", stem, b->shape->classes, 1, 1, 0, 1,
                                true);
    return v >= 0 && last != NULL && archai_network_call(net, last, v) >= 0;
}

static bool build(builder *b)
{
    archai_network *net = b->net;
    archai_module *stem;

    net->root = archai_module_container(NULL, "", "SegmentationDagModel");
    b->edges = net->root != NULL ? archai_module_container(net->root, "edge_dict", "ModuleDict")
                                 : NULL;
    if (b->edges == NULL)
        return false;
    /* In PyTorch's order of registration the edges come first; the stem runs first. */
    stem = conv_block(net->root, "stem_block", b->shape->channels,
                      (int)archai_dag_width(b->d, 0), 3, 2);
    b->value[0] = stem != NULL ? archai_network_call_all(net, stem, 0) : -1;
    return b->value[0] >= 0 && build_edges(b) && build_head(b);
}

int archai_dag_describe(const archai_dag *d, const archai_dag_shape *shape, archai_network *out,
                        archai_err *err)
{
    archai_network net = {.input = {shape->channels, shape->height, shape->width}};
    builder b = {.d = d, .shape = shape, .net = &net, .value = calloc(d->n, sizeof *b.value)};
    bool ok = b.value != NULL && build(&b);

    free(b.value);
    if (!ok) {
        archai_network_fini(&net);
        return archai_fail(err, ARCHAI_ENOMEM, "graph: out of memory");
    }
    *out = net;
    return ARCHAI_OK;
}

/* -- drawing ----------------------------------------------------------------------------- */

void archai_dag_dot(const archai_dag *d, const archai_dag_shape *shape, const char *title,
                    FILE *out)
{
    (void)fprintf(out,
                  "digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box, style=rounded];\n",
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
