/* A row of a table for each place of a sequence of tokens, whatever these are: [T] becomes [T,
 * D].
 *
 * LearnedPositions is what Hugging Face's GPT-2 does with an Embedding, and is printed as one.
 * The table of OPTLearnedPositionalEmbedding begins with two rows that no place has. */
#include "core/network/kind/kind.h"

enum { ROWS, DIM };
enum { OPT_OFFSET = 2 };

static const archai_arg args[] = {
    {"num_embeddings", .type = ARCHAI_ARG_INT}, /* OPT: the two rows are among them */
    {"embedding_dim", .type = ARCHAI_ARG_INT},
    {.name = NULL},
};

static void print(const archai_module *m, FILE *out)
{
    (void)fprintf(out, "%.0f, %.0f", m->args[ROWS], m->args[DIM]);
}

static int infer_from(archai_tally *t, const archai_module *m, int64_t offset,
                      const archai_shape *in, archai_shape *out)
{
    if (!in->tokens || in->ndim != 1 || in->dim[0] > archai_int(m, ROWS) - offset)
        return archai_tally_expected(t, in, "a sequence of at most %lld tokens",
                                     (long long)(archai_int(m, ROWS) - offset));
    *out = (archai_shape){.dim = {in->dim[0], archai_int(m, DIM)}, .ndim = 2};
    return ARCHAI_OK;
}

static int infer(archai_tally *t, const archai_module *m, const archai_shape *in,
                 archai_shape *out)
{
    return infer_from(t, m, 0, in, out);
}

static int infer_opt(archai_tally *t, const archai_module *m, const archai_shape *in,
                     archai_shape *out)
{
    return infer_from(t, m, OPT_OFFSET, in, out);
}

static void state(const archai_module *m, archai_state_list *t)
{
    const int64_t shape[] = {archai_int(m, ROWS), archai_int(m, DIM)};

    archai_state_add(t, "weight", ARCHAI_F32, true, 2, shape);
}

const archai_module_kind archai_kind_learned_positions = {.name = "LearnedPositions",
                                                          .printed_class = "Embedding",
                                                          .args = args,
                                                          .takes_tokens = true,
                                                          .print = print,
                                                          .infer = infer,
                                                          .state = state};

const archai_module_kind archai_kind_opt_learned_positions = {
    .name = "OPTLearnedPositionalEmbedding",
    .args = args,
    .takes_tokens = true,
    .print = print,
    .infer = infer_opt,
    .state = state};
