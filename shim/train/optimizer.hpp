/* shim/train/optimizer.hpp - the optimizers, each step over all parameters at once. */
#pragma once
#include <memory>
#include <string>
#include <vector>
#include <torch/torch.h>
#include "shim/guard.hpp"
extern "C" {
#include "core/config/train.h"
}

namespace shim
{

/* libtorch's own optimizers go through the parameters one by one, with about ten small
 * operations for each; here every operation is one call for all parameters (torch::_foreach_*).
 * The formulas are theirs. */
class optimizer
{
  public:
    using tensors = std::vector<torch::Tensor>;

    struct slot { /* what is kept of each parameter */
        const char *name;
        tensors at; /* by parameter; undefined until its first step */
    };

    virtual ~optimizer() = default;
    void zero_grad();
    tensors gradients() const; /* those that there are */
    /* One step of the parameters that have a gradient. */
    void step(double rate);
    /* Scale the gradients so that their norm, all together, is at most `limit`. */
    void clip(double limit);

    const std::vector<std::string> &names() const
    {
        return parameter_names;
    }
    const torch::Tensor &parameter(size_t i) const
    {
        return parameters[i];
    }
    std::vector<slot> slots;
    std::vector<int64_t> steps; /* made by each parameter; -1: it has no state yet */

  protected:
    /* What a step works on: parameters with a gradient, and what belongs to them. */
    struct work {
        tensors p, g;
        std::vector<tensors> kept;      /* by slot */
        std::vector<bool> first;        /* of this parameter */
        std::vector<int64_t> steps;     /* with this one */
        tensors decayed, decayed_grads; /* those of p and g with weight decay */
        double rate;
    };

    optimizer(const torch::nn::Module &root, const archai_train_settings &settings,
              std::vector<const char *> slot_names);
    virtual void update(work &w) = 0;
    /* Of the loss: g + weight_decay * p. */
    void add_penalty(work &w) const;
    /* p * (1 - rate * weight_decay) */
    void decay(work &w) const;

    archai_train_settings settings;

  private:
    work collect(double rate);

    std::vector<std::string> parameter_names;
    tensors parameters;
};

std::unique_ptr<optimizer> make_optimizer(const torch::nn::Module &root,
                                          const archai_train_settings &settings);

} // namespace shim
