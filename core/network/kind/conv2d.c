#include <math.h>

#include "core/network/kind/kind.h"

enum { IN, OUT, KERNEL, STRIDE = KERNEL + 2, PADDING = STRIDE + 2, GROUPS = PADDING + 2, BIAS };

static const archai_arg args[] = {
    {"in_channels", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"out_channels", .type = ARCHAI_ARG_INT},
    {"kernel_size", .type = ARCHAI_ARG_PAIR},
    {"stride", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"padding", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"groups", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias)
{
    return archai_module_layer(
        parent, name, &archai_kind_conv2d,
        (const double[]){in, out, kernel, kernel, stride, stride, padding, padding, groups, bias});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f, %.0f, ", m->args[IN], m->args[OUT]);
    archai_print_pair(out, "kernel_size", &m->args[KERNEL]);
    archai_print_pair(out, ", stride", &m->args[STRIDE]);
    if (m->args[PADDING] != 0 || m->args[PADDING + 1] != 0)
        archai_print_pair(out, ", padding", &m->args[PADDING]);
    if (m->args[GROUPS] != 1)
        (void)fprintf(out, ", groups=%.0f", m->args[GROUPS]);
    if (m->args[BIAS] == 0)
        (void)fputs(", bias=False", out);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[IN]) && in->ndim == 3)
        m->args[IN] = (double)in->dim[0];
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int64_t groups = archai_int(m, GROUPS);
    const bool bias = m->args[BIAS] != 0;
    int64_t taps, n, macs;

    if (in->ndim != 3 || in->dim[0] != archai_int(m, IN))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, IN));
    *out = archai_image(archai_int(m, OUT),
                        archai_window(in->dim[1], archai_int(m, KERNEL), archai_int(m, STRIDE),
                                      archai_int(m, PADDING)),
                        archai_window(in->dim[2], archai_int(m, KERNEL + 1),
                                      archai_int(m, STRIDE + 1), archai_int(m, PADDING + 1)));
    if (out->dim[1] < 1 || out->dim[2] < 1)
        return archai_tally_misfit(t, in, "at least the kernel's size:", archai_int(m, KERNEL));
    if (groups < 1 || archai_int(m, IN) % groups != 0 || archai_int(m, OUT) % groups != 0)
        return archai_tally_misfit(t, in, "channels in and out that divide into groups:", groups);
    taps = archai_tally_mul(t, archai_int(m, KERNEL) * archai_int(m, KERNEL + 1),
                            archai_int(m, IN) / groups);
    n = archai_tally_volume(t, out);
    macs = archai_tally_mul(t, taps, n);
    archai_tally_charge(t, macs, archai_tally_add(t, archai_tally_mul(t, 2, macs), bias ? n : 0),
                        archai_tally_mul(t, archai_tally_add(t, taps, taps) - (bias ? 0 : 1), n));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t groups = archai_int(m, GROUPS) > 0 ? archai_int(m, GROUPS) : 1;
    const int64_t shape[] = {archai_int(m, OUT), archai_int(m, IN) / groups, archai_int(m, KERNEL),
                             archai_int(m, KERNEL + 1)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 4, shape);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

const archai_module_kind archai_kind_conv2d = {.name = "Conv2d",
                                               .args = args,
                                               .print = print,
                                               .deduce = deduce,
                                               .infer = infer,
                                               .state = state};
