/* AdaptiveAvgPool1d, AdaptiveAvgPool2d and AdaptiveMaxPool2d: windows that give a wanted size.
 */
#include <math.h>

#include "core/network/kind/kind.h"

/* One number, or [h, w]; None: the input's own size. PyTorch prints it as it was given. */
enum { SIZE, NUMBER };

static const archai_arg pair_args[] = {
    {"output_size", .type = ARCHAI_ARG_LIST, .need = ARCHAI_ARG_NONE, .low = 1,
     .high = INT32_MAX},
    {.name = NULL},
};

archai_module *archai_module_adaptive_avg_pool2d(archai_module *parent, const char *name, int h,
                                                 int w)
{
    return archai_module_layer(
        parent, name, &archai_kind_adaptive_avg_pool2d,
        (const double[1 + ARCHAI_ARG_LIST_MAX]){[SIZE] = 2, [NUMBER] = h, [NUMBER + 1] = w});
}

static void put(FILE *out, double v)
{
    if (isnan(v))
        (void)fputs("None", out);
    else
        (void)fprintf(out, "%.0f", v);
}

static void print_pair(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "output_size=%s", m->args[SIZE] == 2 ? "(" : "");
    put(out, m->args[NUMBER]);
    if (m->args[SIZE] == 2) {
        (void)fputs(", ", out);
        put(out, m->args[NUMBER + 1]);
        (void)fputc(')', out);
    }
}

static int infer_pair(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out)
{
    const int64_t n = archai_int(m, SIZE);

    ARCHAI_TRY(archai_tally_image(t, in));
    if (n != 1 && n != 2)
        return archai_tally_fail(t, "output_size is neither one number nor [height, width]");
    *out = *in;
    for (size_t i = 0; i < 2; i++) {
        const size_t at = NUMBER + (n == 2 ? i : 0);

        if (!isnan(m->args[at]))
            out->dim[1 + i] = archai_int(m, at);
    }
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_adaptive_avg_pool2d = {
    .name = "AdaptiveAvgPool2d", .args = pair_args, .print = print_pair, .infer = infer_pair};

const archai_module_kind archai_kind_adaptive_max_pool2d = {
    .name = "AdaptiveMaxPool2d", .args = pair_args, .print = print_pair, .infer = infer_pair};

static const archai_arg length_args[] = {
    {"output_size", .type = ARCHAI_ARG_INT},
    {.name = NULL},
};

static void print_length(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "output_size=%.0f", m->args[0]);
}

static int infer_length(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    if (in->ndim != 2)
        return archai_tally_expected(t, in, "[channels, length]");
    *out = *in;
    out->dim[1] = archai_int(m, 0);
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_adaptive_avg_pool1d = {.name = "AdaptiveAvgPool1d",
                                                            .args = length_args,
                                                            .print = print_length,
                                                            .infer = infer_length};
