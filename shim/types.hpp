/* shim/types.hpp - what the handles of shim.h hold; seen by shim/ alone. */
#pragma once
#include <memory>
#include <string>
#include <vector>
#include <torch/torch.h>
extern "C" {
#include "core/network.h"
#include "io/tensors.h"
}
#include "shim/guard.hpp"
#include "shim/shim.h"

struct shim_device {
    torch::Device rep;
    std::string text; /* "cpu, 2 threads" */
};

namespace shim
{

/* One step of the data flow, its module resolved. */
struct step {
    archai_step_op op;
    int a, b, out;
    std::shared_ptr<torch::nn::Module> module; /* CALL only */
    archai_module_kind kind;                   /* of the module */
    bool in_place;                             /* a ReLU that may overwrite its input */
    std::vector<int> dead;                     /* registers that nobody reads any more */
};

struct entry { /* of the state_dict */
    std::string name;
    torch::Tensor tensor;
};

} // namespace shim

struct shim_model {
    shim_device *device; /* borrowed; outlives the model */
    std::shared_ptr<torch::nn::Module> root;
    std::vector<shim::step> steps;
    int n_values;
    std::vector<shim::entry> state; /* in state_dict order; aliases of the modules' tensors */

    /* What shim_model_state() handed out last. */
    std::vector<torch::Tensor> copies;
    std::vector<archai_tensor> views;

    torch::Tensor forward(const torch::Tensor &input);
};

namespace shim
{

torch::Dtype torch_type(archai_dtype t);
/* ARCHAI_DTYPE_COUNT where there is none. */
archai_dtype archai_type(torch::Dtype t);
/* A tensor over the caller's memory, which must outlive it. */
torch::Tensor borrow(const archai_tensor &t);

} // namespace shim
