/* What hands its input on, or drops parts of it in training. */
#include "shim/module/module.hpp"

namespace shim
{

built_module build_identity(const archai_module &)
{
    return stateless([](torch::TensorList x) { return x[0]; });
}

built_module build_dropout(const archai_module &m)
{
    return leaf(torch::nn::Dropout(real_arg(m, "p")));
}

built_module build_dropout2d(const archai_module &m)
{
    return leaf(torch::nn::Dropout2d(real_arg(m, "p")));
}

/* As torchvision draws it. */
built_module build_stochastic_depth(const archai_module &m)
{
    const double p = real_arg(m, "p");
    const bool whole = arg(m, "mode") != 0; /* the batch, rather than each sample by itself */

    return trained([p, whole](torch::TensorList x, bool training) {
        if (!training || p == 0)
            return x[0];
        std::vector<int64_t> shape(static_cast<size_t>(x[0].dim()), 1);

        if (!whole)
            shape[0] = x[0].size(0);
        return x[0] * torch::dropout(torch::ones(shape, x[0].options()), p, true);
    });
}

/* Times 0, as the networks of NAS-Bench-201 have it: what is before it gets a gradient of
 * zeros, not none. */
built_module build_zero(const archai_module &m)
{
    const int64_t from = arg(m, "C_in"), to = arg(m, "C_out"), stride = arg(m, "stride");

    return stateless([from, to, stride](torch::TensorList x) {
        const torch::Tensor left =
            x[0].slice(2, 0, INT64_MAX, stride).slice(3, 0, INT64_MAX, stride);

        if (from == to)
            return left.mul(0);
        return torch::zeros({left.size(0), to, left.size(2), left.size(3)}, left.options());
    });
}

} // namespace shim
