/* On the last dimension, as in PyTorch: [D], [T, D], [H, W, C]. Linear, and Hugging Face's
 * Conv1D, which keeps its weight the other way round: [in, out]. */
#include <math.h>

#include "core/network/kind/kind.h"

enum { IN, OUT, BIAS };

static const archai_arg args[] = {
    {"in_features", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"out_features", .type = ARCHAI_ARG_INT},
    {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

archai_module *archai_module_linear(archai_module *parent, const char *name, int in, int out,
                                    bool bias)
{
    return archai_module_layer(parent, name, &archai_kind_linear,
                               (const double[]){in, out, bias});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "in_features=%.0f, out_features=%.0f", m->args[IN], m->args[OUT]);
    archai_print_flag(out, ", bias", m->args[BIAS]);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[IN]) && in->ndim > 0)
        m->args[IN] = (double)in->dim[in->ndim - 1];
}

static int infer_linear(archai_tally *t, const archai_shape *in, archai_shape *out,
                        int64_t from, int64_t to)
{
    int64_t macs, rows = 1;

    if (in->ndim < 1 || in->dim[in->ndim - 1] != from)
        return archai_tally_misfit(t, in, "a last dimension of", from);
    *out = *in;
    out->dim[in->ndim - 1] = to;
    for (int i = 0; i + 1 < in->ndim; i++)
        rows = archai_tally_mul(t, rows, in->dim[i]);
    macs = archai_tally_mul(t, rows, archai_tally_mul(t, from, to));
    archai_tally_charge(t, macs, archai_tally_mul(t, 2, macs),
                        archai_tally_mul(t, rows, archai_tally_mul(t, to, 2 * from - 1)));
    return ARCHAI_OK;
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    return infer_linear(t, in, out, archai_int(m, IN), archai_int(m, OUT));
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {archai_int(m, OUT), archai_int(m, IN)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

const archai_module_kind archai_kind_linear = {.name = "Linear",
                                               .ties = true,
                                               .args = args,
                                               .print = print,
                                               .deduce = deduce,
                                               .infer = infer,
                                               .state = state};

/* -- Hugging Face's Conv1D ----------------------------------------------------------------- */

enum { NF, NX };

static const archai_arg transposed_args[] = {
    {"nf", .type = ARCHAI_ARG_INT},
    {"nx", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {.name = NULL},
};

static void deduce_transposed(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[NX]) && in->ndim > 0)
        m->args[NX] = (double)in->dim[in->ndim - 1];
}

static int infer_transposed(archai_tally *t, const archai_module *m, const archai_shape *in,
                            archai_shape *out)
{
    return infer_linear(t, in, out, archai_int(m, NX), archai_int(m, NF));
}

static void state_transposed(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {archai_int(m, NX), archai_int(m, NF)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
    archai_state_add(t, "bias", ARCHAI_F32, true, 1, &shape[1]);
}

const archai_module_kind archai_kind_transposed_linear = {.name = "Conv1D",
                                                          .ties = true,
                                                          .args = transposed_args,
                                                          .deduce = deduce_transposed,
                                                          .infer = infer_transposed,
                                                          .state = state_transposed};
