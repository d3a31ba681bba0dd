/* shim/train/train.hpp - a training in progress, and what its files share. */
#pragma once
#include "shim/augment/augment.hpp"
#include "shim/train/optimizer.hpp"
#include "shim/train/precision.hpp"
#include "shim/train/weights.hpp"
#include "shim/types.hpp"
extern "C" {
#include "core/base/rng.h"
}

struct shim_training {
    shim_model &model;
    const shim_train_settings &settings;
    archai_train_settings recipe; /* settings.recipe with the loss that the data have */
    shim::arithmetic arithmetic;
    std::optional<shim::grad_scaler> scaler; /* of fp16 */
    std::unique_ptr<shim::optimizer> optimizer;
    std::optional<shim::average> average; /* [train] ema */
    std::optional<shim::best_epoch>
        best; /* with keep = best or patience, after the first epoch */
    double train_seconds;

    /* What shim_training_state() handed out last. */
    std::vector<std::string> names;
    std::vector<torch::Tensor> copies;
    std::vector<archai_tensor> views;

    shim_training(shim_model &m, const shim_train_settings &s);
};

namespace shim
{

/* The model holds the weights that count, among s.start is the rest: put everything back, so
 * that training continues from there. ARCHAI_EFORMAT: it does not fit. */
int restore_training(shim_training &t, archai_err *err);

/* Batches of one epoch: consecutive slices of a shuffled order. A single example left over is
 * dropped, since batch norm cannot train on one value per channel. */
struct batches {
    int64_t n, size;
    int64_t count() const;
    torch::Tensor slice(const torch::Tensor &order, int64_t i) const;
};

/* The order of each epoch in turn, shuffled by archai_rng: it does not depend on libtorch's
 * version. */
class shuffler
{
  public:
    shuffler(int64_t n, uint64_t seed);
    void skip();
    torch::Tensor next(const torch::Device &device);

  private:
    std::vector<size_t> order;
    archai_rng rng;
};

/* What was measured on a split; NaN: not on this data. */
struct scores {
    double loss, accuracy, top5, miou, mae, rmse, perplexity;
    scores();
};

/* The training examples at `index` [B], as step `step` of an epoch sees them. */
augmented train_batch(const resident &data, const shim_train_settings &s,
                      const torch::Tensor &index, int64_t epoch, int64_t step);
/* The loss to minimise; s.loss is resolved. */
torch::Tensor train_loss(const resident &data, const archai_train_settings &s,
                         const torch::Tensor &output, const augmented &batch);
scores measure(shim_model &m, const resident &data, const split &split,
               const archai_train_settings &s);

} // namespace shim
