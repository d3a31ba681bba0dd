/* core/network/kind/kind.h - a kind of layer or operation: its name and arguments in PyTorch, and
 * what follows from them.
 *
 * A kind is one file here with one `const archai_module_kind archai_kind_<name>`, one line in
 * ARCHAI_KINDS below and, since libtorch has to build it, one function in shim/module/.
 */
#ifndef ARCHAI_CORE_NETWORK_KIND_KIND_H
#define ARCHAI_CORE_NETWORK_KIND_KIND_H
#include <string.h>
#include "core/network/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define ARCHAI_KINDS(X)                                                                            \
    X(learned_positions) X(opt_learned_positions)                                                  \
    X(conv1d) X(conv2d) X(conv_transpose2d) X(linear) X(transposed_linear)                         \
    X(embedding) X(parameter) X(multihead_attention)                                               \
    X(batch_norm1d) X(batch_norm2d) X(instance_norm2d)                                             \
    X(layer_norm) X(rms_norm) X(group_norm) X(local_response_norm)                                 \
    X(relu) X(relu6) X(leaky_relu) X(elu) X(prelu) X(selu) X(gelu) X(new_gelu) X(quick_gelu)       \
    X(silu) X(mish) X(hardswish) X(hardsigmoid) X(hardtanh) X(sigmoid) X(tanh) X(softplus)         \
    X(softmax_layer) X(log_softmax)                                                                \
    X(identity) X(zero) X(dropout) X(dropout2d) X(stochastic_depth)                                \
    X(max_pool1d) X(max_pool2d) X(avg_pool1d) X(avg_pool2d)                                        \
    X(adaptive_avg_pool1d) X(adaptive_avg_pool2d) X(adaptive_max_pool2d)                           \
    X(upsample) X(pixel_shuffle) X(channel_shuffle) X(zero_pad2d) X(flatten_layer) X(unflatten)    \
    X(add) X(multiply) X(subtract) X(divide) X(maximum) X(minimum) X(scale) X(shift)               \
    X(exp) X(log) X(sqrt) X(square) X(abs) X(sin) X(cos) X(clamp) X(pow)                           \
    X(concat) X(matmul) X(attention) X(rotary)                                                     \
    X(mean) X(sum) X(amax) X(softmax) X(normalize) X(pad) X(positions)                             \
    X(flatten) X(permute) X(transpose) X(reshape) X(slice) X(select) X(chunk)
/* clang-format on */

/* -- shapes and costs --------------------------------------------------------------------- */

/* Where the costs of layers are added up; the rules are those of the profilers that Archai uses. */
typedef struct archai_tally {
    archai_counts *counts;
    archai_err *err;
    const archai_module *module; /* for messages */
    size_t n_inputs;
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
    int64_t n = 1;

    for (int i = 0; i < s->ndim; i++)
        n = archai_tally_mul(t, n, s->dim[i]);
    return n;
}

static inline void archai_tally_charge(archai_tally *t, int64_t macs, int64_t flops, int64_t madd)
{
    t->counts->macs = archai_tally_add(t, t->counts->macs, macs);
    t->counts->flops = archai_tally_add(t, t->counts->flops, flops);
    t->counts->madd = archai_tally_add(t, t->counts->madd, madd);
}

static inline archai_shape archai_image(int64_t c, int64_t h, int64_t w)
{
    return (archai_shape){.dim = {c, h, w}, .ndim = 3, .tokens = false};
}

static inline archai_shape archai_vector(int64_t n)
{
    return (archai_shape){.dim = {n}, .ndim = 1, .tokens = false};
}

/* Output size of a window of `span` pixels that slides over `in`; below 1 it does not fit. */
static inline int64_t archai_window(int64_t in, int64_t span, int64_t stride, int64_t padding)
{
    const int64_t room = in + 2 * padding - span;

    return room < 0 || stride < 1 ? 0 : room / stride + 1;
}

/* ARCHAI_EINVAL: "module 'NAME': its input is [C, H, W], expected EXPECTED VALUE". */
int archai_tally_misfit(const archai_tally *t, const archai_shape *in, const char *expected,
                        int64_t value);
/* The same with "expected" and any text. */
int archai_tally_expected(const archai_tally *t, const archai_shape *in, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* ARCHAI_EINVAL: "module 'NAME': TEXT", about its arguments or several inputs. */
int archai_tally_fail(const archai_tally *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Is it [C, H, W]? */
int archai_tally_image(const archai_tally *t, const archai_shape *in);
/* A dimension in PyTorch's numbering, 1 to ndim or negative from the end: its place in the shape.
 * The batch, 0, and what does not exist are refused. */
int archai_tally_dim(const archai_tally *t, const archai_shape *in, int64_t dim, int *place);
/* For `infer`: the output is the input, and costs nothing. */
int archai_infer_same(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out);

/* -- tensors ------------------------------------------------------------------------------ */

/* The state_dict entries of layers, or only their number of trainable values. */
typedef struct archai_state_list {
    int64_t params;
    bool tied; /* the module's `weight` belongs to another and is not counted */
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
    int64_t n = trained && !(t->tied && strcmp(name, "weight") == 0);

    for (int i = 0; i < ndim; i++)
        if (__builtin_mul_overflow(n, shape[i], &n))
            n = INT64_MAX; /* more than any memory */
    if (__builtin_add_overflow(t->params, n, &t->params))
        t->params = INT64_MAX;
    if (t->prefix != NULL)
        archai_state_append(t, name, dtype, ndim, shape);
}

/* -- arguments ----------------------------------------------------------------------------- */

typedef enum archai_arg_type {
    ARCHAI_ARG_INT,  /* 1 number */
    ARCHAI_ARG_REAL, /* 1 */
    ARCHAI_ARG_FLAG, /* 1: 0 or 1 */
    ARCHAI_ARG_WORD, /* 1: the place of a word in `words` */
    ARCHAI_ARG_PAIR, /* 2: [h, w]; given as one number or two */
    ARCHAI_ARG_LIST, /* 1 + ARCHAI_ARG_LIST_MAX: how many, then the whole numbers */
} archai_arg_type;

enum { ARCHAI_ARG_LIST_MAX = ARCHAI_SHAPE_MAX + 1 };

typedef enum archai_arg_need {
    ARCHAI_ARG_GIVEN,   /* must be given */
    ARCHAI_ARG_DEFAULT, /* else .standard */
    ARCHAI_ARG_DEDUCED, /* else the kind's deduce sets it */
    ARCHAI_ARG_NONE,    /* else it is None, or the module's own rule holds */
    ARCHAI_ARG_NULLABLE, /* else .standard; it may be given as None */
} archai_arg_need;

typedef struct archai_arg {
    const char *name; /* PyTorch's */
    archai_arg_type type;
    archai_arg_need need;
    double standard;  /* DEFAULT, NULLABLE; of both numbers of a pair; how many a list has (0s) */
    double low, high; /* of each number; both 0: INT and PAIR from 1 to INT32_MAX, LIST and REAL any */
    /* WORD: what it takes. INT and PAIR: words that stand for a number (padding "same"); the first
     * is stored as -1, the next as -2. NULL ends. */
    const char *const *words;
} archai_arg;

/* How many of archai_module.args it takes. */
static inline size_t archai_arg_width(const archai_arg *a)
{
    return a->type == ARCHAI_ARG_PAIR ? 2 : a->type == ARCHAI_ARG_LIST ? 1 + ARCHAI_ARG_LIST_MAX : 1;
}

/* The bounds of each of its numbers, without the words. */
void archai_arg_bounds(const archai_arg *a, double *low, double *high);

/* A whole number among the arguments; 0 where there is none, or one that no bounds allow. */
static inline int64_t archai_int(const archai_module *m, size_t place)
{
    const double v = m->args[place];

    return v > -1e15 && v < 1e15 ? (int64_t)v : 0;
}

/* Are all arguments given that must be, and within the bounds of the kind's table? ARCHAI_EINVAL:
 * "module 'NAME': stride is 0, expected 1 to 2147483647". */
int archai_module_check(const archai_module *m, archai_err *err);

/* -- the kind ----------------------------------------------------------------------------- */

struct archai_module_kind {
    /* A layer has PyTorch's class, "Conv2d", and a place in the module tree. An operation has a small
     * name, "add", and no place: a step applies it. */
    const char *name;
    const archai_arg *args; /* ends with a name of NULL; NULL: none */
    /* How many values it takes; 0 and 0 stand for 1 and 1. */
    size_t min_inputs, max_inputs;
    /* (optional) its one tensor is a parameter of the module around it, under the layer's name. */
    bool own;
    bool ties;         /* its weight may be another layer's */
    bool takes_tokens; /* its inputs may be int64; others take float32 alone */
    /* (optional) what PyTorch prints between the parentheses. */
    void (*print)(const archai_module *m, FILE *out);
    /* (optional) the one child that PyTorch prints below: "(out_proj): ..." */
    void (*print_child)(const archai_module *m, FILE *out);
    const char *printed_class; /* (optional) what PyTorch prints instead of `name` */
    /* (optional) set arguments that are NaN from the inputs' shapes and the other arguments. */
    void (*deduce)(archai_module *m, const archai_shape *in, size_t n);
    /* The output's shape, and the cost of one sample by archai_tally_charge. `in` [t->n_inputs]; sizes
     * are 1 to INT32_MAX. The arguments are within the bounds of `args`; what else they must fulfil is
     * checked here, before anything is divided by them. */
    int (*infer)(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out);
    /* (optional) its tensors in PyTorch's order, by archai_state_add. */
    void (*state)(const archai_module *m, archai_state_list *t);
};

static inline bool archai_kind_is_operation(const archai_module_kind *k)
{
    return k->name[0] >= 'a' && k->name[0] <= 'z';
}

/* "kernel_size=(3, 3)" */
void archai_print_pair(FILE *out, const char *name, const double pair[2]);
/* "kernel_size=3", or "kernel_size=(3, 1)" where the two differ. */
void archai_print_size(FILE *out, const char *name, const double pair[2]);
/* "eps=1e-05"; NaN: "eps=None" */
void archai_print_real(FILE *out, const char *name, double v);
/* "affine=True" */
void archai_print_flag(FILE *out, const char *name, double v);
/* "(3,)", "(2, 3)"; `list` as among the arguments */
void archai_print_list(FILE *out, const double *list);

#define X(name) extern const archai_module_kind archai_kind_##name;
ARCHAI_KINDS(X)
#undef X

#ifdef __cplusplus
}
#endif
#endif
