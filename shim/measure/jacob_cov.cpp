/* shim/measure/jacob_cov.cpp - how differently a network answers different examples (Mellor et al.,
 * arXiv:2006.04647v1): from the eigenvalues of the correlations of the examples' gradients, in training mode. */
#include "shim/measure/measure.hpp"

#include <limits>
#include <stdexcept>

namespace shim
{

measured measure_jacob_cov(specimen &s)
{
    constexpr double k = 1e-5;
    shim_model &m = s.model;

    if (m.tokens)
        throw std::runtime_error("jacob_cov needs gradients of the input, and this network takes tokens");
    m.root->train();
    torch::Tensor x = s.input.detach().clone().requires_grad_();

    m.forward(x).sum().backward();
    torch::Tensor j = x.grad().flatten(1).to(torch::kCPU, torch::kFloat64);

    j = j - j.mean(1, true);
    torch::Tensor c = j.mm(j.t());
    const torch::Tensor scale = c.diagonal().sqrt();

    c = (c / scale.unsqueeze(0) / scale.unsqueeze(1)).clamp(-1, 1);
    const torch::Tensor v = torch::linalg_eigvalsh(c) + k;

    return {-(v.log() + 1 / v).sum().item<double>(), std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
