/* Normalisation. */
#include "shim/module/module.hpp"

#include <ATen/OpMathType.h>
#include <limits>

namespace shim
{

namespace nn = torch::nn;

static nn::BatchNormOptions batch_options(const archai_module &m)
{
    nn::BatchNormOptions options(arg(m, "num_features"));
    std::decay_t<decltype(options.momentum())> momentum; /* none: means over all batches */

    if (!is_none(m, "momentum"))
        momentum = real_arg(m, "momentum");
    return options.eps(real_arg(m, "eps"))
        .momentum(momentum)
        .affine(arg(m, "affine") != 0)
        .track_running_stats(arg(m, "track_running_stats") != 0);
}

built_module build_batch_norm1d(const archai_module &m)
{
    return leaf(nn::BatchNorm1d(batch_options(m)), OUTPUT_FREE);
}

built_module build_batch_norm2d(const archai_module &m)
{
    return leaf(nn::BatchNorm2d(batch_options(m)), OUTPUT_FREE);
}

built_module build_instance_norm2d(const archai_module &m)
{
    return leaf(
        nn::InstanceNorm2d(nn::InstanceNorm2dOptions(arg(m, "num_features"))
                               .eps(real_arg(m, "eps"))
                               .momentum(real_arg(m, "momentum"))
                               .affine(arg(m, "affine") != 0)
                               .track_running_stats(arg(m, "track_running_stats") != 0)));
}

built_module build_group_norm(const archai_module &m)
{
    return leaf(nn::GroupNorm(nn::GroupNormOptions(arg(m, "num_groups"), arg(m, "num_channels"))
                                  .eps(real_arg(m, "eps"))
                                  .affine(arg(m, "affine") != 0)),
                OUTPUT_FREE);
}

/* libtorch's class has no switch for the bias alone. */
built_module build_layer_norm(const archai_module &m)
{
    const auto module = std::make_shared<nn::Module>();
    const auto shape = list(m, "normalized_shape");
    const double eps = real_arg(m, "eps");
    torch::Tensor weight, bias;

    if (arg(m, "elementwise_affine") != 0) {
        weight = module->register_parameter("weight", torch::ones(shape));
        if (arg(m, "bias") != 0)
            bias = module->register_parameter("bias", torch::zeros(shape));
    }
    return {module,
            [shape, weight, bias, eps](torch::TensorList x) {
                return torch::layer_norm(x[0], shape, weight, bias, eps);
            },
            OUTPUT_FREE,
            {}};
}

/* libtorch 1.13 has none. */
built_module build_rms_norm(const archai_module &m)
{
    const auto module = std::make_shared<nn::Module>();
    const auto shape = list(m, "normalized_shape");
    const double eps =
        is_none(m, "eps") ? std::numeric_limits<float>::epsilon() : real_arg(m, "eps");
    std::vector<int64_t> dims;
    torch::Tensor weight;

    for (size_t i = shape.size(); i > 0; i--)
        dims.push_back(-static_cast<int64_t>(i));
    if (arg(m, "elementwise_affine") != 0)
        weight = module->register_parameter("weight", torch::ones(shape));
    return {module,
            [dims, weight, eps](torch::TensorList x) {
                /* Not in a short type that autocast has given the input. */
                const torch::Tensor in = x[0].to(at::toOpMathType(x[0].scalar_type()));
                const torch::Tensor y = in * torch::rsqrt(in.square().mean(dims, true) + eps);

                return (weight.defined() ? y * weight : y).to(x[0].scalar_type());
            },
            OUTPUT_FREE,
            {}};
}

built_module build_local_response_norm(const archai_module &m)
{
    return leaf(nn::LocalResponseNorm(nn::LocalResponseNormOptions(arg(m, "size"))
                                          .alpha(real_arg(m, "alpha"))
                                          .beta(real_arg(m, "beta"))
                                          .k(real_arg(m, "k"))));
}

} // namespace shim
