/* mean, sum, amax over dimensions; softmax and normalize along one. Only softmax is seen by the
 * profilers, as a call of a function. */
#include <float.h>

#include "core/network/kind/kind.h"

enum { DIMS, KEEP = DIMS + 1 + ARCHAI_ARG_LIST_MAX };

/* dim: one number or a list */
static const archai_arg args[] = {
    {"dim", .type = ARCHAI_ARG_LIST, .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX},
    {"keepdim", .type = ARCHAI_ARG_FLAG, .need = ARCHAI_ARG_DEFAULT},
    {.name = NULL},
};

static void print(const archai_module *m, FILE *out)
{
    (void)fputs("dim=", out);
    archai_print_list(out, &m->args[DIMS]);
    archai_print_flag(out, ", keepdim", m->args[KEEP]);
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    const int n = (int)archai_int(m, DIMS);
    bool gone[ARCHAI_SHAPE_MAX] = {false};

    if (n < 1)
        return archai_tally_fail(t, "dim names no dimension");
    for (int i = 1; i <= n; i++) {
        int place;

        ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, DIMS + (size_t)i), &place));
        if (gone[place])
            return archai_tally_fail(t, "dim names a dimension twice");
        gone[place] = true;
    }
    for (int i = 0; i < in->ndim; i++)
        if (!gone[i] || m->args[KEEP] != 0)
            out->dim[out->ndim++] = gone[i] ? 1 : in->dim[i];
    if (out->ndim == 0)
        return archai_tally_expected(t, in, "a dimension that is not in dim; or use keepdim");
    return ARCHAI_OK;
}

#define REDUCTION(NAME)                                                                        \
    const archai_module_kind archai_kind_##NAME = {                                            \
        .name = #NAME, .args = args, .print = print, .infer = infer}

REDUCTION(mean);
REDUCTION(sum);
REDUCTION(amax);

/* -- along one dimension ------------------------------------------------------------------- */

static const archai_arg softmax_args[] = {
    {"dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = -1,
     .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_dim(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f", m->args[0]);
}

static int infer_softmax(archai_tally *t, const archai_module *m, const archai_shape *in,
                         archai_shape *out)
{
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    *out = *in;
    archai_tally_charge(t, 0, archai_tally_volume(t, in), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_softmax = {
    .name = "softmax", .args = softmax_args, .print = print_dim, .infer = infer_softmax};

/* Divided by the p-norm, or by eps where that is larger: PyTorch's functional.normalize. */
static const archai_arg normalize_args[] = {
    {"dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1,
     .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX},
    {"p", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 2, .low = 1,
     .high = 100},
    {"eps", .type = ARCHAI_ARG_REAL, .need = ARCHAI_ARG_DEFAULT, .standard = 1e-12,
     .high = DBL_MAX},
    {.name = NULL},
};

static int infer_normalize(archai_tally *t, const archai_module *m, const archai_shape *in,
                           archai_shape *out)
{
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    *out = *in;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_normalize = {
    .name = "normalize", .args = normalize_args, .print = print_dim, .infer = infer_normalize};
