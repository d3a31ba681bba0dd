/* Linear layers. A tied one holds its bias alone; the weight is another module's. */
#include "shim/module/module.hpp"

namespace shim
{

static built_module tied_linear(const archai_module &m)
{
    const auto module = std::make_shared<torch::nn::Module>();
    const auto weight = std::make_shared<torch::Tensor>();
    torch::Tensor bias;

    if (arg(m, "bias") != 0)
        bias = module->register_parameter("bias", torch::zeros({arg(m, "out_features")}));
    return {module,
            [weight, module](torch::TensorList x) {
                const auto *b = module->named_parameters(false).find("bias");

                return torch::linear(x[0], *weight, b != nullptr ? *b : torch::Tensor());
            },
            OUTPUT_FREE, weight};
}

built_module build_linear(const archai_module &m)
{
    if (m.tied != nullptr)
        return tied_linear(m);
    return leaf(torch::nn::Linear(
                    torch::nn::LinearOptions(arg(m, "in_features"), arg(m, "out_features"))
                        .bias(arg(m, "bias") != 0)),
                OUTPUT_FREE);
}

} // namespace shim
