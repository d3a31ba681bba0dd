/* Batch normalisation with PyTorch's defaults: eps 1e-5, momentum 0.1, affine, running statistics.
 */
#include "core/network/kind/kind.h"

archai_module *archai_module_batch_norm2d(archai_module *parent, const char *name, int features)
{
    return archai_module_layer(parent, name, &archai_kind_batch_norm2d, &features);
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%d, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True",
                  m->args[0]);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    int64_t n;

    if (in->flat || in->c != m->args[0])
        return archai_tally_misfit(t, in, "channels:", m->args[0]);
    *out = *in;
    n = archai_tally_volume(t, in);
    archai_tally_charge(t, 0, archai_tally_mul(t, 2, n), archai_tally_mul(t, 4, n));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t features = m->args[0];

    archai_state_add(t, "weight", ARCHAI_F32, true, 1, &features);
    archai_state_add(t, "bias", ARCHAI_F32, true, 1, &features);
    archai_state_add(t, "running_mean", ARCHAI_F32, false, 1, &features);
    archai_state_add(t, "running_var", ARCHAI_F32, false, 1, &features);
    archai_state_add(t, "num_batches_tracked", ARCHAI_I64, false, 0, NULL);
}

const archai_module_kind archai_kind_batch_norm2d = {.name = "BatchNorm2d",
                                                     .args = {"num_features"},
                                                     .print = print,
                                                     .infer = infer,
                                                     .state = state};
