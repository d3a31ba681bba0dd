/* shim/train/weights.cpp - snapshots and the moving average. */
#include "shim/train/weights.hpp"

namespace shim
{

snapshot take(const shim_model &m)
{
    torch::NoGradGuard no_grad;
    snapshot out;

    for (const auto &e : m.state)
        out.push_back(e.tensor.detach().clone());
    return out;
}

snapshot clone(const snapshot &s)
{
    snapshot out;

    for (const auto &t : s)
        out.push_back(t.clone());
    return out;
}

void put(shim_model &m, const snapshot &from)
{
    torch::NoGradGuard no_grad;

    for (size_t i = 0; i < from.size(); i++)
        m.state[i].tensor.copy_(from[i]);
}

void average::update()
{
    torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> means, values;

    if (at.empty()) {
        at = take(m);
        return;
    }
    for (size_t i = 0; i < at.size(); i++) {
        const torch::Tensor value = m.state[i].tensor.detach();

        if (!value.is_floating_point()) {
            at[i].copy_(value);
            continue;
        }
        means.push_back(at[i]);
        values.push_back(value);
    }
    torch::_foreach_mul_(means, decay);
    torch::_foreach_add_(means, values, 1 - decay);
}

} // namespace shim
