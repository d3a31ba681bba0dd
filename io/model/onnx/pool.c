/* Pooling. What PyTorch's ceil_mode and divisor_override mean is worked out here, from the sizes: runtimes differ in them. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "io/model/onnx/graph.h"

typedef struct window {
    int n; /* dimensions */
    int64_t in[2], out[2], kernel[2], stride[2], padding[2], dilation[2];
    int64_t over[2]; /* by how much the last window hangs over the padding */
} window;

static window window_of(const onnx_call *c, int n, bool dilated)
{
    window w = {.n = n};

    for (int i = 0; i < n; i++) {
        w.in[i] = c->shape[0].dim[1 + i];
        w.out[i] = c->out.dim[1 + i];
        w.kernel[i] = onnx_arg(c, "kernel_size", i);
        w.stride[i] = onnx_arg(c, "stride", i);
        w.padding[i] = onnx_arg(c, "padding", i);
        w.dilation[i] = dilated ? onnx_arg(c, "dilation", i) : 1;
        w.over[i] = (w.out[i] - 1) * w.stride[i] + w.dilation[i] * (w.kernel[i] - 1) + 1 - w.in[i] -
                    2 * w.padding[i];
        if (w.over[i] < 0)
            w.over[i] = 0;
    }
    return w;
}

static bool hangs_over(const window *w)
{
    return w->over[0] > 0 || (w->n == 2 && w->over[1] > 0);
}

/* `padded`: pad_window has seen to the padding. */
static int pool(onnx_graph *g, const char *op, int x, const window *w, bool padded, bool dilated)
{
    const int y = onnx_op(g, op, 1, x);
    const size_t n = (size_t)w->n;
    int64_t pads[4] = {0};

    for (size_t i = 0; i < n && !padded; i++)
        pads[i] = pads[n + i] = w->padding[i];
    onnx_ints(g, "kernel_shape", w->kernel, n);
    onnx_ints(g, "strides", w->stride, n);
    onnx_ints(g, "pads", pads, 2 * n);
    if (dilated)
        onnx_ints(g, "dilations", w->dilation, n);
    return y;
}

/* By the padding and what hangs over it, with a number. */
static int pad_window(onnx_graph *g, int x, const window *w, double v)
{
    int64_t pads[8] = {0};
    const int rank = 2 + w->n;
    int to;

    for (int i = 0; i < w->n; i++) {
        pads[2 + i] = w->padding[i];
        pads[rank + 2 + i] = w->padding[i] + w->over[i];
    }
    to = onnx_integers(g, pads, 2 * (size_t)rank);
    return onnx_op(g, "Pad", 3, x, to, onnx_number(g, v));
}

static int max_pool(onnx_graph *g, const onnx_call *c, int n)
{
    const window w = window_of(c, n, true);
    const bool padded = hangs_over(&w);

    return pool(g, "MaxPool", padded ? pad_window(g, c->in[0], &w, -INFINITY) : c->in[0], &w, padded, true);
}

int onnx_call_max_pool1d(onnx_graph *g, const onnx_call *c)
{
    return max_pool(g, c, 1);
}

int onnx_call_max_pool2d(onnx_graph *g, const onnx_call *c)
{
    return max_pool(g, c, 2);
}

/* How many values of window o count, in one dimension: the padding where it is included, never what hangs over it. */
static int64_t counted(const window *w, int i, int64_t o, bool include)
{
    const int64_t begin = o * w->stride[i] - w->padding[i], limit = w->in[i] + (include ? w->padding[i] : 0);
    const int64_t end = begin + w->kernel[i] < limit ? begin + w->kernel[i] : limit;

    return end - (include || begin > 0 ? begin : 0);
}

/* By what the mean of a whole window is multiplied, [h, w] or [l]. */
static int corrections(onnx_graph *g, const onnx_call *c, const window *w)
{
    const bool include = onnx_is(c, "count_include_pad");
    const double divisor = onnx_real(c, "divisor_override", 0);
    const int64_t columns = w->n == 2 ? w->out[1] : 1, width = w->n == 2 ? w->kernel[1] : 1;
    float *v = archai_malloc((size_t)w->out[0] * (size_t)columns * sizeof *v + 1);
    int made;

    for (int64_t i = 0; i < w->out[0]; i++)
        for (int64_t j = 0; j < columns; j++) {
            const int64_t n = counted(w, 0, i, include) * (w->n == 2 ? counted(w, 1, j, include) : 1);

            v[i * columns + j] =
                (float)((double)(w->kernel[0] * width) / (isnan(divisor) ? (double)n : divisor));
        }
    made = onnx_floats(g, v, w->out, w->n);
    free(v);
    return made;
}

static int avg_pool(onnx_graph *g, const onnx_call *c, int n)
{
    const window w = window_of(c, n, false);
    int y;

    if (hangs_over(&w) || !isnan(onnx_real(c, "divisor_override", 0))) {
        y = pool(g, "AveragePool", pad_window(g, c->in[0], &w, 0), &w, true, false);
        return onnx_op(g, "Mul", 2, y, corrections(g, c, &w));
    }
    y = pool(g, "AveragePool", c->in[0], &w, false, false);
    onnx_int(g, "count_include_pad", onnx_is(c, "count_include_pad"));
    return y;
}

int onnx_call_avg_pool1d(onnx_graph *g, const onnx_call *c)
{
    return avg_pool(g, c, 1);
}

int onnx_call_avg_pool2d(onnx_graph *g, const onnx_call *c)
{
    return avg_pool(g, c, 2);
}

/* -- to a wanted size ------------------------------------------------------------------------ */

/* Window o of `out` over `in`: from floor to ceil, so that neighbours may share values. */
static void part(int64_t o, int64_t in, int64_t out, int64_t *begin, int64_t *end)
{
    *begin = o * in / out;
    *end = ((o + 1) * in - 1) / out + 1;
}

/* [in, out]: the mean over each window, as a product of matrices. */
static int means(onnx_graph *g, int64_t in, int64_t out)
{
    float *v = archai_calloc((size_t)in * (size_t)out + 1, sizeof *v);
    int made;

    for (int64_t o = 0; o < out; o++) {
        int64_t begin, end;

        part(o, in, out, &begin, &end);
        for (int64_t i = begin; i < end; i++)
            v[i * out + o] = 1 / (float)(end - begin);
    }
    made = onnx_floats(g, v, (const int64_t[]){in, out}, 2);
    free(v);
    return made;
}

int onnx_call_adaptive_avg_pool1d(onnx_graph *g, const onnx_call *c)
{
    return onnx_op(g, "MatMul", 2, c->in[0], means(g, c->shape[0].dim[1], c->out.dim[1]));
}

int onnx_call_adaptive_avg_pool2d(onnx_graph *g, const onnx_call *c)
{
    static const int64_t swap[] = {0, 1, 3, 2};
    const int64_t *in = c->shape[0].dim, *out = c->out.dim;
    int x = c->in[0];

    if (out[1] == 1 && out[2] == 1)
        return onnx_op(g, "GlobalAveragePool", 1, x);
    if (in[2] != out[2])
        x = onnx_op(g, "MatMul", 2, x, means(g, in[2], out[2]));
    if (in[1] != out[1]) {
        x = onnx_op(g, "MatMul", 2, onnx_transpose(g, x, swap, 4), means(g, in[1], out[1]));
        x = onnx_transpose(g, x, swap, 4);
    }
    return x;
}

static int max_of_parts(onnx_graph *g, int x, int64_t axis, int64_t in, int64_t out)
{
    int *parts = archai_malloc((size_t)out * sizeof *parts + 1);
    int y;

    for (int64_t o = 0; o < out; o++) {
        int64_t begin, end;

        part(o, in, out, &begin, &end);
        parts[o] = onnx_op(g, "ReduceMax", 1, onnx_slice(g, x, axis, begin, end, 1));
        onnx_ints(g, "axes", &axis, 1);
        onnx_int(g, "keepdims", 1);
    }
    y = onnx_op_of(g, "Concat", parts, (size_t)out);
    onnx_int(g, "axis", axis);
    free(parts);
    return y;
}

int onnx_call_adaptive_max_pool2d(onnx_graph *g, const onnx_call *c)
{
    int x = c->in[0];

    for (int i = 1; i <= 2; i++)
        if (c->shape[0].dim[i] != c->out.dim[i])
            x = max_of_parts(g, x, 1 + i, c->shape[0].dim[i], c->out.dim[i]);
    return x;
}
