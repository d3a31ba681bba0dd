/* Batch normalisation with PyTorch's defaults: eps 1e-5, momentum 0.1, affine, running statistics.
 */
#include <math.h>

#include "core/network/kind/kind.h"

static const archai_arg args[] = {
    {"num_features", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {.name = NULL},
};

archai_module *archai_module_batch_norm2d(archai_module *parent, const char *name, int features)
{
    return archai_module_layer(parent, name, &archai_kind_batch_norm2d,
                               (const double[]){features});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True",
                  m->args[0]);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[0]) && in->ndim == 3)
        m->args[0] = (double)in->dim[0];
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    int64_t n;

    if (in->ndim != 3 || in->dim[0] != archai_int(m, 0))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, 0));
    *out = *in;
    n = archai_tally_volume(t, in);
    archai_tally_charge(t, 0, archai_tally_mul(t, 2, n), archai_tally_mul(t, 4, n));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t features = archai_int(m, 0);

    archai_state_add(t, "weight", ARCHAI_F32, true, 1, &features);
    archai_state_add(t, "bias", ARCHAI_F32, true, 1, &features);
    archai_state_add(t, "running_mean", ARCHAI_F32, false, 1, &features);
    archai_state_add(t, "running_var", ARCHAI_F32, false, 1, &features);
    archai_state_add(t, "num_batches_tracked", ARCHAI_I64, false, 0, NULL);
}

const archai_module_kind archai_kind_batch_norm2d = {.name = "BatchNorm2d",
                                                     .args = args,
                                                     .print = print,
                                                     .deduce = deduce,
                                                     .infer = infer,
                                                     .state = state};
