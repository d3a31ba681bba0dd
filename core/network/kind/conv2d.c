#include "core/network/kind/kind.h"

enum { IN, OUT, KERNEL, STRIDE = KERNEL + 2, PADDING = STRIDE + 2, GROUPS = PADDING + 2, BIAS };

archai_module *archai_module_conv2d(archai_module *parent, const char *name, int in, int out,
                                    int kernel, int stride, int padding, int groups, bool bias)
{
    return archai_module_layer(
        parent, name, &archai_kind_conv2d,
        (const int[]){in, out, kernel, kernel, stride, stride, padding, padding, groups, bias});
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%d, %d, ", m->args[IN], m->args[OUT]);
    archai_print_pair(out, "kernel_size", &m->args[KERNEL]);
    archai_print_pair(out, ", stride", &m->args[STRIDE]);
    if (m->args[PADDING] != 0 || m->args[PADDING + 1] != 0)
        archai_print_pair(out, ", padding", &m->args[PADDING]);
    if (m->args[GROUPS] != 1)
        (void)fprintf(out, ", groups=%d", m->args[GROUPS]);
    if (!m->args[BIAS])
        (void)fputs(", bias=False", out);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int *kernel = &m->args[KERNEL], *stride = &m->args[STRIDE], *padding = &m->args[PADDING];
    const bool bias = m->args[BIAS];
    int64_t taps, n, macs;

    if (in->flat || in->c != m->args[IN])
        return archai_tally_misfit(t, in, "channels:", m->args[IN]);
    out->c = m->args[OUT];
    out->h = archai_window(in->h, kernel[0], stride[0], padding[0]);
    out->w = archai_window(in->w, kernel[1], stride[1], padding[1]);
    if (out->h < 1 || out->w < 1)
        return archai_tally_misfit(t, in, "at least the kernel's size:", kernel[0]);
    taps = (int64_t)kernel[0] * kernel[1] * (m->args[IN] / m->args[GROUPS]);
    n = archai_tally_volume(t, out);
    macs = archai_tally_mul(t, taps, n);
    archai_tally_charge(t, macs, archai_tally_add(t, archai_tally_mul(t, 2, macs), bias ? n : 0),
                        archai_tally_mul(t, 2 * taps - (bias ? 0 : 1), n));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {m->args[OUT], m->args[IN] / m->args[GROUPS], m->args[KERNEL],
                             m->args[KERNEL + 1]};

    archai_state_add(t, "weight", ARCHAI_F32, true, 4, shape);
    if (m->args[BIAS])
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, shape);
}

const archai_module_kind archai_kind_conv2d = {
    .name = "Conv2d",
    .args = {"in_channels", "out_channels", "kernel_size", "", "stride", "", "padding", "",
             "groups", "bias"},
    .print = print,
    .infer = infer,
    .state = state,
};
