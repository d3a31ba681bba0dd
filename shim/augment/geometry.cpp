/* shim/augment/geometry.cpp - RandAugment, and the operations that resample pixels. */
#include "shim/augment/augment.hpp"

#include <cmath>

namespace shim
{

/* -- RandomResizedCrop --------------------------------------------------------------------- */

/* Up to ten attempts at a part that fits, else the centre; as torchvision's get_params. `u`:
 * ten rows of area, shape, top, left. */
static void choose_part(const torch::TensorAccessor<double, 2> &u, const double *scale,
                        double height, double width, double *top, double *left, double *h,
                        double *w)
{
    const double low = std::log(3. / 4), high = std::log(4. / 3);

    for (int64_t k = 0; k < 10; k++) {
        const double area = height * width * (scale[0] + (scale[1] - scale[0]) * u[k][0]);
        const double ratio = std::exp(low + (high - low) * u[k][1]);

        *w = std::rint(std::sqrt(area * ratio));
        *h = std::rint(std::sqrt(area / ratio));
        if (*w < 1 || *w > width || *h < 1 || *h > height)
            continue;
        *top = std::floor(u[k][2] * (height - *h + 1));
        *left = std::floor(u[k][3] * (width - *w + 1));
        return;
    }
    const double ratio = width / height;

    *w = ratio > 4. / 3 ? std::rint(height * 4 / 3) : width;
    *h = ratio < 3. / 4 ? std::rint(width / (3. / 4)) : height;
    *top = std::floor((height - *h) / 2);
    *left = std::floor((width - *w) / 2);
}

/* Bilinear along one dimension (2 or 3) of x: `n` places of the part [from, from + size) of
 * each picture, as F.interpolate(align_corners=False) does on the part alone. */
static torch::Tensor stretch(const torch::Tensor &x, int64_t dimension,
                             const torch::Tensor &from, const torch::Tensor &size)
{
    const int64_t n = x.size(dimension);
    const auto place = torch::arange(n, torch::kFloat64) + 0.5;
    const auto at = (place * (size / static_cast<double>(n)).unsqueeze(1) - 0.5).clamp_min(0);
    const auto low = at.floor(), high = (low + 1).minimum(size.unsqueeze(1) - 1);
    const bool rows = dimension == 2;
    const auto shape =
        rows ? std::vector<int64_t>{-1, 1, n, 1} : std::vector<int64_t>{-1, 1, 1, n};
    const auto index = [&](const torch::Tensor &t) {
        return (t + from.unsqueeze(1))
            .to(torch::kInt64)
            .view(shape)
            .to(x.device())
            .expand_as(x);
    };
    const auto weight = (at - low).to(torch::kFloat32).view(shape).to(x.device());

    return x.gather(dimension, index(low)) * (1 - weight) +
           x.gather(dimension, index(high)) * weight;
}

void resized_crop(augmented &b, const double *args, draws &d)
{
    const int64_t n = b.images.size(0);
    const auto u = d.uniform({n, 10, 4});
    const auto at = u.accessor<double, 3>();
    auto part = torch::empty({4, n}, torch::kFloat64);
    auto out = part.accessor<double, 2>();

    for (int64_t i = 0; i < n; i++)
        choose_part(at[i], args, static_cast<double>(b.images.size(2)),
                    static_cast<double>(b.images.size(3)), &out[0][i], &out[1][i], &out[2][i],
                    &out[3][i]);
    const auto x = stretch(as_float(b.images), 3, part[1], part[3]);

    b.images = stretch(x, 2, part[0], part[2]);
}

/* -- RandAugment --------------------------------------------------------------------------- */

/* Nearest pixel of the place that theta [B,2,3] maps each one to, in pixels from the centre; 0
 * outside. As torchvision's affine and rotate. */
static torch::Tensor affine(const torch::Tensor &x, const torch::Tensor &theta)
{
    namespace F = torch::nn::functional;
    const int64_t n = x.size(0), h = x.size(2), w = x.size(3);
    const auto half_w = static_cast<double>(w) * 0.5, half_h = static_cast<double>(h) * 0.5;
    auto base = torch::ones({1, h, w, 3}, x.options());

    base.select(3, 0).copy_(torch::linspace(-half_w + 0.5, half_w - 0.5, w, x.options()));
    base.select(3, 1).copy_(
        torch::linspace(-half_h + 0.5, half_h - 0.5, h, x.options()).unsqueeze(1));
    const auto size = torch::tensor({half_w, half_h}).to(x.options());
    const auto scaled = theta.to(x.device(), torch::kFloat32).transpose(1, 2) / size;
    const auto grid =
        base.view({1, h * w, 3}).expand({n, -1, -1}).bmm(scaled).view({n, h, w, 2});

    return F::grid_sample(
        x, grid, F::GridSampleFuncOptions().mode(torch::kNearest).align_corners(false));
}

/* Shear along rows (x) or columns about the corner, a shift, or a turn, each by `by` [B]. */
enum movement { SHEAR_X, SHEAR_Y, SHIFT_X, SHIFT_Y, TURN };

static torch::Tensor move(const torch::Tensor &x, movement how, const torch::Tensor &by)
{
    const auto half_h = static_cast<double>(x.size(2)) * 0.5;
    const auto half_w = static_cast<double>(x.size(3)) * 0.5;
    auto theta = torch::eye(2, 3, torch::kFloat64).repeat({by.size(0), 1, 1});
    const auto set = [&](int64_t row, int64_t column, const torch::Tensor &value) {
        theta.select(1, row).select(1, column).copy_(value);
    };

    switch (how) {
    case SHEAR_X:
        set(0, 1, by);
        set(0, 2, by * half_h);
        break;
    case SHEAR_Y:
        set(1, 0, by);
        set(1, 2, by * half_w);
        break;
    case SHIFT_X:
        set(0, 2, -by.trunc());
        break;
    case SHIFT_Y:
        set(1, 2, -by.trunc());
        break;
    case TURN: {
        const auto angle = by * (M_PI / 180);

        set(0, 0, angle.cos());
        set(0, 1, -angle.sin());
        set(1, 0, angle.sin());
        set(1, 1, angle.cos());
    }
    }
    return affine(x, theta);
}

/* In torchvision's order. */
enum operation {
    IDENTITY,
    SHEAR_ROWS,
    SHEAR_COLUMNS,
    SHIFT_ROWS,
    SHIFT_COLUMNS,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTOCONTRAST,
    EQUALIZE,
    N_OPERATIONS
};

/* `share`: of the largest magnitude; sign [B]: 1 or -1. */
static torch::Tensor operate(const torch::Tensor &x, int64_t which, double share,
                             const torch::Tensor &sign)
{
    const double most = 150. / 331;
    const auto factor = [&] { return per_picture(1 + 0.9 * share * sign, x); };

    switch (which) {
    case SHEAR_ROWS:
        return move(x, SHEAR_X, 0.3 * share * sign);
    case SHEAR_COLUMNS:
        return move(x, SHEAR_Y, 0.3 * share * sign);
    case SHIFT_ROWS:
        return move(x, SHIFT_X, most * static_cast<double>(x.size(3)) * share * sign);
    case SHIFT_COLUMNS:
        return move(x, SHIFT_Y, most * static_cast<double>(x.size(2)) * share * sign);
    case ROTATE:
        return move(x, TURN, 30 * share * sign);
    case BRIGHTNESS:
        return adjust_brightness(x, factor());
    case COLOR:
        return adjust_saturation(x, factor());
    case CONTRAST:
        return adjust_contrast(x, factor());
    case SHARPNESS:
        return adjust_sharpness(x, factor());
    case POSTERIZE:
        return posterize(x, 8 - static_cast<int64_t>(std::rint(4 * share)));
    case SOLARIZE:
        return torch::where(x >= 1 - share, 1 - x, x);
    case AUTOCONTRAST:
        return autocontrast(x);
    case EQUALIZE:
        return equalize(x);
    default:
        return x;
    }
}

/* Draws, for each round: an operation, then a sign, for all pictures. */
void randaugment(augmented &b, const double *args, draws &d)
{
    const int64_t n = b.images.size(0);

    b.images = as_float(b.images).clone();
    for (int64_t round = 0; round < static_cast<int64_t>(args[0]); round++) {
        const auto which =
            (d.uniform({n}) * static_cast<int64_t>(N_OPERATIONS)).to(torch::kInt64);
        const auto sign = 1 - 2 * (d.uniform({n}) * 2).floor();

        for (int64_t k = 1; k < N_OPERATIONS; k++) {
            const auto chosen = which.eq(k).nonzero().squeeze(1);
            const auto at = chosen.to(b.images.device());

            if (chosen.size(0) > 0)
                b.images.index_copy_(0, at,
                                     operate(b.images.index_select(0, at), k, args[1] / 30,
                                             sign.index_select(0, chosen)));
        }
    }
}

} // namespace shim
