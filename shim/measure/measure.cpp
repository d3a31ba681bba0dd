/* shim/measure/measure.cpp - the entry of the measures, and what they share. */
#include "shim/measure/measure.hpp"
#include "shim/train/train.hpp"

#include <algorithm>
#include <cmath>
#include <set>
extern "C" {
#include "io/dataset/loss.h"
}

namespace shim
{

namespace nn = torch::nn;

/* -- what they share ------------------------------------------------------------------- */

torch::Tensor loss_of(specimen &s, const torch::Tensor &output)
{
    if (s.data != nullptr) {
        augmented batch;

        batch.images = s.input;
        batch.labels = s.labels;
        return train_loss(*s.data, s.recipe, output, batch);
    }
    if (output.dim() < 2)
        return output.square().mean();
    const auto classes = output.transpose(1, -1).flatten(0, -2);
    const auto labels = torch::arange(classes.size(0), torch::TensorOptions()
                                                           .dtype(torch::kInt64)
                                                           .device(output.device()))
                            .remainder(classes.size(1));

    return torch::nn::functional::cross_entropy(classes, labels);
}

std::vector<torch::Tensor> weights_of(const shim_model &m)
{
    std::vector<torch::Tensor> out;
    std::set<void *> seen; /* a tied weight counts once */

    for (const auto &module : m.root->modules()) {
        if (dynamic_cast<const nn::Conv1dImpl *>(module.get()) == nullptr &&
            dynamic_cast<const nn::Conv2dImpl *>(module.get()) == nullptr &&
            dynamic_cast<const nn::LinearImpl *>(module.get()) == nullptr)
            continue;
        const auto parameters = module->named_parameters(false);
        const torch::Tensor *w = parameters.find("weight");

        if (w != nullptr && seen.insert(w->unsafeGetTensorImpl()).second)
            out.push_back(*w);
    }
    return out;
}

double sum_over_weights(const shim_model &m,
                        torch::Tensor (*part)(const torch::Tensor &w, const torch::Tensor &g))
{
    double sum = 0;

    for (const auto &w : weights_of(m))
        if (w.grad().defined())
            sum += part(w.detach(), w.grad()).to(torch::kFloat64).item<double>();
    return sum;
}

void pass(specimen &s, bool backward)
{
    if (backward) {
        s.model.root->train();
        s.model.root->zero_grad();
        loss_of(s, s.model.forward(s.input)).backward();
    } else {
        c10::InferenceMode inference;

        s.model.root->eval();
        (void)s.model.forward(s.input);
    }
    if (s.model.device->rep.is_cuda())
        torch::cuda::synchronize();
}

/* -- its input ------------------------------------------------------------------------- */

/* Tokens that every embedding of the network has. */
static int64_t smallest_vocabulary(const archai_module &m, int64_t least)
{
    const double *n = m.kind != nullptr ? archai_module_arg(&m, "num_embeddings") : nullptr;

    if (n != nullptr && *n >= 1)
        least = std::min(least, static_cast<int64_t>(*n));
    for (size_t i = 0; i < m.n_children; i++)
        least = smallest_vocabulary(*m.children[i], least);
    return least;
}

static int random_input(const archai_network &net, int64_t n, torch::Tensor *out, archai_err *err)
{
    const archai_shape shape = archai_network_input(&net);
    std::vector<int64_t> sizes{n};

    if (shape.ndim == 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "the size of the network's input is not known; a section [data] says it");
    sizes.insert(sizes.end(), shape.dim, shape.dim + shape.ndim);
    torch::manual_seed(0);
    *out = net.tokens ? torch::randint(smallest_vocabulary(*net.root, INT32_MAX), sizes, torch::kInt64)
                      : torch::randn(sizes);
    return ARCHAI_OK;
}

/* The first training examples, as the network sees them. */
static int take_input(specimen &s, const archai_network &net, const archai_dataset_header *data,
                      int64_t n, archai_err *err)
{
    shim_device &d = *s.model.device;

    if (data == nullptr || data->split[ARCHAI_SPLIT_TRAIN].n == 0) {
        ARCHAI_TRY(random_input(net, n, &s.input, err));
        s.input = s.input.to(d.rep);
        return ARCHAI_OK;
    }
    const resident &all = reside(d, data);
    const split &train = all.splits[ARCHAI_SPLIT_TRAIN];
    const auto index = torch::arange(
        std::min(n, train.n), torch::TensorOptions().dtype(torch::kInt64).device(d.rep));

    ARCHAI_TRY(archai_loss_choose(s.recipe.loss, all.targets, &s.recipe.loss, err));
    s.input = batch_images(all, train, index).contiguous();
    s.labels = batch_labels(all, train, index);
    s.data = &all;
    return ARCHAI_OK;
}

/* -- the table ------------------------------------------------------------------------- */

static const struct {
    const char *name;
    measured (*take)(specimen &s);
    int64_t batch_size;
} table[] = {
#define X(name, help) {#name, measure_##name, 64},
    ARCHAI_MEASURE_LIST(X)
#undef X
};

static bool is_cost(const char *name)
{
    return std::string(name) == "latency_seconds" || std::string(name) == "peak_memory_bytes" ||
           std::string(name) == "energy_joules";
}

/* Threads are the process's: the training that may follow has its own number back. */
struct threads_of {
    const int before = at::get_num_threads();
    explicit threads_of(int64_t n)
    {
        if (n > 0)
            at::set_num_threads(static_cast<int>(n));
    }
    ~threads_of()
    {
        at::set_num_threads(before);
    }
    threads_of(const threads_of &) = delete;
    threads_of &operator=(const threads_of &) = delete;
};

} // namespace shim

extern "C" {

int shim_measure_take(shim_model *m, const archai_network *net, const archai_measure_spec *spec,
                       const archai_dataset_header *data, const archai_train_settings *recipe,
                       double *value, double *spread, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const std::string kind = archai_measure_kind_name(spec);
        const shim::threads_of threads(spec->threads);
        shim::specimen s{*m, *net, *spec, {}, {}, nullptr, *recipe};

        for (const auto &t : shim::table) {
            if (kind != t.name)
                continue;
            const int64_t n = spec->batch_size > 0        ? spec->batch_size
                              : shim::is_cost(t.name) ? 1
                                                      : t.batch_size;

            ARCHAI_TRY(shim::take_input(s, *net, data, n, err));
            torch::manual_seed(0); /* dropout */
            const shim::measured out = t.take(s);

            *value = out.value;
            *spread = out.spread;
            if (std::isfinite(out.value))
                return ARCHAI_OK;
            return archai_fail(err, ARCHAI_ETORCH, "%s is %s", t.name,
                               std::isnan(out.value) ? "NaN" : "infinite");
        }
        return archai_fail(err, ARCHAI_EINTERNAL, "no measure '%s'", kind.c_str());
    });
}

} // extern "C"
