/* core/network/kind/kind.h - a kind of layer: its PyTorch class and arguments, and what follows
 * from them.
 *
 * A kind is one file here with one `const archai_module_kind archai_kind_<name>`, one line in
 * ARCHAI_KINDS below and, since libtorch has to build it, one row in shim/module.cpp.
 */
#ifndef ARCHAI_CORE_NETWORK_KIND_KIND_H
#define ARCHAI_CORE_NETWORK_KIND_KIND_H
#include "core/network/network.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ARCHAI_KINDS(X)                                                                            \
    X(conv2d)                                                                                      \
    X(batch_norm2d)                                                                                \
    X(relu)                                                                                        \
    X(adaptive_avg_pool2d)                                                                         \
    X(max_pool2d)                                                                                  \
    X(upsample)                                                                                    \
    X(linear)

/* -- shapes and costs --------------------------------------------------------------------- */

typedef struct archai_shape {
    int64_t c, h, w;
    bool flat; /* [c] rather than [c, h, w]; h and w are 1 */
} archai_shape;

/* Where the costs of layers are added up; the rules are those of the profilers that Archai uses. */
typedef struct archai_tally {
    archai_counts *counts;
    archai_err *err;
    const archai_module *module; /* for messages */
    bool overflow;               /* seen in any of the sums and products below */
} archai_tally;

static inline int64_t archai_tally_mul(archai_tally *t, int64_t a, int64_t b)
{
    int64_t r = 0;

    t->overflow |= __builtin_mul_overflow(a, b, &r);
    return r;
}

static inline int64_t archai_tally_add(archai_tally *t, int64_t a, int64_t b)
{
    int64_t r = 0;

    t->overflow |= __builtin_add_overflow(a, b, &r);
    return r;
}

/* Number of values of that shape. */
static inline int64_t archai_tally_volume(archai_tally *t, const archai_shape *s)
{
    return archai_tally_mul(t, s->c, archai_tally_mul(t, s->h, s->w));
}

static inline void archai_tally_charge(archai_tally *t, int64_t macs, int64_t flops, int64_t madd)
{
    t->counts->macs = archai_tally_add(t, t->counts->macs, macs);
    t->counts->flops = archai_tally_add(t, t->counts->flops, flops);
    t->counts->madd = archai_tally_add(t, t->counts->madd, madd);
}

/* Output size of a window that slides over `in` pixels; below 1 it does not fit. */
static inline int64_t archai_window(int64_t in, int kernel, int stride, int padding)
{
    const int64_t room = in + 2 * (int64_t)padding - kernel;

    return room < 0 ? 0 : room / stride + 1;
}

/* ARCHAI_EINVAL: "module 'NAME': its input is C x H x W, expected EXPECTED VALUE". */
int archai_tally_misfit(const archai_tally *t, const archai_shape *in, const char *expected,
                        int64_t value);

/* -- tensors ------------------------------------------------------------------------------ */

/* The state_dict entries of layers, or only their number of trainable values. */
typedef struct archai_state_list {
    int64_t params;
    const char *prefix; /* NULL: only counted */
    archai_state_entry *at;
    size_t n, capacity;
} archai_state_list;

void archai_state_append(archai_state_list *t, const char *name, archai_dtype dtype, int ndim,
                         const int64_t *shape);

/* Add a tensor; `trained`: a parameter, else a buffer. */
static inline void archai_state_add(archai_state_list *t, const char *name, archai_dtype dtype,
                                    bool trained, int ndim, const int64_t *shape)
{
    int64_t n = trained;

    for (int i = 0; i < ndim; i++)
        n *= shape[i];
    t->params += n;
    if (t->prefix != NULL)
        archai_state_append(t, name, dtype, ndim, shape);
}

/* -- the kind ----------------------------------------------------------------------------- */

struct archai_module_kind {
    const char *name; /* PyTorch's class: "Conv2d" */
    /* Names of archai_module.args, in order; "": the second number of a pair [h, w]. NULL ends. */
    const char *args[ARCHAI_MODULE_MAX_ARGS + 1];
    /* (optional) what PyTorch prints between the parentheses. */
    void (*print)(const archai_module *m, FILE *out);
    /* The output's shape, and the cost of one sample by archai_tally_charge. */
    int (*infer)(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out);
    /* (optional) its tensors in PyTorch's order, by archai_state_add. */
    void (*state)(const archai_module *m, archai_state_list *t);
};

/* "kernel_size=(3, 3)" */
void archai_print_pair(FILE *out, const char *name, const int pair[2]);

#define X(name) extern const archai_module_kind archai_kind_##name;
ARCHAI_KINDS(X)
#undef X

#ifdef __cplusplus
}
#endif
#endif
