/* shim/measure/latency_seconds.cpp - how long a forward pass of a batch takes: many, one by one, after some that
 * warm up caches, thread pools and clocks. */
#include "shim/measure/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace shim
{

using seconds_clock = std::chrono::steady_clock;

static double since(seconds_clock::time_point begin)
{
    return std::chrono::duration<double>(seconds_clock::now() - begin).count();
}

/* Between neighbours, as NumPy's percentile; times are sorted. */
static double percentile(const std::vector<double> &times, double p)
{
    const double at = p / 100 * static_cast<double>(times.size() - 1);
    const auto low = static_cast<size_t>(std::floor(at));
    const size_t high = std::min(low + 1, times.size() - 1);

    return times[low] + (at - static_cast<double>(low)) * (times[high] - times[low]);
}

measured measure_latency_seconds(specimen &s)
{
    constexpr size_t least = 10, most = 100000;
    constexpr int warm_passes = 3;
    const auto begin = seconds_clock::now();
    std::vector<double> times;

    for (int i = 0; i < warm_passes || since(begin) < s.spec.seconds / 4; i++)
        pass(s, false);
    const auto measuring = seconds_clock::now();

    while (times.size() < least || (since(measuring) < s.spec.seconds && times.size() < most)) {
        const auto one = seconds_clock::now();

        pass(s, false);
        times.push_back(since(one));
    }
    std::sort(times.begin(), times.end());
    return {percentile(times, s.spec.percentile), percentile(times, 75) - percentile(times, 25)};
}

} // namespace shim
