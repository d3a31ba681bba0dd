/* Normalisation, in evaluation: with the running statistics where they are kept. */
#include <float.h>

#include "io/model/onnx/graph.h"

/* A layer's tensor [n], or n times a number where it has none. */
static int weight_or(onnx_graph *g, const onnx_call *c, const char *name, float v, int64_t n)
{
    const int w = onnx_weight(g, c, name);

    return w != ONNX_NONE ? w : onnx_filled(g, v, &n, 1);
}

static int with_statistics(onnx_graph *g, const onnx_call *c)
{
    const int64_t n = onnx_arg(c, "num_features", 0);
    const int scale = weight_or(g, c, "weight", 1, n), bias = weight_or(g, c, "bias", 0, n);
    const int mean = onnx_weight(g, c, "running_mean"), var = onnx_weight(g, c, "running_var");
    const int y = onnx_op(g, "BatchNormalization", 5, c->in[0], scale, bias, mean, var);

    onnx_float(g, "epsilon", onnx_real(c, "eps", 0));
    return y;
}

/* The layer's weight and bias [C], for each channel of [N, C, ...]. */
static int affine(onnx_graph *g, const onnx_call *c, int x)
{
    static const char *const names[] = {"weight", "bias"}, *const ops[] = {"Mul", "Add"};
    int64_t sizes[ARCHAI_SHAPE_MAX] = {c->out.dim[0], 1, 1, 1, 1, 1};

    for (int i = 0; i < 2; i++) {
        const int w = onnx_weight(g, c, names[i]);

        if (w != ONNX_NONE)
            x = onnx_op(g, ops[i], 2, x,
                        onnx_op(g, "Reshape", 2, w, onnx_integers(g, sizes, (size_t)c->out.ndim)));
    }
    return x;
}

static int mean_over(onnx_graph *g, int x, const int64_t *axes, size_t n)
{
    const int y = onnx_op(g, "ReduceMean", 1, x);

    onnx_ints(g, "axes", axes, n);
    onnx_int(g, "keepdims", 1);
    return y;
}

/* x / sqrt(mean(x^2) + eps) */
static int over_root(onnx_graph *g, int x, const int64_t *axes, size_t n, double eps)
{
    const int square = mean_over(g, onnx_op(g, "Mul", 2, x, x), axes, n);

    return onnx_op(g, "Div", 2, x, onnx_op(g, "Sqrt", 1, onnx_with_number(g, "Add", square, eps)));
}

/* Without running statistics the batch's own hold in evaluation, too. */
static int batch_norm(onnx_graph *g, const onnx_call *c)
{
    static const int64_t axes[] = {0, 2, 3};
    const size_t n = (size_t)c->shape[0].ndim;
    int mean;

    if (onnx_is(c, "track_running_stats"))
        return with_statistics(g, c);
    mean = mean_over(g, c->in[0], axes, n);
    return affine(g, c, over_root(g, onnx_op(g, "Sub", 2, c->in[0], mean), axes, n, onnx_real(c, "eps", 0)));
}

int onnx_call_batch_norm1d(onnx_graph *g, const onnx_call *c)
{
    return batch_norm(g, c);
}

int onnx_call_batch_norm2d(onnx_graph *g, const onnx_call *c)
{
    return batch_norm(g, c);
}

static int instance_norm(onnx_graph *g, int x, int scale, int bias, double eps)
{
    const int y = onnx_op(g, "InstanceNormalization", 3, x, scale, bias);

    onnx_float(g, "epsilon", eps);
    return y;
}

int onnx_call_instance_norm2d(onnx_graph *g, const onnx_call *c)
{
    const int64_t n = onnx_arg(c, "num_features", 0);
    int scale;

    if (onnx_is(c, "track_running_stats"))
        return with_statistics(g, c);
    scale = weight_or(g, c, "weight", 1, n);
    return instance_norm(g, c->in[0], scale, weight_or(g, c, "bias", 0, n), onnx_real(c, "eps", 0));
}

/* The groups as channels of one dimension, each normalised for itself. */
int onnx_call_group_norm(onnx_graph *g, const onnx_call *c)
{
    const int64_t groups = onnx_arg(c, "num_groups", 0);
    const int x = onnx_reshape_to(g, c->in[0], (const int64_t[]){groups, -1}, 2);
    const int ones = onnx_filled(g, 1, &groups, 1), zeros = onnx_filled(g, 0, &groups, 1);
    const int y = instance_norm(g, x, ones, zeros, onnx_real(c, "eps", 0));

    return affine(g, c, onnx_reshape(g, y, &c->out));
}

/* normalized_shape; how many there are. */
static size_t last_sizes(const onnx_call *c, int64_t sizes[ARCHAI_ARG_LIST_MAX])
{
    const size_t n = (size_t)onnx_arg(c, "normalized_shape", 0);

    for (size_t i = 0; i < n; i++)
        sizes[i] = onnx_arg(c, "normalized_shape", (int)i + 1);
    return n;
}

int onnx_call_layer_norm(onnx_graph *g, const onnx_call *c)
{
    int64_t sizes[ARCHAI_ARG_LIST_MAX];
    const size_t n = last_sizes(c, sizes);
    int scale = onnx_weight(g, c, "weight"), y;

    if (scale == ONNX_NONE)
        scale = onnx_filled(g, 1, sizes, (int)n);
    y = onnx_op(g, "LayerNormalization", 3, c->in[0], scale, onnx_weight(g, c, "bias"));
    onnx_int(g, "axis", -(int64_t)n);
    onnx_float(g, "epsilon", onnx_real(c, "eps", 0));
    return y;
}

int onnx_call_rms_norm(onnx_graph *g, const onnx_call *c)
{
    int64_t sizes[ARCHAI_ARG_LIST_MAX], axes[ARCHAI_ARG_LIST_MAX];
    const size_t n = last_sizes(c, sizes);
    const double eps = onnx_real(c, "eps", 0);
    const int scale = onnx_weight(g, c, "weight");
    int y;

    for (size_t i = 0; i < n; i++)
        axes[i] = (int64_t)i - (int64_t)n;
    y = over_root(g, c->in[0], axes, n, isnan(eps) ? (double)FLT_EPSILON : eps);
    return scale == ONNX_NONE ? y : onnx_op(g, "Mul", 2, y, scale);
}

/* Means of squares over neighbouring channels. ONNX's LRN wants an odd number of them and pictures; here they are the
 * length of a pooling, over [1, C, everything else]. */
int onnx_call_local_response_norm(onnx_graph *g, const onnx_call *c)
{
    const int64_t size = onnx_arg(c, "size", 0), *dim = c->shape[0].dim;
    const int x = c->in[0], square = onnx_op(g, "Mul", 2, x, x);
    const int one = onnx_reshape_to(g, square, (const int64_t[]){1, dim[0], -1}, 3);
    const int64_t pads[] = {0, 0, size / 2, 0, 0, 0, (size - 1) / 2, 0}, kernel[] = {size, 1};
    const int padded = onnx_op(g, "Pad", 2, one, onnx_integers(g, pads, 8));
    int mean = onnx_op(g, "AveragePool", 1, padded);

    onnx_ints(g, "kernel_shape", kernel, 2);
    mean = onnx_reshape(g, mean, &c->out);
    mean = onnx_with_number(g, "Add", onnx_with_number(g, "Mul", mean, onnx_real(c, "alpha", 0)),
                            onnx_real(c, "k", 0));
    return onnx_op(g, "Div", 2, x, onnx_with_number(g, "Pow", mean, onnx_real(c, "beta", 0)));
}
