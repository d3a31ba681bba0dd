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

/* A tied layer, too, was given its initial tensors: what is drawn after it does not depend on
 * tying. */
template <class F>
static built_module with_weight(const archai_module &m, F f, const torch::Tensor &weight,
                                const torch::Tensor &bias)
{
    const auto module = std::make_shared<nn::Module>();
    const auto shared = std::make_shared<torch::Tensor>();
    torch::Tensor own_bias;

    if (m.tied == nullptr)
        *shared = module->register_parameter("weight", weight.detach());
    if (bias.defined())
        own_bias = module->register_parameter("bias", bias.detach());
    return {module,
            [f, shared, own_bias](torch::TensorList x) { return f(x[0], *shared, own_bias); },
            OUTPUT_FREE, m.tied == nullptr ? weight_ptr() : shared};
}

built_module build_linear(const archai_module &m)
{
    const nn::Linear made(nn::LinearOptions(arg(m, "in_features"), arg(m, "out_features"))
                              .bias(arg(m, "bias") != 0));

    if (m.tied != nullptr)
        return with_weight(m, linear, made->weight, made->bias);
    return leaf(made, OUTPUT_FREE);
}

/* Hugging Face's initialisation. */
built_module build_transposed_linear(const archai_module &m)
{
    const int64_t in = arg(m, "nx"), out = arg(m, "nf");
    constexpr double deviation = 0.02;

    return with_weight(m, transposed_linear, torch::randn({in, out}) * deviation,
                       torch::zeros({out}));
}

built_module build_embedding(const archai_module &m)
{
    const int64_t n = arg(m, "num_embeddings");
    const torch::Tensor weight = torch::randn({n, arg(m, "embedding_dim")});
    int64_t padding = -1; /* none */

    if (!is_none(m, "padding_idx")) {
        padding = arg(m, "padding_idx");
        padding += padding < 0 ? n : 0;
        weight[padding].zero_();
    }
    return with_weight(
        m,
        [padding](const torch::Tensor &x, const torch::Tensor &w, const torch::Tensor &) {
            return torch::embedding(w, x, padding);
        },
        weight, {});
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

    if (shape.empty())
        shape = {1};
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
