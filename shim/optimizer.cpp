/* shim/optimizer.cpp - the optimizers, and their state as tensors by name, to be stored and restored. */
#include "shim/train.hpp"

#include <map>
#include <sstream>
#include <type_traits>
extern "C" {
#include "core/config/config.h"
}

namespace
{

/* libtorch's key of a parameter: a text up to 2.0, the pointer itself since. */
template <class Map> typename Map::key_type key_of(const Map &, const torch::Tensor &p)
{
    if constexpr (std::is_same_v<typename Map::key_type, std::string>) {
        std::ostringstream text;

        text << p.unsafeGetTensorImpl();
        return text.str();
    } else {
        return p.unsafeGetTensorImpl();
    }
}

/* What is stored of one parameter: its tensors by name, and the number of its steps if the optimizer counts
 * them. */
struct parameter_state {
    std::vector<std::pair<const char *, torch::Tensor *>> tensors;
    std::unique_ptr<torch::optim::OptimizerParamState> owned; /* if it was made here */
    std::function<int64_t()> step = [] { return int64_t{0}; };
    std::function<void(int64_t)> set_step = [](int64_t) {};
};

void point_at(parameter_state &s, torch::optim::SGDParamState &state)
{
    s.tensors = {{"momentum_buffer", &state.momentum_buffer()}};
}

template <class Adam> void point_at(parameter_state &s, Adam &state)
{
    s.tensors = {{"exp_avg", &state.exp_avg()}, {"exp_avg_sq", &state.exp_avg_sq()}};
    s.step = [&state] { return state.step(); };
    s.set_step = [&state](int64_t n) { state.step(n); };
}

template <class State> parameter_state state_as(torch::optim::OptimizerParamState *of)
{
    parameter_state s;

    if (of == nullptr) {
        s.owned = std::make_unique<State>();
        of = s.owned.get();
    }
    point_at(s, static_cast<State &>(*of));
    return s;
}

/* `of`: the state that a parameter has; NULL: make a new one. */
parameter_state state_of(int optimizer, torch::optim::OptimizerParamState *of)
{
    switch (optimizer) {
    case ARCHAI_OPTIMIZER_SGD:
        return state_as<torch::optim::SGDParamState>(of);
    case ARCHAI_OPTIMIZER_ADAM:
        return state_as<torch::optim::AdamParamState>(of);
    default:
        return state_as<torch::optim::AdamWParamState>(of);
    }
}

std::string state_name(const char *what, const std::string &parameter)
{
    return std::string("archai:") + what + ":" + parameter;
}

const char STEPS[] = "archai:step"; /* int64 [parameters]; -1: the parameter has no state */

void keep(shim_training &t, const std::string &name, const torch::Tensor &tensor)
{
    t.names.push_back(name);
    t.copies.push_back(tensor.detach().to(torch::kCPU).contiguous());
}

void collect_state(shim_training &t)
{
    auto &states = t.optimizer.state();
    std::vector<int64_t> steps;

    t.names.clear();
    t.copies.clear();
    t.views.clear();
    for (const auto &e : t.model.state)
        keep(t, e.name, e.tensor);
    for (const auto &p : t.model.root->named_parameters()) {
        const auto at = states.find(key_of(states, p.value()));

        steps.push_back(-1);
        if (at == states.end())
            continue;
        const parameter_state s = state_of(t.settings.optimizer, at->second.get());

        for (const auto &[what, tensor] : s.tensors)
            if (tensor->defined())
                keep(t, state_name(what, p.key()), *tensor);
        steps.back() = s.step();
    }
    keep(t, STEPS, torch::tensor(steps, torch::kInt64));
    for (size_t i = 0; i < t.copies.size(); i++)
        t.views.push_back(shim::view(t.names[i], t.copies[i]));
}

} // namespace

namespace shim
{

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const shim_model &m,
                                                        const shim_train_settings &s)
{
    const auto parameters = m.root->parameters();

    switch (s.optimizer) {
    case ARCHAI_OPTIMIZER_SGD:
        return std::make_unique<torch::optim::SGD>(
            parameters, torch::optim::SGDOptions(s.learning_rate)
                            .momentum(s.momentum)
                            .weight_decay(s.weight_decay));
    case ARCHAI_OPTIMIZER_ADAM:
        return std::make_unique<torch::optim::Adam>(
            parameters, torch::optim::AdamOptions(s.learning_rate).weight_decay(s.weight_decay));
    default:
        return std::make_unique<torch::optim::AdamW>(
            parameters, torch::optim::AdamWOptions(s.learning_rate).weight_decay(s.weight_decay));
    }
}

int restore_optimizer(const shim_model &m, torch::optim::Optimizer &optimizer,
                      const shim_train_settings &s, archai_err *err)
{
    std::map<std::string, const archai_tensor *> given;
    const auto parameters = m.root->named_parameters();
    std::vector<int64_t> steps(parameters.size());
    auto &states = optimizer.state();

    for (size_t i = 0; i < s.n_start; i++)
        given[s.start[i].name] = &s.start[i];
    const auto found = given.find(STEPS);
    if (found == given.end() || found->second->dtype != ARCHAI_I64 ||
        found->second->bytes != steps.size() * sizeof(int64_t))
        return archai_fail(err, ARCHAI_EFORMAT, "the optimizer's steps are missing");
    std::memcpy(steps.data(), found->second->data, found->second->bytes);
    for (size_t i = 0; i < steps.size(); i++) {
        const torch::Tensor &p = parameters[i].value();

        if (steps[i] < 0)
            continue;
        parameter_state state = state_of(s.optimizer, nullptr);

        for (auto &[what, tensor] : state.tensors) {
            const auto name = state_name(what, parameters[i].key());
            const auto t = given.find(name);

            if (s.optimizer == ARCHAI_OPTIMIZER_SGD && s.momentum == 0 && t == given.end())
                continue;
            if (t == given.end() || borrow(*t->second).sizes() != p.sizes() ||
                borrow(*t->second).scalar_type() != p.scalar_type())
                return archai_fail(err, ARCHAI_EFORMAT, "'%s' is missing or has another shape",
                                   name.c_str());
            *tensor = borrow(*t->second).clone().to(p.device());
        }
        state.set_step(steps[i]);
        states[key_of(states, p)] = std::move(state.owned);
    }
    return ARCHAI_OK;
}

} // namespace shim

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
