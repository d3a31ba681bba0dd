/* Attention, and the positions that turn with the place in the sequence. */
#include "shim/module/module.hpp"

#include <cmath>
#include <limits>
#include <torch/version.h>

namespace shim
{

namespace nn = torch::nn;

struct attention_options {
    bool causal;
    double dropout; /* 0 in evaluation */
    double scale;
};

/* q [N, H, T, D], k [N, H, S, D], v [N, H, S, E] -> [N, H, T, E] */
static torch::Tensor attend(const torch::Tensor &q, const torch::Tensor &k,
                            const torch::Tensor &v, const attention_options &o)
{
#if TORCH_VERSION_MAJOR >= 2
    /* Not every version takes the scale: its own is 1 / sqrt(D). */
    const double own = 1 / std::sqrt(static_cast<double>(q.size(-1)));

    return torch::scaled_dot_product_attention(o.scale == own ? q : q * (o.scale / own), k, v,
                                               {}, o.dropout, o.causal);
#else
    torch::Tensor scores = torch::matmul(q * o.scale, k.transpose(-2, -1));

    if (o.causal)
        scores = scores.masked_fill_(
            torch::ones({q.size(-2), k.size(-2)}, q.options().dtype(torch::kBool))
                .tril_()
                .logical_not_(),
            -std::numeric_limits<float>::infinity());
    return torch::matmul(torch::dropout(torch::softmax(scores, -1), o.dropout, true), v);
#endif
}

/* [N, T, H * D] -> [N, H, T, D] */
static torch::Tensor split_heads(const torch::Tensor &x, int64_t heads)
{
    return x.unflatten(-1, {heads, -1}).transpose(1, 2);
}

static torch::Tensor merge_heads(const torch::Tensor &x)
{
    return x.transpose(1, 2).flatten(2);
}

static double usual_scale(int64_t head_dim)
{
    return 1 / std::sqrt(static_cast<double>(head_dim));
}

/* -- MultiheadAttention ---------------------------------------------------------------------
 */

struct projections {
    int64_t width, heads;
    torch::Tensor weight, bias; /* of query, key and value, one below the other */
    nn::Linear out;
};

/* Query, key and value [N, ., D] of one to three inputs. */
static std::vector<torch::Tensor> project(const projections &p, torch::TensorList x)
{
    if (x.size() == 1)
        return torch::linear(x[0], p.weight, p.bias).chunk(3, -1);
    const torch::Tensor from[] = {x[0], x[1], x[x.size() - 1]};
    std::vector<torch::Tensor> made;

    for (int64_t i = 0; i < 3; i++)
        made.push_back(torch::linear(from[i], p.weight.narrow(0, i * p.width, p.width),
                                     p.bias.defined() ? p.bias.narrow(0, i * p.width, p.width)
                                                      : torch::Tensor()));
    return made;
}

/* Draws the initialisation as PyTorch does: the output's weight, then the inputs'. */
built_module build_multihead_attention(const archai_module &m)
{
    const int64_t width = arg(m, "embed_dim"), heads = arg(m, "num_heads");
    const bool biased = arg(m, "bias") != 0, causal = arg(m, "is_causal") != 0;
    const double dropout = real_arg(m, "dropout");
    const auto module = std::make_shared<nn::Module>();
    projections p{
        width, heads, {}, {}, nn::Linear(nn::LinearOptions(width, width).bias(biased))};

    p.weight = module->register_parameter("in_proj_weight", torch::empty({3 * width, width}));
    nn::init::xavier_uniform_(p.weight);
    if (biased) {
        p.bias = module->register_parameter("in_proj_bias", torch::zeros({3 * width}));
        nn::init::zeros_(p.out->bias);
    }
    module->register_module("out_proj", p.out);
    return {module,
            [module, p, causal, dropout](torch::TensorList x) {
                const auto in = project(p, x);
                const attention_options o{causal, module->is_training() ? dropout : 0,
                                          usual_scale(p.width / p.heads)};
                nn::Linear out = p.out;

                return out->forward(
                    merge_heads(attend(split_heads(in[0], p.heads), split_heads(in[1], p.heads),
                                       split_heads(in[2], p.heads), o)));
            },
            OUTPUT_FREE,
            {}};
}

/* -- operations -----------------------------------------------------------------------------
 */

built_module build_attention(const archai_module &m)
{
    const int64_t heads = is_none(m, "num_heads") ? 0 : arg(m, "num_heads");
    const bool causal = arg(m, "is_causal") != 0;
    const double dropout = real_arg(m, "dropout_p");
    const double given = is_none(m, "scale") ? NAN : real_arg(m, "scale");

    return trained([=](torch::TensorList x, bool training) {
        const int64_t head_dim = x[0].size(-1) / (heads > 0 ? heads : 1);
        const attention_options o{causal, training ? dropout : 0,
                                  std::isnan(given) ? usual_scale(head_dim) : given};

        if (heads == 0)
            return attend(x[0], x[1], x[2], o);
        return merge_heads(attend(split_heads(x[0], heads), split_heads(x[1], heads),
                                  split_heads(x[2], heads), o));
    });
}

/* Neighbouring values are the real and imaginary part of a number that is turned. */
built_module build_rotary(const archai_module &m)
{
    const int64_t heads = arg(m, "num_heads"), dim = arg(m, "rotary_dim");
    const double base = real_arg(m, "base");

    return stateless([=](torch::TensorList x) {
        const torch::Tensor split = x[0].unflatten(-1, {heads, -1}); /* [N, T, H, D] */
        const auto options = x[0].options().requires_grad(false);
        const torch::Tensor speeds =
            torch::pow(base, torch::arange(0, dim, 2, options) / static_cast<double>(dim))
                .reciprocal();
        const torch::Tensor angles = torch::outer(torch::arange(x[0].size(1), options), speeds)
                                         .unsqueeze(1); /* [T, 1, dim / 2] */
        const torch::Tensor sin = angles.sin(), cos = angles.cos();
        const torch::Tensor turned = split.narrow(-1, 0, dim).unflatten(-1, {-1, 2});
        const torch::Tensor a = turned.select(-1, 0), b = turned.select(-1, 1);
        const torch::Tensor now =
            torch::stack({a * cos - b * sin, b * cos + a * sin}, -1).flatten(-2);

        return torch::cat({now, split.narrow(-1, dim, split.size(-1) - dim)}, -1).flatten(2);
    });
}

} // namespace shim
