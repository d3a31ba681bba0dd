/* shim/batch_norm_relu.cpp - the kernels, and the autograd function that calls them. */
#include "shim/batch_norm_relu.hpp"

#include <ATen/Parallel.h>
#include <cmath>
#include <cstring>

namespace
{

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t width = 16; /* floats, in one register or several */
typedef float lanes __attribute__((vector_size(width * sizeof(float))));

/* See batch_norm_relu.inc. */
struct kernels {
    double (*sum)(const float *x, int64_t n);
    double (*sum_of_squares)(const float *x, int64_t n, float mean);
    void (*scale_and_clamp)(const float *x, float *y, int64_t n, float scale, float shift);
    void (*gradient_sums)(const float *dy, const float *x, int64_t n, float scale, float shift, float mean, double *out);
    void (*gradient)(const float *dy, const float *x, float *dx, int64_t n, float scale, float shift, float a, float b);
};

#define SHIM_PASSES "shim/batch_norm_relu.inc"
#include "shim/each_cpu.inc"

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
                    total += passes.sum(from + p.at(i, c), p.size);
                const double mean = total / p.count();

                for (int64_t i = 0; i < p.n; i++)
                    squares += passes.sum_of_squares(from + p.at(i, c), p.size, static_cast<float>(mean));
                const double inverse = 1 / std::sqrt(squares / p.count() + eps);
                const auto scale = static_cast<float>(w[c] * inverse);
                const auto shift = static_cast<float>(b[c] - mean * w[c] * inverse);

                for (int64_t i = 0; i < p.n; i++)
                    passes.scale_and_clamp(from + p.at(i, c), to + p.at(i, c), p.size, scale, shift);
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
                    passes.gradient_sums(up + p.at(i, c), from + p.at(i, c), p.size, scale, shift,
                                  means[c], sums);
                /* dx = scale * (g - mean of g - (x - mean) * inverse^2 * mean of g (x - mean)) */
                const double slope = -w[c] * inverse * inverse * inverse * sums[1] / p.count();
                const double level = -w[c] * inverse * sums[0] / p.count() - slope * mean;

                for (int64_t i = 0; i < p.n; i++)
                    passes.gradient(up + p.at(i, c), from + p.at(i, c), to + p.at(i, c), p.size, scale,
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
