/* Normalisation. */
#include "shim/module/module.hpp"

namespace shim
{

built_module build_batch_norm2d(const archai_module &m)
{
    return leaf(torch::nn::BatchNorm2d(arg(m, "num_features")), OUTPUT_FREE);
}

} // namespace shim
