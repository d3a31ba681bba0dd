/* shim/augment/augment.hpp - what is done to a batch of training pictures ([data] augment).
 *
 * Every operation works on the whole batch, on its device; what is drawn at random is drawn on
 * the CPU, by a generator of the batch alone, so that any batch can be made again.
 */
#pragma once
#include <torch/torch.h>
extern "C" {
#include "core/config/augment.h"
}

namespace shim
{

/* Numbers of one batch, in the order in which the steps ask for them: those of
 * torch.Generator().manual_seed. */
class draws
{
  public:
    explicit draws(uint64_t seed);
    torch::Tensor uniform(torch::IntArrayRef shape); /* float64 [0, 1), on the CPU */
    double one();
    int64_t below(int64_t n);
    torch::Tensor order(int64_t n); /* a permutation */
    double beta(double alpha);      /* of Beta(alpha, alpha) */

  private:
    at::Generator generator;
};

/* A batch on its way to the network. */
struct augmented {
    torch::Tensor images; /* [B,C,H,W]: uint8, or float32 */
    torch::Tensor labels; /* [B] or [B,H,W], int64 */
    double share =
        1; /* of each picture in its mixture; the rest is of the one before it (roll) */
};

/* The passes of core/config/augment.h, in this order. The second and third get normalised
 * pictures. */
void augment_pictures(augmented &b, const archai_augment &a, int64_t ignore, draws &d);
void augment_normalised(augmented &b, const archai_augment &a, draws &d);
void augment_batch(augmented &b, const archai_augment &a, draws &d);

/* -- the operations ------------------------------------------------------------------------ */

torch::Tensor as_float(const torch::Tensor &images); /* bytes as x / 255 */
/* A number for each picture, as [B,1,1,1] of the pictures' type and device. */
torch::Tensor per_picture(const torch::Tensor &values, const torch::Tensor &images);

void resized_crop(augmented &b, const double *args, draws &d);
void color_jitter(augmented &b, const double *args, draws &d);
void randaugment(augmented &b, const double *args, draws &d);

/* Of pictures in [0, 1]; factors [B,1,1,1]. */
torch::Tensor adjust_brightness(const torch::Tensor &x, const torch::Tensor &factor);
torch::Tensor adjust_contrast(const torch::Tensor &x, const torch::Tensor &factor);
torch::Tensor adjust_saturation(const torch::Tensor &x, const torch::Tensor &factor);
torch::Tensor adjust_hue(const torch::Tensor &x, const torch::Tensor &shift);
torch::Tensor adjust_sharpness(const torch::Tensor &x, const torch::Tensor &factor);
torch::Tensor autocontrast(const torch::Tensor &x);
torch::Tensor equalize(const torch::Tensor &x);
torch::Tensor posterize(const torch::Tensor &x, int64_t bits);

} // namespace shim
