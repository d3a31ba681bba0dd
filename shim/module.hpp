/* shim/module.hpp - a module of a description as a torch::nn module; the row of a kind is in
 * module.cpp. */
#pragma once
#include "shim/types.hpp"

namespace shim
{

/* A module without its children. */
struct built_module {
    std::shared_ptr<torch::nn::Module> module;
    function forward;         /* empty for containers */
    bool output_free = false; /* autograd does not need its output, so a ReLU may overwrite it */
};

/* Draws the default initialisation, in PyTorch's order. */
built_module build_module(const archai_module &m);

} // namespace shim
