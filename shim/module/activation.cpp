/* Activations. `inplace` is PyTorch's to print; shim/model_build.cpp decides where memory can
 * be saved. */
#include "shim/module/module.hpp"

namespace shim
{

namespace nn = torch::nn;

/* The class is how shim/model_build.cpp finds it. */
built_module build_relu(const archai_module &)
{
    return leaf(nn::ReLU());
}

built_module build_prelu(const archai_module &m)
{
    return leaf(nn::PReLU(
        nn::PReLUOptions().num_parameters(arg(m, "num_parameters")).init(real_arg(m, "init"))));
}

#define FUNCTION(NAME, EXPRESSION)                                                             \
    built_module build_##NAME(const archai_module &)                                           \
    {                                                                                          \
        return stateless([](torch::TensorList x) { return EXPRESSION; });                      \
    }

FUNCTION(relu6, torch::hardtanh(x[0], 0, 6))
FUNCTION(silu, torch::silu(x[0]))
FUNCTION(selu, torch::selu(x[0]))
FUNCTION(mish, torch::mish(x[0]))
FUNCTION(hardswish, torch::hardswish(x[0]))
FUNCTION(hardsigmoid, torch::hardsigmoid(x[0]))
FUNCTION(sigmoid, torch::sigmoid(x[0]))
FUNCTION(tanh, torch::tanh(x[0]))
FUNCTION(new_gelu, torch::gelu(x[0], "tanh"))
FUNCTION(quick_gelu, x[0] * torch::sigmoid(1.702 * x[0]))
#undef FUNCTION

built_module build_gelu(const archai_module &m)
{
    const char *form = arg(m, "approximate") != 0 ? "tanh" : "none";

    return stateless([form](torch::TensorList x) { return torch::gelu(x[0], form); });
}

built_module build_leaky_relu(const archai_module &m)
{
    const double slope = real_arg(m, "negative_slope");

    return stateless([slope](torch::TensorList x) { return torch::leaky_relu(x[0], slope); });
}

built_module build_elu(const archai_module &m)
{
    const double alpha = real_arg(m, "alpha");

    return stateless([alpha](torch::TensorList x) { return torch::elu(x[0], alpha); });
}

built_module build_hardtanh(const archai_module &m)
{
    const double low = real_arg(m, "min_val"), high = real_arg(m, "max_val");

    return stateless(
        [low, high](torch::TensorList x) { return torch::hardtanh(x[0], low, high); });
}

built_module build_softplus(const archai_module &m)
{
    const double beta = real_arg(m, "beta"), threshold = real_arg(m, "threshold");

    return stateless([beta, threshold](torch::TensorList x) {
        return torch::softplus(x[0], beta, threshold);
    });
}

built_module build_softmax_layer(const archai_module &m)
{
    return build_softmax(m);
}

built_module build_log_softmax(const archai_module &m)
{
    const int64_t dim = arg(m, "dim");

    return stateless([dim](torch::TensorList x) { return torch::log_softmax(x[0], dim); });
}

built_module build_softmax(const archai_module &m)
{
    const int64_t dim = arg(m, "dim");

    return stateless([dim](torch::TensorList x) { return torch::softmax(x[0], dim); });
}

} // namespace shim
