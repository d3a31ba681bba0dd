/* Convolutions. */
#include "shim/module/module.hpp"

namespace shim
{

namespace nn = torch::nn;

enum { SAME = -1, VALID = -2 }; /* the words of `padding` */

/* `padding` as the kind means it: `same` with a stride is a number (core/network/kind/conv.c).
 */
template <size_t N> static void set_padding(nn::ConvOptions<N> &options, const archai_module &m)
{
    std::array<int64_t, N> padding;
    bool strided = false;

    for (size_t i = 0; i < N; i++) {
        const int at = static_cast<int>(i);
        const int64_t given = arg(m, "padding", at);

        strided |= arg(m, "stride", at) > 1;
        padding[i] = given == VALID ? 0
                     : given == SAME
                         ? arg(m, "dilation", at) * (arg(m, "kernel_size", at) - 1) / 2
                         : given;
    }
    if (arg(m, "padding") == SAME && !strided)
        options.padding(torch::kSame);
    else
        options.padding(padding);
}

template <size_t N> static nn::ConvOptions<N> conv_options(const archai_module &m)
{
    nn::ConvOptions<N> options(arg(m, "in_channels"), arg(m, "out_channels"),
                               sizes<N>(m, "kernel_size"));

    options.stride(sizes<N>(m, "stride"))
        .dilation(sizes<N>(m, "dilation"))
        .groups(arg(m, "groups"))
        .bias(arg(m, "bias") != 0);
    set_padding<N>(options, m);
    return options;
}

built_module build_conv1d(const archai_module &m)
{
    return leaf(nn::Conv1d(conv_options<1>(m)), OUTPUT_FREE);
}

built_module build_conv2d(const archai_module &m)
{
    return leaf(nn::Conv2d(conv_options<2>(m)), OUTPUT_FREE);
}

built_module build_conv_transpose2d(const archai_module &m)
{
    return leaf(nn::ConvTranspose2d(nn::ConvTranspose2dOptions(arg(m, "in_channels"),
                                                               arg(m, "out_channels"),
                                                               sizes<2>(m, "kernel_size"))
                                        .stride(sizes<2>(m, "stride"))
                                        .padding(sizes<2>(m, "padding"))
                                        .output_padding(sizes<2>(m, "output_padding"))
                                        .groups(arg(m, "groups"))
                                        .bias(arg(m, "bias") != 0)
                                        .dilation(sizes<2>(m, "dilation"))),
                OUTPUT_FREE);
}

} // namespace shim
