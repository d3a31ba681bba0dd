/* Functions of each value, by PyTorch's names. As calls of torch's functions and of operators,
 * none of them is seen by the profilers: none costs. What has no value, the logarithm of a
 * negative number, is NaN as in PyTorch. */
#include <math.h>

#include "core/network/kind/kind.h"

#define FUNCTION(NAME)                                                                         \
    const archai_module_kind archai_kind_##NAME = {.name = #NAME, .infer = archai_infer_same}

FUNCTION(exp);
FUNCTION(log);
FUNCTION(sqrt);
FUNCTION(square);
FUNCTION(abs);
FUNCTION(sin);
FUNCTION(cos);

/* -- with numbers -------------------------------------------------------------------------- */

enum { MIN, MAX };

static const archai_arg clamp_args[] = {
    {"min", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE},
    {"max", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE},
    {.name = NULL},
};

static void print_clamp(const archai_module *m, FILE *out)
{
    archai_print_real(out, "min", m->args[MIN]);
    archai_print_real(out, ", max", m->args[MAX]);
}

/* PyTorch takes a min above the max and gives the max, which nobody means. */
static int infer_clamp(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    if (isnan(m->args[MIN]) && isnan(m->args[MAX]))
        return archai_tally_fail(t, "needs one of 'min' and 'max', or both");
    if (m->args[MIN] > m->args[MAX])
        return archai_tally_fail(t, "its min is greater than its max");
    return archai_infer_same(t, m, in, out);
}

const archai_module_kind archai_kind_clamp = {
    .name = "clamp", .args = clamp_args, .print = print_clamp, .infer = infer_clamp};

static const archai_arg pow_args[] = {
    {"exponent", .type = ARCHAI_ARG_REAL},
    {.name = NULL},
};

static void print_pow(const archai_module *m, FILE *out)
{
    archai_print_real(out, "exponent", m->args[0]);
}

const archai_module_kind archai_kind_pow = {
    .name = "pow", .args = pow_args, .print = print_pow, .infer = archai_infer_same};
