/* The same values in another order or shape, parts of them, reductions. */
#include "io/model/onnx/graph.h"

#define RESHAPED(NAME)                                                                         \
    int onnx_call_##NAME(onnx_graph *g, const onnx_call *c)                                         \
    {                                                                                          \
        return onnx_reshape(g, c->in[0], &c->out);                                             \
    }

RESHAPED(flatten)
RESHAPED(flatten_layer)
RESHAPED(unflatten)
RESHAPED(reshape)

/* PyTorch's number of a dimension, from 0 for the batch. */
static int64_t place(const onnx_call *c, int64_t dim)
{
    return dim < 0 ? dim + c->shape[0].ndim + 1 : dim;
}

int onnx_call_permute(onnx_graph *g, const onnx_call *c)
{
    int64_t order[ARCHAI_ARG_LIST_MAX];
    const size_t n = (size_t)onnx_arg(c, "dims", 0);

    for (size_t i = 0; i < n; i++)
        order[i] = place(c, onnx_arg(c, "dims", (int)i + 1));
    return onnx_transpose(g, c->in[0], order, n);
}

int onnx_call_transpose(onnx_graph *g, const onnx_call *c)
{
    const int64_t a = place(c, onnx_arg(c, "dim0", 0)), b = place(c, onnx_arg(c, "dim1", 0));
    int64_t order[1 + ARCHAI_SHAPE_MAX];
    const size_t n = (size_t)c->shape[0].ndim + 1;

    for (size_t i = 0; i < n; i++)
        order[i] = (int64_t)i == a ? b : (int64_t)i == b ? a : (int64_t)i;
    return onnx_transpose(g, c->in[0], order, n);
}

int onnx_call_concat(onnx_graph *g, const onnx_call *c)
{
    const int y = onnx_op_of(g, "Concat", c->in, c->n);

    onnx_int(g, "axis", place(c, onnx_arg(c, "dim", 0)));
    return y;
}

/* -- parts ----------------------------------------------------------------------------------- */

int onnx_call_slice(onnx_graph *g, const onnx_call *c)
{
    const double end = onnx_real(c, "end", 0);

    return onnx_slice(g, c->in[0], place(c, onnx_arg(c, "dim", 0)), onnx_arg(c, "start", 0),
                      isnan(end) ? INT64_MAX : (int64_t)end, onnx_arg(c, "step", 0));
}

int onnx_call_select(onnx_graph *g, const onnx_call *c)
{
    const int64_t dim = place(c, onnx_arg(c, "dim", 0)), size = c->shape[0].dim[dim - 1];
    const int64_t index = onnx_arg(c, "index", 0);
    const int y = onnx_op(g, "Gather", 2, c->in[0], onnx_index(g, index < 0 ? index + size : index));

    onnx_int(g, "axis", dim);
    return y;
}

int onnx_call_chunk(onnx_graph *g, const onnx_call *c)
{
    const int64_t dim = place(c, onnx_arg(c, "dim", 0)), size = c->shape[0].dim[dim - 1];
    const int64_t each = (size - 1) / onnx_arg(c, "chunks", 0) + 1, at = each * onnx_arg(c, "index", 0);

    return onnx_slice(g, c->in[0], dim, at, at + each < size ? at + each : size, 1);
}

/* -- reductions ------------------------------------------------------------------------------ */

/* `dim`: how many; `axes` gets them. */
static size_t axes_of(const onnx_call *c, int64_t axes[ARCHAI_ARG_LIST_MAX])
{
    const size_t n = (size_t)onnx_arg(c, "dim", 0);

    for (size_t i = 0; i < n; i++)
        axes[i] = place(c, onnx_arg(c, "dim", (int)i + 1));
    return n;
}

static int reduced(onnx_graph *g, const onnx_call *c, const char *op)
{
    int64_t axes[ARCHAI_ARG_LIST_MAX];
    const size_t n = axes_of(c, axes);
    const int y = onnx_op(g, op, 1, c->in[0]);

    onnx_ints(g, "axes", axes, n);
    onnx_int(g, "keepdims", onnx_is(c, "keepdim"));
    return y;
}

int onnx_call_mean(onnx_graph *g, const onnx_call *c)
{
    return reduced(g, c, "ReduceMean");
}

int onnx_call_amax(onnx_graph *g, const onnx_call *c)
{
    return reduced(g, c, "ReduceMax");
}

/* Since opset 13 a sum takes its axes as an input, the others do not yet. */
int onnx_call_sum(onnx_graph *g, const onnx_call *c)
{
    int64_t axes[ARCHAI_ARG_LIST_MAX];
    const size_t n = axes_of(c, axes);
    const int y = onnx_op(g, "ReduceSum", 2, c->in[0], onnx_integers(g, axes, n));

    onnx_int(g, "keepdims", onnx_is(c, "keepdim"));
    return y;
}

/* x / max(|x|_p, eps) */
int onnx_call_normalize(onnx_graph *g, const onnx_call *c)
{
    const double p = onnx_real(c, "p", 0);
    const int64_t axis = place(c, onnx_arg(c, "dim", 0));
    int norm;

    if (p == 1 || p == 2) {
        norm = onnx_op(g, p == 1 ? "ReduceL1" : "ReduceL2", 1, c->in[0]);
        onnx_ints(g, "axes", &axis, 1);
        onnx_int(g, "keepdims", 1);
    } else {
        const int power = onnx_with_number(g, "Pow", onnx_op(g, "Abs", 1, c->in[0]), p);
        const int sum = onnx_op(g, "ReduceSum", 2, power, onnx_integers(g, &axis, 1));

        onnx_int(g, "keepdims", 1);
        norm = onnx_with_number(g, "Pow", sum, 1 / p);
    }
    return onnx_op(g, "Div", 2, c->in[0], onnx_with_number(g, "Max", norm, onnx_real(c, "eps", 0)));
}
