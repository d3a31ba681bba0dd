/* Arithmetic of values with PyTorch's broadcasting over the dimensions of one sample, and with
 * a number. The profilers see calls of functions and modules, not operators: none of it costs.
 */
#include "core/network/kind/kind.h"

/* The smaller one's dimensions are the last ones; a size of 1 is repeated. */
static bool broadcast(archai_shape *a, const archai_shape *b)
{
    const int ndim = a->ndim > b->ndim ? a->ndim : b->ndim;
    archai_shape made = {.ndim = ndim, .tokens = a->tokens && b->tokens};

    for (int i = 1; i <= ndim; i++) {
        const int64_t x = i <= a->ndim ? a->dim[a->ndim - i] : 1;
        const int64_t y = i <= b->ndim ? b->dim[b->ndim - i] : 1;

        if (x != y && x != 1 && y != 1)
            return false;
        made.dim[ndim - i] = x != 1 ? x : y;
    }
    *a = made;
    return true;
}

static int infer_of(archai_tally *t, const archai_shape *in, archai_shape *out,
                    const char *what)
{
    char a[ARCHAI_SHAPE_TEXT], b[ARCHAI_SHAPE_TEXT];

    *out = in[0];
    for (size_t i = 1; i < t->n_inputs; i++)
        if (!broadcast(out, &in[i]))
            return archai_fail(t->err, ARCHAI_EINVAL, "a %s of %s and %s", what,
                               archai_shape_text(out, a), archai_shape_text(&in[i], b));
    return ARCHAI_OK;
}

#define OPERATION(NAME, WHAT, SIGN, MOST)                                                      \
    static int infer_##NAME(archai_tally *t, const archai_module *m, const archai_shape *in,   \
                            archai_shape *out)                                                 \
    {                                                                                          \
        (void)m;                                                                               \
        return infer_of(t, in, out, WHAT);                                                     \
    }                                                                                          \
    const archai_module_kind archai_kind_##NAME = {.name = #NAME,                              \
                                                   .printed_class = SIGN,                      \
                                                   .min_inputs = 2,                            \
                                                   .max_inputs = MOST,                         \
                                                   .infer = infer_##NAME}

OPERATION(add, "sum", "+", SIZE_MAX);
OPERATION(multiply, "product", "*", SIZE_MAX);
OPERATION(subtract, "difference", "-", 2);
OPERATION(divide, "quotient", "/", 2);
OPERATION(maximum, "maximum", "maximum", SIZE_MAX);
OPERATION(minimum, "minimum", "minimum", SIZE_MAX);

/* -- with a number ------------------------------------------------------------------------- */

static const archai_arg scale_args[] = {
    {"factor", .type = ARCHAI_ARG_REAL},
    {.name = NULL},
};

static void print_factor(const archai_module *m, FILE *out)
{
    archai_print_real(out, "factor", m->args[0]);
}

const archai_module_kind archai_kind_scale = {
    .name = "scale", .args = scale_args, .print = print_factor, .infer = archai_infer_same};

static const archai_arg shift_args[] = {
    {"amount", .type = ARCHAI_ARG_REAL},
    {.name = NULL},
};

static void print_amount(const archai_module *m, FILE *out)
{
    archai_print_real(out, "amount", m->args[0]);
}

const archai_module_kind archai_kind_shift = {
    .name = "shift", .args = shift_args, .print = print_amount, .infer = archai_infer_same};
