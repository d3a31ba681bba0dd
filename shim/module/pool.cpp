/* Pooling, resizing, shuffling and padding of images. */
#include "shim/module/module.hpp"

#include <cmath>

namespace shim
{

namespace nn = torch::nn;

built_module build_max_pool1d(const archai_module &m)
{
    return leaf(nn::MaxPool1d(nn::MaxPool1dOptions(arg(m, "kernel_size"))
                                  .stride(arg(m, "stride"))
                                  .padding(arg(m, "padding"))
                                  .dilation(arg(m, "dilation"))
                                  .ceil_mode(arg(m, "ceil_mode") != 0)));
}

built_module build_max_pool2d(const archai_module &m)
{
    return leaf(nn::MaxPool2d(nn::MaxPool2dOptions(sizes<2>(m, "kernel_size"))
                                  .stride(sizes<2>(m, "stride"))
                                  .padding(sizes<2>(m, "padding"))
                                  .dilation(sizes<2>(m, "dilation"))
                                  .ceil_mode(arg(m, "ceil_mode") != 0)));
}

built_module build_avg_pool1d(const archai_module &m)
{
    return leaf(nn::AvgPool1d(nn::AvgPool1dOptions(arg(m, "kernel_size"))
                                  .stride(arg(m, "stride"))
                                  .padding(arg(m, "padding"))
                                  .ceil_mode(arg(m, "ceil_mode") != 0)
                                  .count_include_pad(arg(m, "count_include_pad") != 0)));
}

built_module build_avg_pool2d(const archai_module &m)
{
    auto options = nn::AvgPool2dOptions(sizes<2>(m, "kernel_size"))
                       .stride(sizes<2>(m, "stride"))
                       .padding(sizes<2>(m, "padding"))
                       .ceil_mode(arg(m, "ceil_mode") != 0)
                       .count_include_pad(arg(m, "count_include_pad") != 0);

    if (!is_none(m, "divisor_override"))
        options.divisor_override(arg(m, "divisor_override"));
    return leaf(nn::AvgPool2d(options));
}

built_module build_adaptive_avg_pool1d(const archai_module &m)
{
    return leaf(nn::AdaptiveAvgPool1d(nn::AdaptiveAvgPool1dOptions(arg(m, "output_size"))));
}

/* One number or two; None: the input's own size. */
static nn::AdaptiveAvgPool2dOptions wanted_size(const archai_module &m)
{
    auto size = *nn::AdaptiveAvgPool2dOptions({1, 1}).output_size();

    for (int i = 0; i < 2; i++) {
        const int place = arg(m, "output_size") == 2 ? 1 + i : 1;

        if (is_none(m, "output_size", place))
            size[static_cast<size_t>(i)].reset();
        else
            size[static_cast<size_t>(i)] = arg(m, "output_size", place);
    }
    return nn::AdaptiveAvgPool2dOptions(size);
}

built_module build_adaptive_avg_pool2d(const archai_module &m)
{
    return leaf(nn::AdaptiveAvgPool2d(wanted_size(m)));
}

built_module build_adaptive_max_pool2d(const archai_module &m)
{
    return leaf(
        nn::AdaptiveMaxPool2d(nn::AdaptiveMaxPool2dOptions(wanted_size(m).output_size())));
}

/* By libtorch's functions: its class warns of each factor that is no whole number. */
template <class F> static built_module resized(const archai_module &m, F resize)
{
    const double factor = is_none(m, "scale_factor") ? 0 : real_arg(m, "scale_factor");
    const std::array<int64_t, 2> size =
        factor == 0 ? sizes<2>(m, "size") : std::array<int64_t, 2>{0, 0};

    return stateless(
        [factor, size, resize](torch::TensorList x) {
            if (factor == 0)
                return resize(x[0], size);
            const auto scaled = [&](int64_t dim) {
                return static_cast<int64_t>(
                    std::floor(static_cast<double>(x[0].size(dim)) * factor));
            };
            return resize(x[0], std::array<int64_t, 2>{scaled(2), scaled(3)}, factor, factor);
        },
        OUTPUT_FREE);
}

built_module build_upsample(const archai_module &m)
{
    const bool align = !is_none(m, "align_corners") && arg(m, "align_corners") != 0;

    if (arg(m, "mode") == 0)
        return resized(m, [](const torch::Tensor &x, torch::IntArrayRef size, auto... factors) {
            return torch::upsample_nearest2d(x, size, factors...);
        });
    return resized(m,
                   [align](const torch::Tensor &x, torch::IntArrayRef size, auto... factors) {
                       return torch::upsample_bilinear2d(x, size, align, factors...);
                   });
}

built_module build_pixel_shuffle(const archai_module &m)
{
    const int64_t factor = arg(m, "upscale_factor");

    return stateless(
        [factor](torch::TensorList x) { return torch::pixel_shuffle(x[0], factor); });
}

built_module build_channel_shuffle(const archai_module &m)
{
    const int64_t groups = arg(m, "groups");

    /* libtorch 1.13's function has no gradient. */
    return stateless([groups](torch::TensorList x) {
        return x[0].unflatten(1, {groups, -1}).transpose(1, 2).flatten(1, 2);
    });
}

built_module build_pad(const archai_module &m)
{
    const auto sides = list(m, "pad");
    const double value = real_arg(m, "value");

    return stateless([sides, value](torch::TensorList x) {
        return torch::constant_pad_nd(x[0], sides, value);
    });
}

built_module build_zero_pad2d(const archai_module &m)
{
    auto sides = list(m, "padding");

    if (sides.size() == 1)
        sides.resize(4, sides[0]);
    return stateless(
        [sides](torch::TensorList x) { return torch::constant_pad_nd(x[0], sides, 0); });
}

} // namespace shim
