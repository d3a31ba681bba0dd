/* shim/module.cpp - the builders, one row for each kind of layer of core/network/kind/.
 *
 * A row is {"Class", output_free, builder}: PyTorch's class, the `name` of the kind; whether autograd
 * computes the layer's gradients without its output, so that a ReLU behind it may overwrite that (false is
 * always right, and true only saves memory: Linear is true, Sigmoid, whose gradient is computed from its
 * output, would be false); and a function that makes a leaf of libtorch's module. arg() and pair() read
 * the arguments by the names that the kind gives them.
 */
#include "shim/module.hpp"

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

const struct {
    const char *kind;
    bool output_free;
    built_module (*build)(const archai_module &m);
} builders[] = {
    {"Conv2d", true,
     [](const archai_module &m) {
         return leaf(nn::Conv2d(nn::Conv2dOptions(arg(m, "in_channels"), arg(m, "out_channels"),
                                                  pair(m, "kernel_size"))
                                    .stride(pair(m, "stride"))
                                    .padding(pair(m, "padding"))
                                    .groups(arg(m, "groups"))
                                    .bias(arg(m, "bias") != 0)));
     }},
    {"BatchNorm2d", true,
     [](const archai_module &m) { return leaf(nn::BatchNorm2d(arg(m, "num_features"))); }},
    {"ReLU", false, [](const archai_module &) { return leaf(nn::ReLU()); }},
    {"AdaptiveAvgPool2d", false,
     [](const archai_module &m) {
         return leaf(nn::AdaptiveAvgPool2d(
             nn::AdaptiveAvgPool2dOptions({arg(m, "output_size"), arg(m, "output_size", 1)})));
     }},
    {"MaxPool2d", false,
     [](const archai_module &m) {
         return leaf(nn::MaxPool2d(nn::MaxPool2dOptions(arg(m, "kernel_size"))
                                       .stride(arg(m, "stride"))
                                       .padding(arg(m, "padding"))));
     }},
    {"Upsample", false,
     [](const archai_module &m) { return leaf(nn::Upsample(upsample_options(m))); }},
    {"Linear", true,
     [](const archai_module &m) {
         return leaf(nn::Linear(nn::LinearOptions(arg(m, "in_features"), arg(m, "out_features"))
                                    .bias(arg(m, "bias") != 0)));
     }},
};

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
