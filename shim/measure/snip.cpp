/* shim/measure/snip.cpp - how much the loss depends on each weight, |w * gradient| (Lee et al., arXiv:1810.02340), over the weights of
 * convolutions and linear layers, in training mode. */
#include "shim/measure/measure.hpp"

#include <limits>

namespace shim
{

static torch::Tensor connection(const torch::Tensor &w, const torch::Tensor &g)
{
    return (w * g).abs().sum();
}

measured measure_snip(specimen &s)
{
    pass(s, true);
    return {sum_over_weights(s.model, connection), std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
