/* Convolutions, linear layers, tables and single tensors. */
#include "io/model/onnx/graph.h"

enum { SAME = -1, VALID = -2 }; /* the words of `padding` */

static void pair(onnx_graph *g, const onnx_call *c, const char *name, const char *attribute, int n)
{
    int64_t v[2];

    for (int i = 0; i < n; i++)
        v[i] = onnx_arg(c, name, i);
    onnx_ints(g, attribute, v, (size_t)n);
}

/* `padding` as the kind means it: `same` without a stride is what is missing, the larger half behind; with one it is the
 * same number on both sides (core/network/kind/conv.c). */
static void put_pads(onnx_graph *g, const onnx_call *c, int n)
{
    int64_t pads[4];
    bool strided = false;

    for (int i = 0; i < n; i++)
        strided |= onnx_arg(c, "stride", i) > 1;
    for (int i = 0; i < n; i++) {
        const int64_t given = onnx_arg(c, "padding", i);
        const int64_t whole = onnx_arg(c, "dilation", i) * (onnx_arg(c, "kernel_size", i) - 1);

        pads[i] = given == VALID ? 0 : given == SAME ? whole / 2 : given;
        pads[n + i] = given == SAME && !strided ? whole - whole / 2 : pads[i];
    }
    onnx_ints(g, "pads", pads, 2 * (size_t)n);
}

static int convolution(onnx_graph *g, const onnx_call *c, const char *op, int n)
{
    const int weight = onnx_weight(g, c, "weight"), bias = onnx_weight(g, c, "bias");
    const int y = onnx_op(g, op, 3, c->in[0], weight, bias);

    pair(g, c, "kernel_size", "kernel_shape", n);
    pair(g, c, "stride", "strides", n);
    pair(g, c, "dilation", "dilations", n);
    put_pads(g, c, n);
    onnx_int(g, "group", onnx_arg(c, "groups", 0));
    return y;
}

int onnx_call_conv1d(onnx_graph *g, const onnx_call *c)
{
    return convolution(g, c, "Conv", 1);
}

int onnx_call_conv2d(onnx_graph *g, const onnx_call *c)
{
    return convolution(g, c, "Conv", 2);
}

int onnx_call_conv_transpose2d(onnx_graph *g, const onnx_call *c)
{
    const int y = convolution(g, c, "ConvTranspose", 2);

    pair(g, c, "output_padding", "output_padding", 2);
    return y;
}

/* -- linear -------------------------------------------------------------------------------- */

int onnx_call_linear(onnx_graph *g, const onnx_call *c)
{
    const int weight = onnx_weight(g, c, "weight"), bias = onnx_weight(g, c, "bias");
    int y;

    if (c->shape[0].ndim != 1) /* Gemm takes matrices alone */
        return onnx_dense(g, c->in[0], onnx_transpose(g, weight, (const int64_t[]){1, 0}, 2), bias);
    y = onnx_op(g, "Gemm", 3, c->in[0], weight, bias);
    onnx_int(g, "transB", 1);
    return y;
}

int onnx_call_transposed_linear(onnx_graph *g, const onnx_call *c)
{
    const int weight = onnx_weight(g, c, "weight");

    return onnx_dense(g, c->in[0], weight, onnx_weight(g, c, "bias"));
}

/* -- tables -------------------------------------------------------------------------------- */

int onnx_call_embedding(onnx_graph *g, const onnx_call *c)
{
    const int table = onnx_weight(g, c, "weight");

    return onnx_op(g, "Gather", 2, table, c->in[0]);
}

static int rows_from(onnx_graph *g, const onnx_call *c, int64_t first)
{
    const int table = onnx_weight(g, c, "weight");
    const int rows = onnx_slice(g, table, 0, first, first + c->out.dim[0], 1);
    const int one = onnx_op(g, "Unsqueeze", 2, rows, onnx_integers(g, (const int64_t[]){0}, 1));

    return onnx_repeat(g, one, 2, c->in[0]);
}

int onnx_call_learned_positions(onnx_graph *g, const onnx_call *c)
{
    return rows_from(g, c, 0);
}

int onnx_call_opt_learned_positions(onnx_graph *g, const onnx_call *c)
{
    return rows_from(g, c, 2); /* the first two are for no place */
}

/* [1, ...], or with `batch` as it is; for each sample. */
int onnx_call_parameter(onnx_graph *g, const onnx_call *c)
{
    int64_t sizes[1 + ARCHAI_SHAPE_MAX] = {1};
    const int weight = onnx_weight(g, c, "");

    for (int i = 0; i < c->out.ndim; i++)
        sizes[1 + i] = c->out.dim[i];
    return onnx_repeat(g, onnx_op(g, "Reshape", 2, weight, onnx_integers(g, sizes, 1 + (size_t)c->out.ndim)),
                       c->out.ndim, c->in[0]);
}

int onnx_call_positions(onnx_graph *g, const onnx_call *c)
{
    const int64_t n = c->out.dim[0], offset = onnx_arg(c, "offset", 0);
    const int from = onnx_index(g, offset), to = onnx_index(g, offset + n), by = onnx_index(g, 1);
    const int places = onnx_op(g, "Range", 3, from, to, by);
    const int one = onnx_op(g, "Unsqueeze", 2, places, onnx_integers(g, (const int64_t[]){0}, 1));

    return onnx_repeat(g, one, 1, c->in[0]);
}
