/* The table of builders, and how they read arguments. */
#include "shim/module/module.hpp"

#include <cmath>

namespace shim
{

double real_arg(const archai_module &m, const char *name, int place)
{
    const double *at = archai_module_arg(&m, name);

    TORCH_CHECK(at != nullptr, archai_module_class(&m), " has no argument ", name);
    TORCH_CHECK(!std::isnan(at[place]), archai_module_class(&m), ": ", name, " is not given");
    return at[place];
}

int64_t arg(const archai_module &m, const char *name, int place)
{
    return static_cast<int64_t>(real_arg(m, name, place));
}

std::vector<int64_t> list(const archai_module &m, const char *name)
{
    const int n = static_cast<int>(std::min<int64_t>(arg(m, name), ARCHAI_ARG_LIST_MAX));
    std::vector<int64_t> all;

    for (int i = 1; i <= n; i++)
        all.push_back(arg(m, name, i));
    return all;
}

bool is_none(const archai_module &m, const char *name, int place)
{
    const double *at = archai_module_arg(&m, name);

    return at == nullptr || std::isnan(at[place]);
}

static const struct {
    const archai_module_kind *kind;
    built_module (*build)(const archai_module &m);
} builders[] = {
#define X(name) {&archai_kind_##name, build_##name},
    ARCHAI_KINDS(X)
#undef X
};

built_module build_module(const archai_module &m)
{
    if (m.kind == nullptr)
        return {std::make_shared<torch::nn::Module>(), {}, false, {}};
    for (const auto &b : builders)
        if (b.kind == m.kind)
            return b.build(m);
    TORCH_CHECK(false, "shim/module has no builder for ", archai_module_class(&m));
}

} // namespace shim
