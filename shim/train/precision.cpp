/* shim/train/precision.cpp - autocast, the faster order of channels, the scale of the loss. */
#include "shim/train/precision.hpp"
#include "shim/batch_norm_relu.hpp"
#include "shim/cuda.hpp"

#include <ATen/autocast_mode.h>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <torch/version.h>

namespace shim
{

namespace
{

/* -- what the processor has ------------------------------------------------------------------ */

bool cpu_has_bf16()
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx512bf16") != 0;
#else
    return false;
#endif
}

/* Tensor cores know fp16 from 7 on, bf16 and TF32 from 8 on. */
torch::Dtype fastest_type(const torch::Device &device)
{
    if (device.is_cpu())
        return cpu_has_bf16() ? torch::kBFloat16 : torch::kFloat32;
    const int major = gpu_capability(device);

    return major >= 8 ? torch::kBFloat16 : major == 7 ? torch::kHalf : torch::kFloat32;
}

/* -- autocast -------------------------------------------------------------------------------- */

/* As `with torch.autocast(...)`: while one lives, products are made in a.type. */
class autocast
{
  public:
    autocast(const torch::Device &on, torch::Dtype type) : device(on), active(type != torch::kFloat32)
    {
        if (!active)
            return;
        set_type(type);
        enable(true);
        (void)at::autocast::increment_nesting();
    }
    ~autocast()
    {
        if (!active)
            return;
        /* The copies of the weights are of this step. */
        if (at::autocast::decrement_nesting() == 0)
            at::autocast::clear_cache();
        enable(false);
    }
    autocast(const autocast &) = delete;
    autocast &operator=(const autocast &) = delete;

  private:
    const torch::Device device;
    const bool active;

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    void enable(bool on)
    {
        at::autocast::set_autocast_enabled(device.type(), on);
    }
    void set_type(torch::Dtype type)
    {
        at::autocast::set_autocast_dtype(device.type(), type);
    }
#else
    void enable(bool on)
    {
        if (device.is_cpu())
            at::autocast::set_cpu_enabled(on);
        else
            at::autocast::set_enabled(on);
    }
    void set_type(torch::Dtype type)
    {
        if (device.is_cpu())
            at::autocast::set_autocast_cpu_dtype(type);
        else
            at::autocast::set_autocast_gpu_dtype(type);
    }
#endif
};

/* A tensor of one channel is in both orders at once, and libtorch takes it for the usual one. */
torch::Tensor in_order(const torch::Tensor &x, bool channels_last)
{
    if (!channels_last || x.dim() != 4)
        return x;
    return torch::empty(x.sizes(), x.options(), torch::MemoryFormat::ChannelsLast).copy_(x);
}

/* -- which order is faster --------------------------------------------------------------------- */

/* On a CPU those that it worked: others may be at work beside this process. */
double seconds_now(const torch::Device &device)
{
    timespec t{};

    if (!device.is_cpu())
        torch::cuda::synchronize(device.index());
    (void)clock_gettime(device.is_cpu() ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/* The best of some steps of a convolution with batch norm and ReLU. Draws no random numbers. */
double layer_seconds(const torch::Device &device, torch::Dtype type, bool channels_last)
{
    const auto options = torch::TensorOptions().device(device);
    const auto x = in_order(torch::full({32, 32, 32, 32}, 0.5, options), channels_last);
    const auto weight = torch::full({32, 32, 3, 3}, 0.01, options).requires_grad_();
    torch::nn::BatchNorm2d norm(32);
    double best = std::numeric_limits<double>::infinity();

    norm->to(device);
    for (int i = 0; i < 6; i++) {
        const double begun = seconds_now(device);
        const auto in = x.detach().requires_grad_();
        torch::Tensor y;

        {
            const autocast cast(device, type);

            y = torch::conv2d(in, weight, {}, 1, 1);
            y = can_fuse(*norm, y) ? batch_norm_relu(*norm, y) : norm->forward(y).relu_();
        }
        y.backward(torch::ones_like(y));
        best = std::min(best, seconds_now(device) - begun);
    }
    return best;
}

/* Measured when a device first needs it. Where there is little between them it is always the same one. */
bool prefers_channels_last(shim_device &d, torch::Dtype type)
{
    const auto known = d.channels_last.find(type);

    if (known != d.channels_last.end())
        return known->second;
    return d.channels_last[type] =
               layer_seconds(d.rep, type, true) < 1.1 * layer_seconds(d.rep, type, false);
}

} // namespace

std::string arithmetic::text() const
{
    std::string out = type == torch::kBFloat16 ? "bf16" : type == torch::kHalf ? "fp16" : "";

    for (const char *more : {channels_last ? "channels_last" : "", tf32 ? "tf32" : ""})
        if (*more != '\0')
            out += (out.empty() ? "" : ", ") + std::string(more);
    return out;
}

int choose_arithmetic(shim_model &m, const archai_train_settings &s, arithmetic *out, archai_err *err)
{
    shim_device &d = *m.device;
    const bool is_auto = s.precision == ARCHAI_PRECISION_AUTO;
    auto &context = at::globalContext();
    arithmetic a;

    if (s.precision == ARCHAI_PRECISION_FP16 && d.rep.is_cpu())
        return archai_fail(err, ARCHAI_EINVAL, "train.precision: fp16 needs a GPU; bf16 works on a CPU");
    a.type = is_auto                                  ? fastest_type(d.rep)
             : s.precision == ARCHAI_PRECISION_BF16 ? torch::kBFloat16
             : s.precision == ARCHAI_PRECISION_FP16 ? torch::kHalf
                                                    : torch::kFloat32;
    a.tf32 = !d.rep.is_cpu() &&
             (s.tf32 == ARCHAI_TF32_YES || (is_auto && s.tf32 == ARCHAI_TF32_CONV));
    if (s.deterministic) /* cuBLAS reads it at its first product */
        (void)setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    context.setDeterministicAlgorithms(s.deterministic, false);
    context.setDeterministicCuDNN(s.deterministic);
    context.setBenchmarkCuDNN(s.cudnn_benchmark);
    if (!d.rep.is_cpu()) {
        context.setAllowTF32CuBLAS(a.tf32);
        context.setAllowTF32CuDNN(s.tf32 != ARCHAI_TF32_NO);
    }
    a.channels_last =
        a.type != torch::kFloat32 && m.input_ndim == 3 && prefers_channels_last(d, a.type);
    *out = a;
    return ARCHAI_OK;
}

torch::Tensor forward(shim_model &m, const arithmetic &a, const torch::Tensor &input)
{
    if (a.type == torch::kFloat32)
        return m.forward(input);
    const autocast cast(m.device->rep, a.type);

    const auto y = m.forward(in_order(input, a.channels_last));

    return y.is_floating_point() ? y.to(torch::kFloat32) : y;
}

/* PyTorch's numbers: the factor doubles after 2000 good steps. One number is read from the device for each step, as
 * there. */
bool grad_scaler::unscale(const std::vector<torch::Tensor> &grads)
{
    constexpr double growth = 2, backoff = 0.5;
    constexpr int64_t interval = 2000;
    torch::NoGradGuard no_grad;
    bool finite = true;

    if (!grads.empty() && grads[0].is_cuda()) {
        const auto options = grads[0].options().dtype(torch::kFloat32);
        auto found = torch::zeros({}, options);

        at::_amp_foreach_non_finite_check_and_unscale_(grads, found, torch::full({}, 1 / scale, options));
        finite = found.item<float>() == 0;
    } else {
        for (torch::Tensor g : grads) {
            finite = finite && g.isfinite().all().item<bool>();
            g.mul_(1 / scale);
        }
    }
    good_steps = finite ? good_steps + 1 : 0;
    if (!finite)
        scale *= backoff;
    else if (good_steps == interval) {
        scale *= growth;
        good_steps = 0;
    }
    return finite;
}

} // namespace shim

extern "C" int shim_test_loss_scale(float *grads, bool *made, double *scales, size_t steps,
                                    archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        shim::grad_scaler s;

        for (size_t i = 0; i < steps; i++) {
            made[i] = s.unscale({torch::from_blob(&grads[i], {1})});
            scales[i] = s.scale;
        }
        return ARCHAI_OK;
    });
}
