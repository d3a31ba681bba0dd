/* ConvTranspose2d. The profilers count a product for each pixel of the input. */
#include <math.h>

#include "core/network/kind/kind.h"

enum {
    IN,
    OUT,
    KERNEL,
    STRIDE = KERNEL + 2,
    PADDING = STRIDE + 2,
    OUTPUT_PADDING = PADDING + 2,
    GROUPS = OUTPUT_PADDING + 2,
    BIAS,
    DILATION,
};

static const char *const padding_modes[] = {"zeros", NULL};

static const archai_arg args[] = {
    {"in_channels", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"out_channels", .type = ARCHAI_ARG_INT},
    {"kernel_size", .type = ARCHAI_ARG_PAIR},
    {"stride", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"padding", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"output_padding", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"groups", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"dilation", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"padding_mode", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_DEFAULT,
     .words = padding_modes},
    {.name = NULL},
};

static void print_unless(FILE *out, const char *name, const double pair[2], double usual)
{
    if (pair[0] != usual || pair[1] != usual)
        archai_print_pair(out, name, pair);
}

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f, %.0f", m->args[IN], m->args[OUT]);
    archai_print_pair(out, ", kernel_size", &m->args[KERNEL]);
    archai_print_pair(out, ", stride", &m->args[STRIDE]);
    print_unless(out, ", padding", &m->args[PADDING], 0);
    print_unless(out, ", dilation", &m->args[DILATION], 1);
    print_unless(out, ", output_padding", &m->args[OUTPUT_PADDING], 0);
    if (m->args[GROUPS] != 1)
        (void)fprintf(out, ", groups=%.0f", m->args[GROUPS]);
    if (m->args[BIAS] == 0)
        (void)fputs(", bias=False", out);
}

static void deduce(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[IN]) && in->ndim > 0)
        m->args[IN] = (double)in->dim[0];
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    const int64_t groups = archai_int(m, GROUPS);
    const bool bias = m->args[BIAS] != 0;
    int64_t taps, pixels, macs, volume;

    ARCHAI_TRY(archai_tally_image(t, in));
    if (in->dim[0] != archai_int(m, IN))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, IN));
    if (archai_int(m, IN) % groups != 0 || archai_int(m, OUT) % groups != 0)
        return archai_tally_fail(
            t, "its %lld channels in and %lld out do not divide into %lld groups",
            (long long)archai_int(m, IN), (long long)archai_int(m, OUT), (long long)groups);
    *out = *in;
    out->dim[0] = archai_int(m, OUT);
    for (int i = 0; i < 2; i++) {
        const int64_t stride = archai_int(m, STRIDE + i),
                      dilation = archai_int(m, DILATION + i);
        const int64_t more = archai_int(m, OUTPUT_PADDING + i);

        if (more >= stride && more >= dilation)
            return archai_tally_fail(
                t, "output_padding %lld is not less than stride or dilation", (long long)more);
        out->dim[1 + i] = (in->dim[1 + i] - 1) * stride - 2 * archai_int(m, PADDING + i) +
                          dilation * (archai_int(m, KERNEL + i) - 1) + more + 1;
        if (out->dim[1 + i] < 1)
            return archai_tally_expected(t, in, "more pixels: its padding takes them all");
    }
    taps = archai_tally_mul(t, archai_int(m, KERNEL) * archai_int(m, KERNEL + 1),
                            archai_int(m, OUT) / groups);
    pixels = archai_tally_mul(t, in->dim[1], in->dim[2]);
    macs = archai_tally_mul(t, archai_tally_mul(t, taps, pixels), archai_int(m, IN));
    volume = archai_tally_volume(t, out);
    /* tensorwatch: an addition less than products in each window, and one more for the bias */
    archai_tally_charge(
        t, macs, archai_tally_add(t, archai_tally_mul(t, 2, macs), bias ? volume : 0),
        archai_tally_add(t, archai_tally_mul(t, 2, macs),
                         bias ? 0 : archai_tally_mul(t, -1, archai_tally_mul(t, pixels, archai_int(m, OUT)))));
    return ARCHAI_OK;
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t groups = archai_int(m, GROUPS) > 0 ? archai_int(m, GROUPS) : 1;
    const int64_t shape[] = {archai_int(m, IN), archai_int(m, OUT) / groups,
                             archai_int(m, KERNEL), archai_int(m, KERNEL + 1)};
    const int64_t out = archai_int(m, OUT);

    archai_state_add(t, "weight", ARCHAI_F32, true, 4, shape);
    if (m->args[BIAS] != 0)
        archai_state_add(t, "bias", ARCHAI_F32, true, 1, &out);
}

const archai_module_kind archai_kind_conv_transpose2d = {.name = "ConvTranspose2d",
                                                         .args = args,
                                                         .print = print,
                                                         .deduce = deduce,
                                                         .infer = infer,
                                                         .state = state};
