#include "io/model/onnx/graph.h"

#include <stdarg.h>
#include <stdlib.h>

#include "core/base/alloc.h"

/* Numbers of fields and types: onnx/onnx.proto */
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_S = 4, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { TYPE_FLOAT = 1, TYPE_INT = 2, TYPE_STRING = 3, TYPE_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW_DATA = 9 };
enum { DATA_FLOAT = 1, DATA_INT64 = 7 };

static int add_name(onnx_graph *g, char *name)
{
    ARCHAI_RESERVE(g->names, g->capacity, g->n_names + 1);
    g->names[g->n_names] = name;
    return (int)g->n_names++;
}

int onnx_named(onnx_graph *g, const char *name)
{
    return add_name(g, archai_strdup(name));
}

static int new_value(onnx_graph *g)
{
    return add_name(g, archai_printf("%s%zu", g->mark, g->n_names));
}

/* -- nodes --------------------------------------------------------------------------------- */

void onnx_end_node(onnx_graph *g)
{
    if (g->node.n > 0)
        protobuf_message(&g->nodes, GRAPH_NODE, &g->node);
}

static void put_node(onnx_graph *g, const char *op, const int *in, size_t n, const char *out)
{
    onnx_end_node(g);
    while (n > 0 && in[n - 1] == ONNX_NONE)
        n--;
    for (size_t i = 0; i < n; i++)
        protobuf_text(&g->node, NODE_INPUT, in[i] == ONNX_NONE ? "" : g->names[in[i]]);
    protobuf_text(&g->node, NODE_OUTPUT, out);
    protobuf_text(&g->node, NODE_OP_TYPE, op);
}

int onnx_op_of(onnx_graph *g, const char *op, const int *in, size_t n)
{
    const int out = new_value(g);

    put_node(g, op, in, n, g->names[out]);
    return out;
}

void onnx_output(onnx_graph *g, int x, const char *name)
{
    put_node(g, "Identity", &x, 1, name);
    onnx_end_node(g);
}

int onnx_op(onnx_graph *g, const char *op, int n, ...)
{
    int in[8];
    va_list given;

    va_start(given, n);
    for (int i = 0; i < n; i++)
        in[i] = va_arg(given, int);
    va_end(given);
    return onnx_op_of(g, op, in, (size_t)n);
}

static void end_attribute(onnx_graph *g, protobuf *a, int type)
{
    protobuf_int(a, ATTRIBUTE_TYPE, type);
    protobuf_message(&g->node, NODE_ATTRIBUTE, a);
    protobuf_free(a);
}

static protobuf begin_attribute(const char *name)
{
    protobuf a = {.at = NULL};

    protobuf_text(&a, ATTRIBUTE_NAME, name);
    return a;
}

void onnx_int(onnx_graph *g, const char *name, int64_t v)
{
    protobuf a = begin_attribute(name);

    protobuf_int(&a, ATTRIBUTE_I, v);
    end_attribute(g, &a, TYPE_INT);
}

void onnx_float(onnx_graph *g, const char *name, double v)
{
    protobuf a = begin_attribute(name);

    protobuf_float(&a, ATTRIBUTE_F, (float)v);
    end_attribute(g, &a, TYPE_FLOAT);
}

void onnx_text(onnx_graph *g, const char *name, const char *v)
{
    protobuf a = begin_attribute(name);

    protobuf_text(&a, ATTRIBUTE_S, v);
    end_attribute(g, &a, TYPE_STRING);
}

void onnx_ints(onnx_graph *g, const char *name, const int64_t *v, size_t n)
{
    protobuf a = begin_attribute(name);

    for (size_t i = 0; i < n; i++)
        protobuf_int(&a, ATTRIBUTE_INTS, v[i]);
    end_attribute(g, &a, TYPE_INTS);
}

/* -- constants ----------------------------------------------------------------------------- */

static int add_constant(onnx_graph *g, int value, int type, const int64_t *shape, int ndim, const void *data,
                        size_t bytes)
{
    protobuf t = {.at = NULL};

    for (int i = 0; i < ndim; i++)
        protobuf_int(&t, TENSOR_DIMS, shape[i]);
    protobuf_int(&t, TENSOR_DATA_TYPE, type);
    protobuf_text(&t, TENSOR_NAME, g->names[value]);
    protobuf_bytes(&t, TENSOR_RAW_DATA, data, bytes); /* little-endian, as every machine this runs on */
    protobuf_message(&g->constants, GRAPH_INITIALIZER, &t);
    protobuf_free(&t);
    return value;
}

int onnx_weight(onnx_graph *g, const onnx_call *c, const char *name)
{
    const archai_tensor *t = archai_weights_find(g->weights, c->m, name);

    if (t == NULL)
        return ONNX_NONE;
    for (size_t i = 0; i < g->n_names; i++) /* a layer that is called twice, a weight that is tied */
        if (strcmp(g->names[i], t->name) == 0)
            return (int)i;
    return add_constant(g, onnx_named(g, t->name), t->dtype == ARCHAI_I64 ? DATA_INT64 : DATA_FLOAT,
                        t->shape, t->ndim, t->data, t->bytes);
}

int onnx_number(onnx_graph *g, double v)
{
    const float f = (float)v;

    return onnx_floats(g, &f, NULL, 0);
}

int onnx_floats(onnx_graph *g, const float *v, const int64_t *shape, int ndim)
{
    size_t n = 1;

    for (int i = 0; i < ndim; i++)
        n *= (size_t)shape[i];
    return add_constant(g, new_value(g), DATA_FLOAT, shape, ndim, v, n * sizeof *v);
}

int onnx_filled(onnx_graph *g, float v, const int64_t *shape, int ndim)
{
    size_t n = 1;
    float *all;
    int made;

    for (int i = 0; i < ndim; i++)
        n *= (size_t)shape[i];
    all = archai_malloc(n * sizeof *all + 1);
    for (size_t i = 0; i < n; i++)
        all[i] = v;
    made = onnx_floats(g, all, shape, ndim);
    free(all);
    return made;
}

int onnx_integers(onnx_graph *g, const int64_t *v, size_t n)
{
    return add_constant(g, new_value(g), DATA_INT64, (const int64_t[]){(int64_t)n}, 1, v, n * sizeof *v);
}

int onnx_index(onnx_graph *g, int64_t v)
{
    return add_constant(g, new_value(g), DATA_INT64, NULL, 0, &v, sizeof v);
}

/* -- what several kinds need --------------------------------------------------------------- */

int onnx_with_number(onnx_graph *g, const char *op, int x, double v)
{
    return onnx_op(g, op, 2, x, onnx_number(g, v));
}

int onnx_reshape_to(onnx_graph *g, int x, const int64_t *sizes, size_t n)
{
    int64_t all[2 * ARCHAI_MAX_DIMS] = {0}; /* 0: as it is */

    for (size_t i = 0; i < n; i++)
        all[1 + i] = sizes[i];
    return onnx_op(g, "Reshape", 2, x, onnx_integers(g, all, n + 1));
}

int onnx_reshape(onnx_graph *g, int x, const archai_shape *to)
{
    return onnx_reshape_to(g, x, to->dim, (size_t)to->ndim);
}

int onnx_transpose(onnx_graph *g, int x, const int64_t *order, size_t n)
{
    const int y = onnx_op(g, "Transpose", 1, x);

    onnx_ints(g, "perm", order, n);
    return y;
}

int onnx_slice(onnx_graph *g, int x, int64_t axis, int64_t start, int64_t end, int64_t step)
{
    const int from = onnx_integers(g, &start, 1), to = onnx_integers(g, &end, 1);
    const int along = onnx_integers(g, &axis, 1), by = onnx_integers(g, &step, 1);

    return onnx_op(g, "Slice", 5, x, from, to, along, by);
}

int onnx_repeat(onnx_graph *g, int x, int ndim, int like)
{
    static const int64_t ones[ARCHAI_MAX_DIMS] = {1, 1, 1, 1, 1, 1, 1, 1};
    const int samples = onnx_op(g, "Shape", 1, like);
    int shape;

    onnx_int(g, "start", 0);
    onnx_int(g, "end", 1);
    shape = onnx_op(g, "Concat", 2, samples, onnx_integers(g, ones, (size_t)ndim));
    onnx_int(g, "axis", 0);
    return onnx_op(g, "Expand", 2, x, shape);
}

int onnx_dense(onnx_graph *g, int x, int weight, int bias)
{
    const int y = onnx_op(g, "MatMul", 2, x, weight);

    return bias == ONNX_NONE ? y : onnx_op(g, "Add", 2, y, bias);
}
