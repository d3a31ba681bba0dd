/* concat and matmul: operations over several values. */
#include "core/network/kind/kind.h"

static const archai_arg concat_args[] = {
    {"dim", .type = ARCHAI_ARG_INT, .need = ARCHAI_ARG_DEFAULT, .standard = 1,
     .low = -ARCHAI_SHAPE_MAX, .high = ARCHAI_SHAPE_MAX},
    {.name = NULL},
};

static void print_concat(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "dim=%.0f", m->args[0]);
}

static int infer_concat(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    char a[ARCHAI_SHAPE_TEXT], b[ARCHAI_SHAPE_TEXT];
    int place;

    ARCHAI_TRY(archai_tally_dim(t, in, archai_int(m, 0), &place));
    *out = in[0];
    for (size_t i = 1; i < t->n_inputs; i++) {
        archai_shape other = in[i];

        other.dim[place] = other.ndim > place ? in[0].dim[place] : 0;
        if (!archai_shape_equal(&in[0], &other))
            return archai_tally_fail(t, "%s and %s cannot be joined along dimension %lld",
                                     archai_shape_text(&in[0], a), archai_shape_text(&in[i], b),
                                     (long long)archai_int(m, 0));
        out->dim[place] = archai_tally_add(t, out->dim[place], in[i].dim[place]);
    }
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_concat = {.name = "concat",
                                               .args = concat_args,
                                               .min_inputs = 1,
                                               .max_inputs = SIZE_MAX,
                                               .takes_tokens = true,
                                               .print = print_concat,
                                               .infer = infer_concat};

/* The product of the last two dimensions, for each of those before. As Archai's and other
 * profilers have it, a product of matrices counts like a linear layer. */
static int infer_matmul(archai_tally *t, const archai_module *m, const archai_shape *in,
                        archai_shape *out)
{
    char a[ARCHAI_SHAPE_TEXT], b[ARCHAI_SHAPE_TEXT];
    const int n = in[0].ndim;
    bool fits = n >= 2 && in[1].ndim == n && in[0].dim[n - 1] == in[1].dim[n - 2];
    int64_t macs;

    (void)m;
    for (int i = 0; i < n - 2 && fits; i++)
        fits = in[0].dim[i] == in[1].dim[i] || in[0].dim[i] == 1 || in[1].dim[i] == 1;
    if (!fits)
        return archai_tally_fail(t, "a product of %s and %s", archai_shape_text(&in[0], a),
                                 archai_shape_text(&in[1], b));
    *out = in[0];
    for (int i = 0; i < n - 2; i++)
        out->dim[i] = in[0].dim[i] != 1 ? in[0].dim[i] : in[1].dim[i];
    out->dim[n - 1] = in[1].dim[n - 1];
    macs = archai_tally_mul(t, archai_tally_volume(t, out), in[0].dim[n - 1]);
    archai_tally_charge(t, macs, archai_tally_mul(t, 2, macs), 0);
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_matmul = {
    .name = "matmul", .min_inputs = 2, .max_inputs = 2, .infer = infer_matmul};
