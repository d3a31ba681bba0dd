#include "core/network/kind/kind.h"

enum { IN, OUT, BIAS };

archai_module *archai_module_linear(archai_module *parent, const char *name, int in, int out,
                                    bool bias)
{
    return archai_module_layer(parent, name, &archai_kind_linear, (const int[]){in, out, bias});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "in_features=%d, out_features=%d, bias=%s", m->args[IN], m->args[OUT],
                  m->args[BIAS] ? "True" : "False");
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int64_t n = m->args[IN], to = m->args[OUT];
    const int64_t macs = archai_tally_mul(t, n, to);

    if (!in->flat || in->c != n)
        return archai_tally_misfit(t, in, "a flat vector of", n);
    *out = (archai_shape){.c = to, .h = 1, .w = 1, .flat = true};
    archai_tally_charge(t, macs, archai_tally_mul(t, 2, macs), archai_tally_mul(t, to, 2 * n - 1));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {m->args[OUT], m->args[IN]};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
    if (m->args[BIAS])
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

const archai_module_kind archai_kind_linear = {
    .name = "Linear",
    .args = {"in_features", "out_features", "bias"},
    .print = print,
    .infer = infer,
    .state = state,
};
