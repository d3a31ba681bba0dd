/* shim/train/optimizer.cpp - the optimizers. The defaults of what [train] does not say are
 * PyTorch's. */
#include "shim/train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <torch/version.h>

namespace shim
{

optimizer::optimizer(const torch::nn::Module &root, const archai_train_settings &train,
                     std::vector<const char *> slot_names)
    : settings(train)
{
    for (const auto &p : root.named_parameters()) {
        parameter_names.push_back(p.key());
        parameters.push_back(p.value());
    }
    for (const char *name : slot_names)
        slots.push_back({name, tensors(parameters.size())});
    steps.assign(parameters.size(), -1);
}

void optimizer::zero_grad()
{
    for (const auto &p : parameters) /* undefined gradients are set, not added to */
        p.mutable_grad().reset();
}

optimizer::work optimizer::collect(double rate)
{
    work w;

    w.rate = rate;
    w.kept.resize(slots.size());
    for (size_t i = 0; i < parameters.size(); i++) {
        const torch::Tensor &p = parameters[i], &g = p.grad();

        if (!g.defined())
            continue;
        w.first.push_back(steps[i] < 0);
        if (steps[i] < 0) {
            steps[i] = 0;
            for (auto &s : slots)
                s.at[i] = torch::zeros_like(p, torch::MemoryFormat::Preserve);
        }
        w.steps.push_back(++steps[i]);
        w.p.push_back(p);
        w.g.push_back(g);
        for (size_t k = 0; k < slots.size(); k++)
            w.kept[k].push_back(slots[k].at[i]);
        if (settings.weight_decay_on == ARCHAI_DECAY_ALL || p.dim() > 1) {
            w.decayed.push_back(p);
            w.decayed_grads.push_back(g);
        }
    }
    return w;
}

void optimizer::step(double rate)
{
    torch::NoGradGuard no_grad;
    work w = collect(rate);

    if (!w.p.empty())
        update(w);
}

optimizer::tensors optimizer::gradients() const
{
    tensors grads;

    for (const auto &p : parameters)
        if (p.grad().defined())
            grads.push_back(p.grad());
    return grads;
}

void optimizer::clip(double limit)
{
    torch::NoGradGuard no_grad;
    const tensors grads = gradients();

    if (grads.empty())
        return;
    /* torch.nn.utils.clip_grad_norm_, without reading the norm: a GPU need not wait. */
    const auto norm = torch::stack(torch::_foreach_norm(grads, 2)).norm();
    const auto factor = (limit / (norm + 1e-6)).clamp_max(1);

    for (torch::Tensor g : grads)
        g.mul_(factor);
}

void optimizer::add_penalty(work &w) const
{
    if (settings.weight_decay != 0 && !w.decayed.empty())
        torch::_foreach_add_(w.decayed_grads, w.decayed, settings.weight_decay);
}

void optimizer::decay(work &w) const
{
    if (settings.weight_decay != 0 && !w.decayed.empty())
        torch::_foreach_mul_(w.decayed, 1 - w.rate * settings.weight_decay);
}

namespace
{

/* A kernel for all of a step, on GPUs; the formulas are the same. */
#define SHIM_TORCH_IS(major, minor)                                                                \
    (TORCH_VERSION_MAJOR > (major) ||                                                              \
     (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

bool can_be_fused(const std::vector<torch::Tensor> &p)
{
    return std::all_of(p.begin(), p.end(), [&](const torch::Tensor &t) {
        return t.is_cuda() && t.scalar_type() == torch::kFloat32;
    });
}

struct sgd : optimizer {
    sgd(const torch::nn::Module &root, const archai_train_settings &s)
        : optimizer(root, s,
                    s.momentum != 0 ? std::vector<const char *>{"momentum_buffer"}
                                    : std::vector<const char *>{})
    {
    }
    void update(work &w) override
    {
        add_penalty(w);
#if SHIM_TORCH_IS(2, 3)
        if (can_be_fused(w.p)) {
            at::_fused_sgd_(w.p, w.g, settings.momentum != 0 ? w.kept[0] : tensors(), 0,
                            settings.momentum, w.rate, 0, settings.nesterov, false, false);
            return;
        }
#endif
        if (settings.momentum != 0) {
            torch::_foreach_mul_(w.kept[0], settings.momentum);
            torch::_foreach_add_(w.kept[0], w.g, 1);
            if (settings.nesterov)
                torch::_foreach_add_(w.g, w.kept[0], settings.momentum);
            else
                w.g = w.kept[0];
        }
        torch::_foreach_add_(w.p, w.g, -w.rate);
    }
};

/* Adam, and AdamW with `decoupled` weight decay. */
struct adam : optimizer {
    const bool decoupled;

    adam(const torch::nn::Module &root, const archai_train_settings &s, bool is_decoupled)
        : optimizer(root, s, {"exp_avg", "exp_avg_sq"}), decoupled(is_decoupled)
    {
    }
    /* float32 numbers on the device, most of them the same one. */
    static tensors steps_of(const work &w)
    {
        std::map<int64_t, torch::Tensor> made;
        tensors all;

        for (const int64_t n : w.steps) {
            torch::Tensor &t = made[n];

            if (!t.defined())
                t = torch::full({}, static_cast<double>(n), w.p[0].options().requires_grad(false));
            all.push_back(t);
        }
        return all;
    }
    void update(work &w) override
    {
        constexpr double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
        std::vector<at::Scalar> root_corrections, factors;

        if (decoupled)
            decay(w);
        else
            add_penalty(w);
        if (can_be_fused(w.p)) {
            at::_fused_adam_(w.p, w.g, w.kept[0], w.kept[1], {}, steps_of(w), w.rate, beta1, beta2, 0,
                             eps, false, false);
            return;
        }
        for (const int64_t n : w.steps) {
            const auto exponent = static_cast<double>(n);

            root_corrections.emplace_back(std::sqrt(1 - std::pow(beta2, exponent)));
            factors.emplace_back(-(w.rate / (1 - std::pow(beta1, exponent))));
        }
        torch::_foreach_mul_(w.kept[0], beta1);
        torch::_foreach_add_(w.kept[0], w.g, 1 - beta1);
        torch::_foreach_mul_(w.kept[1], beta2);
        torch::_foreach_addcmul_(w.kept[1], w.g, w.g, 1 - beta2);
        auto denominators = torch::_foreach_sqrt(w.kept[1]);
        torch::_foreach_div_(denominators, root_corrections);
        torch::_foreach_add_(denominators, eps);
        torch::_foreach_addcdiv_(w.p, w.kept[0], denominators, factors);
    }
};

struct rmsprop : optimizer {
    rmsprop(const torch::nn::Module &root, const archai_train_settings &s)
        : optimizer(root, s,
                    s.momentum != 0 ? std::vector<const char *>{"square_avg", "momentum_buffer"}
                                    : std::vector<const char *>{"square_avg"})
    {
    }
    void update(work &w) override
    {
        constexpr double alpha = 0.99, eps = 1e-8;

        add_penalty(w);
        torch::_foreach_mul_(w.kept[0], alpha);
        torch::_foreach_addcmul_(w.kept[0], w.g, w.g, 1 - alpha);
        auto deviations = torch::_foreach_sqrt(w.kept[0]);
        torch::_foreach_add_(deviations, eps);
        if (settings.momentum == 0) {
            torch::_foreach_addcdiv_(w.p, w.g, deviations, -w.rate);
            return;
        }
        torch::_foreach_mul_(w.kept[1], settings.momentum);
        torch::_foreach_addcdiv_(w.kept[1], w.g, deviations, 1);
        torch::_foreach_add_(w.p, w.kept[1], -w.rate);
    }
};

/* Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", arXiv:2302.06675,
 * algorithm 2, with its defaults of beta1 and beta2. */
struct lion : optimizer {
    lion(const torch::nn::Module &root, const archai_train_settings &s)
        : optimizer(root, s, {"exp_avg"})
    {
    }
    void update(work &w) override
    {
        constexpr double beta1 = 0.9, beta2 = 0.99;
        auto directions = torch::_foreach_mul(w.kept[0], beta1);

        decay(w); /* p - rate * (sign + weight_decay * p), in two parts */
        torch::_foreach_add_(directions, w.g, 1 - beta1);
        for (auto &d : directions)
            d.sign_();
        torch::_foreach_add_(w.p, directions, -w.rate);
        torch::_foreach_mul_(w.kept[0], beta2);
        torch::_foreach_add_(w.kept[0], w.g, 1 - beta2);
    }
};

} // namespace

std::unique_ptr<optimizer> make_optimizer(const torch::nn::Module &root,
                                          const archai_train_settings &settings)
{
    switch (settings.optimizer) {
    case ARCHAI_OPTIMIZER_SGD:
        return std::make_unique<sgd>(root, settings);
    case ARCHAI_OPTIMIZER_ADAM:
        return std::make_unique<adam>(root, settings, false);
    case ARCHAI_OPTIMIZER_RMSPROP:
        return std::make_unique<rmsprop>(root, settings);
    case ARCHAI_OPTIMIZER_LION:
        return std::make_unique<lion>(root, settings);
    default:
        return std::make_unique<adam>(root, settings, true);
    }
}

} // namespace shim
