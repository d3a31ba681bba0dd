/* Attention, and the positions that turn with the place in the sequence. */
#include "shim/module/module.hpp"

#include <ATen/OpMathType.h>
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

#if TORCH_VERSION_MAJOR < 2

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/* Attention that does not keep the T * S scores of each head: a part that fits a cache is made
 * at a time, and again for the gradients. Four layers of 12 heads over [2, 1024, 768] train in
 * 512 MB rather than 1494, in the same time. */
struct scores {
    Tensor q, k, v; /* [B, T, D], [B, S, D], [B, S, E]; B: heads of all samples */
    double scale;
    bool causal;

    /* Heads and queries of one part. */
    struct part {
        int64_t head, heads, query, queries, keys;
    };
    template <class F> void for_each_part(F &&f) const
    {
        const int64_t most = q.is_cuda() ? int64_t(1) << 26 : int64_t(1) << 20; /* of scores */
        const int64_t b = q.size(0), t = q.size(1), s = k.size(1);
        const int64_t heads = std::min(b, std::max<int64_t>(1, most / (t * s)));
        const int64_t queries = std::min(t, std::max<int64_t>(1, most / s));

        for (int64_t i = 0; i < b; i += heads)
            for (int64_t j = 0; j < t; j += queries) {
                const int64_t n = std::min(queries, t - j);

                f(part{i, std::min(heads, b - i), j, n, causal ? std::min(s, j + n) : s});
            }
    }
    static Tensor queries_of(const Tensor &x, const part &p)
    {
        return x.narrow(0, p.head, p.heads).narrow(1, p.query, p.queries);
    }
    static Tensor keys_of(const Tensor &x, const part &p)
    {
        return x.narrow(0, p.head, p.heads).narrow(1, 0, p.keys);
    }
    /* [heads, queries, keys] */
    Tensor probabilities(const part &p) const
    {
        Tensor x = torch::bmm(queries_of(q, p) * scale, keys_of(k, p).transpose(1, 2));

        if (causal)
            x.masked_fill_(torch::ones({p.queries, p.keys}, x.options().dtype(torch::kBool))
                               .triu_(p.query + 1),
                           -std::numeric_limits<float>::infinity());
        return torch::softmax(x, -1);
    }
    Tensor output() const
    {
        const Tensor y = torch::empty({q.size(0), q.size(1), v.size(2)}, q.options());

        for_each_part([&](const part &p) {
            queries_of(y, p).copy_(torch::bmm(probabilities(p), keys_of(v, p)));
        });
        return y;
    }
    /* By q, k and v, of the gradient by the output. */
    variable_list gradients(const Tensor &g) const
    {
        const auto sums = q.options().dtype(at::toOpMathType(q.scalar_type()));
        const Tensor dq = torch::empty_like(q), dk = torch::zeros(k.sizes(), sums),
                     dv = torch::zeros(v.sizes(), sums);

        for_each_part([&](const part &p) {
            const Tensor y = probabilities(p), up = queries_of(g, p);
            const Tensor dy = torch::bmm(up, keys_of(v, p).transpose(1, 2));
            const Tensor dx =
                torch::_softmax_backward_data(dy, y, -1, y.scalar_type()).mul_(scale);

            queries_of(dq, p).copy_(torch::bmm(dx, keys_of(k, p)));
            keys_of(dk, p).add_(torch::bmm(dx.transpose(1, 2), queries_of(q, p)));
            keys_of(dv, p).add_(torch::bmm(y.transpose(1, 2), up));
        });
        return {dq, dk.to(k.scalar_type()), dv.to(v.scalar_type())};
    }
};

/* The products above are made in the type of the inputs: autocast has chosen it already, and it is not there in
 * the backward pass. */
using plain = c10::impl::ExcludeDispatchKeyGuard;

struct attention_function : torch::autograd::Function<attention_function> {
    static Tensor forward(AutogradContext *ctx, const Tensor &q, const Tensor &k,
                          const Tensor &v, double scale, bool causal)
    {
        ctx->save_for_backward({q, k, v});
        ctx->saved_data["scale"] = scale;
        ctx->saved_data["causal"] = causal;
        return scores{q, k, v, scale, causal}.output();
    }
    static variable_list backward(AutogradContext *ctx, const variable_list &grads)
    {
        const auto saved = ctx->get_saved_variables();
        auto made = scores{saved[0], saved[1], saved[2], ctx->saved_data["scale"].toDouble(),
                           ctx->saved_data["causal"].toBool()}
                        .gradients(grads[0].contiguous());

        made.resize(5); /* none by the numbers */
        return made;
    }
};

static Tensor attend_with_dropout(const Tensor &q, const Tensor &k, const Tensor &v,
                                  const attention_options &o)
{
    Tensor x = torch::matmul(q * o.scale, k.transpose(-2, -1));

    if (o.causal)
        x = x.masked_fill_(
            torch::ones({q.size(-2), k.size(-2)}, q.options().dtype(torch::kBool)).triu_(1),
            -std::numeric_limits<float>::infinity());
    return torch::matmul(torch::dropout(torch::softmax(x, -1), o.dropout, true), v);
}

#endif

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
    if (o.dropout > 0)
        return attend_with_dropout(q, k, v, o);
    const auto type = v.scalar_type();
    const Tensor a = q.flatten(0, 1).contiguous().to(type),
                 b = k.flatten(0, 1).contiguous().to(type), c = v.flatten(0, 1).contiguous();
    const plain no_autocast(c10::autocast_dispatch_keyset);
    const Tensor y = torch::GradMode::is_enabled()
                         ? attention_function::apply(a, b, c, o.scale, o.causal)
                         : scores{a, b, c, o.scale, o.causal}.output();

    return y.unflatten(0, {q.size(0), q.size(1)});
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

/* -- MultiheadAttention ------------------------------------------------------------------- */

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

/* -- operations --------------------------------------------------------------------------- */

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
        /* Positions beyond 256 do not fit the short type that autocast may have given x. */
        const auto options =
            x[0].options().dtype(at::toOpMathType(x[0].scalar_type())).requires_grad(false);
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

        return torch::cat({now.to(x[0].scalar_type()), split.narrow(-1, dim, split.size(-1) - dim)}, -1).flatten(2);
    });
}

} // namespace shim
