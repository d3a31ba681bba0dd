/* shim/batch_norm_relu_bf16.cpp - batch norm and ReLU in one pass over bfloat16 with the channels last.
 *
 * The values lie in rows of all channels. Arithmetic is in float32, sums are made in float32 over a block of rows
 * and in double over the blocks, in their order: the result does not depend on the number of threads. */
#include "shim/batch_norm_relu.hpp"

#include <ATen/Parallel.h>
#include <cmath>
#include <cstring>

namespace
{

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t width = 16;
typedef float lanes __attribute__((vector_size(width * sizeof(float))));
typedef uint32_t words __attribute__((vector_size(width * sizeof(uint32_t))));
typedef uint16_t halves __attribute__((vector_size(width * sizeof(uint16_t))));

struct kernels {
    void (*sums)(const uint16_t *x, int64_t n, int64_t period, float *sum, float *squares);
    void (*scale_and_clamp)(const uint16_t *x, uint16_t *y, int64_t n, int64_t period, const float *scale,
                            const float *shift);
    void (*gradient_sums)(const uint16_t *dy, const uint16_t *x, int64_t n, int64_t period, const float *scale,
                          const float *shift, float *sum_g, float *sum_gx);
    void (*gradient)(const uint16_t *dy, const uint16_t *x, uint16_t *dx, int64_t n, int64_t period,
                     const float *scale, const float *shift, const float *slope, const float *level);
};

#define SHIM_PASSES "shim/batch_norm_relu_bf16.inc"
#include "shim/each_cpu.inc"

/* All rows, in blocks of whole periods; the last period may be cut short. */
struct rows {
    int64_t n, channels, period, block, blocks;

    explicit rows(const Tensor &x) : n(x.numel()), channels(x.size(1))
    {
        constexpr int64_t additions = 256; /* in float32 */

        period = channels;
        while (period % width != 0 || period < 4 * width) /* too few lanes would wait for each other */
            period *= 2;
        block = period * additions;
        blocks = (n + block - 1) / block;
    }

    /* f(begin, n, block): n is a multiple of the period, but for the last part, which f gets in `last` instead. */
    template <class F, class L> void for_each(F &&f, L &&last) const
    {
        at::parallel_for(0, blocks, 1, [&](int64_t from, int64_t to) {
            for (int64_t i = from; i < to; i++) {
                const int64_t begin = i * block, size = std::min(block, n - begin);
                const int64_t whole = size / period * period;

                f(begin, whole, i);
                if (whole < size)
                    last(begin + whole, size - whole, i);
            }
        });
    }

    /* Values by channel, for each row of a period. */
    std::vector<float> repeated(const std::vector<float> &by_channel) const
    {
        std::vector<float> out;

        for (int64_t k = 0; k < period; k += channels)
            out.insert(out.end(), by_channel.begin(), by_channel.end());
        return out;
    }

    /* Two sums by channel, [2 * channels]: all(begin, n, a, b) adds to a and b [period]. */
    template <class F> std::vector<double> sum(const F &all) const
    {
        std::vector<float> parts(static_cast<size_t>(2 * period * blocks), 0);
        std::vector<double> out(static_cast<size_t>(2 * channels), 0);
        const auto part = [&](int64_t begin, int64_t size, int64_t i) {
            float *const at = parts.data() + 2 * period * i;

            all(begin, size, at, at + period);
        };

        for_each(part, part);
        for (int64_t i = 0; i < 2 * blocks; i++)
            for (int64_t k = 0; k < period; k++)
                out[static_cast<size_t>(i % 2 * channels + k % channels)] +=
                    parts[static_cast<size_t>(i * period + k)];
        return out;
    }
};

/* The last, short part is worked on in a period of its own, filled up with zeros. */
class short_part
{
  public:
    short_part(const rows &r, int64_t size) : n(static_cast<size_t>(size)), memory(static_cast<size_t>(3 * r.period), 0), period(r.period)
    {
    }
    const uint16_t *in(int which, const uint16_t *from)
    {
        return static_cast<uint16_t *>(std::memcpy(at(which), from, n * sizeof *from));
    }
    uint16_t *at(int which)
    {
        return memory.data() + which * period;
    }
    void out(uint16_t *to)
    {
        std::memcpy(to, at(2), n * sizeof *to);
    }

  private:
    size_t n;
    std::vector<uint16_t> memory;
    int64_t period;
};

const uint16_t *bits(const Tensor &t)
{
    return static_cast<const uint16_t *>(t.data_ptr());
}

uint16_t *bits_of(const Tensor &t)
{
    return static_cast<uint16_t *>(t.data_ptr());
}

/* By channel; scale and shift are those of y = x * scale + shift. */
struct coefficients {
    std::vector<float> scale, shift;

    coefficients(const rows &r, const Tensor &weight, const Tensor &bias, const Tensor &means,
                 const Tensor &inverses)
    {
        for (int64_t c = 0; c < r.channels; c++) {
            const double slope = weight.data_ptr<float>()[c] * static_cast<double>(inverses.data_ptr<float>()[c]);

            scale.push_back(static_cast<float>(slope));
            shift.push_back(static_cast<float>(bias.data_ptr<float>()[c] - means.data_ptr<float>()[c] * slope));
        }
        scale = r.repeated(scale);
        shift = r.repeated(shift);
    }
};

struct batch_norm_relu_bf16_function : torch::autograd::Function<batch_norm_relu_bf16_function> {
    static Tensor forward(AutogradContext *ctx, const Tensor &x, const Tensor &weight, const Tensor &bias,
                          const Tensor &running_mean, const Tensor &running_var, double momentum, double eps)
    {
        const rows r(x);
        const Tensor y = torch::empty_like(x);
        const Tensor means = torch::empty({r.channels}), inverses = torch::empty({r.channels});
        const double count = static_cast<double>(r.n) / static_cast<double>(r.channels);
        const uint16_t *const from = bits(x);
        uint16_t *const to = bits_of(y);
        const auto total = r.sum([&](int64_t begin, int64_t n, float *sum, float *squares) {
            if (n % r.period == 0)
                return passes.sums(from + begin, n, r.period, sum, squares);
            short_part part(r, n);

            passes.sums(part.in(0, from + begin), r.period, r.period, sum, squares);
        });

        for (int64_t c = 0; c < r.channels; c++) {
            const double mean = total[static_cast<size_t>(c)] / count;
            const double squares = total[static_cast<size_t>(r.channels + c)] - total[static_cast<size_t>(c)] * mean;
            const double off = std::max(squares, 0.0); /* of all values from their mean */
            float *const mean_run = running_mean.data_ptr<float>() + c;
            float *const var_run = running_var.data_ptr<float>() + c;

            means.data_ptr<float>()[c] = static_cast<float>(mean);
            inverses.data_ptr<float>()[c] = static_cast<float>(1 / std::sqrt(off / count + eps));
            *mean_run = static_cast<float>((1 - momentum) * *mean_run + momentum * mean);
            *var_run = static_cast<float>((1 - momentum) * *var_run + momentum * off / (count - 1));
        }
        const coefficients k(r, weight, bias, means, inverses);

        r.for_each(
            [&](int64_t begin, int64_t n, int64_t) {
                passes.scale_and_clamp(from + begin, to + begin, n, r.period, k.scale.data(), k.shift.data());
            },
            [&](int64_t begin, int64_t n, int64_t) {
                short_part part(r, n);

                passes.scale_and_clamp(part.in(0, from + begin), part.at(2), r.period, r.period, k.scale.data(),
                                k.shift.data());
                part.out(to + begin);
            });
        ctx->save_for_backward({x, weight, bias, means, inverses});
        return y;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const variable_list saved = ctx->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &means = saved[3], &inverses = saved[4];
        const rows r(x);
        const Tensor dy = grads[0].to(x.scalar_type()).contiguous(torch::MemoryFormat::ChannelsLast);
        const Tensor dx = torch::empty_like(x), dw = torch::empty_like(weight), db = torch::empty_like(bias);
        const double count = static_cast<double>(r.n) / static_cast<double>(r.channels);
        const coefficients k(r, weight, bias, means, inverses);
        const uint16_t *const from = bits(x), *const up = bits(dy);
        uint16_t *const to = bits_of(dx);
        std::vector<float> slopes, levels;
        const auto total = r.sum([&](int64_t begin, int64_t n, float *sum_g, float *sum_gx) {
            if (n % r.period == 0)
                return passes.gradient_sums(up + begin, from + begin, n, r.period, k.scale.data(), k.shift.data(), sum_g,
                                     sum_gx);
            short_part part(r, n);
            const uint16_t *const above = part.in(1, up + begin); /* zeros behind it add nothing */

            passes.gradient_sums(above, part.in(0, from + begin), r.period, r.period, k.scale.data(), k.shift.data(),
                          sum_g, sum_gx);
        });

        for (int64_t c = 0; c < r.channels; c++) {
            const double mean = means.data_ptr<float>()[c], inverse = inverses.data_ptr<float>()[c];
            const double sum_g = total[static_cast<size_t>(c)];
            const double sum_off = total[static_cast<size_t>(r.channels + c)] - mean * sum_g;
            const double scale = weight.data_ptr<float>()[c] * inverse;
            /* dx = scale * (g - mean of g - (x - mean) * inverse^2 * mean of g (x - mean)) */
            const double slope = -scale * inverse * inverse * sum_off / count;

            slopes.push_back(static_cast<float>(slope));
            levels.push_back(static_cast<float>(-scale * sum_g / count - slope * mean));
            dw.data_ptr<float>()[c] = static_cast<float>(sum_off * inverse);
            db.data_ptr<float>()[c] = static_cast<float>(sum_g);
        }
        slopes = r.repeated(slopes);
        levels = r.repeated(levels);
        r.for_each(
            [&](int64_t begin, int64_t n, int64_t) {
                passes.gradient(up + begin, from + begin, to + begin, n, r.period, k.scale.data(), k.shift.data(),
                         slopes.data(), levels.data());
            },
            [&](int64_t begin, int64_t n, int64_t) {
                short_part part(r, n);
                const uint16_t *const above = part.in(1, up + begin);

                passes.gradient(above, part.in(0, from + begin), part.at(2), r.period, r.period, k.scale.data(),
                         k.shift.data(), slopes.data(), levels.data());
                part.out(to + begin);
            });
        return {dx, dw, db, Tensor(), Tensor(), Tensor(), Tensor()};
    }
};

} // namespace

namespace shim
{

bool can_fuse_bf16(const torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x)
{
    return bn.is_training() && bn.options.affine() && bn.options.track_running_stats() &&
           bn.options.momentum().has_value() && x.device().is_cpu() && x.scalar_type() == torch::kBFloat16 &&
           x.dim() == 4 && x.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
           x.size(0) * x.size(2) * x.size(3) > 1;
}

torch::Tensor batch_norm_relu_bf16(torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x)
{
    bn.num_batches_tracked.add_(1);
    return batch_norm_relu_bf16_function::apply(x, bn.weight, bn.bias, bn.running_mean, bn.running_var,
                                                bn.options.momentum().value(), bn.options.eps());
}

} // namespace shim
