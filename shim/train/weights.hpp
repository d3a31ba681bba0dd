/* shim/train/weights.hpp - which weights of a training count: those being trained, their
 * average, the best. */
#pragma once
#include <optional>
#include "shim/types.hpp"

namespace shim
{

/* Values of all tensors of a model, in the order of its state. */
using snapshot = std::vector<torch::Tensor>;

/* The model's tensors change in place: others hold them. */
snapshot take(const shim_model &m);
snapshot clone(const snapshot &s);
void put(shim_model &m, const snapshot &from); /* empty: leaves it alone */

/* Exponential moving average, as torch.optim.swa_utils.AveragedModel(use_buffers=True) with
 * decay * average + (1 - decay) * value keeps it; whole numbers are those of the model. */
class average
{
  public:
    average(const shim_model &model, double decay_) : m(model), decay(decay_) {}
    void update();
    snapshot at; /* empty before the first update */

  private:
    const shim_model &m;
    double decay;
};

/* The epoch with the lowest val_loss so far. */
struct best_epoch {
    shim_epoch epoch{};
    snapshot weights; /* empty: the last epoch's count ([train] keep) */
};

} // namespace shim
