/* shim/batch_norm_relu.hpp - batch norm and the ReLU behind it as one operation, for training on CPUs.
 *
 * libtorch runs the two as five passes over memory forward and four backward. Here a channel is read
 * once into the cache and everything happens there; the ReLU's mask is not stored but computed again
 * from the input. Measured on the cnn space with libtorch 1.13, one thread: 1.2 to 1.4 times the
 * pictures a second of the two apart. A channel's sums are made by one thread in a fixed order, so
 * that the result does not depend on the number of threads.
 */
#pragma once
#include <torch/torch.h>

namespace shim
{

/* Can it stand in for bn.forward() and relu() on this input, here and now? */
bool can_fuse(const torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x);
/* relu(bn(x)), with autograd and with the running statistics brought up to date. */
torch::Tensor batch_norm_relu(torch::nn::BatchNorm2dImpl &bn, const torch::Tensor &x);

} // namespace shim
