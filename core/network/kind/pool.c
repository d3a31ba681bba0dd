/* AdaptiveAvgPool2d and MaxPool2d. */
#include <math.h>

#include "core/network/kind/kind.h"

static const archai_arg adaptive_args[] = {
    {"output_size", .type = ARCHAI_ARG_PAIR},
    {.name = NULL},
};

archai_module *archai_module_adaptive_avg_pool2d(archai_module *parent, const char *name, int h,
                                                 int w)
{
    return archai_module_layer(parent, name, &archai_kind_adaptive_avg_pool2d,
                               (const double[]){h, w});
}

static void print_adaptive(const archai_module *m, FILE *out)
{
    archai_print_pair(out, "output_size", m->args);
}

static int infer_adaptive(archai_tally *t, const archai_module *m, const archai_shape *in,
                          archai_shape *out)
{
    if (in->ndim != 3)
        return archai_tally_misfit(t, in, "[channels, height, width]: dimensions", 3);
    *out = archai_image(in->dim[0], archai_int(m, 0), archai_int(m, 1));
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_adaptive_avg_pool2d = {.name = "AdaptiveAvgPool2d",
                                                            .args = adaptive_args,
                                                            .print = print_adaptive,
                                                            .infer = infer_adaptive};

enum { KERNEL, STRIDE, PADDING };

static const archai_arg max_args[] = {
    {"kernel_size", .type = ARCHAI_ARG_INT},
    {"stride", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"padding", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {.name = NULL},
};

archai_module *archai_module_max_pool2d(archai_module *parent, const char *name, int kernel,
                                        int stride, int padding)
{
    return archai_module_layer(parent, name, &archai_kind_max_pool2d,
                               (const double[]){kernel, stride, padding});
}

static void print_max(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "kernel_size=%.0f, stride=%.0f, padding=%.0f, dilation=1, ceil_mode=False",
                  m->args[KERNEL], m->args[STRIDE], m->args[PADDING]);
}

/* PyTorch's default is the window's own size. */
static void deduce_max(archai_module *m, const archai_shape *in, size_t n)
{
    (void)in;
    (void)n;
    if (isnan(m->args[STRIDE]))
        m->args[STRIDE] = m->args[KERNEL];
}

static int infer_max(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out)
{
    const int64_t kernel = archai_int(m, KERNEL), stride = archai_int(m, STRIDE),
                  padding = archai_int(m, PADDING);

    if (in->ndim != 3)
        return archai_tally_misfit(t, in, "[channels, height, width]: dimensions", 3);
    *out = archai_image(in->dim[0], archai_window(in->dim[1], kernel, stride, padding),
                        archai_window(in->dim[2], kernel, stride, padding));
    if (out->dim[1] < 1 || out->dim[2] < 1)
        return archai_tally_misfit(t, in, "at least the kernel's size:", kernel);
    archai_tally_charge(t, 0, archai_tally_volume(t, in),
                        archai_tally_mul(t, archai_tally_mul(t, kernel, kernel) - 1,
                                         archai_tally_volume(t, out)));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_max_pool2d = {.name = "MaxPool2d",
                                                   .args = max_args,
                                                   .print = print_max,
                                                   .deduce = deduce_max,
                                                   .infer = infer_max};
