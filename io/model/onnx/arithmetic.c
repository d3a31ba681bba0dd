/* Arithmetic and functions of each value; what hands its input on. */
#include "io/model/onnx/graph.h"

/* The dimensions of a smaller one are the last ones of a sample: sizes of 1 come after the batch. */
static int aligned(onnx_graph *g, const onnx_call *c, size_t i)
{
    const archai_shape *s = &c->shape[i];
    archai_shape to = {.ndim = c->out.ndim};

    if (s->ndim == c->out.ndim)
        return c->in[i];
    for (int d = 0; d < to.ndim; d++)
        to.dim[d] = d < to.ndim - s->ndim ? 1 : s->dim[d - (to.ndim - s->ndim)];
    return onnx_reshape(g, c->in[i], &to);
}

static int folded(onnx_graph *g, const onnx_call *c, const char *op)
{
    int made = aligned(g, c, 0);

    for (size_t i = 1; i < c->n; i++)
        made = onnx_op(g, op, 2, made, aligned(g, c, i));
    return made;
}

#define FOLDED(NAME, OP)                                                                       \
    int onnx_call_##NAME(onnx_graph *g, const onnx_call *c)                                         \
    {                                                                                          \
        return folded(g, c, OP);                                                               \
    }

FOLDED(add, "Add")
FOLDED(multiply, "Mul")
FOLDED(subtract, "Sub")
FOLDED(divide, "Div")
FOLDED(maximum, "Max")
FOLDED(minimum, "Min")

int onnx_call_scale(onnx_graph *g, const onnx_call *c)
{
    return onnx_with_number(g, "Mul", c->in[0], onnx_real(c, "factor", 0));
}

int onnx_call_shift(onnx_graph *g, const onnx_call *c)
{
    return onnx_with_number(g, "Add", c->in[0], onnx_real(c, "amount", 0));
}

#define FUNCTION(NAME, OP)                                                                     \
    int onnx_call_##NAME(onnx_graph *g, const onnx_call *c)                                         \
    {                                                                                          \
        return onnx_op(g, OP, 1, c->in[0]);                                                    \
    }

FUNCTION(exp, "Exp")
FUNCTION(log, "Log")
FUNCTION(sqrt, "Sqrt")
FUNCTION(abs, "Abs")
FUNCTION(sin, "Sin")
FUNCTION(cos, "Cos")

int onnx_call_square(onnx_graph *g, const onnx_call *c)
{
    return onnx_op(g, "Mul", 2, c->in[0], c->in[0]);
}

int onnx_call_pow(onnx_graph *g, const onnx_call *c)
{
    return onnx_with_number(g, "Pow", c->in[0], onnx_real(c, "exponent", 0));
}

/* -- as it is; what acts in training alone -------------------------------------------------- */

#define SAME(NAME)                                                                             \
    int onnx_call_##NAME(onnx_graph *g, const onnx_call *c)                                         \
    {                                                                                          \
        (void)g;                                                                               \
        return c->in[0];                                                                       \
    }

SAME(identity)
SAME(dropout)
SAME(dropout2d)
SAME(stochastic_depth)

/* Times 0, as libtorch does it: of what is no number nothing comes either. */
int onnx_call_zero(onnx_graph *g, const onnx_call *c)
{
    const int64_t stride = onnx_arg(c, "stride", 0), to = onnx_arg(c, "C_out", 0);
    int x = c->in[0];

    if (stride > 1)
        x = onnx_slice(g, onnx_slice(g, x, 2, 0, INT64_MAX, stride), 3, 0, INT64_MAX, stride);
    if (to == onnx_arg(c, "C_in", 0))
        return onnx_with_number(g, "Mul", x, 0);
    return onnx_repeat(g, onnx_filled(g, 0, (const int64_t[]){1, to, c->out.dim[1], c->out.dim[2]}, 4), 3, x);
}
