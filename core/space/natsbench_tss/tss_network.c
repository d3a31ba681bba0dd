#include "core/space/natsbench_tss/tss_network.h"

#include <math.h>
#include <stdio.h>

#include "core/base/alloc.h"
#include "core/network/kind/kind.h"

enum { STAGES = 3 };

typedef struct builder {
    archai_network *net;
    const archai_tss_cell *cell;
    char text[ARCHAI_TSS_TEXT]; /* of the cell */
    archai_module *cells;       /* ModuleList of cells and reductions; borrowed */
} builder;

/* A new child under the next number. */
static archai_module *numbered(archai_module *parent, const char *class_name)
{
    char name[16];

    (void)snprintf(name, sizeof name, "%zu", parent->n_children);
    return archai_module_container(parent, name, class_name);
}

/* The mean of each window; padding does not count. */
static void avg_pool(archai_module *parent, const char *name, int kernel, int stride,
                     int padding)
{
    static const double ceil_mode = 0, count_include_pad = 0;
    const double args[] = {
        kernel, kernel, stride, stride, padding, padding, ceil_mode, count_include_pad, NAN};

    (void)archai_module_layer(parent, name, &archai_kind_avg_pool2d, args);
}

/* The children of a block: ReLU, convolution, batch normalisation. */
static void relu_conv_bn(archai_module *block, int in, int out, int kernel, int stride)
{
    archai_module *op = archai_module_container(block, "op", "Sequential");

    (void)archai_module_relu(op, "0");
    (void)archai_module_conv2d(op, "1", in, out, kernel, stride, kernel / 2, 1, false);
    (void)archai_module_batch_norm2d(op, "2", out);
}

/* -- cells ------------------------------------------------------------------------------- */

/* The operation of an edge as the next of `layers`, and its step; returns the register. */
static int add_edge(const builder *b, archai_module *layers, archai_tss_op op, int width, int a)
{
    archai_module *block;
    char name[16];

    (void)snprintf(name, sizeof name, "%zu", layers->n_children);
    if (op == ARCHAI_TSS_NONE)
        return archai_network_call(b->net,
                                   archai_module_layer(layers, name, &archai_kind_zero,
                                                       (const double[]){width, width, 1}),
                                   a);
    if (op == ARCHAI_TSS_SKIP)
        return archai_network_call(
            b->net, archai_module_layer(layers, name, &archai_kind_identity, NULL), a);
    block = numbered(layers, op == ARCHAI_TSS_POOL ? "POOLING" : "ReLUConvBN");
    if (op == ARCHAI_TSS_POOL)
        avg_pool(block, "op", 3, 1, 1);
    else
        relu_conv_bn(block, width, width, op == ARCHAI_TSS_CONV1X1 ? 1 : 3, 1);
    return archai_network_call_all(b->net, block, a);
}

/* Returns the register of the last node. */
static int add_cell(builder *b, int width, int a)
{
    archai_module *cell = numbered(b->cells, "InferCell"), *layers;
    int node[ARCHAI_TSS_NODES] = {a};

    cell->extra = archai_printf("info :: nodes=%d, inC=%d, outC=%d, "
                                "[1<-(I0-L0) | 2<-(I0-L1,I1-L2) | 3<-(I0-L3,I1-L4,I2-L5)], %s",
                                ARCHAI_TSS_NODES, width, width, b->text);
    layers = archai_module_container(cell, "layers", "ModuleList");
    for (int e = 0; e < ARCHAI_TSS_EDGES; e++) {
        const archai_tss_edge *edge = &archai_tss_edges[e];
        const int v = add_edge(b, layers, b->cell->op[e], width, node[edge->from]);

        node[edge->to] = edge->from == 0 ? v : archai_network_add(b->net, node[edge->to], v);
    }
    return node[ARCHAI_TSS_NODES - 1];
}

/* -- the rest of the network --------------------------------------------------------------- */

/* Halves the image and doubles the width. */
static int add_reduction(builder *b, int in, int a)
{
    archai_module *block = numbered(b->cells, "ResNetBasicblock"), *conv[2], *down;
    const int out = 2 * in;
    int v, rest;

    block->extra = archai_printf("ResNetBasicblock(inC=%d, outC=%d, stride=2)", in, out);
    conv[0] = archai_module_container(block, "conv_a", "ReLUConvBN");
    conv[1] = archai_module_container(block, "conv_b", "ReLUConvBN");
    down = archai_module_container(block, "downsample", "Sequential");
    relu_conv_bn(conv[0], in, out, 3, 2);
    relu_conv_bn(conv[1], out, out, 3, 1);
    avg_pool(down, "0", 2, 2, 0);
    (void)archai_module_conv2d(down, "1", in, out, 1, 1, 0, 1, false);
    v = archai_network_call_all(b->net, conv[1], archai_network_call_all(b->net, conv[0], a));
    rest = archai_network_call_all(b->net, down, a);
    return archai_network_add(b->net, rest, v);
}

static int add_stem(const builder *b, int in, int out)
{
    archai_module *stem = archai_module_container(b->net->root, "stem", "Sequential");

    (void)archai_module_conv2d(stem, "0", in, out, 3, 1, 1, 1, false);
    (void)archai_module_batch_norm2d(stem, "1", out);
    return archai_network_call_all(b->net, stem, 0);
}

static void add_head(const builder *b, int width, int classes, int a)
{
    static const double size[1 + ARCHAI_ARG_LIST_MAX] = {1, 1}; /* a list of one number, 1 */
    archai_module *root = b->net->root,
                  *last = archai_module_container(root, "lastact", "Sequential");

    (void)archai_module_batch_norm2d(last, "0", width);
    (void)archai_module_layer(last, "1", &archai_kind_relu, (const double[]){1}); /* in place */
    a = archai_network_call_all(b->net, last, a);
    a = archai_network_call(
        b->net,
        archai_module_layer(root, "global_pooling", &archai_kind_adaptive_avg_pool2d, size), a);
    a = archai_network_flatten(b->net, a);
    (void)archai_network_call(
        b->net, archai_module_linear(root, "classifier", width, classes, true), a);
}

void archai_tss_describe(const archai_tss_cell *cell, const archai_tss_shape *shape,
                         archai_network *out)
{
    archai_network net = {.root = archai_module_container(NULL, "", "TinyNetwork"),
                          .input = {shape->input, shape->height, shape->width}};
    builder b = {.net = &net, .cell = cell};
    int width = shape->channels, a;

    archai_tss_cell_write(cell, b.text);
    net.root->extra = archai_printf("TinyNetwork(C=%d, N=%d, L=%d)", shape->channels,
                                    shape->cells, STAGES * shape->cells + STAGES - 1);
    a = add_stem(&b, shape->input, width);
    b.cells = archai_module_container(net.root, "cells", "ModuleList");
    for (int stage = 0; stage < STAGES; stage++) {
        if (stage > 0) {
            a = add_reduction(&b, width, a);
            width *= 2;
        }
        for (int i = 0; i < shape->cells; i++)
            a = add_cell(&b, width, a);
    }
    add_head(&b, width, shape->classes, a);
    *out = net;
}
