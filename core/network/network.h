/* core/network/network.h - a model as data: a module tree and a data-flow list.
 *
 * A search space describes its model with these. Parameter and MAC counts, PyTorch's printed form,
 * state_dict names and shapes, and a drawing are derived from the description, without libtorch.
 * shim/ builds and runs exactly this description.
 *
 * Shapes are [C, H, W] of one sample; the batch dimension N is always in front and never named.
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

enum { ARCHAI_MODULE_MAX_ARGS = 16 };

typedef struct archai_module archai_module;
struct archai_module {
    const archai_module_kind *kind;   /* of a layer; NULL: a container */
    char *name;                       /* owned; the child's name in its parent, "" at the root */
    char *class_name;                 /* owned; containers only: "Sequential", "MyModel" */
    int args[ARCHAI_MODULE_MAX_ARGS]; /* layers only; in the order of the kind's names */
    archai_module **children;         /* owned, as is each; containers only */
    size_t n_children, capacity;
};

/* Values are numbered registers: 0 is the input, and each step writes a new one. The last step's
 * `out` is the model's output. */
typedef enum archai_step_op {
    ARCHAI_STEP_CALL,   /* out = module(a) */
    ARCHAI_STEP_ADD,    /* out = a + b */
    ARCHAI_STEP_FLATTEN /* out = a flattened to [C*H*W] */
} archai_step_op;

typedef struct archai_step {
    archai_step_op op;
    const archai_module *module; /* borrowed from the tree; CALL only, a layer */
    int a, b, out;               /* registers; b for ADD only */
} archai_step;

typedef struct archai_network {
    archai_module *root; /* owned */
    archai_step *steps;  /* owned */
    size_t n_steps, capacity;
    int n_values; /* registers in use */
    int input[3]; /* [C, H, W] the counts below are for; H, W may be 0: unknown */
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
/* A layer of any kind; `args` are as many as the kind names and are copied (NULL: it has none). */
archai_module *archai_module_layer(archai_module *parent, const char *name,
                                   const archai_module_kind *kind, const int *args);
void archai_module_destroy(archai_module *m); /* a root; NULL is allowed */

/* Append a step; returns the register it wrote. */
int archai_network_call(archai_network *net, const archai_module *layer, int a);
/* All layers below a module, in order. */
int archai_network_call_all(archai_network *net, const archai_module *sequence, int a);
int archai_network_add(archai_network *net, int a, int b);
int archai_network_flatten(archai_network *net, int a);
void archai_network_fini(archai_network *net); /* safe on a zeroed struct */

/* -- kinds of layers ----------------------------------------------------------------------- */
extern const archai_module_kind *const archai_module_kinds[];        /* NULL-terminated */
const archai_module_kind *archai_module_kind_find(const char *name); /* "Conv2d"; NULL: unknown */
const char *archai_module_class(const archai_module *m); /* as PyTorch prints it; borrowed */
/* The layer's argument of that name (of a pair, the first number); NULL: its kind has none.
 * Borrowed. */
const int *archai_module_arg(const archai_module *m, const char *name);

/* -- derived from a description ---------------------------------------------------------- */
typedef struct archai_counts {
    int64_t params; /* trainable parameters */
    int64_t macs;   /* multiply-accumulates of convolutions and linear layers, one sample */
    int64_t flops;  /* Archai's TorchFlops rules (2 per MAC, + bias, 2 per batch-norm output, 1 per
                       ReLU) */
    int64_t madd;   /* tensorwatch's MAdd (2 per MAC, 4 per batch-norm output, 1 per ReLU) */
    int output[3];  /* [C, H, W]; a flattened output is [C, 1, 1] */
    bool flat;      /* the output is [N, C] rather than [N, C, H, W] */
} archai_counts;

/* Infer shapes and count. With an unknown input size only `params` is set, the others are -1.
 * ARCHAI_EINVAL names the module whose input does not fit. */
int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err);

/* The same without a network, for a chain of layers: begin, each layer in turn (it need not be part
 * of a tree), end. Errors name the layer whose input does not fit. */
typedef struct archai_chain {
    archai_counts counts;
    int64_t c, h, w; /* input of the next layer */
    bool sized, flat, overflow;
} archai_chain;
void archai_chain_begin(archai_chain *chain, const int input[3]);
int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err);
/* What was added since `before` is repeated `times` more times. The output of the repeated part
 * must have the shape of its input. */
void archai_chain_repeat(archai_chain *chain, const archai_chain *before, int64_t times);
void archai_chain_flatten(archai_chain *chain);
int archai_chain_end(archai_chain *chain, archai_counts *out, archai_err *err);

/* Total trainable parameters below a module. */
int64_t archai_module_params(const archai_module *m);

typedef enum archai_dtype {
    ARCHAI_F32,
    ARCHAI_F64,
    ARCHAI_F16,
    ARCHAI_I64,
    ARCHAI_I32,
    ARCHAI_U8,
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
