/* shim/train.hpp - a training in progress, and its optimizer. */
#pragma once
#include "shim/types.hpp"

struct shim_training {
    shim_model &model;
    torch::optim::Optimizer &optimizer;
    const shim_train_settings &settings;
    double train_seconds;

    /* What shim_training_state() handed out last. */
    std::vector<std::string> names;
    std::vector<torch::Tensor> copies;
    std::vector<archai_tensor> views;
};

namespace shim
{

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const shim_model &m,
                                                        const shim_train_settings &s);
/* Put the state in s.start back, so that training continues from there. ARCHAI_EFORMAT: it does not fit. */
int restore_optimizer(const shim_model &m, torch::optim::Optimizer &optimizer,
                      const shim_train_settings &s, archai_err *err);

} // namespace shim
