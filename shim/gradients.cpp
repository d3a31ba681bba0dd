/* shim/gradients.cpp - what autograd makes of a description, for the tests. */
#include "shim/types.hpp"

extern "C" {

int shim_test_gradients(shim_model *m, const void *input, const int64_t *shape, bool training,
                        const float *coefficients, const archai_tensor **out, size_t *n,
                        archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const torch::IntArrayRef sizes(shape, static_cast<size_t>(m->input_ndim) + 1);
        const auto x = torch::from_blob(const_cast<void *>(input), sizes,
                                        m->tokens ? torch::kInt64 : torch::kFloat32);
        std::vector<torch::Tensor> copies;
        std::vector<archai_tensor> views;

        m->root->train(training);
        const auto y = m->forward(x.to(m->device->rep));
        const auto c = torch::from_blob(const_cast<float *>(coefficients), y.sizes());

        (y * c.to(m->device->rep)).sum().backward();
        for (auto &e : m->state) {
            if (!e.tensor.grad().defined())
                continue;
            copies.push_back(e.tensor.grad().to(torch::kCPU).contiguous().clone()); /* zeroed below */
            views.push_back(shim::view(e.name, copies.back()));
        }
        m->root->zero_grad();
        m->root->eval();
        m->copies = std::move(copies);
        m->views = std::move(views);
        *out = m->views.data();
        *n = m->views.size();
        return ARCHAI_OK;
    });
}

} // extern "C"
