/* Hugging Face's NewGELUActivation: the tanh form of GELU, as GPT-2 has it. */
#include "core/network/kind/kind.h"

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in, archai_shape *out)
{
    (void)t;
    (void)m;
    *out = *in;
    return ARCHAI_OK;
}

const archai_module_kind archai_kind_new_gelu = {.name = "NewGELUActivation", .infer = infer};
