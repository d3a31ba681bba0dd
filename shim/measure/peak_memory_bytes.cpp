/* shim/measure/peak_memory_bytes.cpp - the most memory that a pass over a batch takes, and the weights: on a CPU by
 * the kernel's own figure, the highest resident size of this process while it runs. */
#include "shim/measure/measure.hpp"

#include <fstream>
#include <limits>
#include <malloc.h>
#include <stdexcept>

namespace shim
{

/* Bytes that /proc says under this name. */
static double status_of(const std::string &name)
{
    std::ifstream in("/proc/self/status");
    std::string line;

    while (std::getline(in, line))
        if (line.compare(0, name.size(), name) == 0)
            return std::stod(line.substr(name.size())) * 1024;
    throw std::runtime_error("/proc/self/status has no " + name);
}

/* The highest size so far is the present one. */
static void reset_peak()
{
    std::ofstream out("/proc/self/clear_refs");

    if (!(out << "5" << std::flush))
        throw std::runtime_error("/proc/self/clear_refs cannot be written");
}

static double bytes_of(const shim_model &m)
{
    double bytes = 0;

    for (const auto &t : m.root->parameters())
        bytes += static_cast<double>(t.nbytes());
    for (const auto &t : m.root->buffers())
        bytes += static_cast<double>(t.nbytes());
    return bytes;
}

measured measure_peak_memory_bytes(specimen &s)
{
    const bool training = s.spec.pass == ARCHAI_TRAINING;

    if (s.model.device->rep.is_cuda())
        throw std::runtime_error("peak_memory_bytes is not measured on a GPU");
    pass(s, training); /* what is made once for all passes */
    s.model.root->zero_grad();
    for (auto &p : s.model.root->parameters())
        p.mutable_grad().reset();
    (void)malloc_trim(0);
    reset_peak();
    const double before = status_of("VmRSS:");

    pass(s, training);
    return {bytes_of(s.model) + std::max(0.0, status_of("VmHWM:") - before),
            std::numeric_limits<double>::quiet_NaN()};
}

} // namespace shim
