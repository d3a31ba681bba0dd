/* shim/augment/augment.cpp - the passes, and the operations that move and cover pixels. */
#include "shim/augment/augment.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <cmath>

namespace shim
{

using torch::indexing::Slice;

draws::draws(uint64_t seed) : generator(at::detail::createCPUGenerator(seed)) {}

torch::Tensor draws::uniform(torch::IntArrayRef shape)
{
    return torch::rand(shape, generator, torch::TensorOptions().dtype(torch::kFloat64));
}

double draws::one()
{
    return uniform({1}).item<double>();
}

int64_t draws::below(int64_t n)
{
    return static_cast<int64_t>(one() * static_cast<double>(n));
}

torch::Tensor draws::order(int64_t n)
{
    return uniform({n}).argsort();
}

double draws::beta(double alpha)
{
    const auto both = torch::full({2}, alpha, torch::kFloat64);

    return at::_sample_dirichlet(both, generator)[0].item<double>();
}

torch::Tensor as_float(const torch::Tensor &images)
{
    return images.scalar_type() == torch::kUInt8 ? images.to(torch::kFloat32).div_(255)
                                                 : images;
}

torch::Tensor per_picture(const torch::Tensor &values, const torch::Tensor &images)
{
    return values.to(images.device(), torch::kFloat32).view({-1, 1, 1, 1});
}

/* Pixels of each picture: rows, columns int64 [B,H], [B,W] -> [B,C,H,W]. */
static torch::Tensor pick(const torch::Tensor &x, const torch::Tensor &rows,
                          const torch::Tensor &columns)
{
    const int64_t n = x.size(0), c = x.size(1), h = rows.size(1), w = columns.size(1);
    const auto at = (rows.unsqueeze(2) * x.size(3) + columns.unsqueeze(1)).view({n, 1, h * w});

    return x.reshape({n, c, -1})
        .gather(2, at.to(x.device()).expand({n, c, h * w}))
        .view({n, c, h, w});
}

static torch::Tensor shifted(const torch::Tensor &x, int64_t padding, double value,
                             const torch::Tensor &by)
{
    const auto padded = torch::constant_pad_nd(x, {padding, padding, padding, padding}, value);
    const auto rows = by[0].unsqueeze(1) + torch::arange(x.size(2));
    const auto columns = by[1].unsqueeze(1) + torch::arange(x.size(3));

    return pick(padded, rows, columns);
}

/* Draws: rows, then columns, of all pictures. */
static void crop(augmented &b, const double *args, int64_t ignore, draws &d)
{
    const auto padding = static_cast<int64_t>(args[0]);
    const auto by = (d.uniform({2, b.images.size(0)}) * (2 * padding + 1)).to(torch::kInt64);

    b.images = shifted(b.images, padding, 0, by);
    if (b.labels.dim() == 3)
        b.labels =
            shifted(b.labels.unsqueeze(1), padding, static_cast<double>(ignore), by).squeeze(1);
}

static void flip(augmented &b, double p, int64_t dimension, draws &d)
{
    const auto chosen = (d.uniform({b.images.size(0)}) < p).to(b.images.device());

    b.images = torch::where(chosen.view({-1, 1, 1, 1}), b.images.flip(dimension), b.images);
    if (b.labels.dim() == 3)
        b.labels =
            torch::where(chosen.view({-1, 1, 1}), b.labels.flip(dimension - 1), b.labels);
}

/* Rectangles [B] of rows and columns, from (inclusive) and to (exclusive). */
struct boxes {
    torch::Tensor top, bottom, left, right;
};

static torch::Tensor inside(const torch::Tensor &from, const torch::Tensor &to, int64_t n)
{
    const auto at = torch::arange(n);

    return at.ge(from.unsqueeze(1)).logical_and(at.lt(to.unsqueeze(1)));
}

static void cover(augmented &b, const boxes &x)
{
    const auto rows = inside(x.top, x.bottom, b.images.size(2));
    const auto columns = inside(x.left, x.right, b.images.size(3));
    const auto covered = rows.unsqueeze(2).logical_and(columns.unsqueeze(1)).unsqueeze(1);

    b.images = b.images.masked_fill(covered.to(b.images.device()), 0);
}

/* Draws: centre rows, then columns. */
static void cutout(augmented &b, const double *args, draws &d)
{
    const int64_t half = static_cast<int64_t>(args[0]) / 2,
                  rest = static_cast<int64_t>(args[0]) - half;
    const auto u = d.uniform({2, b.images.size(0)});
    const auto y = (u[0] * b.images.size(2)).to(torch::kInt64);
    const auto x = (u[1] * b.images.size(3)).to(torch::kInt64);

    cover(b, {y - half, y + rest, x - half, x + rest});
}

/* RandomErasing: up to ten attempts at a rectangle that fits. Draws: whether, of all pictures;
 * then for each attempt area, shape, top, left. */
static void erasing(augmented &b, const double *args, draws &d)
{
    enum { ATTEMPTS = 10 };
    const int64_t n = b.images.size(0), height = b.images.size(2), width = b.images.size(3);
    const auto chosen = d.uniform({n}), u = d.uniform({n, ATTEMPTS, 4});
    const auto whether = chosen.accessor<double, 1>();
    const auto at = u.accessor<double, 3>();
    const double ratio_low = std::log(0.3), ratio_high = std::log(3.3);
    auto box = torch::zeros({4, n}, torch::kInt64);
    auto out = box.accessor<int64_t, 2>();

    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < ATTEMPTS && whether[i] < args[0]; k++) {
            const auto all = static_cast<double>(height * width);
            const double area = all * (args[1] + (args[2] - args[1]) * at[i][k][0]);
            const double shape = std::exp(ratio_low + (ratio_high - ratio_low) * at[i][k][1]);
            const int64_t h = std::lrint(std::sqrt(area * shape));
            const int64_t w = std::lrint(std::sqrt(area / shape));

            if (h >= height || w >= width)
                continue;
            out[0][i] = static_cast<int64_t>(at[i][k][2] * static_cast<double>(height - h + 1));
            out[1][i] = out[0][i] + h;
            out[2][i] = static_cast<int64_t>(at[i][k][3] * static_cast<double>(width - w + 1));
            out[3][i] = out[2][i] + w;
            break;
        }
    cover(b, {box[0], box[1], box[2], box[3]});
}

static void mixup(augmented &b, double alpha, draws &d)
{
    b.share = d.beta(alpha);
    b.images = b.images * b.share + b.images.roll(1, 0) * (1 - b.share);
}

/* Draws: the share, then the centre's column and row. */
static void cutmix(augmented &b, double alpha, draws &d)
{
    const int64_t height = b.images.size(2), width = b.images.size(3);
    const double half = 0.5 * std::sqrt(1 - d.beta(alpha));
    const int64_t x = d.below(width), y = d.below(height);
    const auto half_w = static_cast<int64_t>(half * static_cast<double>(width));
    const auto half_h = static_cast<int64_t>(half * static_cast<double>(height));
    const int64_t left = std::max<int64_t>(x - half_w, 0), right = std::min(x + half_w, width);
    const int64_t top = std::max<int64_t>(y - half_h, 0), bottom = std::min(y + half_h, height);
    const auto before = b.images.roll(1, 0);

    b.images = b.images.clone();
    b.images.index_put_(
        {Slice(), Slice(), Slice(top, bottom), Slice(left, right)},
        before.index({Slice(), Slice(), Slice(top, bottom), Slice(left, right)}));
    b.share = 1 - static_cast<double>((right - left) * (bottom - top)) /
                      static_cast<double>(width * height);
}

void augment_pictures(augmented &b, const archai_augment &a, int64_t ignore, draws &d)
{
    for (size_t i = 0; i < a.n; i++) {
        const double *args = a.steps[i].args;

        switch (a.steps[i].kind) {
        case ARCHAI_AUGMENT_CROP:
            crop(b, args, ignore, d);
            break;
        case ARCHAI_AUGMENT_RESIZED_CROP:
            resized_crop(b, args, d);
            break;
        case ARCHAI_AUGMENT_FLIP:
            flip(b, args[0], 3, d);
            break;
        case ARCHAI_AUGMENT_VERTICAL_FLIP:
            flip(b, args[0], 2, d);
            break;
        case ARCHAI_AUGMENT_COLOR_JITTER:
            color_jitter(b, args, d);
            break;
        case ARCHAI_AUGMENT_RANDAUGMENT:
            randaugment(b, args, d);
            break;
        default: /* a later pass */
            break;
        }
    }
}

void augment_normalised(augmented &b, const archai_augment &a, draws &d)
{
    for (size_t i = 0; i < a.n; i++)
        if (a.steps[i].kind == ARCHAI_AUGMENT_CUTOUT)
            cutout(b, a.steps[i].args, d);
        else if (a.steps[i].kind == ARCHAI_AUGMENT_ERASING)
            erasing(b, a.steps[i].args, d);
}

void augment_batch(augmented &b, const archai_augment &a, draws &d)
{
    std::vector<const archai_augment_step *> mixing;

    for (size_t i = 0; i < a.n; i++)
        if (a.steps[i].kind == ARCHAI_AUGMENT_MIXUP || a.steps[i].kind == ARCHAI_AUGMENT_CUTMIX)
            mixing.push_back(&a.steps[i]);
    if (mixing.empty())
        return;
    const size_t which = mixing.size() > 1
                             ? static_cast<size_t>(d.below(static_cast<int64_t>(mixing.size())))
                             : 0;
    const archai_augment_step &s = *mixing[which];

    if (s.kind == ARCHAI_AUGMENT_MIXUP)
        mixup(b, s.args[0], d);
    else
        cutmix(b, s.args[0], d);
}

} // namespace shim
