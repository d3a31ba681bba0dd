/* shim/gradients.cpp - what a model computes and its gradients, for comparing kinds with
 * PyTorch. */
#include "shim/batch_norm_relu.hpp"
#include "shim/train/precision.hpp"

namespace
{

/* One of the two ways; what is compared of it. */
std::vector<torch::Tensor> norm_and_relu(const torch::Tensor &given, const torch::Tensor &dy, bool fused)
{
    const auto x = given.detach().requires_grad_();
    torch::nn::BatchNorm2d bn(given.size(1));
    torch::NoGradGuard no_grad;

    bn->weight.copy_(torch::linspace(0.5, 1.5, given.size(1)));
    bn->bias.copy_(torch::linspace(-0.5, 0.5, given.size(1)));
    {
        torch::AutoGradMode grad(true);

        (fused ? shim::batch_norm_relu(*bn, x) : bn->forward(x).relu()).backward(dy);
    }
    const auto y = fused ? shim::batch_norm_relu(*bn, x) : bn->forward(x).relu(); /* moves them again */

    return {y,       x.grad(),         bn->weight.grad(), bn->bias.grad(),
            bn->running_mean, bn->running_var, bn->num_batches_tracked};
}

} // namespace

extern "C" {

void shim_test_precision(shim_model *m, int precision) noexcept
{
    m->test_precision = precision;
}

int shim_test_batch_norm_relu(const int64_t shape[4], double *worst, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        torch::manual_seed(1);
        const torch::IntArrayRef sizes(shape, 4);
        const auto last = torch::MemoryFormat::ChannelsLast;
        const auto x = torch::empty(sizes, torch::TensorOptions(torch::kBFloat16), last)
                           .copy_(torch::randn(sizes) * 2 + 0.5);
        const auto dy = torch::randn(sizes).to(torch::kBFloat16);

        if (!shim::can_fuse(*torch::nn::BatchNorm2d(shape[1]), x))
            return archai_fail(err, ARCHAI_EINVAL, "it is not done in one pass");
        const auto got = norm_and_relu(x, dy.contiguous(last), true);
        const auto want = norm_and_relu(x.to(torch::kFloat32).contiguous(), dy.to(torch::kFloat32), false);

        *worst = 0;
        for (size_t i = 0; i < want.size(); i++) {
            const auto w = want[i].to(torch::kFloat64), off = (got[i].to(torch::kFloat64) - w).abs();

            *worst = std::max(*worst, off.max().item<double>() / w.abs().max().item<double>());
        }
        return ARCHAI_OK;
    });
}

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
        archai_train_settings settings{};
        shim::arithmetic a;

        settings.precision = m->test_precision;
        ARCHAI_TRY(shim::choose_arithmetic(*m, settings, &a, err));
        const torch::Tensor y = shim::forward(*m, a, x);

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
