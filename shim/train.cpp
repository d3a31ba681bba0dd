/* shim/train.cpp - training and measuring. */
#include "shim/train.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
extern "C" {
#include "core/base/rng.h"
#include "core/config/config.h"
}

namespace
{

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct scores {
    double loss = nan_value, accuracy = nan_value, miou = nan_value;
};

/* Which labels count: ignored pixels do not. */
torch::Tensor counted(const shim::resident &data, const torch::Tensor &labels)
{
    return data.ignore >= 0 ? labels.ne(data.ignore) : torch::ones_like(labels, torch::kBool);
}

torch::Tensor cross_entropy(const shim::resident &data, const torch::Tensor &output,
                            const torch::Tensor &labels, bool sum)
{
    auto options = torch::nn::functional::CrossEntropyFuncOptions();

    if (data.ignore >= 0)
        options.ignore_index(data.ignore);
    if (sum)
        options.reduction(torch::kSum);
    return torch::nn::functional::cross_entropy(output, labels, options);
}

/* The loss to minimise. A batch in which every pixel is ignored counts as 0; a plain mean would be 0 / 0
 * and ruin the weights. */
torch::Tensor train_loss(const shim::resident &data, const torch::Tensor &output,
                         const torch::Tensor &labels)
{
    if (data.ignore < 0)
        return cross_entropy(data, output, labels, false);
    return cross_entropy(data, output, labels, true) / counted(data, labels).sum().clamp_min(1);
}

/* Mean of intersection / union over the classes that occur as a label or as an answer.
 * confusion [classes, classes]: labels x answers. */
double mean_iou(const torch::Tensor &confusion)
{
    const auto hits = confusion.diagonal().to(torch::kFloat64);
    const auto unions = (confusion.sum(0) + confusion.sum(1)).to(torch::kFloat64) - hits;
    const auto occurs = unions > 0;

    return (hits / unions).masked_select(occurs).mean().item<double>();
}

scores measure(shim_model &m, const shim::resident &data, const shim::split &split,
               int64_t batch_size)
{
    c10::InferenceMode inference;
    const auto options = torch::TensorOptions().device(m.device->rep);
    const auto all = torch::arange(split.n, options.dtype(torch::kInt64));
    auto loss = torch::zeros({}, options.dtype(torch::kFloat64));
    auto right = torch::zeros({}, options.dtype(torch::kInt64));
    auto count = torch::zeros({}, options.dtype(torch::kInt64));
    auto confusion = torch::zeros({data.classes * data.classes}, options.dtype(torch::kInt64));
    scores s;

    if (split.n == 0)
        return s;
    m.root->eval();
    for (const auto &index : all.split(batch_size)) {
        const auto labels = shim::batch_labels(split, index);
        const auto output = m.forward(shim::batch_images(split, index));
        const auto answers = output.argmax(1);
        const auto valid = counted(data, labels);

        loss += cross_entropy(data, output, labels, true);
        right += answers.eq(labels).logical_and_(valid).sum();
        count += valid.sum();
        if (data.masks)
            confusion += (labels * data.classes + answers)
                             .masked_select(valid)
                             .bincount({}, data.classes * data.classes);
    }
    const auto n = static_cast<double>(count.item<int64_t>());

    s.loss = loss.item<double>() / n;
    s.accuracy = static_cast<double>(right.item<int64_t>()) / n;
    if (data.masks)
        s.miou = mean_iou(confusion.view({data.classes, data.classes}));
    return s;
}

/* The learning rate at a step, counted over all epochs. */
double rate_at(const shim_train_settings &s, int64_t step, int64_t per_epoch)
{
    const int64_t steps = (s.schedule_epochs > 0 ? s.schedule_epochs : s.epochs) * per_epoch;

    if (s.schedule == ARCHAI_LR_CONSTANT)
        return s.learning_rate;
    return s.learning_rate * 0.5 *
           (1 + std::cos(M_PI * static_cast<double>(step) / static_cast<double>(steps)));
}

/* Batches of one epoch: consecutive slices of a shuffled order. A single image left over is dropped, since
 * batch norm cannot train on one value per channel. */
struct batches {
    int64_t n, size;
    int64_t count() const
    {
        const int64_t full = n / size, rest = n % size;

        return full + (rest > 1 || (rest == 1 && full == 0) ? 1 : 0);
    }
    torch::Tensor slice(const torch::Tensor &order, int64_t i) const
    {
        return order.narrow(0, i * size, std::min(size, n - i * size));
    }
};

/* Shuffled by archai_rng, so that the order does not depend on libtorch's version. */
torch::Tensor shuffled(std::vector<size_t> &order, archai_rng &rng, const torch::Device &device)
{
    static_assert(sizeof(size_t) == sizeof(int64_t), "an index is an int64");
    archai_rng_shuffle(&rng, order.data(), order.size());
    return torch::from_blob(order.data(), {static_cast<int64_t>(order.size())}, torch::kInt64)
        .clone()
        .to(device);
}

/* One pass over the training data; returns the mean loss. */
double train_epoch(shim_model &m, const shim::resident &data, const shim_train_settings &s,
                   torch::optim::Optimizer &optimizer, const torch::Tensor &order, int64_t epoch)
{
    const shim::split &split = data.splits[ARCHAI_SPLIT_TRAIN];
    const batches batches{split.n, s.batch_size};
    const int64_t steps = batches.count();
    auto total = torch::zeros({}, torch::TensorOptions().device(m.device->rep));
    const auto parameters = m.root->parameters();
    int64_t seen = 0;

    m.root->train();
    for (int64_t i = 0; i < steps; i++) {
        const auto index = batches.slice(order, i);
        const double rate = rate_at(s, epoch * steps + i, steps);

        for (auto &group : optimizer.param_groups())
            group.options().set_lr(rate);
        for (const auto &p : parameters) /* undefined gradients are set, not added to */
            p.mutable_grad().reset();
        const auto loss = train_loss(data, m.forward(shim::batch_images(split, index)),
                                     shim::batch_labels(split, index));
        loss.backward();
        optimizer.step();
        total.add_(loss.detach(), index.size(0));
        seen += index.size(0);
    }
    return total.item<double>() / static_cast<double>(seen);
}

double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

int check_finite(const char *name, double v, int64_t epoch, archai_err *err)
{
    if (std::isfinite(v))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_ETORCH, "%s is %s after epoch %lld", name,
                       std::isnan(v) ? "NaN" : "infinite", static_cast<long long>(epoch));
}

int check_epoch(const shim_epoch &e, bool masks, archai_err *err)
{
    ARCHAI_TRY(check_finite("train_loss", e.train_loss, e.epoch, err));
    ARCHAI_TRY(check_finite("val_loss", e.val_loss, e.epoch, err));
    ARCHAI_TRY(check_finite("val_accuracy", e.val_accuracy, e.epoch, err));
    return masks ? check_finite("val_miou", e.val_miou, e.epoch, err) : ARCHAI_OK;
}

int train(shim_model &m, const archai_dataset_header *header, const shim_train_settings &s,
          shim_train_result *out, archai_err *err)
{
    const shim::resident &data = shim::reside(*m.device, header);
    const int64_t n = data.splits[ARCHAI_SPLIT_TRAIN].n;
    const int64_t steps = batches{n, s.batch_size}.count();
    std::vector<size_t> order(static_cast<size_t>(n));
    shim_train_result result{};
    archai_rng rng;

    if (n == 0 || data.splits[ARCHAI_SPLIT_VAL].n == 0)
        return archai_fail(err, ARCHAI_EINVAL, "the data set has no %s images",
                           n == 0 ? "training" : "validation");
    const auto optimizer = shim::make_optimizer(m, s);
    shim_training self{m, *optimizer, s, s.train_seconds, {}, {}, {}};

    result.train_seconds = s.train_seconds;
    std::iota(order.begin(), order.end(), 0);
    archai_rng_seed(&rng, s.seed);
    if (s.first_epoch > 0)
        ARCHAI_TRY(shim::restore_optimizer(m, *optimizer, s, err));
    for (int64_t epoch = 0; epoch < s.first_epoch; epoch++) /* bring the generator to where it was */
        archai_rng_shuffle(&rng, order.data(), order.size());
    for (int64_t epoch = s.first_epoch; epoch < s.epochs; epoch++) {
        const double begun = seconds_now();
        shim_epoch e{epoch + 1, s.epochs, 0, 0, 0, 0,
                     rate_at(s, (epoch + 1) * steps - 1, steps)};

        e.train_loss = train_epoch(m, data, s, *optimizer, shuffled(order, rng, m.device->rep),
                                   epoch);
        result.train_seconds += seconds_now() - begun;
        const scores val = measure(m, data, data.splits[ARCHAI_SPLIT_VAL], s.batch_size);

        e.val_loss = val.loss;
        e.val_accuracy = val.accuracy;
        e.val_miou = val.miou;
        ARCHAI_TRY(check_epoch(e, data.masks, err));
        result.last = e;
        self.train_seconds = result.train_seconds;
        if (s.on_epoch != nullptr && !s.on_epoch(s.payload, &e, &self))
            return archai_fail(err, ARCHAI_EINTR, "stopped after epoch %lld of %lld",
                               static_cast<long long>(e.epoch), static_cast<long long>(e.epochs));
    }
    const scores test = measure(m, data, data.splits[ARCHAI_SPLIT_TEST], s.batch_size);

    result.test_loss = test.loss;
    result.test_accuracy = test.accuracy;
    result.test_miou = test.miou;
    *out = result;
    return ARCHAI_OK;
}

} // namespace

extern "C" int shim_model_train(shim_model *m, const archai_dataset_header *data,
                                const shim_train_settings *settings, shim_train_result *out,
                                archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        if (settings->epochs < 1 || settings->epochs > SHIM_MAX_EPOCHS || settings->batch_size < 1 ||
            (settings->schedule_epochs != 0 && settings->schedule_epochs < settings->epochs))
            return archai_fail(err, ARCHAI_EINVAL, "%lld epochs (of %lld) in batches of %lld",
                               static_cast<long long>(settings->epochs),
                               static_cast<long long>(settings->schedule_epochs),
                               static_cast<long long>(settings->batch_size));
        return train(*m, data, *settings, out, err);
    });
}
