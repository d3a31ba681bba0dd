/* AdaptiveAvgPool2d and MaxPool2d. */
#include "core/network/kind/kind.h"

archai_module *archai_module_adaptive_avg_pool2d(archai_module *parent, const char *name, int h,
                                                 int w)
{
    return archai_module_layer(parent, name, &archai_kind_adaptive_avg_pool2d, (const int[]){h, w});
}

static void print_adaptive(const archai_module *m, FILE *out)
{
    archai_print_pair(out, "output_size", m->args);
}

static int infer_adaptive(archai_tally *t, const archai_module *m, const archai_shape *in,
                          archai_shape *out)
{
    if (in->flat)
        return archai_tally_misfit(t, in, "an image, not a flat vector of", in->c);
    *out = (archai_shape){.c = in->c, .h = m->args[0], .w = m->args[1]};
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_adaptive_avg_pool2d = {.name = "AdaptiveAvgPool2d",
                                                            .args = {"output_size", ""},
                                                            .print = print_adaptive,
                                                            .infer = infer_adaptive};

enum { KERNEL, STRIDE, PADDING };

archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding)
{
    return archai_module_layer(parent, name, &archai_kind_max_pool2d,
                               (const int[]){kernel, stride, padding});
}

static void print_max(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "kernel_size=%d, stride=%d, padding=%d, dilation=1, ceil_mode=False",
                  m->args[KERNEL], m->args[STRIDE], m->args[PADDING]);
}

static int infer_max(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out)
{
    const int kernel = m->args[KERNEL];
    const int64_t taps = (int64_t)kernel * kernel;

    out->c = in->c;
    out->h = archai_window(in->h, kernel, m->args[STRIDE], m->args[PADDING]);
    out->w = archai_window(in->w, kernel, m->args[STRIDE], m->args[PADDING]);
    if (in->flat || out->h < 1 || out->w < 1)
        return archai_tally_misfit(t, in, "at least the kernel's size:", kernel);
    archai_tally_charge(t, 0, archai_tally_volume(t, in),
                        archai_tally_mul(t, taps - 1, archai_tally_volume(t, out)));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_max_pool2d = {.name = "MaxPool2d",
                                                   .args = {"kernel_size", "stride", "padding"},
                                                   .print = print_max,
                                                   .infer = infer_max};
