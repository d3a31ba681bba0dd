/* shim/measure/measure.hpp - measures of a model, a file for each (core/measure/measure.h lists them). */
#pragma once
#include "shim/types.hpp"
extern "C" {
#include "core/measure/measure.h"
}

namespace shim
{

/* What a measure is taken with. */
struct specimen {
    shim_model &model; /* with new weights, in evaluation mode; whatever is done to it is forgotten */
    const archai_network &net; /* what it was built from */
    const archai_measure_spec &spec;
    torch::Tensor input;  /* [B, ...] on the model's device: training examples, or random ones */
    torch::Tensor labels; /* theirs; undefined: there are no data */
    const resident *data; /* NULL: there are none */
    archai_train_settings recipe; /* its loss is resolved */
};

struct measured {
    double value;
    double spread; /* NaN: it has none */
};

#define X(name, help) measured measure_##name(specimen &s);
ARCHAI_MEASURE_LIST(X)
#undef X

/* The training loss; without data, cross entropy with the classes in turn as labels. */
torch::Tensor loss_of(specimen &s, const torch::Tensor &output);
/* Weights of convolutions and linear layers, with a gradient after backward(). */
std::vector<torch::Tensor> weights_of(const shim_model &m);
/* The sum over those weights, each once, of what `part` makes of weight and gradient. */
double sum_over_weights(const shim_model &m,
                        torch::Tensor (*part)(const torch::Tensor &w, const torch::Tensor &g));
/* One pass, and everything that it started is over. */
void pass(specimen &s, bool backward);

} // namespace shim
