/* One sample as a vector. */
#include "core/network/kind/kind.h"

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    (void)m;
    *out = archai_vector(archai_tally_volume(t, in));
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_flatten = {.name = "flatten", .infer = infer};
