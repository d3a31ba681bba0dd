/* shim/surrogate.hpp - what a surrogate model implements; shim/surrogate.cpp prepares its data. */
#pragma once
#include <memory>
#include <vector>
#include "shim/types.hpp"
extern "C" {
#include "core/base/rng.h"
#include "core/search/surrogate.h"
}

namespace shim
{

/* Columns have mean 0 and standard deviation 1; nothing is NaN. mask: 1 where the target was measured, else
 * 0 (as is the target). Row-major. */
struct sample {
    int64_t n = 0, features = 0, targets = 0;
    std::vector<float> x, y, mask;
};

struct surrogate_model {
    virtual ~surrogate_model() = default;
    /* warm: continue from the last fit, which had as many features and targets. */
    virtual void fit(const sample &s, const archai_surrogate_settings &settings, bool warm,
                     archai_rng &rng) = 0;
    /* x [n, features] -> mean and variance [n, targets]. */
    virtual void predict(const std::vector<float> &x, int64_t n, std::vector<float> &mean,
                         std::vector<float> &var) = 0;
};

#define X(name) std::unique_ptr<surrogate_model> make_##name();
ARCHAI_SURROGATE_LIST(X)
#undef X

} // namespace shim
