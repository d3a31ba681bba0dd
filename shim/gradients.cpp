/* shim/gradients.cpp - what a model computes and its gradients, for comparing kinds with
 * PyTorch. */
#include "shim/types.hpp"

extern "C" {

int shim_test_gradients(shim_model *m, const archai_tensor *input, const float *weights,
                        bool training, const archai_tensor **out, size_t *n,
                        archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        torch::Tensor x = shim::borrow(*input).to(m->device->rep, false, true);
        std::vector<std::string> names;
        std::vector<torch::Tensor> values;
        const auto keep = [&](const std::string &name, const torch::Tensor &t) {
            names.push_back(name);
            values.push_back(t.detach().to(torch::kCPU).contiguous().clone());
        };
        const auto gradient = [](const torch::Tensor &t) {
            return t.grad().defined() ? t.grad() : torch::zeros_like(t);
        };

        if (x.is_floating_point())
            x.requires_grad_();
        m->root->train(training);
        m->root->zero_grad();
        const torch::Tensor y = m->forward(x);

        keep("output", y);
        if (weights != nullptr && y.requires_grad())
            (y * torch::from_blob(const_cast<float *>(weights), y.sizes()).to(y.device()))
                .sum()
                .backward();
        if (x.requires_grad())
            keep("input", gradient(x));
        for (const auto &e : m->state)
            if (e.tensor.requires_grad())
                keep("grad/" + e.name, gradient(e.tensor));
            else
                keep("buffer/" + e.name, e.tensor);
        m->root->eval();

        m->copies = std::move(values);
        m->names = std::move(names);
        m->views.clear();
        for (size_t i = 0; i < m->copies.size(); i++)
            m->views.push_back(shim::view(m->names[i], m->copies[i]));
        *out = m->views.data();
        *n = m->views.size();
        return ARCHAI_OK;
    });
}

} // extern "C"
