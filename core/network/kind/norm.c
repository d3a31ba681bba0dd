/* LayerNorm, RMSNorm, GroupNorm and LocalResponseNorm. Archai's profiler counts five FLOPs for
 * each value, and four without the affine part; RMSNorm, which it does not know, as LayerNorm.
 */
#include <math.h>

#include "core/network/kind/kind.h"

static void charge(archai_tally *t, const archai_shape *in, bool affine)
{
    archai_tally_charge(t, 0, archai_tally_mul(t, affine ? 5 : 4, archai_tally_volume(t, in)),
                        0);
}

/* -- over the last dimensions -------------------------------------------------------------- */

enum { SHAPE, EPS = SHAPE + 1 + ARCHAI_ARG_LIST_MAX, AFFINE, BIAS };

static const archai_arg layer_args[] = {
    {"normalized_shape", .type = ARCHAI_ARG_LIST, .need = ARCHAI_ARG_DEDUCED, .low = 1,
     .high = INT32_MAX},
    {"eps", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1e-5, .high = 1},
    {"elementwise_affine", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {"bias", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

/* eps None: the difference between 1 and the next float32 */
static const archai_arg rms_args[] = {
    {"normalized_shape", .type = ARCHAI_ARG_LIST, .need = ARCHAI_ARG_DEDUCED, .low = 1,
     .high = INT32_MAX},
    {"eps", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_NONE, .high = 1},
    {"elementwise_affine", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_layer(const archai_module *m, FILE *out)
{
    archai_print_list(out, &m->args[SHAPE]);
    archai_print_real(out, ", eps", m->args[EPS]);
    archai_print_flag(out, ", elementwise_affine", m->args[AFFINE]);
}

static void deduce_layer(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[SHAPE]) && in->ndim > 0) {
        m->args[SHAPE] = 1;
        m->args[SHAPE + 1] = (double)in->dim[in->ndim - 1];
    }
}

static int infer_layer(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    const int n = (int)archai_int(m, SHAPE);

    if (n < 1 || n > in->ndim)
        return archai_tally_misfit(t, in, "as many dimensions as normalized_shape has:", n);
    for (int i = 0; i < n; i++)
        if (in->dim[in->ndim - n + i] != archai_int(m, SHAPE + 1 + (size_t)i))
            return archai_tally_misfit(t, in,
                                       n == 1 ? "a last dimension of"
                                              : "last dimensions as in normalized_shape, with",
                                       archai_int(m, SHAPE + 1 + (size_t)i));
    *out = *in;
    charge(t, in, m->args[AFFINE] != 0);
    return ARCHAI_OK;
}

static void add_shaped(const archai_module *m, archai_state_list *t, const char *name)
{
    int64_t shape[ARCHAI_ARG_LIST_MAX];
    int n = (int)archai_int(m, SHAPE);

    n = n < 0 ? 0 : n > ARCHAI_ARG_LIST_MAX ? ARCHAI_ARG_LIST_MAX : n;
    for (int i = 0; i < n; i++)
        shape[i] = archai_int(m, SHAPE + 1 + (size_t)i);
    archai_state_add(t, name, ARCHAI_F32, true, n, shape);
}

static void state_layer(const archai_module *m, archai_state_list *t)
{
    if (m->args[AFFINE] == 0)
        return;
    add_shaped(m, t, "weight");
    if (m->args[BIAS] != 0)
        add_shaped(m, t, "bias");
}

static void state_rms(const archai_module *m, archai_state_list *t)
{
    if (m->args[AFFINE] != 0)
        add_shaped(m, t, "weight");
}

const archai_module_kind archai_kind_layer_norm = {.name = "LayerNorm",
                                                   .args = layer_args,
                                                   .print = print_layer,
                                                   .deduce = deduce_layer,
                                                   .infer = infer_layer,
                                                   .state = state_layer};

const archai_module_kind archai_kind_rms_norm = {.name = "RMSNorm",
                                                 .args = rms_args,
                                                 .print = print_layer,
                                                 .deduce = deduce_layer,
                                                 .infer = infer_layer,
                                                 .state = state_rms};

/* -- over groups of channels --------------------------------------------------------------- */

enum { GROUPS, CHANNELS, GROUP_EPS, GROUP_AFFINE };

static const archai_arg group_args[] = {
    {"num_groups", .type = ARCHAI_ARG_INT},
    {"num_channels", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEDUCED},
    {"eps", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1e-5, .high = 1},
    {"affine", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_group(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f, %.0f", m->args[GROUPS], m->args[CHANNELS]);
    archai_print_real(out, ", eps", m->args[GROUP_EPS]);
    archai_print_flag(out, ", affine", m->args[GROUP_AFFINE]);
}

static void deduce_group(archai_module *m, const archai_shape *in, size_t n)
{
    (void)n;
    if (isnan(m->args[CHANNELS]) && in->ndim > 0)
        m->args[CHANNELS] = (double)in->dim[0];
}

static int infer_group(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    const int64_t groups = archai_int(m, GROUPS), channels = archai_int(m, CHANNELS);

    if (in->ndim < 1 || in->dim[0] != channels)
        return archai_tally_misfit(t, in, "channels:", channels);
    if (channels % groups != 0)
        return archai_tally_fail(t, "%lld channels do not divide into %lld groups",
                                 (long long)channels, (long long)groups);
    *out = *in;
    charge(t, in, m->args[GROUP_AFFINE] != 0);
    return ARCHAI_OK;
}

static void state_group(const archai_module *m, archai_state_list *t)
{
    const int64_t channels = archai_int(m, CHANNELS);

    if (m->args[GROUP_AFFINE] == 0)
        return;
    archai_state_add(t, "weight", ARCHAI_F32, true, 1, &channels);
    archai_state_add(t, "bias", ARCHAI_F32, true, 1, &channels);
}

const archai_module_kind archai_kind_group_norm = {.name = "GroupNorm",
                                                   .args = group_args,
                                                   .print = print_group,
                                                   .deduce = deduce_group,
                                                   .infer = infer_group,
                                                   .state = state_group};

/* -- over neighbouring channels ------------------------------------------------------------ */

enum { LRN_SIZE, LRN_ALPHA, LRN_BETA, LRN_K };

static const archai_arg local_args[] = {
    {"size", .type = ARCHAI_ARG_INT},
    {"alpha", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1e-4},
    {"beta", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 0.75},
    {"k", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1},
    {.name = NULL},
};

static void print_local(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f", m->args[LRN_SIZE]);
    archai_print_real(out, ", alpha", m->args[LRN_ALPHA]);
    archai_print_real(out, ", beta", m->args[LRN_BETA]);
    archai_print_real(out, ", k", m->args[LRN_K]);
}

/* Not counted by the profilers. */
static int infer_local(archai_tally *t, const archai_module *m, const archai_shape *in,
                       archai_shape *out)
{
    (void)m;
    if (in->ndim < 2)
        return archai_tally_expected(t, in, "[channels, ...]");
    *out = *in;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_local_response_norm = {.name = "LocalResponseNorm",
                                                            .args = local_args,
                                                            .print = print_local,
                                                            .infer = infer_local};
