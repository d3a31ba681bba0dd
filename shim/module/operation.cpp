/* Operations of the data flow: arithmetic, joining, reductions. */
#include "shim/module/module.hpp"

namespace shim
{

/* The dimensions of a smaller one are the last ones of a sample: sizes of 1 come after the
 * batch. */
static torch::Tensor aligned(torch::Tensor x, int64_t ndim)
{
    while (x.dim() < ndim)
        x = x.unsqueeze(1);
    return x;
}

template <class F> static built_module folded(F f)
{
    return stateless(
        [f](torch::TensorList x) {
            int64_t ndim = 0;

            for (const auto &t : x)
                ndim = std::max(ndim, t.dim());
            torch::Tensor made = aligned(x[0], ndim);

            for (size_t i = 1; i < x.size(); i++)
                made = f(made, x[i].dim() == ndim ? x[i] : aligned(x[i], ndim));
            return made;
        },
        OUTPUT_FREE);
}

built_module build_add(const archai_module &)
{
    return folded([](const torch::Tensor &a, const torch::Tensor &b) { return a + b; });
}

built_module build_multiply(const archai_module &)
{
    return folded([](const torch::Tensor &a, const torch::Tensor &b) { return a * b; });
}

built_module build_subtract(const archai_module &)
{
    return folded([](const torch::Tensor &a, const torch::Tensor &b) { return a - b; });
}

/* None of the three computes its gradient from its output. */
built_module build_divide(const archai_module &)
{
    return folded([](const torch::Tensor &a, const torch::Tensor &b) { return a / b; });
}

built_module build_maximum(const archai_module &)
{
    return folded(
        [](const torch::Tensor &a, const torch::Tensor &b) { return torch::maximum(a, b); });
}

built_module build_minimum(const archai_module &)
{
    return folded(
        [](const torch::Tensor &a, const torch::Tensor &b) { return torch::minimum(a, b); });
}

built_module build_scale(const archai_module &m)
{
    const double factor = real_arg(m, "factor");

    return stateless([factor](torch::TensorList x) { return x[0] * factor; }, OUTPUT_FREE);
}

built_module build_shift(const archai_module &m)
{
    const double amount = real_arg(m, "amount");

    return stateless([amount](torch::TensorList x) { return x[0] + amount; }, OUTPUT_FREE);
}

built_module build_concat(const archai_module &m)
{
    const int64_t dim = arg(m, "dim");

    return stateless([dim](torch::TensorList x) { return torch::cat(x, dim); }, OUTPUT_FREE);
}

built_module build_matmul(const archai_module &)
{
    return stateless([](torch::TensorList x) { return torch::matmul(x[0], x[1]); },
                     OUTPUT_FREE);
}

/* -- reductions ---------------------------------------------------------------------------- */

built_module build_mean(const archai_module &m)
{
    const auto dims = list(m, "dim");
    const bool keep = arg(m, "keepdim") != 0;

    return stateless([dims, keep](torch::TensorList x) { return x[0].mean(dims, keep); },
                     OUTPUT_FREE);
}

built_module build_sum(const archai_module &m)
{
    const auto dims = list(m, "dim");
    const bool keep = arg(m, "keepdim") != 0;

    return stateless([dims, keep](torch::TensorList x) { return x[0].sum(dims, keep); },
                     OUTPUT_FREE);
}

/* Its gradient needs the output. */
built_module build_amax(const archai_module &m)
{
    const auto dims = list(m, "dim");
    const bool keep = arg(m, "keepdim") != 0;

    return stateless([dims, keep](torch::TensorList x) { return x[0].amax(dims, keep); });
}

built_module build_normalize(const archai_module &m)
{
    const int64_t dim = arg(m, "dim");
    const double p = real_arg(m, "p"), eps = real_arg(m, "eps");

    return stateless([dim, p, eps](torch::TensorList x) {
        return x[0] / x[0].norm(p, dim, true).clamp_min(eps);
    });
}

} // namespace shim
