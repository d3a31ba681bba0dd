/* io/model/onnx/graph.h - an ONNX graph in the making: nodes, constants, and the calls of layers that become them.
 *
 * Each kind of core/network/kind/ has one function onnx_call_<name> in a file here, which adds the nodes of one call and returns
 * the value that comes out. A kind without its function does not link. Shapes are those of one sample; in the graph the
 * batch comes in front, of a size that is left open, so that PyTorch's numbering of dimensions is ONNX's.
 * Operators: https://onnx.ai/onnx/operators/, those of opset 17.
 */
#ifndef ARCHAI_IO_MODEL_ONNX_GRAPH_H
#define ARCHAI_IO_MODEL_ONNX_GRAPH_H
#include <math.h>
#include "core/network/kind/kind.h"
#include "io/model/onnx/protobuf.h"
#include "io/model/weights.h"

enum { ONNX_OPSET = 17 };
enum { ONNX_NONE = -1 }; /* an optional input that is left out */

typedef struct onnx_graph {
    const archai_weights *weights; /* borrowed */
    protobuf nodes, constants;     /* fields of GraphProto */
    protobuf node;                 /* the last one, to which attributes may be added */
    char **names;                  /* owned, as is each; of the values */
    size_t n_names, capacity;
    const char *mark; /* borrowed; no tensor's name begins with it, all other values' names do */
} onnx_graph;

/* A call of a layer or operation. */
typedef struct onnx_call {
    const archai_module *m;
    const int *in;           /* [n] values */
    const archai_shape *shape; /* [n] of a sample of each */
    size_t n;
    archai_shape out;
} onnx_call;

/* -- nodes --------------------------------------------------------------------------------- */

/* A node with n inputs (int), its one output returned. Attributes follow. */
int onnx_op(onnx_graph *g, const char *op, int n, ...);
int onnx_op_of(onnx_graph *g, const char *op, const int *in, size_t n);
void onnx_int(onnx_graph *g, const char *name, int64_t v);
void onnx_float(onnx_graph *g, const char *name, double v);
void onnx_text(onnx_graph *g, const char *name, const char *v);
void onnx_ints(onnx_graph *g, const char *name, const int64_t *v, size_t n);
void onnx_end_node(onnx_graph *g);
int onnx_named(onnx_graph *g, const char *name); /* a value that is not a node's: the input */
void onnx_output(onnx_graph *g, int x, const char *name); /* the last node: x, under that name */

/* -- constants ----------------------------------------------------------------------------- */

/* A tensor of the layer, under its name in the state_dict; ONNX_NONE: it has none of that name. */
int onnx_weight(onnx_graph *g, const onnx_call *c, const char *name);
int onnx_number(onnx_graph *g, double v); /* float32, without dimensions */
int onnx_floats(onnx_graph *g, const float *v, const int64_t *shape, int ndim);
int onnx_filled(onnx_graph *g, float v, const int64_t *shape, int ndim);
int onnx_integers(onnx_graph *g, const int64_t *v, size_t n); /* int64 [n] */
int onnx_index(onnx_graph *g, int64_t v);                     /* int64, without dimensions */

/* -- what several kinds need --------------------------------------------------------------- */

int onnx_with_number(onnx_graph *g, const char *op, int x, double v); /* op(x, v) */
/* To the sizes of a sample, the batch left as it is. */
int onnx_reshape(onnx_graph *g, int x, const archai_shape *to);
int onnx_reshape_to(onnx_graph *g, int x, const int64_t *sizes, size_t n); /* the same; one may be -1 */
int onnx_transpose(onnx_graph *g, int x, const int64_t *order, size_t n);  /* the batch among them */
int onnx_slice(onnx_graph *g, int x, int64_t axis, int64_t start, int64_t end, int64_t step);
/* x [1, ...] for each sample of `like`: [N, ...] */
int onnx_repeat(onnx_graph *g, int x, int ndim, int like);
int onnx_dense(onnx_graph *g, int x, int weight, int bias); /* x weight + bias, on the last dimension */
/* Softmax(q scale k^T) v with heads apart: [N, H, T, D], [N, H, S, D], [N, H, S, E] */
int onnx_attend(onnx_graph *g, const int qkv[3], int64_t queries, int64_t keys, double scale, bool causal);

/* -- arguments ----------------------------------------------------------------------------- */

/* Of that name; place 1: the second number of a pair. NaN is None. */
static inline double onnx_real(const onnx_call *c, const char *name, int place)
{
    const double *at = archai_module_arg(c->m, name);

    return at != NULL ? at[place] : NAN;
}

static inline int64_t onnx_arg(const onnx_call *c, const char *name, int place)
{
    const double v = onnx_real(c, name, place);

    return isnan(v) ? 0 : (int64_t)v;
}

static inline bool onnx_is(const onnx_call *c, const char *name)
{
    const double v = onnx_real(c, name, 0);

    return !isnan(v) && v != 0;
}

#define X(name) int onnx_call_##name(onnx_graph *g, const onnx_call *c);
ARCHAI_KINDS(X)
#undef X
#endif
