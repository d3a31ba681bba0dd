/* Which network a configuration stands for: modules, names, printed text, data flow and initial
 * weights are those of the classes of Hugging Face and Archai. */
#include "core/space/transformer_flex/transformer_layers.h"

int64_t archai_transformer_longest(const archai_transformer *t)
{
    const bool gpt2 = t->type == ARCHAI_GPT2 || t->type == ARCHAI_GPT2_FLEX;

    return gpt2 ? t->max_sequence_length : ARCHAI_HF_POSITIONS;
}

void archai_transformer_describe(const archai_transformer *t, int64_t tokens,
                                 archai_network *out)
{
    const builder b = {t, out};

    *out = (archai_network){.n_input = 1, .tokens = true};
    out->input[0] = (int)tokens;
    if (t->type == ARCHAI_CODEGEN)
        archai_describe_codegen(&b);
    else if (t->type == ARCHAI_OPT)
        archai_describe_opt(&b);
    else
        archai_describe_gpt2(&b);
}
