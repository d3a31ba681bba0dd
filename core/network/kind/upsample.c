/* Upsample, mode nearest: to a fixed size (the factor is 0) or by an integer factor. */
#include "core/network/kind/kind.h"

enum { SIZE, FACTOR = SIZE + 2 };

archai_module *archai_module_upsample_size(archai_module *parent, const char *name, int h, int w)
{
    return archai_module_layer(parent, name, &archai_kind_upsample, (const int[]){h, w, 0});
}

archai_module *archai_module_upsample_factor(archai_module *parent, const char *name, int factor)
{
    return archai_module_layer(parent, name, &archai_kind_upsample, (const int[]){0, 0, factor});
}

static void print(const archai_module *m, FILE *out)
{
    if (m->args[FACTOR] != 0)
        (void)fprintf(out, "scale_factor=%d.0", m->args[FACTOR]);
    else
        archai_print_pair(out, "size", &m->args[SIZE]);
    (void)fputs(", mode=nearest", out);
}

/* With a fixed size the profiler counts the pixels once for all channels, with a factor every
 * element of the input. */
static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    const int factor = m->args[FACTOR];

    if (in->flat)
        return archai_tally_misfit(t, in, "an image, not a flat vector of", in->c);
    out->c = in->c;
    out->h = factor != 0 ? archai_tally_mul(t, in->h, factor) : m->args[SIZE];
    out->w = factor != 0 ? archai_tally_mul(t, in->w, factor) : m->args[SIZE + 1];
    archai_tally_charge(
        t, 0, factor != 0 ? archai_tally_volume(t, in) : archai_tally_mul(t, out->h, out->w), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_upsample = {
    .name = "Upsample", .args = {"size", "", "scale_factor"}, .print = print, .infer = infer};
