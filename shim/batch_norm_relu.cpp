/* shim/batch_norm_relu.cpp - the kernels, and the autograd function that calls them. */
#include "shim/batch_norm_relu.hpp"

#include <ATen/Parallel.h>
#include <cmath>
#include <cstring>

/* One build serves all x86-64 machines: the loader picks the widest instructions available. */
#if defined(__x86_64__) && defined(__GNUC__)
#define SHIM_WIDE __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define SHIM_WIDE
#endif

namespace
{

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/* 16 floats, in one register or several. */
constexpr int64_t width = 16;
typedef float lanes __attribute__((vector_size(width * sizeof(float))));
typedef int mask __attribute__((vector_size(width * sizeof(int))));

/* A channel of an image is a plane of `n` floats. Sums are made in 16 lanes within a plane, and in double
 * over the planes. */

SHIM_WIDE double sum(const float *x, int64_t n)
{
    lanes acc = {};
    double total = 0;
    int64_t i = 0;

    for (; i + width <= n; i += width) {
        lanes v;

        std::memcpy(&v, x + i, sizeof v);
        acc += v;
    }
    for (; i < n; i++)
        total += x[i];
    for (int64_t k = 0; k < width; k++)
        total += acc[k];
    return total;
}

/* Sum of (x - mean)^2. */
SHIM_WIDE double sum_of_squares(const float *x, int64_t n, float mean)
{
    lanes acc = {};
    double total = 0;
    int64_t i = 0;

    for (; i + width <= n; i += width) {
        lanes v;

        std::memcpy(&v, x + i, sizeof v);
        v -= mean;
        acc += v * v;
    }
    for (; i < n; i++)
        total += (x[i] - mean) * (x[i] - mean);
    for (int64_t k = 0; k < width; k++)
        total += acc[k];
    return total;
}

/* y = max(0, x * scale + shift) */
SHIM_WIDE void scale_and_clamp(const float *x, float *y, int64_t n, float scale, float shift)
{
    int64_t i = 0;

    for (; i + width <= n; i += width) {
        lanes v;

        std::memcpy(&v, x + i, sizeof v);
        v = v * scale + shift;
        v = v > 0 ? v : lanes{};
        std::memcpy(y + i, &v, sizeof v);
    }
    for (; i < n; i++)
        y[i] = std::fmax(0.0f, x[i] * scale + shift);
}

/* g is dy where the ReLU was active, else 0; adds the sums of g and of g * (x - mean) to out[0], out[1]. */
SHIM_WIDE void gradient_sums(const float *dy, const float *x, int64_t n, float scale, float shift,
                             float mean, double *out)
{
    lanes sum_g = {}, sum_gx = {};
    int64_t i = 0;

    for (; i + width <= n; i += width) {
        lanes v, g;

        std::memcpy(&v, x + i, sizeof v);
        std::memcpy(&g, dy + i, sizeof g);
        g = v * scale + shift > 0 ? g : lanes{};
        sum_g += g;
        sum_gx += g * (v - mean);
    }
    for (; i < n; i++)
        if (x[i] * scale + shift > 0) {
            out[0] += dy[i];
            out[1] += dy[i] * (x[i] - mean);
        }
    for (int64_t k = 0; k < width; k++) {
        out[0] += sum_g[k];
        out[1] += sum_gx[k];
    }
}

/* dx = g * scale + x * a + b, where a and b hold the rest of batch norm's gradient. */
SHIM_WIDE void gradient(const float *dy, const float *x, float *dx, int64_t n, float scale, float shift,
                        float a, float b)
{
    int64_t i = 0;

    for (; i + width <= n; i += width) {
        lanes v, g;

        std::memcpy(&v, x + i, sizeof v);
        std::memcpy(&g, dy + i, sizeof g);
        g = v * scale + shift > 0 ? g : lanes{};
        v = g * scale + v * a + b;
        std::memcpy(dx + i, &v, sizeof v);
    }
    for (; i < n; i++)
        dx[i] = (x[i] * scale + shift > 0 ? dy[i] * scale : 0.0f) + x[i] * a + b;
}

/* [N,C,H,W] as planes. */
struct planes {
    int64_t n, channels, size;

    explicit planes(const Tensor &x) : n(x.size(0)), channels(x.size(1)), size(x.size(2) * x.size(3))
    {
    }
    int64_t at(int64_t image, int64_t channel) const
    {
        return (image * channels + channel) * size;
    }
    double count() const /* values of one channel */
    {
        return static_cast<double>(n) * static_cast<double>(size);
    }
};

/* What forward leaves for backward, per channel. */
enum { MEAN, INVERSE_DEVIATION, N_STATISTICS };

struct batch_norm_relu_function : torch::autograd::Function<batch_norm_relu_function> {
    static Tensor forward(AutogradContext *ctx, const Tensor &x, const Tensor &weight,
                          const Tensor &bias, const Tensor &running_mean, const Tensor &running_var,
                          double momentum, double eps)
    {
        const planes p(x);
        const Tensor y = torch::empty_like(x);
        const Tensor statistics = torch::empty({N_STATISTICS, p.channels});
        const float *const from = x.data_ptr<float>();
        const float *const w = weight.data_ptr<float>(), *const b = bias.data_ptr<float>();
        float *const to = y.data_ptr<float>();
        float *const mean_out = statistics.data_ptr<float>() + MEAN * p.channels;
        float *const inverse_out = statistics.data_ptr<float>() + INVERSE_DEVIATION * p.channels;
        float *const mean_run = running_mean.data_ptr<float>();
        float *const var_run = running_var.data_ptr<float>();

        at::parallel_for(0, p.channels, 1, [&](int64_t first, int64_t last) {
            for (int64_t c = first; c < last; c++) {
                double total = 0, squares = 0;

                for (int64_t i = 0; i < p.n; i++)
                    total += sum(from + p.at(i, c), p.size);
                const double mean = total / p.count();

                for (int64_t i = 0; i < p.n; i++)
                    squares += sum_of_squares(from + p.at(i, c), p.size, static_cast<float>(mean));
                const double inverse = 1 / std::sqrt(squares / p.count() + eps);
                const auto scale = static_cast<float>(w[c] * inverse);
                const auto shift = static_cast<float>(b[c] - mean * w[c] * inverse);

                for (int64_t i = 0; i < p.n; i++)
                    scale_and_clamp(from + p.at(i, c), to + p.at(i, c), p.size, scale, shift);
                mean_out[c] = static_cast<float>(mean);
                inverse_out[c] = static_cast<float>(inverse);
                mean_run[c] = static_cast<float>((1 - momentum) * mean_run[c] + momentum * mean);
                var_run[c] = static_cast<float>((1 - momentum) * var_run[c] +
                                                momentum * squares / (p.count() - 1));
            }
        });
        ctx->save_for_backward({x, weight, bias, statistics});
        return y;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &statistics = saved[3];
        const planes p(x);
        const Tensor dy = grads[0].contiguous(), dx = torch::empty_like(x);
        const Tensor dw = torch::empty_like(weight), db = torch::empty_like(bias);
        const float *const from = x.data_ptr<float>(), *const up = dy.data_ptr<float>();
        const float *const w = weight.data_ptr<float>(), *const b = bias.data_ptr<float>();
        const float *const means = statistics.data_ptr<float>() + MEAN * p.channels;
        const float *const inverses = statistics.data_ptr<float>() + INVERSE_DEVIATION * p.channels;
        float *const to = dx.data_ptr<float>();
        float *const dw_out = dw.data_ptr<float>(), *const db_out = db.data_ptr<float>();

        at::parallel_for(0, p.channels, 1, [&](int64_t first, int64_t last) {
            for (int64_t c = first; c < last; c++) {
                const double mean = means[c], inverse = inverses[c];
                const auto scale = static_cast<float>(w[c] * inverse);
                const auto shift = static_cast<float>(b[c] - mean * w[c] * inverse);
                double sums[2] = {0, 0};

                for (int64_t i = 0; i < p.n; i++)
                    gradient_sums(up + p.at(i, c), from + p.at(i, c), p.size, scale, shift,
                                  means[c], sums);
                /* dx = scale * (g - mean of g - (x - mean) * inverse^2 * mean of g (x - mean)) */
                const double slope = -w[c] * inverse * inverse * inverse * sums[1] / p.count();
                const double level = -w[c] * inverse * sums[0] / p.count() - slope * mean;

                for (int64_t i = 0; i < p.n; i++)
                    gradient(up + p.at(i, c), from + p.at(i, c), to + p.at(i, c), p.size, scale,
                             shift, static_cast<float>(slope), static_cast<float>(level));
                dw_out[c] = static_cast<float>(sums[1] * inverse);
                db_out[c] = static_cast<float>(sums[0]);
            }
        });
        return {dx, dw, db, Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

} // namespace

namespace shim
{

bool can_fuse(const torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x)
{
    if (x.scalar_type() == torch::kBFloat16)
        return can_fuse_bf16(bn, x);
    return bn.is_training() && bn.options.affine() && bn.options.track_running_stats() &&
           bn.options.momentum().has_value() && x.device().is_cpu() && x.scalar_type() == torch::kFloat32 &&
           x.dim() == 4 && x.is_contiguous() && x.size(0) * x.size(2) * x.size(3) > 1;
}

torch::Tensor batch_norm_relu(torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x)
{
    if (x.scalar_type() == torch::kBFloat16)
        return batch_norm_relu_bf16(bn, x);
    bn.num_batches_tracked.add_(1);
    return batch_norm_relu_function::apply(x, bn.weight, bn.bias, bn.running_mean, bn.running_var,
                                           bn.options.momentum().value(), bn.options.eps());
}

} // namespace shim
