/* shim/measure/energy_joules.cpp - energy of a forward pass by the meters of the CPU packages (RAPL, as the kernel
 * shows them under /sys/class/powercap). They count everything that runs on the packages. */
#include "shim/measure/measure.hpp"

#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>

namespace shim
{

static constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

static bool read_number(const std::string &path, double *out)
{
    std::ifstream in(path);

    return static_cast<bool>(in >> *out);
}

/* Microjoules of each package; empty: no meter, or it may not be read. */
static std::vector<double> read_meters(const std::string &file)
{
    std::vector<double> out;
    double value = 0;

    for (int i = 0; i < 64; i++) {
        if (!read_number("/sys/class/powercap/intel-rapl:" + std::to_string(i) + "/" + file, &value))
            break;
        out.push_back(value);
    }
    return out;
}

measured measure_energy_joules(specimen &s)
{
    const auto range = read_meters("max_energy_range_uj");
    int64_t passes = 0;
    double joules = 0;

    if (s.model.device->rep.is_cuda())
        throw std::runtime_error("energy_joules is not measured on a GPU");
    if (read_meters("energy_uj").empty())
        throw std::runtime_error("no energy meter can be read on this machine "
                                 "(/sys/class/powercap/intel-rapl:0/energy_uj)");
    pass(s, false);
    const auto before = read_meters("energy_uj");
    const auto begin = std::chrono::steady_clock::now();

    while (passes < 10 ||
           std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() <
               s.spec.seconds) {
        pass(s, false);
        passes++;
    }
    const auto after = read_meters("energy_uj");

    for (size_t i = 0; i < before.size() && i < after.size(); i++) {
        double spent = after[i] - before[i];

        if (spent < 0 && i < range.size()) /* the counter went round */
            spent += range[i];
        joules += spent / 1e6;
    }
    return {joules / static_cast<double>(passes), nan_value};
}

} // namespace shim
