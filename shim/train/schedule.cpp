/* shim/train/schedule.cpp - torch.optim.lr_scheduler's formulas. */
#include "shim/train/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace shim
{

static constexpr double warmup_from = 0.01; /* as in torchvision's reference training */

/* OneCycleLR's defaults. */
static constexpr double rising_share = 0.3, start_divisor = 25, end_divisor = 1e4;

schedule::schedule(const archai_train_settings &settings, double steps_per_epoch, int64_t all)
    : s(settings), per_epoch(steps_per_epoch), steps(all), warmup(0)
{
    if (s.warmup > 0)
        warmup = std::min(span(s.warmup), steps);
}

/* In steps, at least one. */
int64_t schedule::span(double length) const
{
    const double whole = length < 1 ? static_cast<double>(steps) : per_epoch;

    return std::max<int64_t>(1, std::llround(length * whole));
}

/* How often a rate that falls step by step has fallen. */
double schedule::falls(int64_t step) const
{
    if (s.learning_rate_schedule == ARCHAI_LR_STEP)
        return static_cast<double>(step / span(s.step_size));
    int64_t n = 0;

    for (size_t i = 0; i < s.milestones.n; i++)
        n += step >= span(s.milestones.at[i]);
    return static_cast<double>(n);
}

static double between(double from, double to, double share)
{
    return to + (from - to) / 2 * (std::cos(M_PI * share) + 1);
}

double schedule::one_cycle(int64_t step) const
{
    const double share =
        s.warmup > 0 ? static_cast<double>(warmup) / static_cast<double>(steps) : rising_share;
    const double top = share * static_cast<double>(steps) - 1;
    const double last = static_cast<double>(steps) - 1, at = static_cast<double>(step);
    const double start = s.learning_rate / start_divisor;

    if (at <= top)
        return top > 0 ? between(start, s.learning_rate, at / top) : s.learning_rate;
    return between(s.learning_rate, start / end_divisor,
                   last > top ? (at - top) / (last - top) : 1);
}

double schedule::at(int64_t step) const
{
    const double rate = s.learning_rate, end = s.end_factor * rate;
    const double rise = step >= warmup
                            ? 1
                            : warmup_from + (1 - warmup_from) * static_cast<double>(step) /
                                                static_cast<double>(warmup);
    const bool before = step < warmup;
    const auto done = static_cast<double>(step - warmup);
    const auto left = static_cast<double>(steps - warmup);

    switch (s.learning_rate_schedule) {
    case ARCHAI_LR_COSINE:
        return before ? rate * rise
                      : end + (rate - end) * 0.5 * (1 + std::cos(M_PI * done / left));
    case ARCHAI_LR_LINEAR:
        return before ? rate * rise : rate + (end - rate) * done / left;
    case ARCHAI_LR_STEP:
    case ARCHAI_LR_MULTISTEP:
        return rate * rise * std::pow(s.gamma, falls(step));
    case ARCHAI_LR_ONE_CYCLE:
        return one_cycle(step);
    default:
        return rate * rise;
    }
}

} // namespace shim
