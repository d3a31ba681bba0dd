/* Activations: functions of each value. Archai's profilers count one FLOP for each, and
 * tensorwatch one MAdd for ReLU and ReLU6 and none for the others. `inplace` is printed, as
 * PyTorch does; where memory can be saved the program decides itself. */
#include <math.h>

#include "core/network/kind/kind.h"

archai_module *archai_module_relu(archai_module *parent, const char *name)
{
    return archai_module_layer(parent, name, &archai_kind_relu, NULL);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    (void)m;
    *out = *in;
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

static int infer_relu(archai_tally *t, const archai_module *m, const archai_shape *in,
                      archai_shape *out)
{
    const int64_t n = archai_tally_volume(t, in);

    (void)m;
    *out = *in;
    archai_tally_charge(t, 0, n, n);
    return ARCHAI_OK;
}

#define ACTIVATION(NAME, CLASS, ...)                                                           \
    const archai_module_kind archai_kind_##NAME = {.name = CLASS, __VA_ARGS__}

/* -- without a number ---------------------------------------------------------------------- */

#define INPLACE                                                                                \
    {                                                                                          \
        "inplace", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT                         \
    }

static const archai_arg inplace_args[] = {INPLACE, {.name = NULL}};

static void print_inplace(const archai_module *m, FILE *out)
{
    if (m->args[0] != 0)
        (void)fputs("inplace=True", out);
}

ACTIVATION(relu, "ReLU", .args = inplace_args, .print = print_inplace, .infer = infer_relu);
ACTIVATION(relu6, "ReLU6", .args = inplace_args, .print = print_inplace, .infer = infer_relu);
ACTIVATION(silu, "SiLU", .args = inplace_args, .print = print_inplace, .infer = infer);
ACTIVATION(mish, "Mish", .args = inplace_args, .print = print_inplace, .infer = infer);
/* PyTorch does not print it for these two. */
ACTIVATION(hardswish, "Hardswish", .args = inplace_args, .infer = infer);
ACTIVATION(hardsigmoid, "Hardsigmoid", .args = inplace_args, .infer = infer);
ACTIVATION(selu, "SELU", .args = inplace_args, .print = print_inplace, .infer = infer);
ACTIVATION(sigmoid, "Sigmoid", .infer = infer);
ACTIVATION(tanh, "Tanh", .infer = infer);
/* Hugging Face's names for GELU's tanh form, and for x * sigmoid(1.702 x) */
ACTIVATION(new_gelu, "NewGELUActivation", .infer = infer);
ACTIVATION(quick_gelu, "QuickGELUActivation", .infer = infer);

/* -- with numbers -------------------------------------------------------------------------- */

static const archai_arg leaky_args[] = {
    {"negative_slope", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 0.01},
    INPLACE,
    {.name = NULL},
};

static void print_leaky(const archai_module *m, FILE *out)
{
    archai_print_real(out, "negative_slope", m->args[0]);
    if (m->args[1] != 0)
        (void)fputs(", inplace=True", out);
}

ACTIVATION(leaky_relu, "LeakyReLU", .args = leaky_args, .print = print_leaky, .infer = infer);

static const archai_arg elu_args[] = {
    {"alpha", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    INPLACE,
    {.name = NULL},
};

static void print_elu(const archai_module *m, FILE *out)
{
    archai_print_real(out, "alpha", m->args[0]);
    if (m->args[1] != 0)
        (void)fputs(", inplace=True", out);
}

ACTIVATION(elu, "ELU", .args = elu_args, .print = print_elu, .infer = infer);

static const archai_arg hardtanh_args[] = {
    {"min_val", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = -1},
    {"max_val", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    INPLACE,
    {.name = NULL},
};

static void print_hardtanh(const archai_module *m, FILE *out)
{
    archai_print_real(out, "min_val", m->args[0]);
    archai_print_real(out, ", max_val", m->args[1]);
    if (m->args[2] != 0)
        (void)fputs(", inplace=True", out);
}

static int infer_hardtanh(archai_tally *t, const archai_module *m, const archai_shape *in,
                          archai_shape *out)
{
    if (!(m->args[0] < m->args[1]))
        return archai_tally_fail(t, "its min_val is not less than its max_val");
    return infer(t, m, in, out);
}

ACTIVATION(hardtanh, "Hardtanh", .args = hardtanh_args, .print = print_hardtanh,
           .infer = infer_hardtanh);

static const char *const gelu_words[] = {"none", "tanh", NULL};
static const archai_arg gelu_args[] = {
    {"approximate", .type = ARCHAI_ARG_WORD, .need = ARCHAI_ARG_DEFAULT, .words = gelu_words},
    {.name = NULL},
};

static void print_gelu(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "approximate='%s'", gelu_words[m->args[0] != 0]);
}

ACTIVATION(gelu, "GELU", .args = gelu_args, .print = print_gelu, .infer = infer);

static const archai_arg softplus_args[] = {
    {"beta", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"threshold", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 20},
    {.name = NULL},
};

static void print_softplus(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "beta=%g, threshold=%g", m->args[0], m->args[1]);
}

static int infer_softplus(archai_tally *t, const archai_module *m, const archai_shape *in,
                          archai_shape *out)
{
    if (m->args[0] == 0)
        return archai_tally_fail(t, "its beta is 0");
    return infer(t, m, in, out);
}

ACTIVATION(softplus, "Softplus", .args = softplus_args, .print = print_softplus,
           .infer = infer_softplus);

/* -- PReLU: a slope that is learnt, of all channels together or of each -------------------- */

static const archai_arg prelu_args[] = {
    {"num_parameters", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"init", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 0.25},
    {.name = NULL},
};

static void print_prelu(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "num_parameters=%.0f", m->args[0]);
}

static int infer_prelu(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    const int64_t n = archai_int(m, 0);

    if (n != 1 && (in->ndim < 1 || in->dim[0] != n))
        return archai_tally_misfit(t, in, "channels:", n);
    return infer(t, m, in, out);
}

static void state_prelu(const archai_module *m, archai_state_list *t)
{
    const int64_t n = archai_int(m, 0);

    archai_state_add(t, "weight", ARCHAI_F32, true, 1, &n);
}

ACTIVATION(prelu, "PReLU", .args = prelu_args, .print = print_prelu, .infer = infer_prelu,
           .state = state_prelu);

/* -- Softmax ------------------------------------------------------------------------------- */

/* PyTorch's default for dim None depends on the rank and is deprecated: it has to be given. */
static const archai_arg softmax_args[] = {
    {"dim", .type = ARCHAI_ARG_INT, .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_softmax(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f", m->args[0]);
}

static int infer_softmax(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    int place;

    const int64_t n = archai_tally_volume(t, in);

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    *out = *in;
    /* tensorwatch: the exponentials, their sums, the quotients */
    archai_tally_charge(t, 0, n, archai_tally_add(t, archai_tally_mul(t, 3, n), -(n / in->dim[place])));
    return ARCHAI_OK;
}

ACTIVATION(softmax_layer, "Softmax", .args = softmax_args, .print = print_softmax,
           .infer = infer_softmax);

/* Not counted by the profilers. */
static int infer_log_softmax(archai_tally *t, const archai_module *m, const archai_shape *in,
                             archai_shape *out)
{
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    *out = *in;
    return ARCHAI_OK;
}

ACTIVATION(log_softmax, "LogSoftmax", .args = softmax_args, .print = print_softmax,
           .infer = infer_log_softmax);
