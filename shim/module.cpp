/* shim/module.cpp - the builders, one row for each kind of layer of core/network/kind/.
 *
 * A row is {"Class", builder}: PyTorch's class, which is the `name` of the kind, and a function that makes a
 * leaf of libtorch's module. arg() and pair() read the arguments by the names that the kind gives them. A
 * third member, OUTPUT_FREE, saves memory where autograd computes the layer's gradients without its output
 * (Linear, but not Sigmoid): a ReLU behind it may then overwrite that.
 */
#include "shim/module.hpp"

#include <iterator>

#include "core/network/kind/kind.h"

namespace nn = torch::nn;

namespace
{

using shim::built_module;

/* The argument of that name; place 1: the second number of a pair. */
int arg(const archai_module &m, const char *name, int place = 0)
{
    const int *at = archai_module_arg(&m, name);

    TORCH_CHECK(at != nullptr, archai_module_class(&m), " has no argument ", name);
    return at[place];
}

std::array<int64_t, 2> pair(const archai_module &m, const char *name)
{
    return {arg(m, name), arg(m, name, 1)};
}

template <class Holder> built_module leaf(const Holder &holder)
{
    const auto impl = holder.ptr();

    return {impl, [impl](const torch::Tensor &x) { return impl->forward(x); }};
}

nn::UpsampleOptions upsample_options(const archai_module &m)
{
    const auto options = nn::UpsampleOptions().mode(torch::kNearest);
    const double factor = arg(m, "scale_factor");

    return factor != 0
               ? nn::UpsampleOptions(options).scale_factor(std::vector<double>{factor, factor})
               : nn::UpsampleOptions(options).size(
                     std::vector<int64_t>{arg(m, "size"), arg(m, "size", 1)});
}

constexpr bool OUTPUT_FREE = true;

struct builder {
    const char *kind;
    built_module (*build)(const archai_module &m);
    bool output_free = false;
};

const builder builders[] = {
    {"Conv2d",
     [](const archai_module &m) {
         return leaf(nn::Conv2d(nn::Conv2dOptions(arg(m, "in_channels"), arg(m, "out_channels"),
                                                  pair(m, "kernel_size"))
                                    .stride(pair(m, "stride"))
                                    .padding(pair(m, "padding"))
                                    .groups(arg(m, "groups"))
                                    .bias(arg(m, "bias") != 0)));
     },
     OUTPUT_FREE},
    {"BatchNorm2d",
     [](const archai_module &m) { return leaf(nn::BatchNorm2d(arg(m, "num_features"))); },
     OUTPUT_FREE},
    {"ReLU", [](const archai_module &) { return leaf(nn::ReLU()); }},
    {"AdaptiveAvgPool2d",
     [](const archai_module &m) {
         return leaf(nn::AdaptiveAvgPool2d(
             nn::AdaptiveAvgPool2dOptions({arg(m, "output_size"), arg(m, "output_size", 1)})));
     }},
    {"MaxPool2d",
     [](const archai_module &m) {
         return leaf(nn::MaxPool2d(nn::MaxPool2dOptions(arg(m, "kernel_size"))
                                       .stride(arg(m, "stride"))
                                       .padding(arg(m, "padding"))));
     }},
    {"Upsample",
     [](const archai_module &m) { return leaf(nn::Upsample(upsample_options(m))); }},
    {"Linear",
     [](const archai_module &m) {
         return leaf(nn::Linear(nn::LinearOptions(arg(m, "in_features"), arg(m, "out_features"))
                                    .bias(arg(m, "bias") != 0)));
     },
     OUTPUT_FREE},
};

#define X(name) +1
static_assert(std::size(builders) == 0 ARCHAI_KINDS(X), "a kind of core/network/kind/kind.h has no builder here");
#undef X

} // namespace

built_module shim::build_module(const archai_module &m)
{
    if (m.kind == nullptr)
        return {std::make_shared<nn::Module>(), {}};
    for (const auto &b : builders)
        if (std::strcmp(b.kind, archai_module_class(&m)) == 0) {
            built_module built = b.build(m);

            built.output_free = b.output_free;
            return built;
        }
    TORCH_CHECK(false, "shim/module.cpp has no builder for ", archai_module_class(&m));
}
