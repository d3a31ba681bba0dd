/* shim/train/measure.cpp - losses, and the measures of a split. */
#include "shim/train/train.hpp"

#include <cmath>
#include <limits>
extern "C" {
#include "io/dataset/loss.h"
}

namespace shim
{

static constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

scores::scores()
    : loss(nan_value), accuracy(nan_value), top5(nan_value), miou(nan_value), mae(nan_value),
      rmse(nan_value), perplexity(nan_value)
{
}

/* Which labels count: ignored pixels do not. */
static torch::Tensor counted(const resident &data, const torch::Tensor &labels)
{
    return data.ignore >= 0 ? labels.ne(data.ignore) : torch::ones_like(labels, torch::kBool);
}

/* Of several tokens each is an example of its own: [B,T,V] and [B,T] become [B*T,V] and [B*T].
 */
static torch::Tensor answers_of(const resident &data, const torch::Tensor &output)
{
    return data.targets == ARCHAI_TARGETS_NEXT_TOKEN ? output.flatten(0, 1) : output;
}

static torch::Tensor labels_of(const resident &data, const torch::Tensor &labels)
{
    return data.targets == ARCHAI_TARGETS_NEXT_TOKEN ? labels.flatten() : labels;
}

static torch::Tensor cross_entropy(const resident &data, const torch::Tensor &output,
                                   const torch::Tensor &labels, double smoothing, bool sum)
{
    auto options = torch::nn::functional::CrossEntropyFuncOptions();

    if (data.ignore >= 0)
        options.ignore_index(data.ignore);
    if (sum)
        options.reduction(torch::kSum);
    options.label_smoothing(smoothing);
    return torch::nn::functional::cross_entropy(answers_of(data, output),
                                                labels_of(data, labels), options);
}

/* The mean over examples and what each has of numbers or labels, or the sum. */
static torch::Tensor other_loss(int loss, const torch::Tensor &output,
                                const torch::Tensor &labels, bool sum)
{
    const int64_t reduction = sum ? at::Reduction::Sum : at::Reduction::Mean;

    TORCH_CHECK(output.sizes() == labels.sizes(), "the network puts out ", output.sizes(),
                " where the data have ", labels.sizes());
    switch (loss) {
    case ARCHAI_LOSS_BCE:
        return torch::binary_cross_entropy_with_logits(output, labels, {}, {}, reduction);
    case ARCHAI_LOSS_L1:
        return torch::l1_loss(output, labels, reduction);
    case ARCHAI_LOSS_HUBER:
        return torch::huber_loss(output, labels, reduction);
    default:
        return torch::mse_loss(output, labels, reduction);
    }
}

/* A batch in which every pixel is ignored counts as 0; a plain mean would be 0 / 0 and ruin the
 * weights. */
static torch::Tensor loss_of(const resident &data, const archai_train_settings &s,
                             const torch::Tensor &output, const torch::Tensor &labels)
{
    if (s.loss != ARCHAI_LOSS_CROSS_ENTROPY)
        return other_loss(s.loss, output, labels, false);
    if (data.ignore < 0)
        return cross_entropy(data, output, labels, s.label_smoothing, false);
    return cross_entropy(data, output, labels, s.label_smoothing, true) /
           counted(data, labels).sum().clamp_min(1);
}

torch::Tensor train_loss(const resident &data, const archai_train_settings &s,
                         const torch::Tensor &output, const augmented &batch)
{
    const auto loss = loss_of(data, s, output, batch.labels);

    if (batch.share == 1)
        return loss;
    return loss * batch.share +
           loss_of(data, s, output, batch.labels.roll(1, 0)) * (1 - batch.share);
}

/* Mean of intersection / union over the classes that occur as a label or as an answer.
 * confusion [classes, classes]: labels x answers. */
static double mean_iou(const torch::Tensor &confusion)
{
    const auto hits = confusion.diagonal().to(torch::kFloat64);
    const auto unions = (confusion.sum(0) + confusion.sum(1)).to(torch::kFloat64) - hits;
    const auto occurs = unions > 0;

    return (hits / unions).masked_select(occurs).mean().item<double>();
}

namespace
{

/* Sums over a split, on its device: they are read once, at the end. */
struct sums {
    const resident &data;
    const archai_train_settings &s;
    torch::Tensor loss, right, right5, count, errors, squares, confusion;
    const bool in_classes, has_top5;

    sums(const resident &of, const archai_train_settings &settings, const torch::Device &device)
        : data(of), s(settings), in_classes(data.targets != ARCHAI_TARGETS_NUMBERS &&
                                            data.targets != ARCHAI_TARGETS_LABELS),
          has_top5(archai_targets_have(data.targets, data.classes, "top5"))
    {
        const auto options = torch::TensorOptions().device(device);

        for (auto *t : {&right, &right5, &count})
            *t = torch::zeros({}, options.dtype(torch::kInt64));
        for (auto *t : {&loss, &errors, &squares})
            *t = torch::zeros({}, options.dtype(torch::kFloat64));
        if (data.targets == ARCHAI_TARGETS_MASK)
            confusion =
                torch::zeros({data.classes * data.classes}, options.dtype(torch::kInt64));
    }

    void add_classes(const torch::Tensor &output, const torch::Tensor &given)
    {
        const auto all = answers_of(data, output), labels = labels_of(data, given);
        const auto answers = all.argmax(1), valid = counted(data, labels);

        loss += cross_entropy(data, output, given, 0, true);
        right += answers.eq(labels).logical_and_(valid).sum();
        count += valid.sum();
        if (has_top5)
            right5 += std::get<1>(all.topk(5, 1)).eq(labels.unsqueeze(1)).sum();
        if (confusion.defined())
            confusion += (labels * data.classes + answers)
                             .masked_select(valid)
                             .bincount({}, data.classes * data.classes);
    }

    void add(const torch::Tensor &output, const torch::Tensor &labels)
    {
        if (in_classes) {
            add_classes(output, labels);
            return;
        }
        loss += other_loss(s.loss, output, labels, true);
        count += labels.numel();
        if (data.targets == ARCHAI_TARGETS_LABELS) {
            right += output.gt(0).eq(labels.gt(0.5)).sum();
            return;
        }
        const auto off = (output - labels).to(torch::kFloat64);

        errors += off.abs().sum();
        squares += off.square().sum();
    }

    scores mean() const
    {
        const auto n = static_cast<double>(count.item<int64_t>());
        scores out;

        out.loss = loss.item<double>() / n;
        if (data.targets == ARCHAI_TARGETS_NUMBERS) {
            out.mae = errors.item<double>() / n;
            out.rmse = std::sqrt(squares.item<double>() / n);
            return out;
        }
        out.accuracy = static_cast<double>(right.item<int64_t>()) / n;
        if (has_top5)
            out.top5 = static_cast<double>(right5.item<int64_t>()) / n;
        if (confusion.defined())
            out.miou = mean_iou(confusion.view({data.classes, data.classes}));
        if (data.targets == ARCHAI_TARGETS_NEXT_TOKEN)
            out.perplexity = std::exp(out.loss);
        return out;
    }
};

} // namespace

scores measure(shim_model &m, const resident &data, const split &split,
               const archai_train_settings &s)
{
    const torch::Device device = m.device->rep;
    archai_err err{};
    arithmetic a;

    if (split.n == 0)
        return scores();
    TORCH_CHECK(choose_arithmetic(m, s, &a, &err) == ARCHAI_OK, err.text);
    c10::InferenceMode inference;
    sums all(data, s, device);
    const auto order =
        torch::arange(split.n, torch::TensorOptions(torch::kInt64).device(device));

    begin_pass(data, static_cast<int>(&split - data.splits), order, s.batch_size);
    m.root->eval();
    for (const auto &index : order.split(s.batch_size))
        all.add(forward(m, a, batch_images(data, split, index)), batch_labels(data, split, index));
    return all.mean();
}

} // namespace shim
