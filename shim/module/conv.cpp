/* Convolutions. */
#include "shim/module/module.hpp"

namespace shim
{

built_module build_conv2d(const archai_module &m)
{
    return leaf(torch::nn::Conv2d(torch::nn::Conv2dOptions(arg(m, "in_channels"),
                                                           arg(m, "out_channels"),
                                                           pair(m, "kernel_size"))
                                      .stride(pair(m, "stride"))
                                      .padding(pair(m, "padding"))
                                      .groups(arg(m, "groups"))
                                      .bias(arg(m, "bias") != 0)),
                OUTPUT_FREE);
}

} // namespace shim
