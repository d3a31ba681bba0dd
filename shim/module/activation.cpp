/* Activations. */
#include "shim/module/module.hpp"

namespace shim
{

/* `inplace` is PyTorch's to print; shim/model.cpp decides where memory can be saved. */
built_module build_relu(const archai_module &)
{
    return leaf(torch::nn::ReLU());
}

} // namespace shim
