/* core/network/network.h - a model as data: a module tree and a data-flow list.
 *
 * A search space describes its model with these. Parameter and MAC counts, PyTorch's printed form,
 * state_dict names and shapes, and a drawing are derived from the description, without libtorch.
 * shim/ builds and runs exactly this description.
 *
 * Shapes are those of one sample: [C, H, W], [T, D], [D], or [T] for tokens. The batch dimension N
 * is always in front and never part of a shape. Where an argument names a dimension, PyTorch's
 * numbering holds: 0 is the batch, 1 the first of the shape, -1 the last.
 */
#ifndef ARCHAI_CORE_NETWORK_NETWORK_H
#define ARCHAI_CORE_NETWORK_NETWORK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct archai_module_kind archai_module_kind; /* core/network/kind/kind.h */

enum { ARCHAI_MODULE_MAX_ARGS = 24, ARCHAI_SHAPE_MAX = 6 };

/* What the data set tells a space; zeros where it is unknown. */
typedef struct archai_data_shape {
    int channels, height, width; /* of one image */
    int num_classes;
    int tokens, vocab; /* of one sequence of int64 tokens */
    int features;      /* of one row of numbers */
} archai_data_shape;

typedef struct archai_shape {
    int64_t dim[ARCHAI_SHAPE_MAX];
    int ndim;
    bool tokens; /* int64 rather than float32 */
} archai_shape;

/* Arguments are numbers under PyTorch's names, in the order of the kind's table: a flag is 0 or 1,
 * a word its place among the words that the kind takes (core/network/kind/kind.h); NaN is None. */
typedef struct archai_module archai_module;
struct archai_module {
    const archai_module_kind *kind;      /* of a layer or an operation; NULL: a container */
    char *name;                          /* owned; the child's name in its parent, "" at the root */
    char *class_name;                    /* owned; containers only: "Sequential", "MyModel" */
    char *extra;                         /* owned; containers only: a line that PyTorch prints before
                                            the children (extra_repr); NULL: none */
    double args[ARCHAI_MODULE_MAX_ARGS]; /* layers and operations only */
    const archai_module *tied;           /* borrowed from the same tree: its `weight` is this one's, too */
    double init_std;                     /* > 0: the weight begins normal with this deviation, the bias
                                            at 0; 0: both begin as in PyTorch */
    const char *const *unused;           /* borrowed, static; containers only: buffers that weights may
                                            hold and nothing here needs (causal masks), to a NULL */
    archai_module **children;            /* owned, as is each; containers only */
    size_t n_children, capacity;
};

/* Values are numbered registers: 0 is the input, and each step writes a new one. The last step's
 * `out` is the model's output. */
typedef struct archai_step {
    const archai_module *module; /* borrowed: a layer of the tree, or one of the operations */
    int *inputs;                 /* owned; registers */
    size_t n_inputs;
    int out;
} archai_step;

typedef struct archai_network {
    archai_module *root; /* owned */
    archai_step *steps;  /* owned */
    size_t n_steps, capacity;
    archai_module *operations; /* owned; nameless root of those that steps apply: its children */
    int n_values;              /* registers in use */
    int input[ARCHAI_SHAPE_MAX]; /* what the counts below are for: [C, H, W], with H and W 0 where
                                    unknown; or n_input sizes */
    int n_input;                 /* 0 stands for 3 */
    bool tokens;                 /* the input is int64 */
} archai_network;

/* -- building (by spaces) ---------------------------------------------------------------- */
/* Each returns the new child, owned by `parent` (NULL: a new root, owned by the caller); never
 * NULL. */
archai_module *archai_module_container(archai_module *parent, const char *name,
                                       const char *class_name);
archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias);
archai_module *archai_module_batch_norm2d(archai_module *parent, const char *name, int features);
archai_module *archai_module_relu(archai_module *parent, const char *name);
archai_module *archai_module_adaptive_avg_pool2d(archai_module *parent, const char *name, int h,
                                                 int w);
archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding);
archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h, int w);
archai_module *archai_module_upsample_factor(archai_module *parent, const char *name, int factor);
archai_module *archai_module_linear(archai_module *parent, const char *name, int in, int out,
                                    bool bias);
/* A layer of any kind; `args` are as many as its kind has and are copied (NULL: the defaults). */
archai_module *archai_module_layer(archai_module *parent, const char *name,
                                   const archai_module_kind *kind, const double *args);
/* The kind's defaults; NaN for what is None, must be given or follows from the input. */
void archai_module_defaults(const archai_module_kind *kind, double args[ARCHAI_MODULE_MAX_ARGS]);
/* Set the arguments that were not given (NaN) and follow from the shapes of its inputs. */
void archai_module_deduce(archai_module *m, const archai_shape *in, size_t n);
/* Name of an argument that is still missing; NULL: none. Borrowed. */
const char *archai_module_missing(const archai_module *m);
void archai_module_destroy(archai_module *m); /* a root; NULL is allowed */

/* Append a step; returns the register it wrote. */
int archai_network_call(archai_network *net, const archai_module *layer, int a);
/* All layers below a module, in order. */
int archai_network_call_all(archai_network *net, const archai_module *sequence, int a);
/* A layer with several inputs. */
int archai_network_call_many(archai_network *net, const archai_module *layer, const int *inputs,
                             size_t n);
/* An operation without a place in the tree (a kind with a small name: "add"); `args` as above. */
int archai_network_apply(archai_network *net, const archai_module_kind *kind, const double *args,
                         const int *inputs, size_t n);
int archai_network_add(archai_network *net, int a, int b);
int archai_network_flatten(archai_network *net, int a);
void archai_network_fini(archai_network *net); /* safe on a zeroed struct */

/* -- kinds of layers ----------------------------------------------------------------------- */
extern const archai_module_kind *const archai_module_kinds[];        /* NULL-terminated */
const archai_module_kind *archai_module_kind_find(const char *name); /* "Conv2d"; NULL: unknown */
const char *archai_module_class(const archai_module *m); /* as PyTorch prints it; borrowed */
/* The argument of that name (of a pair, the first number; of a list, how many numbers follow);
 * NULL: its kind has none. Borrowed. */
const double *archai_module_arg(const archai_module *m, const char *name);

/* -- derived from a description ---------------------------------------------------------- */
typedef struct archai_counts {
    int64_t params; /* trainable parameters */
    int64_t embedding_params; /* those of them that layers of kind Embedding have */
    int64_t macs;   /* multiply-accumulates of convolutions and linear layers, one sample */
    int64_t flops;  /* Archai's TorchFlops rules (2 per MAC, + bias, 2 per batch-norm output, 1 per
                       ReLU) */
    int64_t madd;   /* tensorwatch's MAdd (2 per MAC, 4 per batch-norm output, 1 per ReLU) */
    archai_shape output; /* ndim 0: unknown */
} archai_counts;

/* Infer shapes and count. With an unknown input size only `params` is set, the others are -1.
 * ARCHAI_EINVAL names the module whose input does not fit. */
int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err);
archai_shape archai_network_input(const archai_network *net);
/* What one layer or operation makes of its inputs' shapes [n], for a network that still grows. Its
 * cost is added to `counts`, but for the parameters; NULL: not wanted. */
int archai_module_infer(const archai_module *m, const archai_shape *in, size_t n,
                        archai_counts *counts, archai_shape *out, archai_err *err);
bool archai_shape_equal(const archai_shape *a, const archai_shape *b);
enum { ARCHAI_SHAPE_TEXT = 160 };
/* "[3, 32, 32]"; returns `text`. */
const char *archai_shape_text(const archai_shape *s, char text[ARCHAI_SHAPE_TEXT]);

/* The same without a network, for a chain of layers: begin, each layer in turn (it need not be part
 * of a tree), end. Errors name the layer whose input does not fit. */
typedef struct archai_chain {
    archai_counts counts;
    archai_shape shape; /* input of the next layer */
    bool sized, overflow;
} archai_chain;
void archai_chain_begin(archai_chain *chain, const int input[3]);
/* The layer's arguments are within the bounds of its kind: the caller made them, no file. */
int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err);
/* What was added since `before` is repeated `times` more times. The output of the repeated part
 * must have the shape of its input. */
void archai_chain_repeat(archai_chain *chain, const archai_chain *before, int64_t times);
void archai_chain_flatten(archai_chain *chain);
int archai_chain_end(archai_chain *chain, archai_counts *out, archai_err *err);

/* Total trainable parameters below a module; a tied weight counts where it is, not where it is
 * used again. */
int64_t archai_module_params(const archai_module *m);

typedef enum archai_dtype {
    ARCHAI_F32,
    ARCHAI_F64,
    ARCHAI_F16,
    ARCHAI_I64,
    ARCHAI_I32,
    ARCHAI_U8,
    /* What users' programs and other frameworks hand over; no kind of module here has these. */
    ARCHAI_BF16,
    ARCHAI_BOOL, /* a byte, 0 or 1 */
    ARCHAI_I8,
    ARCHAI_I16,
    ARCHAI_U16,
    ARCHAI_U32,
    ARCHAI_U64,
    ARCHAI_C64, /* two float32: real and imaginary part */
    ARCHAI_F8_E4M3,
    ARCHAI_F8_E5M2,
    ARCHAI_F8_E8M0,
    ARCHAI_DTYPE_COUNT
} archai_dtype;
size_t archai_dtype_size(archai_dtype t); /* bytes per element */
const char *
archai_dtype_name(archai_dtype t); /* "float32", "int64", ... as PyTorch and numpy say */

enum { ARCHAI_MAX_DIMS = 8 };
typedef struct archai_state_entry {
    char *name; /* owned; dotted state_dict name */
    archai_dtype dtype;
    int ndim; /* 0 for scalars such as num_batches_tracked */
    int64_t shape[ARCHAI_MAX_DIMS];
} archai_state_entry;
/* state_dict entries in PyTorch's order of registration; caller frees with archai_state_free. */
archai_state_entry *archai_module_state(const archai_module *root, size_t *n);
void archai_state_free(archai_state_entry *entries, size_t n);

/* PyTorch's repr() of the root, without a final newline. */
int archai_module_print(const archai_module *root, FILE *out);
/* Graphviz digraph of the data flow. */
int archai_network_dot(const archai_network *net, const char *title, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
