/* Pooling and resizing of images. */
#include "shim/module/module.hpp"

namespace shim
{

namespace nn = torch::nn;

built_module build_adaptive_avg_pool2d(const archai_module &m)
{
    return leaf(nn::AdaptiveAvgPool2d(
        nn::AdaptiveAvgPool2dOptions({arg(m, "output_size"), arg(m, "output_size", 1)})));
}

built_module build_max_pool2d(const archai_module &m)
{
    return leaf(nn::MaxPool2d(nn::MaxPool2dOptions(arg(m, "kernel_size"))
                                  .stride(arg(m, "stride"))
                                  .padding(arg(m, "padding"))));
}

built_module build_upsample(const archai_module &m)
{
    const auto options = nn::UpsampleOptions().mode(torch::kNearest);
    const double factor = real_arg(m, "scale_factor");

    return leaf(nn::Upsample(
        factor != 0
            ? nn::UpsampleOptions(options).scale_factor(std::vector<double>{factor, factor})
            : nn::UpsampleOptions(options).size(
                  std::vector<int64_t>{arg(m, "size"), arg(m, "size", 1)})));
}

} // namespace shim
