/* Upsample, mode nearest: to a fixed size or by an integer factor; the other of the two is 0. */
#include "core/network/kind/kind.h"

enum { SIZE, FACTOR = SIZE + 2 };

static const archai_arg args[] = {
    {"size", .type = ARCHAI_ARG_PAIR, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {"scale_factor", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .high = INT32_MAX},
    {.name = NULL},
};

archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h, int w)
{
    return archai_module_layer(parent, name, &archai_kind_upsample, (const double[]){h, w, 0});
}

archai_module *archai_module_upsample_factor(archai_module *parent, const char *name, int factor)
{
    return archai_module_layer(parent, name, &archai_kind_upsample, (const double[]){0, 0, factor});
}

static void print(const archai_module *m, FILE *out)
{
    if (m->args[FACTOR] != 0)
        (void)fprintf(out, "scale_factor=%.1f", m->args[FACTOR]);
    else
        archai_print_pair(out, "size", &m->args[SIZE]);
    (void)fputs(", mode=nearest", out);
}

/* With a fixed size the profiler counts the pixels once for all channels, with a factor every
 * element of the input. */
static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int64_t factor = archai_int(m, FACTOR);

    if (in->ndim != 3)
        return archai_tally_misfit(t, in, "[channels, height, width]: dimensions", 3);
    *out = factor != 0 ? archai_image(in->dim[0], archai_tally_mul(t, in->dim[1], factor),
                                      archai_tally_mul(t, in->dim[2], factor))
                       : archai_image(in->dim[0], archai_int(m, SIZE), archai_int(m, SIZE + 1));
    archai_tally_charge(t, 0,
                        factor != 0 ? archai_tally_volume(t, in)
                                    : archai_tally_mul(t, out->dim[1], out->dim[2]),
                        0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_upsample = {
    .name = "Upsample", .args = args, .print = print, .infer = infer};
