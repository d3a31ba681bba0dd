/* shim/types.hpp - what the handles of shim.h hold; seen by shim/ alone. */
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>
#include <torch/torch.h>
extern "C" {
#include "core/network/network.h"
#include "io/dataset/dataset.h"
#include "io/file/tensors.h"
}
#include "shim/guard.hpp"
#include "shim/shim.h"

struct archai_feed;

namespace shim
{

class stream; /* shim/stream.hpp */

/* One split on its device: images and labels as io/dataset/dataset.h has them; undefined where they are streamed. */
struct split {
    int64_t n = 0;
    torch::Tensor images, labels;
};

/* A data set on its device: views of the mapping on a CPU, copies on a GPU. */
struct resident {
    const archai_dataset_header *source = nullptr; /* borrowed; outlives this */
    split splits[ARCHAI_SPLIT_COUNT];
    std::shared_ptr<stream> elsewhere; /* where the examples come from; nullptr: they are here */
    int64_t classes = 0, ignore = -1; /* ignore -1: none */
    archai_targets targets = ARCHAI_TARGETS_CLASS;
    bool tokens = false; /* inputs are whole numbers */
    torch::Tensor mean, deviation; /* [1,C,1,1]; undefined: pictures are not normalised */
};

} // namespace shim

struct shim_device {
    torch::Device rep;
    std::string text;   /* "cpu, 2 threads" */
    shim::resident data; /* the last set used, which candidates share */
    std::map<torch::Dtype, bool> channels_last{}; /* is it faster? (train/precision.cpp) */
    archai_feed *feed = nullptr; /* borrowed: of a set that is not held */
};

namespace shim
{

using function = std::function<torch::Tensor(torch::TensorList)>;

/* One step of the data flow. */
struct step {
    std::vector<int> inputs; /* registers */
    int out;
    function forward;
    std::vector<int> dead; /* registers that no later step reads */
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
    int input_ndim; /* without the batch */
    bool tokens;    /* the input is int64 */
    std::set<std::string> unused; /* names that weights may hold in vain */
    std::vector<shim::entry> state; /* in state_dict order; aliases of the modules' tensors */

    int test_precision = ARCHAI_PRECISION_FP32; /* of shim_test_gradients() */

    /* What shim_model_state() or shim_test_gradients() handed out last. */
    std::vector<std::string> names;
    std::vector<torch::Tensor> copies;
    std::vector<archai_tensor> views;

    torch::Tensor forward(const torch::Tensor &input);
};

namespace shim
{

torch::Dtype torch_type(archai_dtype t);
/* ARCHAI_DTYPE_COUNT: there is none. */
archai_dtype archai_type(torch::Dtype t);
/* A tensor over the caller's memory, which must outlive it. */
torch::Tensor borrow(const archai_tensor &t);
/* The other way round: a contiguous CPU tensor, which must outlive the view, as must the name. */
archai_tensor view(std::string &name, const torch::Tensor &t);
/* The device's copy of a data set, made on first use. */
const resident &reside(shim_device &d, const archai_dataset_header *data);
/* A pass over a split begins, and which one will follow it: for examples that are read ahead. Nothing where they are
 * here. */
void begin_pass(const resident &data, int split, const torch::Tensor &order, int64_t size);
void expect_pass(const resident &data, int split, const torch::Tensor &order, int64_t size);
/* The examples at `index` [B] as the files have them; the caller's own. */
torch::Tensor raw_images(const resident &data, const split &s, const torch::Tensor &index);
/* Inputs as the network sees them: pictures of uint8 as x / 255, normalised; tokens as int64. Labels as int64, or
 * float32 where there are several or numbers. */
torch::Tensor normalised(const resident &data, const torch::Tensor &images);
torch::Tensor batch_images(const resident &data, const split &s, const torch::Tensor &index);
torch::Tensor batch_labels(const resident &data, const split &s, const torch::Tensor &index);

} // namespace shim
