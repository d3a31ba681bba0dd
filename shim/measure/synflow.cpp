/* shim/measure/synflow.cpp - synaptic flow (Tanaka et al., arXiv:2006.05467): |w * gradient| of the summed output of
 * the network with absolute weights, for an input of ones, in double precision. Norms are in evaluation mode with
 * the statistics that they begin with, so that they pass on what comes. */
#include "shim/measure/measure.hpp"

#include <limits>
#include <stdexcept>

namespace shim
{

static torch::Tensor flow(const torch::Tensor &w, const torch::Tensor &g)
{
    return (w * g).abs().sum();
}

measured measure_synflow(specimen &s)
{
    shim_model &m = s.model;

    if (m.tokens)
        throw std::runtime_error("synflow needs an input of ones, and this network takes tokens");
    m.root->to(torch::kFloat64);
    m.root->eval();
    {
        torch::NoGradGuard no_grad;

        for (const auto &t : m.root->parameters())
            (void)t.detach().abs_();
        for (const auto &t : m.root->buffers())
            if (t.is_floating_point())
                (void)t.detach().abs_();
    }
    m.root->zero_grad();
    m.forward(torch::ones_like(s.input.slice(0, 0, 1), torch::kFloat64)).sum().backward();
    return {sum_over_weights(m, flow), std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
