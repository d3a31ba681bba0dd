/* shim/measure/naswot.cpp - how differently the ReLUs of a network answer different examples (Mellor et al.,
 * arXiv:2006.04647v3): the logarithm of the determinant of how many of them agree, in training mode. What a ReLU
 * puts out is positive where its input is. */
#include "shim/measure/measure.hpp"

#include <limits>
#include <set>
#include <stdexcept>

namespace shim
{

/* Registers that hold what a ReLU (ReLU6, LeakyReLU, PReLU) put out; a step of the model may do it together with the
 * layer before it, and then writes the same register. */
static std::set<int> relu_registers(const archai_network &net)
{
    std::set<int> out;

    for (size_t i = 0; i < net.n_steps; i++) {
        const std::string name = archai_module_class(net.steps[i].module);

        if (name.find("ReLU") != std::string::npos || name == "relu")
            out.insert(net.steps[i].out);
    }
    return out;
}

/* shim_model::forward, with a look at every register. */
template <class Look> static void forward(const shim_model &m, const torch::Tensor &input, Look look)
{
    std::vector<torch::Tensor> values(static_cast<size_t>(m.n_values));

    values[0] = input;
    for (const auto &s : m.steps) {
        std::vector<torch::Tensor> in;

        for (int r : s.inputs)
            in.push_back(values[static_cast<size_t>(r)]);
        values[static_cast<size_t>(s.out)] = s.forward(in);
        look(s.out, values[static_cast<size_t>(s.out)]);
    }
}

measured measure_naswot(specimen &s)
{
    const int64_t n = s.input.size(0);
    const std::set<int> relus = relu_registers(s.net);
    torch::Tensor agree = torch::zeros({n, n}, torch::kFloat64);
    torch::NoGradGuard no_grad;

    if (relus.empty())
        throw std::runtime_error("naswot looks at ReLUs, and this network has none");
    s.model.root->train();
    forward(s.model, s.input, [&](int out, const torch::Tensor &value) {
        if (relus.count(out) == 0 || value.size(0) != n)
            return;
        const auto on = value.gt(0).flatten(1).to(torch::kCPU, torch::kFloat64);

        agree += on.mm(on.t()) + (1 - on).mm((1 - on).t());
    });
    return {std::get<1>(torch::linalg_slogdet(agree)).item<double>(),
            std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
