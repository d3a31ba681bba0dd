/* Linear layers, embeddings and single tensors. A tied layer has no weight of its own but reads
 * another module's. */
#include "shim/module/module.hpp"

#include <cmath>

namespace shim
{

namespace nn = torch::nn;

using weight_ptr = std::shared_ptr<torch::Tensor>;

static torch::Tensor linear(const torch::Tensor &x, const torch::Tensor &weight,
                            const torch::Tensor &bias)
{
    return torch::linear(x, weight, bias);
}

/* Its weight is [in, out]. */
static torch::Tensor transposed_linear(const torch::Tensor &x, const torch::Tensor &weight,
                                       const torch::Tensor &bias)
{
    auto shape = x.sizes().vec();

    shape.back() = weight.size(1);
    return torch::addmm(bias, x.reshape({-1, x.size(-1)}), weight).view(shape);
}

/* `weight` is the layer's own, or comes from elsewhere (undefined). */
template <class F>
static built_module with_weight(F f, const torch::Tensor &weight, bool biased, int64_t out)
{
    const auto module = std::make_shared<nn::Module>();
    const auto shared = std::make_shared<torch::Tensor>(weight);
    torch::Tensor bias;

    if (weight.defined())
        *shared = module->register_parameter("weight", weight);
    if (biased)
        bias = module->register_parameter("bias", torch::zeros({out}));
    return {module, [f, shared, bias](torch::TensorList x) { return f(x[0], *shared, bias); },
            OUTPUT_FREE, weight.defined() ? weight_ptr() : shared};
}

built_module build_linear(const archai_module &m)
{
    const int64_t in = arg(m, "in_features"), out = arg(m, "out_features");
    const bool bias = arg(m, "bias") != 0;

    if (m.tied != nullptr)
        return with_weight(linear, {}, bias, out);
    return leaf(nn::Linear(nn::LinearOptions(in, out).bias(bias)), OUTPUT_FREE);
}

/* Hugging Face's initialisation. */
built_module build_transposed_linear(const archai_module &m)
{
    const int64_t in = arg(m, "nx"), out = arg(m, "nf");
    constexpr double deviation = 0.02;

    return with_weight(
        transposed_linear,
        m.tied != nullptr ? torch::Tensor() : torch::randn({in, out}) * deviation, true, out);
}

built_module build_embedding(const archai_module &m)
{
    const int64_t n = arg(m, "num_embeddings"), dim = arg(m, "embedding_dim");
    int64_t padding = is_none(m, "padding_idx") ? n : arg(m, "padding_idx");

    if (padding < 0)
        padding += n;
    const int64_t skipped = padding == n ? -1 : padding; /* -1: none */
    const auto lookup = [skipped](const torch::Tensor &x, const torch::Tensor &weight,
                                  const torch::Tensor &) {
        return torch::embedding(weight, x, skipped);
    };

    if (m.tied != nullptr)
        return with_weight(lookup, {}, false, 0);
    const torch::Tensor weight = torch::randn({n, dim});

    if (skipped >= 0)
        weight[skipped].zero_();
    return with_weight(lookup, weight, false, 0);
}

static torch::Tensor initial(const archai_module &m)
{
    enum { ZEROS, ONES, NORMAL, CONSTANT };
    const auto shape = list(m, "shape");

    switch (arg(m, "init")) {
    case ONES:
        return torch::ones(shape);
    case NORMAL:
        return torch::randn(shape) * real_arg(m, "std");
    case CONSTANT:
        return torch::full(shape, real_arg(m, "value"));
    default:
        return torch::zeros(shape);
    }
}

built_module build_parameter(const archai_module &m)
{
    const auto module = std::make_shared<nn::Module>();
    const torch::Tensor tensor = module->register_parameter("tensor", initial(m));
    auto shape = list(m, is_none(m, "view") ? "shape" : "view");

    if (arg(m, "batch") == 0) /* else its first size is the batch */
        shape.insert(shape.begin(), 1);
    return {module,
            [tensor, shape](torch::TensorList x) {
                auto expanded = shape;

                expanded[0] = x[0].size(0);
                return tensor.view(shape).expand(expanded);
            },
            false,
            {}};
}

} // namespace shim
