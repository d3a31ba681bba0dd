/* Values of an image in other places: PixelShuffle, ChannelShuffle, ZeroPad2d; and pad, for any
 * dimensions. They cost nothing. */
#include "core/network/kind/kind.h"

/* -- PixelShuffle -------------------------------------------------------------------------- */

static const archai_arg pixel_args[] = {
    {"upscale_factor", .type = ARCHAI_ARG_INT},
    {.name = NULL},
};

static void print_pixel(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "upscale_factor=%.0f", m->args[0]);
}

static int infer_pixel(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    const int64_t factor = archai_int(m, 0);

    ARCHAI_TRY(archai_tally_image(t, in));
    if (in->dim[0] % (factor * factor) != 0)
        return archai_tally_misfit(t, in, "channels that divide by", factor * factor);
    *out = archai_image(in->dim[0] / (factor * factor), archai_tally_mul(t, in->dim[1], factor),
                        archai_tally_mul(t, in->dim[2], factor));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_pixel_shuffle = {
    .name = "PixelShuffle", .args = pixel_args, .print = print_pixel, .infer = infer_pixel};

/* -- ChannelShuffle ------------------------------------------------------------------------ */

static const archai_arg channel_args[] = {
    {"groups", .type = ARCHAI_ARG_INT},
    {.name = NULL},
};

static void print_channel(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "groups=%.0f", m->args[0]);
}

static int infer_channel(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    ARCHAI_TRY(archai_tally_image(t, in));
    if (in->dim[0] % archai_int(m, 0) != 0)
        return archai_tally_misfit(t, in,
                                   "channels that divide into groups:", archai_int(m, 0));
    *out = *in;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_channel_shuffle = {.name = "ChannelShuffle",
                                                        .args = channel_args,
                                                        .print = print_channel,
                                                        .infer = infer_channel};

/* -- padding ------------------------------------------------------------------------------- */

/* [left, right, top, bottom, ...], from the last dimension on, as PyTorch's functional.pad; a
 * negative number cuts off. */
enum { PADS, VALUE = PADS + 1 + ARCHAI_ARG_LIST_MAX };

static const archai_arg pad_args[] = {
    {"pad", .type = ARCHAI_ARG_LIST, .low = -INT32_MAX, .high = INT32_MAX},
    {"value", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT},
    {.name = NULL},
};

static void print_pad(const archai_module *m, FILE *out)
{
    (void)fputs("pad=", out);
    archai_print_list(out, &m->args[PADS]);
}

static int infer_pad(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out)
{
    const int n = (int)archai_int(m, PADS);

    if (n < 1 || n % 2 != 0 || n / 2 > in->ndim)
        return archai_tally_fail(t, "pad has %d numbers, expected two for each dimension", n);
    *out = *in;
    for (int i = 0; i < n; i += 2) {
        int64_t *size = &out->dim[in->ndim - 1 - i / 2];
        const int64_t before = archai_int(m, PADS + 1 + (size_t)i);
        const int64_t after = archai_int(m, PADS + 2 + (size_t)i);

        if (*size + before < 0 || *size + after < 0 || *size + before + after < 1)
            return archai_tally_expected(t, in, "more than pad cuts off");
        *size += before + after;
    }
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_pad = {
    .name = "pad", .args = pad_args, .print = print_pad, .infer = infer_pad};

/* One number, or [left, right, top, bottom]. */
static const archai_arg zero_args[] = {
    {"padding", .type = ARCHAI_ARG_LIST, .low = -INT32_MAX, .high = INT32_MAX},
    {.name = NULL},
};

static int64_t side(const archai_module *m, size_t i)
{
    return archai_int(m, m->args[0] == 1 ? 1 : 1 + i);
}

static void print_zero(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "(%lld, %lld, %lld, %lld)", (long long)side(m, 0), (long long)side(m, 1),
                  (long long)side(m, 2), (long long)side(m, 3));
}

static int infer_zero(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out)
{
    ARCHAI_TRY(archai_tally_image(t, in));
    if (m->args[0] != 1 && m->args[0] != 4)
        return archai_tally_fail(
            t, "padding is neither one number nor [left, right, top, bottom]");
    *out = *in;
    for (size_t i = 0; i < 2; i++) {
        const int64_t before = side(m, 2 * i), after = side(m, 2 * i + 1);
        int64_t *size = &out->dim[2 - i];

        if (*size + before < 0 || *size + after < 0 || *size + before + after < 1)
            return archai_tally_expected(t, in, "more than padding cuts off");
        *size += before + after;
    }
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_zero_pad2d = {
    .name = "ZeroPad2d", .args = zero_args, .print = print_zero, .infer = infer_zero};
