/* core/network/network.h - a model as data: a module tree and a data-flow list.
 *
 * A search space describes its model with these; from the description follow, without libtorch,
 * parameter and MAC counts, PyTorch's printed form, state_dict names and shapes and a drawing.
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

typedef enum archai_module_kind {
    ARCHAI_MODULE_CONTAINER, /* Sequential, ModuleDict or a class of the space's own */
    ARCHAI_MODULE_CONV2D,
    ARCHAI_MODULE_BATCH_NORM2D,
    ARCHAI_MODULE_RELU,
    ARCHAI_MODULE_ADAPTIVE_AVG_POOL2D,
    ARCHAI_MODULE_MAX_POOL2D,
    ARCHAI_MODULE_UPSAMPLE, /* nearest, by fixed size or by integer factor */
    ARCHAI_MODULE_LINEAR,
    ARCHAI_MODULE_KIND_COUNT
} archai_module_kind;

typedef struct archai_module archai_module;
struct archai_module {
    archai_module_kind kind;
    char *name;       /* owned; the child's name in its parent, "" at the root */
    char *class_name; /* owned; containers only: "Sequential", "MyModel" */
    union {
        struct {
            int in_channels, out_channels, kernel[2], stride[2], padding[2], groups;
            bool bias;
        } conv;                                    /* [h, w] pairs */
        struct { int num_features; } norm;         /* eps 1e-5, momentum 0.1, affine, running stats */
        struct { int output[2]; } adaptive;
        struct { int kernel, stride, padding; } pool;
        struct { int size[2]; int factor; } up;    /* factor 0: size is [h, w]; else by factor */
        struct { int in_features, out_features; bool bias; } linear;
    } u;
    archai_module **children; /* owned, as is each */
    size_t n_children, capacity;
};

/* Values are numbered registers: 0 is the input, each step writes a register of its own or adds
 * into one already written. The last step's `out` is the model's output. */
typedef enum archai_step_op {
    ARCHAI_STEP_CALL,   /* out = module(a) */
    ARCHAI_STEP_ADD,    /* out = a + b */
    ARCHAI_STEP_FLATTEN /* out = a flattened to [C*H*W] */
} archai_step_op;

typedef struct archai_step {
    archai_step_op op;
    const archai_module *module; /* borrowed from the tree; CALL only, a leaf */
    int a, b, out;               /* registers; b for ADD only */
} archai_step;

typedef struct archai_network {
    archai_module *root; /* owned */
    archai_step *steps;  /* owned */
    size_t n_steps, capacity;
    int n_values;        /* registers in use */
    int input[3];        /* [C, H, W] the counts below are for; H, W may be 0: unknown */
} archai_network;

/* -- building (by spaces) ---------------------------------------------------------------- */
/* Each returns the new child, owned by `parent` (NULL: a new root, owned by the caller); never NULL. */
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
void archai_module_destroy(archai_module *m); /* a root; NULL is allowed */

/* Append a step; returns the register it wrote. */
int archai_network_call(archai_network *net, const archai_module *leaf, int a);
int archai_network_call_all(archai_network *net, const archai_module *sequence, int a); /* leaves in order */
int archai_network_add(archai_network *net, int a, int b);
int archai_network_flatten(archai_network *net, int a);
void archai_network_fini(archai_network *net); /* safe on a zeroed struct */

/* -- what follows from a description ------------------------------------------------------- */
typedef struct archai_counts {
    int64_t params; /* trainable parameters */
    int64_t macs;   /* multiply-accumulates of convolutions and linear layers, one sample */
    int64_t flops;  /* Archai's TorchFlops rules (2 per MAC, + bias, 2 per batch-norm output, 1 per ReLU) */
    int64_t madd;   /* tensorwatch's MAdd (2 per MAC, 4 per batch-norm output, 1 per ReLU) */
    int output[3];  /* [C, H, W]; a flattened output is [C, 1, 1] */
    bool flat;      /* the output is [N, C] rather than [N, C, H, W] */
} archai_counts;

/* Infer shapes and count. With an unknown input size only `params` is set, the others are -1.
 * ARCHAI_EINVAL names the module whose input does not fit. */
int archai_network_count(const archai_network *net, archai_counts *out, archai_err *err);

/* The same without a network, one layer of a chain after the other: begin, then each layer in turn (a
 * leaf, which need not stand in any tree), then the end. What does not fit is said by the name of the
 * layer. */
typedef struct archai_chain {
    archai_counts counts;
    int64_t c, h, w; /* of what the next layer gets */
    bool sized, flat, overflow;
} archai_chain;
void archai_chain_begin(archai_chain *chain, const int input[3]);
int archai_chain_layer(archai_chain *chain, const archai_module *m, archai_err *err);
/* What came since `before` comes so many times more: only where the last of it gives what the first of it
 * gets. */
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
const char *archai_dtype_name(archai_dtype t); /* "float32", "int64", ... as PyTorch and numpy say */

enum { ARCHAI_MAX_DIMS = 8 };
typedef struct archai_state_entry {
    char *name;      /* owned; dotted state_dict name */
    archai_dtype dtype;
    int ndim;        /* 0 for scalars such as num_batches_tracked */
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
