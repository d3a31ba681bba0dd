/* shim/augment/color.cpp - torchvision's colour operations, with a factor for each picture. */
#include "shim/augment/augment.hpp"

namespace shim
{

static torch::Tensor blend(const torch::Tensor &x, const torch::Tensor &y,
                           const torch::Tensor &factor)
{
    return (factor * x + (1 - factor) * y).clamp_(0, 1);
}

static torch::Tensor grey(const torch::Tensor &x)
{
    if (x.size(1) == 1)
        return x;
    const auto rgb = x.unbind(1);

    return (0.2989 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]).unsqueeze(1);
}

torch::Tensor adjust_brightness(const torch::Tensor &x, const torch::Tensor &factor)
{
    return (factor * x).clamp_(0, 1);
}

torch::Tensor adjust_contrast(const torch::Tensor &x, const torch::Tensor &factor)
{
    return blend(x, grey(x).mean({1, 2, 3}, true), factor);
}

torch::Tensor adjust_saturation(const torch::Tensor &x, const torch::Tensor &factor)
{
    return x.size(1) == 1 ? x : blend(x, grey(x), factor);
}

/* Hue, saturation and value as in PIL. */
static std::vector<torch::Tensor> hsv_of(const torch::Tensor &x)
{
    const auto rgb = x.unbind(1);
    const auto high = x.amax(1), low = x.amin(1), range = high - low;
    const auto none = high.eq(low), one = torch::ones_like(high);
    const auto divisor = torch::where(none, one, range);
    const auto r = (high - rgb[0]) / divisor, g = (high - rgb[1]) / divisor;
    const auto b = (high - rgb[2]) / divisor;
    const auto is_r = high.eq(rgb[0]), is_g = high.eq(rgb[1]).logical_and(is_r.logical_not());
    const auto is_b = is_r.logical_or(is_g).logical_not();
    const auto h = is_r * (b - g) + is_g * (2 + r - b) + is_b * (4 + g - r);

    return {(h / 6 + 1).fmod(1), range / torch::where(none, one, high), high};
}

static torch::Tensor rgb_of(const torch::Tensor &h, const torch::Tensor &s,
                            const torch::Tensor &v)
{
    const auto sector = (h * 6).floor(), f = h * 6 - sector;
    const auto p = (v * (1 - s)).clamp(0, 1), q = (v * (1 - s * f)).clamp(0, 1);
    const auto t = (v * (1 - s * (1 - f))).clamp(0, 1);
    const auto which = sector.to(torch::kInt64).remainder(6).unsqueeze(1).unsqueeze(1);
    const auto all =
        torch::stack({torch::stack({v, q, p, p, t, v}, 1), torch::stack({t, v, v, q, p, p}, 1),
                      torch::stack({p, p, t, v, v, q}, 1)},
                     1); /* [B,3,6,H,W] */

    return all.gather(2, which.expand({-1, 3, -1, -1, -1})).squeeze(2);
}

torch::Tensor adjust_hue(const torch::Tensor &x, const torch::Tensor &shift)
{
    if (x.size(1) == 1)
        return x;
    const auto hsv = hsv_of(x);

    return rgb_of((hsv[0] + shift.squeeze(1)).remainder(1), hsv[1], hsv[2]);
}

torch::Tensor adjust_sharpness(const torch::Tensor &x, const torch::Tensor &factor)
{
    using torch::indexing::Slice;
    const int64_t c = x.size(1);

    if (x.size(2) <= 2 || x.size(3) <= 2)
        return x;
    const std::vector<int64_t> one{1, 1}, none{0, 0};
    auto kernel = torch::ones({3, 3}, x.options());

    kernel[1][1] = 5;
    kernel /= 13;
    auto blurred = x.clone(); /* its border stays as it is */
    blurred.index_put_({Slice(), Slice(), Slice(1, -1), Slice(1, -1)},
                       torch::conv2d(x, kernel.expand({c, 1, 3, 3}), {}, one, none, one, c));
    return blend(x, blurred, factor);
}

torch::Tensor autocontrast(const torch::Tensor &x)
{
    const auto low = x.amin({2, 3}, true), high = x.amax({2, 3}, true);
    const auto flat = low.eq(high), one = torch::ones_like(low);
    const auto scale = torch::where(flat, one, 1 / (high - low));

    return ((x - torch::where(flat, torch::zeros_like(low), low)) * scale).clamp_(0, 1);
}

static torch::Tensor bytes(const torch::Tensor &x)
{
    return (x * 255).round().to(torch::kInt64);
}

torch::Tensor posterize(const torch::Tensor &x, int64_t bits)
{
    return bytes(x).bitwise_and(256 - (int64_t{1} << (8 - bits))).to(torch::kFloat32).div_(255);
}

torch::Tensor equalize(const torch::Tensor &x)
{
    const auto planes = bytes(x).view({x.size(0) * x.size(1), -1});
    const auto ones = torch::ones_like(planes);
    const auto count =
        torch::zeros({planes.size(0), 256}, planes.options()).scatter_add_(1, planes, ones);
    const auto brightest = count.gather(1, planes.amax(1, true)); /* how many pixels have it */
    const auto step = torch::floor_divide(planes.size(1) - brightest, 255);
    const auto table =
        torch::floor_divide(count.cumsum(1) + torch::floor_divide(step, 2), step.clamp_min(1));
    const auto shifted =
        torch::constant_pad_nd(table.narrow(1, 0, 255), {1, 0}, 0).clamp_(0, 255);
    const auto out = torch::where(step.eq(0), planes, shifted.gather(1, planes));

    return out.view(x.sizes()).to(torch::kFloat32).div_(255);
}

/* Draws: the order of the four, for the batch; then a factor of each for all pictures. */
void color_jitter(augmented &b, const double *args, draws &d)
{
    const auto order = d.order(4);
    const auto u = d.uniform({4, b.images.size(0)});

    b.images = as_float(b.images);
    for (int64_t i = 0; i < 4; i++) {
        const auto which = order[i].item<int64_t>();
        const double spread = args[which],
                     low = which == 3 ? -spread : std::max(0.0, 1 - spread);
        const double high = which == 3 ? spread : 1 + spread;
        const auto factor = per_picture(low + (high - low) * u[which], b.images);

        if (spread == 0)
            continue;
        b.images = which == 0   ? adjust_brightness(b.images, factor)
                   : which == 1 ? adjust_contrast(b.images, factor)
                   : which == 2 ? adjust_saturation(b.images, factor)
                                : adjust_hue(b.images, factor);
    }
}

} // namespace shim
