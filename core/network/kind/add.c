/* The sum of values of one shape. */
#include "core/network/kind/kind.h"

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    char a[ARCHAI_SHAPE_TEXT], b[ARCHAI_SHAPE_TEXT];

    (void)m;
    *out = in[0];
    for (size_t i = 1; i < t->n_inputs; i++)
        if (!archai_shape_equal(out, &in[i]))
            return archai_fail(t->err, ARCHAI_EINVAL, "a sum of %s and %s",
                               archai_shape_text(out, a), archai_shape_text(&in[i], b));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_add = {
    .name = "add", .printed_class = "+", .min_inputs = 2, .max_inputs = SIZE_MAX, .infer = infer};
