/* BatchNorm1d, BatchNorm2d and InstanceNorm2d. */
#include <math.h>

#include "core/network/kind/kind.h"

enum { FEATURES, EPS, MOMENTUM, AFFINE, TRACK };

/* momentum None: the running statistics are means over all batches */
#define NORM_ARGS(MOMENTUM_NEED, YES)                                                          \
    {                                                                                          \
        {"num_features", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},                  \
            {"eps", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1e-5,     \
             .high = 1},                                                                       \
            {"momentum", .type = ARCHAI_ARG_REAL, .need = (MOMENTUM_NEED), .standard = 0.1,    \
             .high = 1},                                                                       \
            {"affine", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT,                    \
             .standard = (YES)},                                                               \
            {"track_running_stats", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT,       \
             .standard = (YES)},                                                               \
        {                                                                                      \
            .name = NULL                                                                       \
        }                                                                                      \
    }

static const archai_arg batch_args[] = NORM_ARGS(ARCHAI_ARG_NULLABLE, 1);
static const archai_arg instance_args[] = NORM_ARGS(ARCHAI_ARG_DEFAULT, 0);

archai_module *archai_module_batch_norm2d(archai_module *parent, const char *name, int features)
{
    return archai_module_layer(parent, name, &archai_kind_batch_norm2d,
                               (const double[]){features, 1e-5, 0.1, 1, 1});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f", m->args[FEATURES]);
    archai_print_real(out, ", eps", m->args[EPS]);
    archai_print_real(out, ", momentum", m->args[MOMENTUM]);
    archai_print_flag(out, ", affine", m->args[AFFINE]);
    archai_print_flag(out, ", track_running_stats", m->args[TRACK]);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[FEATURES]) && in->ndim > 0)
        m->args[FEATURES] = (double)in->dim[0];
}

static int check(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    if (in->dim[0] != archai_int(m, FEATURES))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, FEATURES));
    *out = *in;
    return ARCHAI_OK;
}

/* Two FLOPs for each value in evaluation, without the affine part one. */
static int infer_batch(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    const int64_t n = archai_tally_volume(t, in);

    ARCHAI_TRY(check(t, m, in, out));
    archai_tally_charge(t, 0, archai_tally_mul(t, m->args[AFFINE] != 0 ? 2 : 1, n),
                        archai_tally_mul(t, m->args[AFFINE] != 0 ? 4 : 2, n));
    return ARCHAI_OK;
}

static int infer_2d(archai_tally *t, const archai_module *m, const archai_shape *in,
                    archai_shape *out)
{
    ARCHAI_TRY(archai_tally_image(t, in));
    return infer_batch(t, m, in, out);
}

static int infer_1d(archai_tally *t, const archai_module *m, const archai_shape *in,
                    archai_shape *out)
{
    if (in->ndim != 1 && in->ndim != 2)
        return archai_tally_expected(t, in, "[features] or [channels, length]");
    return infer_batch(t, m, in, out);
}

/* Archai's profiler: five for each value, without the affine part four. */
static int infer_instance(archai_tally *t, const archai_module *m, const archai_shape *in,
                          archai_shape *out)
{
    ARCHAI_TRY(archai_tally_image(t, in));
    ARCHAI_TRY(check(t, m, in, out));
    if (in->dim[1] * in->dim[2] < 2)
        return archai_tally_expected(t, in, "more than one pixel to normalise");
    archai_tally_charge(
        t, 0, archai_tally_mul(t, m->args[AFFINE] != 0 ? 5 : 4, archai_tally_volume(t, in)), 0);
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t features = archai_int(m, FEATURES);

    if (m->args[AFFINE] != 0) {
        archai_state_add(t, "weight", ARCHAI_F32, true, 1, &features);
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, &features);
    }
    if (m->args[TRACK] != 0) {
        archai_state_add(t, "running_mean", ARCHAI_F32, false, 1, &features);
        archai_state_add(t, "running_var", ARCHAI_F32, false, 1, &features);
        archai_state_add(t, "num_batches_tracked", ARCHAI_I64, false, 0, NULL);
    }
}

#define NORM(NAME, CLASS, ARGS, INFER)                                                         \
    const archai_module_kind archai_kind_##NAME = {.name = CLASS,                              \
                                                   .args = ARGS,                               \
                                                   .print = print,                             \
                                                   .deduce = deduce,                           \
                                                   .infer = INFER,                             \
                                                   .state = state}

NORM(batch_norm1d, "BatchNorm1d", batch_args, infer_1d);
NORM(batch_norm2d, "BatchNorm2d", batch_args, infer_2d);
NORM(instance_norm2d, "InstanceNorm2d", instance_args, infer_instance);
