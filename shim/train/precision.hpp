/* shim/train/precision.hpp - how a training computes: the type of products, TF32, the order of pictures in memory.
 *
 * Weights, their gradients and the optimizer are float32 always; autocast makes copies of the weights in the shorter
 * type, as torch.autocast does in Python. */
#pragma once
#include "shim/types.hpp"

namespace shim
{

struct arithmetic {
    torch::Dtype type = torch::kFloat32; /* of products */
    bool channels_last = false;          /* pictures are [N,H,W,C] in memory; never with float32 */
    bool tf32 = false;                   /* of matrix products, too */

    /* As in shim_train_result: empty for what PyTorch does by itself. */
    std::string text() const;
};

/* What [train] means on this device, and libtorch is set up for it. A network without pictures has no order of
 * channels. ARCHAI_EINVAL: the device cannot do it. */
int choose_arithmetic(shim_model &m, const archai_train_settings &s, arithmetic *out, archai_err *err);
/* The answer to `input`, as float32. */
torch::Tensor forward(shim_model &m, const arithmetic &a, const torch::Tensor &input);

/* torch.cuda.amp.GradScaler: small gradients would be 0 in fp16, so the loss is multiplied; where that makes
 * gradients infinite, the step is left out and the factor halved. */
class grad_scaler
{
  public:
    torch::Tensor scaled(const torch::Tensor &loss) const
    {
        return loss * scale;
    }
    /* Take the factor out of the gradients, and prepare the next one; false: the step must not be made. */
    bool unscale(const std::vector<torch::Tensor> &grads);

    double scale = 65536;
    int64_t good_steps = 0; /* since the factor last changed */
};

} // namespace shim
