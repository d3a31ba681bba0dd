/* Functions of each value. The gradients of exp and sqrt are computed from their outputs; those
 * of the others from their inputs. */
#include "shim/module/module.hpp"

namespace shim
{

#define FUNCTION(NAME, FREE)                                                                   \
    built_module build_##NAME(const archai_module &)                                           \
    {                                                                                          \
        return stateless([](torch::TensorList x) { return torch::NAME(x[0]); }, FREE);         \
    }

FUNCTION(exp, !OUTPUT_FREE)
FUNCTION(log, OUTPUT_FREE)
FUNCTION(sqrt, !OUTPUT_FREE)
FUNCTION(square, OUTPUT_FREE)
FUNCTION(abs, OUTPUT_FREE)
FUNCTION(sin, OUTPUT_FREE)
FUNCTION(cos, OUTPUT_FREE)
#undef FUNCTION

built_module build_clamp(const archai_module &m)
{
    c10::optional<torch::Scalar> low, high;

    if (!is_none(m, "min"))
        low = real_arg(m, "min");
    if (!is_none(m, "max"))
        high = real_arg(m, "max");
    return stateless([low, high](torch::TensorList x) { return torch::clamp(x[0], low, high); },
                     OUTPUT_FREE);
}

built_module build_pow(const archai_module &m)
{
    const double exponent = real_arg(m, "exponent");

    return stateless([exponent](torch::TensorList x) { return torch::pow(x[0], exponent); },
                     OUTPUT_FREE);
}

} // namespace shim
