/* What only Hugging Face's transformers have. */
#include "shim/module/module.hpp"

namespace shim
{

static built_module positions(const archai_module &m, int64_t offset)
{
    const auto table = torch::nn::Embedding(arg(m, "num_embeddings"), arg(m, "embedding_dim")).ptr();

    return {table,
            [table, offset](torch::TensorList x) {
                const int64_t n = x[0].size(0), length = x[0].size(1);

                TORCH_CHECK(length + offset <= table->weight.size(0), "a sequence of ", length,
                            " tokens, at most ", table->weight.size(0) - offset);
                return table->weight.slice(0, offset, offset + length).expand({n, length, -1});
            },
            false, {}};
}

built_module build_learned_positions(const archai_module &m)
{
    return positions(m, 0);
}

built_module build_opt_learned_positions(const archai_module &m)
{
    return positions(m, 2);
}

} // namespace shim
