/* shim/train/state.cpp - a training as tensors by name, to be stored and restored.
 *
 * Under their own names are the model's tensors that count: those of the best epoch, else the
 * average, else those being trained. The rest is named "archai:<what>:<name>". */
#include "shim/train/train.hpp"

#include <map>
extern "C" {
#include "core/config/config.h"
}

namespace
{

std::string state_name(const char *what, const std::string &name)
{
    return std::string("archai:") + what + ":" + name;
}

const char STEPS[] = "archai:step"; /* int64 [parameters]; -1: the parameter has no state */
const char BEST[] = "archai:best";  /* float64, see best_values */
const char SCALER[] = "archai:grad_scaler"; /* float64: factor, good steps; with fp16 */

void keep(shim_training &t, const std::string &name, const torch::Tensor &tensor)
{
    t.names.push_back(name);
    t.copies.push_back(tensor.detach().to(torch::kCPU).contiguous());
}

/* The tensors of the model, each with its name or, with `what`, below that; `from` empty: as
 * they are. */
void keep_model(shim_training &t, const char *what, const shim::snapshot &from)
{
    for (size_t i = 0; i < t.model.state.size(); i++) {
        const auto &e = t.model.state[i];

        keep(t, what != nullptr ? state_name(what, e.name) : e.name,
             from.empty() ? e.tensor : from[i]);
    }
}

/* In the order in which they are stored. */
std::vector<double *> best_values(shim_epoch &e)
{
    return {&e.train_loss, &e.learning_rate, &e.val_loss, &e.val_accuracy,  &e.val_top5,
            &e.val_miou,   &e.val_mae,       &e.val_rmse, &e.val_perplexity};
}

void collect_state(shim_training &t)
{
    const shim::optimizer &o = *t.optimizer;
    const bool has_best = t.best.has_value() && !t.best->weights.empty();

    t.names.clear();
    t.copies.clear();
    t.views.clear();
    keep_model(t, nullptr,
               has_best    ? t.best->weights
               : t.average ? t.average->at
                           : shim::snapshot());
    if (has_best || t.average)
        keep_model(t, "live", {});
    if (has_best && t.average)
        keep_model(t, "ema", t.average->at);
    if (t.best.has_value()) {
        std::vector<double> values{static_cast<double>(t.best->epoch.epoch)};

        for (const double *v : best_values(t.best->epoch))
            values.push_back(*v);
        keep(t, BEST, torch::tensor(values, torch::kFloat64));
    }
    for (size_t i = 0; i < o.steps.size(); i++)
        for (const auto &s : o.slots)
            if (s.at[i].defined())
                keep(t, state_name(s.name, o.names()[i]), s.at[i]);
    keep(t, STEPS, torch::tensor(o.steps, torch::kInt64));
    if (t.scaler)
        keep(t, SCALER,
             torch::tensor({t.scaler->scale, static_cast<double>(t.scaler->good_steps)},
                           torch::kFloat64));
    for (size_t i = 0; i < t.copies.size(); i++)
        t.views.push_back(shim::view(t.names[i], t.copies[i]));
}

/* -- the other way round ------------------------------------------------------------------- */

using given_tensors = std::map<std::string, const archai_tensor *>;

/* A copy of the tensor with this name, of `like`'s shape and on its device. */
int find(const given_tensors &given, const std::string &name, const torch::Tensor &like,
         torch::Tensor *out, archai_err *err)
{
    const auto t = given.find(name);

    if (t == given.end() || shim::borrow(*t->second).sizes() != like.sizes() ||
        shim::borrow(*t->second).scalar_type() != like.scalar_type())
        return archai_fail(err, ARCHAI_EFORMAT, "'%s' is missing or has another shape",
                           name.c_str());
    *out = shim::borrow(*t->second).clone().to(like.device());
    return ARCHAI_OK;
}

int find_model(const shim_training &t, const given_tensors &given, const char *what,
               shim::snapshot *out, archai_err *err)
{
    for (const auto &e : t.model.state) {
        torch::Tensor one;

        ARCHAI_TRY(find(given, state_name(what, e.name), e.tensor, &one, err));
        out->push_back(one);
    }
    return ARCHAI_OK;
}

int restore_best(shim_training &t, const given_tensors &given, archai_err *err)
{
    shim::best_epoch best;
    torch::Tensor stored;
    const auto values = best_values(best.epoch);
    const auto like = torch::empty({static_cast<int64_t>(values.size() + 1)}, torch::kFloat64);

    ARCHAI_TRY(find(given, BEST, like, &stored, err));
    for (size_t i = 0; i < values.size(); i++)
        *values[i] = stored[static_cast<int64_t>(i) + 1].item<double>();
    const double epoch = stored[0].item<double>();

    if (!(epoch >= 1 && epoch <= static_cast<double>(t.settings.first_epoch)))
        return archai_fail(err, ARCHAI_EFORMAT, "'%s' names epoch %g", BEST, epoch);
    best.epoch.epoch = static_cast<int64_t>(epoch);
    if (t.settings.recipe.keep == ARCHAI_KEEP_BEST)
        best.weights = shim::take(t.model);
    t.best = std::move(best);
    return ARCHAI_OK;
}

int restore_weights(shim_training &t, const given_tensors &given, archai_err *err)
{
    const archai_train_settings &s = t.settings.recipe;
    const bool keeps_best = s.keep == ARCHAI_KEEP_BEST;
    shim::snapshot live;

    if (keeps_best || s.patience > 0)
        ARCHAI_TRY(restore_best(t, given, err));
    if (t.average && keeps_best)
        ARCHAI_TRY(find_model(t, given, "ema", &t.average->at, err));
    else if (t.average)
        t.average->at = shim::take(t.model);
    if (keeps_best || t.average) {
        ARCHAI_TRY(find_model(t, given, "live", &live, err));
        shim::put(t.model, live);
    }
    return ARCHAI_OK;
}

int restore_optimizer(shim::optimizer &o, const given_tensors &given, archai_err *err)
{
    const auto like = torch::empty({static_cast<int64_t>(o.steps.size())}, torch::kInt64);
    torch::Tensor steps;

    if (find(given, STEPS, like, &steps, nullptr) != ARCHAI_OK)
        return archai_fail(err, ARCHAI_EFORMAT, "the optimizer's steps are missing");
    for (size_t i = 0; i < o.steps.size(); i++) {
        o.steps[i] = steps[static_cast<int64_t>(i)].item<int64_t>();
        for (auto &s : o.slots)
            if (o.steps[i] >= 0)
                ARCHAI_TRY(find(given, state_name(s.name, o.names()[i]), o.parameter(i),
                                &s.at[i], err));
    }
    return ARCHAI_OK;
}

/* A training that began with another precision has none: it begins with that of a new one. */
void restore_scaler(shim_training &t, const given_tensors &given)
{
    torch::Tensor stored;

    if (!t.scaler || find(given, SCALER, torch::empty({2}, torch::kFloat64), &stored, nullptr) != ARCHAI_OK)
        return;
    t.scaler->scale = stored[0].item<double>();
    t.scaler->good_steps = static_cast<int64_t>(stored[1].item<double>());
}

} // namespace

int shim::restore_training(shim_training &t, archai_err *err)
{
    given_tensors given;

    for (size_t i = 0; i < t.settings.n_start; i++)
        given[t.settings.start[i].name] = &t.settings.start[i];
    restore_scaler(t, given);
    ARCHAI_TRY(restore_optimizer(*t.optimizer, given, err));
    return restore_weights(t, given, err);
}

extern "C" int shim_training_state(shim_training *t, const archai_tensor **out, size_t *n,
                                   double *train_seconds, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        collect_state(*t);
        *out = t->views.data();
        *n = t->views.size();
        *train_seconds = t->train_seconds;
        return ARCHAI_OK;
    });
}
