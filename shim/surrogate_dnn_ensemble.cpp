/* shim/surrogate_dnn_ensemble.cpp - an ensemble of small networks, all of them in one batch.
 *
 * Archai's PredictiveDNNEnsemble: a member is num_layers linear layers of `width` with ReLU between them,
 * PyTorch's default initialisation, Adam with its default betas and the sum of squared errors as the loss.
 * The prediction is the mean and the population variance over the members, which differ only in their
 * initial weights. A layer of all members is one batched product, the gradients are written out by hand, and
 * Adam runs over one flat tensor: at this size the cost is the number of calls.
 *
 * With more than `batch_max` rows a step takes that many of them, reshuffled after each pass; Archai takes
 * all of them in every step, which for 10,000 rows would be minutes. Everything random comes from the job's
 * seed, nothing from libtorch's generator.
 */
#include <cmath>
#include <numeric>
#include "shim/surrogate.hpp"

namespace
{

constexpr int64_t batch_max = 256;
constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

class dnn_ensemble : public shim::surrogate_model
{
  public:
    void fit(const shim::sample &s, const archai_surrogate_settings &settings, bool warm,
             archai_rng &rng) override;
    void predict(const std::vector<float> &x, int64_t n, std::vector<float> &mean,
                 std::vector<float> &var) override;

  private:
    void build(int64_t features, int64_t targets, const archai_surrogate_settings &s,
               archai_rng &rng);
    /* Element l is the input of layer l, the last one the prediction. */
    std::vector<torch::Tensor> forward(const torch::Tensor &x);
    void step(const torch::Tensor &x, const torch::Tensor &y, const torch::Tensor &mask, double lr);

    int64_t members_ = 0;
    torch::Tensor flat_, gradient_, first_, second_; /* weights, and Adam's moments */
    std::vector<torch::Tensor> weights_, biases_;    /* [members, in, out], [members, 1, out] */
    std::vector<torch::Tensor> weight_gradients_, bias_gradients_;
    int64_t steps_ = 0; /* of Adam so far */
};

torch::Tensor tensor_of(const std::vector<float> &v, at::IntArrayRef shape)
{
    return torch::from_blob(const_cast<float *>(v.data()), shape, torch::kFloat32);
}

void dnn_ensemble::build(int64_t features, int64_t targets, const archai_surrogate_settings &s,
                         archai_rng &rng)
{
    std::vector<int64_t> sizes(static_cast<size_t>(s.num_layers) + 1, s.width);
    std::vector<float> init;

    members_ = s.num_ensemble_members;
    sizes.front() = features;
    sizes.back() = targets;
    for (size_t l = 0; l + 1 < sizes.size(); l++) {
        const int64_t n = members_ * (sizes[l] + 1) * sizes[l + 1];
        const double bound = 1.0 / std::sqrt(static_cast<double>(sizes[l]));

        for (int64_t i = 0; i < n; i++)
            init.push_back(static_cast<float>((2.0 * archai_rng_random(&rng) - 1.0) * bound));
    }
    flat_ = tensor_of(init, {static_cast<int64_t>(init.size())}).clone();
    gradient_ = torch::zeros_like(flat_);
    first_ = torch::zeros_like(flat_);
    second_ = torch::zeros_like(flat_);
    steps_ = 0;
    weights_.clear();
    biases_.clear();
    weight_gradients_.clear();
    bias_gradients_.clear();
    for (size_t l = 0, at = 0; l + 1 < sizes.size(); l++) {
        const int64_t w = members_ * sizes[l] * sizes[l + 1], b = members_ * sizes[l + 1];
        const auto view = [&](const torch::Tensor &t, int64_t from, int64_t n, int64_t rows) {
            return t.narrow(0, from, n).view({members_, rows, sizes[l + 1]});
        };
        const int64_t from = static_cast<int64_t>(at);

        weights_.push_back(view(flat_, from, w, sizes[l]));
        biases_.push_back(view(flat_, from + w, b, 1));
        weight_gradients_.push_back(view(gradient_, from, w, sizes[l]));
        bias_gradients_.push_back(view(gradient_, from + w, b, 1));
        at += static_cast<size_t>(w + b);
    }
}

std::vector<torch::Tensor> dnn_ensemble::forward(const torch::Tensor &x)
{
    std::vector<torch::Tensor> out{x.unsqueeze(0).expand({members_, x.size(0), x.size(1)})};

    for (size_t l = 0; l < weights_.size(); l++) {
        torch::Tensor z = torch::baddbmm(biases_[l], out.back(), weights_[l]);

        out.push_back(l + 1 < weights_.size() ? z.relu_() : z);
    }
    return out;
}

void dnn_ensemble::step(const torch::Tensor &x, const torch::Tensor &y, const torch::Tensor &mask,
                        double lr)
{
    const std::vector<torch::Tensor> h = forward(x);
    torch::Tensor g = (h.back() - y).mul_(mask).mul_(2.0);

    for (size_t l = weights_.size(); l-- > 0;) {
        at::bmm_out(weight_gradients_[l], h[l].transpose(1, 2), g);
        at::sum_out(bias_gradients_[l], g, {1}, true);
        if (l > 0)
            g = at::threshold_backward(torch::bmm(g, weights_[l].transpose(1, 2)), h[l], 0);
    }
    steps_++;
    first_.mul_(beta1).add_(gradient_, 1.0 - beta1);
    second_.mul_(beta2).addcmul_(gradient_, gradient_, 1.0 - beta2);
    const double t = static_cast<double>(steps_);
    const double correction = std::sqrt(1.0 - std::pow(beta2, t));

    flat_.addcdiv_(first_, second_.sqrt().div_(correction).add_(epsilon),
                   -lr / (1.0 - std::pow(beta1, t)));
}

void dnn_ensemble::fit(const shim::sample &s, const archai_surrogate_settings &settings, bool warm,
                       archai_rng &rng)
{
    const torch::Tensor x = tensor_of(s.x, {s.n, s.features}), y = tensor_of(s.y, {s.n, s.targets}),
                        mask = tensor_of(s.mask, {s.n, s.targets});
    std::vector<size_t> order(static_cast<size_t>(s.n));
    std::vector<int64_t> drawn(static_cast<size_t>(std::min(s.n, batch_max)));
    size_t next = order.size();

    if (!warm)
        build(s.features, s.targets, settings, rng);
    std::iota(order.begin(), order.end(), size_t{0});
    for (int64_t i = 0; i < settings.num_tr_steps; i++) {
        if (s.n <= batch_max) {
            step(x, y, mask, settings.lr);
            continue;
        }
        if (next + drawn.size() > order.size()) {
            archai_rng_shuffle(&rng, order.data(), order.size());
            next = 0;
        }
        for (int64_t &d : drawn)
            d = static_cast<int64_t>(order[next++]);
        const torch::Tensor index =
            torch::from_blob(drawn.data(), {static_cast<int64_t>(drawn.size())}, torch::kInt64);

        step(x.index_select(0, index), y.index_select(0, index), mask.index_select(0, index),
             settings.lr);
    }
}

void dnn_ensemble::predict(const std::vector<float> &x, int64_t n, std::vector<float> &mean,
                           std::vector<float> &var)
{
    constexpr int64_t slice = 4096; /* of the queries, so that memory stays bounded */
    const int64_t features = weights_.front().size(1);

    for (int64_t from = 0; from < n; from += slice) {
        const int64_t k = std::min(slice, n - from);
        const torch::Tensor all = torch::from_blob(const_cast<float *>(x.data()), {n, features},
                                                   torch::kFloat32);
        const torch::Tensor out = forward(all.narrow(0, from, k)).back();
        const torch::Tensor m = out.mean(0).contiguous(), v = out.var(0, false).contiguous();

        mean.insert(mean.end(), m.data_ptr<float>(), m.data_ptr<float>() + m.numel());
        var.insert(var.end(), v.data_ptr<float>(), v.data_ptr<float>() + v.numel());
    }
}

} // namespace

std::unique_ptr<shim::surrogate_model> shim::make_dnn_ensemble()
{
    return std::make_unique<dnn_ensemble>();
}
