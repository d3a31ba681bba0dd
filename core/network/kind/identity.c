/* Layers that hand their input on: Identity, Zero, and what acts only in training. None costs.
 */
#include <math.h>

#include "core/network/kind/kind.h"

const archai_module_kind archai_kind_identity = {
    .name = "Identity", .takes_tokens = true, .infer = archai_infer_same};

/* -- dropout ------------------------------------------------------------------------------- */

static const archai_arg dropout_args[] = {
    {"p", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 0.5, .high = 1},
    {"inplace", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {.name = NULL},
};

static void print_dropout(const archai_module *m, FILE *out)
{
    archai_print_real(out, "p", m->args[0]);
    archai_print_flag(out, ", inplace", m->args[1]);
}

const archai_module_kind archai_kind_dropout = {.name = "Dropout",
                                                .args = dropout_args,
                                                .print = print_dropout,
                                                .infer = archai_infer_same};

/* Whole channels: of [C, H, W], or as in PyTorch of [T, D] the T. */
const archai_module_kind archai_kind_dropout2d = {.name = "Dropout2d",
                                                  .args = dropout_args,
                                                  .print = print_dropout,
                                                  .infer = archai_infer_same};

/* torchvision's: a sample ("row") or the whole batch is dropped with probability p, and what is
 * left divided by 1 - p. */
static const char *const modes[] = {"row", "batch", NULL};
static const archai_arg depth_args[] = {
    {"p", .type = ARCHAI_ARG_REAL, .high = 1},
    {"mode", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_DEFAULT, .words = modes},
    {.name = NULL},
};

static void print_depth(const archai_module *m, FILE *out)
{
    archai_print_real(out, "p", m->args[0]);
    (void)fprintf(out, ", mode=%s", modes[m->args[1] != 0]);
}

const archai_module_kind archai_kind_stochastic_depth = {.name = "StochasticDepth",
                                                         .args = depth_args,
                                                         .print = print_depth,
                                                         .infer = archai_infer_same};

/* -- Zero ---------------------------------------------------------------------------------- */

/* Zeros, as in NAS-Bench-201's and DARTS' cells: of every stride-th pixel, and of C_out
 * channels. */
enum { FROM, TO, STRIDE };

static const archai_arg zero_args[] = {
    {"C_in", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"C_out", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"stride", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_zero(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "C_in=%.0f, C_out=%.0f, stride=%.0f", m->args[FROM], m->args[TO],
                  m->args[STRIDE]);
}

static void deduce_zero(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[FROM]) && in->ndim > 0)
        m->args[FROM] = (double)in->dim[0];
    if (isnan(m->args[TO]))
        m->args[TO] = m->args[FROM];
}

static int infer_zero(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out)
{
    ARCHAI_TRY(archai_tally_image(t, in));
    if (in->dim[0] != archai_int(m, FROM))
        return archai_tally_misfit(t, in, "channels:", archai_int(m, FROM));
    *out = archai_image(archai_int(m, TO), (in->dim[1] - 1) / archai_int(m, STRIDE) + 1,
                        (in->dim[2] - 1) / archai_int(m, STRIDE) + 1);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_zero = {.name = "Zero",
                                             .args = zero_args,
                                             .print = print_zero,
                                             .deduce = deduce_zero,
                                             .infer = infer_zero};
