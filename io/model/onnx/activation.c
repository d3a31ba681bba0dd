/* Activations. What opset 17 has no operator for is made of those that it has. */
#include "io/model/onnx/graph.h"

#define OPERATOR(NAME, OP)                                                                     \
    int onnx_call_##NAME(onnx_graph *g, const onnx_call *c)                                         \
    {                                                                                          \
        return onnx_op(g, OP, 1, c->in[0]);                                                    \
    }

OPERATOR(relu, "Relu")
OPERATOR(selu, "Selu")
OPERATOR(sigmoid, "Sigmoid")
OPERATOR(tanh, "Tanh")
OPERATOR(hardswish, "HardSwish")

static int clip(onnx_graph *g, int x, double low, double high)
{
    const int from = isnan(low) ? ONNX_NONE : onnx_number(g, low);
    const int to = isnan(high) ? ONNX_NONE : onnx_number(g, high);

    return onnx_op(g, "Clip", 3, x, from, to);
}

int onnx_call_relu6(onnx_graph *g, const onnx_call *c)
{
    return clip(g, c->in[0], 0, 6);
}

int onnx_call_hardtanh(onnx_graph *g, const onnx_call *c)
{
    return clip(g, c->in[0], onnx_real(c, "min_val", 0), onnx_real(c, "max_val", 0));
}

int onnx_call_clamp(onnx_graph *g, const onnx_call *c)
{
    return clip(g, c->in[0], onnx_real(c, "min", 0), onnx_real(c, "max", 0));
}

int onnx_call_hardsigmoid(onnx_graph *g, const onnx_call *c)
{
    const int y = onnx_op(g, "HardSigmoid", 1, c->in[0]);

    onnx_float(g, "alpha", 1.0 / 6);
    onnx_float(g, "beta", 0.5);
    return y;
}

static int with_alpha(onnx_graph *g, const char *op, int x, double alpha)
{
    const int y = onnx_op(g, op, 1, x);

    onnx_float(g, "alpha", alpha);
    return y;
}

int onnx_call_leaky_relu(onnx_graph *g, const onnx_call *c)
{
    return with_alpha(g, "LeakyRelu", c->in[0], onnx_real(c, "negative_slope", 0));
}

int onnx_call_elu(onnx_graph *g, const onnx_call *c)
{
    return with_alpha(g, "Elu", c->in[0], onnx_real(c, "alpha", 0));
}

/* x sigmoid(factor x) */
static int gated(onnx_graph *g, int x, double factor)
{
    const int inner = factor == 1 ? x : onnx_with_number(g, "Mul", x, factor);

    return onnx_op(g, "Mul", 2, x, onnx_op(g, "Sigmoid", 1, inner));
}

int onnx_call_silu(onnx_graph *g, const onnx_call *c)
{
    return gated(g, c->in[0], 1);
}

int onnx_call_quick_gelu(onnx_graph *g, const onnx_call *c)
{
    return gated(g, c->in[0], 1.702);
}

int onnx_call_mish(onnx_graph *g, const onnx_call *c)
{
    const int x = c->in[0];

    return onnx_op(g, "Mul", 2, x, onnx_op(g, "Tanh", 1, onnx_op(g, "Softplus", 1, x)));
}

/* x / 2 (1 + f) */
static int half_of(onnx_graph *g, int x, int f)
{
    return onnx_op(g, "Mul", 2, onnx_with_number(g, "Mul", x, 0.5), onnx_with_number(g, "Add", f, 1));
}

/* f = tanh(sqrt(2 / pi) (x + 0.044715 x^3)) */
int onnx_call_new_gelu(onnx_graph *g, const onnx_call *c)
{
    const int x = c->in[0], square = onnx_op(g, "Mul", 2, x, x);
    const int inner = onnx_with_number(g, "Add", onnx_with_number(g, "Mul", square, 0.044715), 1);
    const int argument = onnx_with_number(g, "Mul", onnx_op(g, "Mul", 2, x, inner), sqrt(2 / acos(-1)));

    return half_of(g, x, onnx_op(g, "Tanh", 1, argument));
}

int onnx_call_gelu(onnx_graph *g, const onnx_call *c)
{
    const int x = c->in[0];

    if (onnx_is(c, "approximate"))
        return onnx_call_new_gelu(g, c);
    return half_of(g, x, onnx_op(g, "Erf", 1, onnx_with_number(g, "Mul", x, sqrt(0.5))));
}

/* Above the threshold PyTorch takes x itself. */
int onnx_call_softplus(onnx_graph *g, const onnx_call *c)
{
    const double beta = onnx_real(c, "beta", 0);
    const int x = c->in[0], scaled = onnx_with_number(g, "Mul", x, beta);
    const int curved = onnx_with_number(g, "Div", onnx_op(g, "Softplus", 1, scaled), beta);
    const int above = onnx_with_number(g, "Greater", scaled, onnx_real(c, "threshold", 0));

    return onnx_op(g, "Where", 3, above, x, curved);
}

/* A slope for each channel: the weight [C] stands before the last dimensions. */
int onnx_call_prelu(onnx_graph *g, const onnx_call *c)
{
    const int64_t n = onnx_arg(c, "num_parameters", 0);
    int64_t sizes[ARCHAI_SHAPE_MAX] = {n, 1, 1, 1, 1, 1};
    const int slope = onnx_weight(g, c, "weight");
    const int shaped = onnx_op(g, "Reshape", 2, slope, onnx_integers(g, sizes, (size_t)c->shape[0].ndim));

    return onnx_op(g, "PRelu", 2, c->in[0], shaped);
}

static int along(onnx_graph *g, const char *op, const onnx_call *c)
{
    const int y = onnx_op(g, op, 1, c->in[0]);

    onnx_int(g, "axis", onnx_arg(c, "dim", 0));
    return y;
}

int onnx_call_softmax(onnx_graph *g, const onnx_call *c)
{
    return along(g, "Softmax", c);
}

int onnx_call_softmax_layer(onnx_graph *g, const onnx_call *c)
{
    return along(g, "Softmax", c);
}

int onnx_call_log_softmax(onnx_graph *g, const onnx_call *c)
{
    return along(g, "LogSoftmax", c);
}
