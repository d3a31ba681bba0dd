/* shim/module/module.hpp - a layer or operation of a description as a function over tensors.
 *
 * Each kind of core/network/kind/ has one function build_<name> in a file here. It makes a leaf of
 * libtorch's module with PyTorch's default initialisation; arg(), pair() and the like read the arguments by
 * the names that the kind gives them. A kind without its function does not link.
 */
#pragma once
#include "shim/types.hpp"

#include "core/network/kind/kind.h"

namespace shim
{

/* A module without its children. */
struct built_module {
    std::shared_ptr<torch::nn::Module> module; /* an operation has none */
    function forward;                          /* empty for containers */
    /* Neither does autograd compute its gradients from its output (Linear, but not Sigmoid), nor does the output
     * share memory with an input (as a view does): a ReLU behind it may then overwrite that. */
    bool output_free = false;
    /* Where the weight is another module's: forward reads it from here, and it is set once the tree is built. */
    std::shared_ptr<torch::Tensor> tied_weight;
};

constexpr bool OUTPUT_FREE = true;

/* Draws the default initialisation, in PyTorch's order. */
built_module build_module(const archai_module &m);

/* -- for the builders ---------------------------------------------------------------------------- */

/* The argument of that name; place 1: the second number of a pair. */
double real_arg(const archai_module &m, const char *name, int place = 0);
int64_t arg(const archai_module &m, const char *name, int place = 0);
/* As many numbers as a kernel has dimensions. */
template <size_t N> std::array<int64_t, N> sizes(const archai_module &m, const char *name)
{
    std::array<int64_t, N> all;

    for (size_t i = 0; i < N; i++)
        all[i] = arg(m, name, static_cast<int>(i));
    return all;
}
std::vector<int64_t> list(const archai_module &m, const char *name);
bool is_none(const archai_module &m, const char *name, int place = 0);

/* A libtorch module of one input. */
template <class Holder> built_module leaf(const Holder &holder, bool output_free = false)
{
    const auto impl = holder.ptr();

    return {impl, [impl](torch::TensorList x) { return impl->forward(x[0]); }, output_free, {}};
}

/* A layer without tensors, or an operation. */
template <class F> built_module stateless(F &&f, bool output_free = false)
{
    return {std::make_shared<torch::nn::Module>(), std::forward<F>(f), output_free, {}};
}

/* The same for one that differs in training: f(x, training). */
template <class F> built_module trained(F f, bool output_free = false)
{
    const auto module = std::make_shared<torch::nn::Module>();

    return {module, [module, f](torch::TensorList x) { return f(x, module->is_training()); },
            output_free, {}};
}

#define X(name) built_module build_##name(const archai_module &m);
ARCHAI_KINDS(X)
#undef X

} // namespace shim
