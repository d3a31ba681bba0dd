/* On the last dimension, as in PyTorch: [D], [T, D], [H, W, C]. */
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
    return archai_module_layer(parent, name, &archai_kind_linear, (const double[]){in, out, bias});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "in_features=%.0f, out_features=%.0f, bias=%s", m->args[IN], m->args[OUT],
                  m->args[BIAS] != 0 ? "True" : "False");
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[IN]) && in->ndim > 0)
        m->args[IN] = (double)in->dim[in->ndim - 1];
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int64_t n = archai_int(m, IN), to = archai_int(m, OUT);
    int64_t macs, rows = 1;

    if (in->ndim < 1 || in->tokens || in->dim[in->ndim - 1] != n)
        return archai_tally_misfit(t, in, "a last dimension of", n);
    *out = *in;
    out->dim[in->ndim - 1] = to;
    for (int i = 0; i + 1 < in->ndim; i++)
        rows = archai_tally_mul(t, rows, in->dim[i]);
    macs = archai_tally_mul(t, rows, archai_tally_mul(t, n, to));
    archai_tally_charge(t, macs, archai_tally_mul(t, 2, macs),
                        archai_tally_mul(t, rows, archai_tally_mul(t, to, 2 * n - 1)));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {archai_int(m, OUT), archai_int(m, IN)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

const archai_module_kind archai_kind_linear = {.name = "Linear",
                                               .args = args,
                                               .print = print,
                                               .deduce = deduce,
                                               .infer = infer,
                                               .state = state};
