/* Attention, rotary positions and products of matrices. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/model/onnx/graph.h"

int onnx_call_matmul(onnx_graph *g, const onnx_call *c)
{
    return onnx_op(g, "MatMul", 2, c->in[0], c->in[1]);
}

/* [T, S]: minus infinity where the key comes after the query. */
static int causal_mask(onnx_graph *g, int64_t queries, int64_t keys)
{
    float *mask = archai_malloc((size_t)queries * (size_t)keys * sizeof *mask + 1);
    int made;

    for (int64_t i = 0; i < queries; i++)
        for (int64_t j = 0; j < keys; j++)
            mask[i * keys + j] = j > i ? -INFINITY : 0;
    made = onnx_floats(g, mask, (const int64_t[]){queries, keys}, 2);
    free(mask);
    return made;
}

int onnx_attend(onnx_graph *g, const int qkv[3], int64_t queries, int64_t keys, double scale, bool causal)
{
    const int q = onnx_with_number(g, "Mul", qkv[0], scale);
    const int k = onnx_transpose(g, qkv[1], (const int64_t[]){0, 1, 3, 2}, 4);
    int x = onnx_op(g, "MatMul", 2, q, k);

    if (causal)
        x = onnx_op(g, "Add", 2, x, causal_mask(g, queries, keys));
    x = onnx_op(g, "Softmax", 1, x);
    onnx_int(g, "axis", -1);
    return onnx_op(g, "MatMul", 2, x, qkv[2]);
}

/* [N, T, H * D] -> [N, H, T, D], and back */
static int split_heads(onnx_graph *g, int x, int64_t length, int64_t heads)
{
    const int apart = onnx_reshape_to(g, x, (const int64_t[]){length, heads, -1}, 3);

    return onnx_transpose(g, apart, (const int64_t[]){0, 2, 1, 3}, 4);
}

static int merge_heads(onnx_graph *g, int x, int64_t length)
{
    const int y = onnx_transpose(g, x, (const int64_t[]){0, 2, 1, 3}, 4);

    return onnx_reshape_to(g, y, (const int64_t[]){length, -1}, 2);
}

static int heads_attend(onnx_graph *g, const int in[3], const int64_t length[3], int64_t heads, double scale,
                        bool causal)
{
    int qkv[3];

    for (int i = 0; i < 3; i++)
        qkv[i] = split_heads(g, in[i], length[i], heads);
    return merge_heads(g, onnx_attend(g, qkv, length[0], length[1], scale, causal), length[0]);
}

int onnx_call_attention(onnx_graph *g, const onnx_call *c)
{
    const double given = onnx_real(c, "scale", 0), heads = onnx_real(c, "num_heads", 0);
    const int last = c->shape[0].ndim - 1;
    const double width = (double)c->shape[0].dim[last] / (isnan(heads) ? 1 : heads);
    const double scale = isnan(given) ? 1 / sqrt(width) : given;
    const bool causal = onnx_is(c, "is_causal");
    int64_t length[3];

    for (int i = 0; i < 3; i++)
        length[i] = c->shape[i].dim[last - 1];
    if (isnan(heads))
        return onnx_attend(g, c->in, length[0], length[1], scale, causal);
    return heads_attend(g, c->in, length, (int64_t)heads, scale, causal);
}

/* One below the other, in one tensor: the part of query, key or value. */
static int part_of(onnx_graph *g, int all, int64_t width, int which)
{
    return all == ONNX_NONE ? ONNX_NONE : onnx_slice(g, all, 0, which * width, (which + 1) * width, 1);
}

int onnx_call_multihead_attention(onnx_graph *g, const onnx_call *c)
{
    const int64_t width = onnx_arg(c, "embed_dim", 0), heads = onnx_arg(c, "num_heads", 0);
    const size_t from[] = {0, c->n > 1 ? 1 : 0, c->n - 1};
    const int weight = onnx_weight(g, c, "in_proj_weight"), bias = onnx_weight(g, c, "in_proj_bias");
    int64_t length[3];
    int in[3], y, out;

    for (int i = 0; i < 3; i++) {
        const int w = onnx_transpose(g, part_of(g, weight, width, i), (const int64_t[]){1, 0}, 2);

        in[i] = onnx_dense(g, c->in[from[i]], w, part_of(g, bias, width, i));
        length[i] = c->shape[from[i]].dim[0];
    }
    y = heads_attend(g, in, length, heads, 1 / sqrt((double)(width / heads)), onnx_is(c, "is_causal"));
    out = onnx_transpose(g, onnx_weight(g, c, "out_proj.weight"), (const int64_t[]){1, 0}, 2);
    return onnx_dense(g, y, out, onnx_weight(g, c, "out_proj.bias"));
}

/* -- rotary --------------------------------------------------------------------------------- */

/* cos or sin of the angles [T, 1, pairs], in float32 as libtorch computes them. */
static int turns(onnx_graph *g, int64_t length, int64_t pairs, double base, float (*of)(float))
{
    float *angle = archai_malloc((size_t)length * (size_t)pairs * sizeof *angle + 1);
    int made;

    for (int64_t t = 0; t < length; t++)
        for (int64_t i = 0; i < pairs; i++)
            angle[t * pairs + i] = of((float)t * (1 / powf((float)base, (float)(2 * i) / (float)(2 * pairs))));
    made = onnx_floats(g, angle, (const int64_t[]){length, 1, pairs}, 3);
    free(angle);
    return made;
}

static int one_of_pair(onnx_graph *g, int x, int64_t which)
{
    const int y = onnx_op(g, "Gather", 2, x, onnx_index(g, which));

    onnx_int(g, "axis", -1);
    return y;
}

static int last_axis(onnx_graph *g, int x)
{
    return onnx_op(g, "Unsqueeze", 2, x, onnx_integers(g, (const int64_t[]){-1}, 1));
}

static int joined(onnx_graph *g, int a, int b)
{
    const int y = onnx_op(g, "Concat", 2, a, b);

    onnx_int(g, "axis", -1);
    return y;
}

int onnx_call_rotary(onnx_graph *g, const onnx_call *c)
{
    const int64_t heads = onnx_arg(c, "num_heads", 0), dim = onnx_arg(c, "rotary_dim", 0);
    const int64_t length = c->shape[0].dim[0];
    const double base = onnx_real(c, "base", 0);
    const int split = onnx_reshape_to(g, c->in[0], (const int64_t[]){length, heads, -1}, 3);
    const int turned = onnx_reshape_to(g, onnx_slice(g, split, 3, 0, dim, 1),
                                       (const int64_t[]){length, heads, dim / 2, 2}, 4);
    const int a = one_of_pair(g, turned, 0), b = one_of_pair(g, turned, 1);
    const int cosine = turns(g, length, dim / 2, base, cosf), sine = turns(g, length, dim / 2, base, sinf);
    const int real = onnx_op(g, "Sub", 2, onnx_op(g, "Mul", 2, a, cosine), onnx_op(g, "Mul", 2, b, sine));
    const int imaginary = onnx_op(g, "Add", 2, onnx_op(g, "Mul", 2, b, cosine), onnx_op(g, "Mul", 2, a, sine));
    const int now = onnx_reshape_to(g, joined(g, last_axis(g, real), last_axis(g, imaginary)),
                                    (const int64_t[]){length, heads, dim}, 3);
    const int rest = onnx_slice(g, split, 3, dim, INT64_MAX, 1);

    return onnx_reshape(g, joined(g, now, rest), &c->out);
}
