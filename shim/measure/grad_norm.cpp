/* shim/measure/grad_norm.cpp - the norms of the gradients of the loss (Abdelfattah et al., arXiv:2101.08134), over the weights of
 * convolutions and linear layers, in training mode. */
#include "shim/measure/measure.hpp"

#include <limits>

namespace shim
{

static torch::Tensor norm(const torch::Tensor &, const torch::Tensor &g)
{
    return g.norm();
}

measured measure_grad_norm(specimen &s)
{
    pass(s, true);
    return {sum_over_weights(s.model, norm), std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
