/* Upsample: images to a size or by a factor. */
#include <math.h>

#include "core/network/kind/kind.h"

enum { SIZE, FACTOR = SIZE + 2, MODE, ALIGN };

enum { NEAREST, BILINEAR };
static const char *const modes[] = {"nearest", "bilinear", NULL};

/* one of size and scale_factor */
static const archai_arg args[] = {
    {"size", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_NONE},
    {"scale_factor", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE, .low = 1e-6,
     .high = 1e6},
    {"mode", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_DEFAULT, .words = modes},
    {"align_corners", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_NONE},
    {.name = NULL},
};

archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h,
                                           int w)
{
    return archai_module_layer(parent, name, &archai_kind_upsample,
                               (const double[]){h, w, NAN, NEAREST, NAN});
}

archai_module *archai_module_upsample_factor(archai_module *parent, const char *name,
                                             int factor)
{
    return archai_module_layer(parent, name, &archai_kind_upsample,
                               (const double[]){NAN, NAN, factor, NEAREST, NAN});
}

static void print(const archai_module *m, FILE *out)
{
    if (!isnan(m->args[FACTOR]))
        archai_print_real(out, "scale_factor", m->args[FACTOR]);
    else
        archai_print_pair(out, "size", &m->args[SIZE]);
    (void)fprintf(out, ", mode=%s", modes[m->args[MODE] == BILINEAR]);
}

/* With a fixed size the profiler counts the pixels once for all channels, with a factor every
 * element of the input. */
static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    const double factor = m->args[FACTOR];
    const bool sized = !isnan(m->args[SIZE]) && !isnan(m->args[SIZE + 1]);

    ARCHAI_TRY(archai_tally_image(t, in));
    if (sized == !isnan(factor))
        return archai_tally_fail(t, sized ? "size and scale_factor are both given"
                                          : "neither size nor scale_factor is given");
    if (m->args[MODE] == NEAREST && !isnan(m->args[ALIGN]))
        return archai_tally_fail(t, "align_corners goes with mode 'bilinear' alone");
    *out = *in;
    for (size_t i = 0; i < 2; i++) {
        out->dim[1 + i] =
            sized ? archai_int(m, SIZE + i) : (int64_t)floor((double)in->dim[1 + i] * factor);
        if (out->dim[1 + i] < 1)
            return archai_tally_expected(t, in, "a pixel at least after scaling by %g", factor);
    }
    archai_tally_charge(
        t, 0,
        sized ? archai_tally_mul(t, out->dim[1], out->dim[2]) : archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_upsample = {
    .name = "Upsample", .args = args, .print = print, .infer = infer};
