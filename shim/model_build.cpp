/* shim/model_build.cpp - from a description to torch::nn modules and steps over registers. */
#include "shim/batch_norm_relu.hpp"
#include "shim/module/module.hpp"
#include "shim/types.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace nn = torch::nn;

namespace
{

using module_ptr = std::shared_ptr<nn::Module>;
using built_modules = std::map<const archai_module *, shim::built_module>;

struct builder {
    built_modules built;
    std::vector<shim::entry> state;
    struct tie {
        const archai_module *module;
        size_t entry; /* of the state */
    };
    std::vector<tie> ties;
    std::set<std::string> unused;
};

void add_state(builder &b, const archai_module &m, const shim::built_module &made,
               const std::string &prefix)
{
    if (m.tied != nullptr) {
        b.ties.push_back({&m, b.state.size()});
        b.state.push_back({prefix + "weight", {}});
    }
    for (const auto &p : made.module->named_parameters()) /* its children are not yet in it */
        b.state.push_back({prefix + p.key(), p.value()});
    for (const auto &t : made.module->named_buffers(false))
        b.state.push_back({prefix + t.key(), t.value()});
}

bool is_own(const archai_module &m)
{
    return m.kind != nullptr && m.kind->own;
}

/* As Hugging Face begins its language models. */
void init_normal(const archai_module &m, nn::Module &module)
{
    torch::NoGradGuard no_grad;
    const double *padding = archai_module_arg(&m, "padding_idx");

    for (auto &p : module.named_parameters(false)) {
        if (p.key() == "bias")
            p.value().zero_();
        else
            p.value().normal_(0, m.init_std);
        if (p.key() == "weight" && padding != nullptr && !std::isnan(*padding))
            p.value().select(0, static_cast<int64_t>(*padding)).zero_();
    }
}

/* PyTorch's order: a module's parameters, its buffers, then its children. */
module_ptr build_tree(builder &b, const archai_module &m, const std::string &prefix)
{
    const shim::built_module made = b.built[&m] = shim::build_module(m);

    add_state(b, m, made, prefix);
    for (const char *const *name = m.unused; name != nullptr && *name != nullptr; name++)
        b.unused.insert(prefix + *name);
    if (m.init_std > 0)
        init_normal(m, *made.module);
    for (bool own : {true, false})
        for (size_t i = 0; i < m.n_children; i++) {
            const archai_module &child = *m.children[i];

            if (is_own(child) != own)
                continue;
            const module_ptr below = build_tree(b, child, prefix + child.name + ".");

            made.module->register_module(child.name, below);
            if (own) /* the tensor is a parameter of this module, under the child's name */
                b.state.back().name = prefix + child.name;
        }
    return made.module;
}

/* They have no tensors, but must hear whether the model is in training. */
void build_operations(builder &b, const archai_network &net, nn::Module &root)
{
    for (size_t i = 0; net.operations != nullptr && i < net.operations->n_children; i++) {
        const archai_module &m = *net.operations->children[i];

        b.built[&m] = shim::build_module(m);
        root.register_module("operation:" + std::to_string(i), b.built[&m].module);
    }
}

int tie_weights(builder &b, archai_err *err)
{
    for (const auto &t : b.ties) {
        const auto &made = b.built.at(t.module);
        const auto source = b.built.find(t.module->tied);
        torch::Tensor weight;

        if (source != b.built.end()) {
            const auto parameters = source->second.module->named_parameters(false);
            const torch::Tensor *found = parameters.find("weight");

            weight = found != nullptr ? *found : weight;
        }
        if (!weight.defined() || made.tied_weight == nullptr)
            return archai_fail(err, ARCHAI_EINVAL, "module '%s' cannot share the weight of '%s'",
                               t.module->name, t.module->tied->name);
        *made.tied_weight = b.state[t.entry].tensor = weight;
    }
    return ARCHAI_OK;
}

const shim::built_module *made_of(const built_modules &built, const archai_module *m)
{
    const auto found = built.find(m);

    return found != built.end() ? &found->second : nullptr;
}

/* Is the layer that step `s` calls of this class? */
template <class Impl> bool calls(const archai_step &s, const built_modules &built)
{
    return std::dynamic_pointer_cast<Impl>(built.at(s.module).module) != nullptr;
}

bool reads(const archai_step &s, int r)
{
    return std::find(s.inputs, s.inputs + s.n_inputs, r) != s.inputs + s.n_inputs;
}

/* The last step that reads each register, or writes it without any later step reading it. */
std::vector<size_t> last_uses(const archai_network &net)
{
    std::vector<size_t> last(static_cast<size_t>(net.n_values), 0);

    for (size_t i = 0; i < net.n_steps; i++) {
        last[static_cast<size_t>(net.steps[i].out)] = i;
        for (size_t k = 0; k < net.steps[i].n_inputs; k++)
            last[static_cast<size_t>(net.steps[i].inputs[k])] = i;
    }
    last[static_cast<size_t>(net.steps[net.n_steps - 1].out)] = net.n_steps;
    return last;
}

int check_step(const archai_network &net, size_t i, const built_modules &built, archai_err *err)
{
    const archai_step &s = net.steps[i];
    const auto *made = made_of(built, s.module);

    for (size_t k = 0; k <= s.n_inputs; k++) {
        const int r = k < s.n_inputs ? s.inputs[k] : s.out;

        /* Every step writes a register of its own, after those that it reads. */
        if (r < 0 || r >= net.n_values || (k < s.n_inputs && r >= s.out))
            return archai_fail(err, ARCHAI_EINVAL, "step %zu has a register outside 0..%d", i,
                               net.n_values - 1);
    }
    if (s.n_inputs < 1 || made == nullptr || !made->forward)
        return archai_fail(err, ARCHAI_EINVAL, "step %zu does not call a layer of the module tree", i);
    if (s.out <= (i > 0 ? net.steps[i - 1].out : 0))
        return archai_fail(err, ARCHAI_EINVAL, "step %zu writes a register again", i);
    return ARCHAI_OK;
}

/* The step that wrote register `r` before step `i`; NULL: the input. */
const archai_step *writer_of(const archai_network &net, size_t i, int r)
{
    while (i-- > 0)
        if (net.steps[i].out == r)
            return &net.steps[i];
    return nullptr;
}

/* May a ReLU overwrite its input, which only it reads? Not where autograd needs the value, nor where it shares
 * memory with another one. */
bool may_overwrite(const archai_network &net, size_t i, int r, const built_modules &built)
{
    const archai_step *writer = writer_of(net, i, r);

    if (writer == nullptr || !built.at(writer->module).output_free)
        return false; /* the network's input belongs to the caller */
    for (size_t j = i; j-- > 0 && &net.steps[j] != writer;)
        if (reads(net.steps[j], r))
            return false; /* an earlier reader may have kept it for its backward pass */
    return true;
}

/* Is step `i` a ReLU of the batch norm just before it, whose output is not read elsewhere? */
bool ends_batch_norm_relu(const archai_network &net, size_t i, const built_modules &built,
                          const std::vector<size_t> &last)
{
    const archai_step &relu = net.steps[i];

    if (i == 0 || !calls<nn::ReLUImpl>(relu, built))
        return false;
    const archai_step &norm = net.steps[i - 1];

    return calls<nn::BatchNorm2dImpl>(norm, built) && norm.out == relu.inputs[0] &&
           last[static_cast<size_t>(norm.out)] == i;
}

shim::function batch_norm_relu(const module_ptr &module)
{
    const auto bn = std::dynamic_pointer_cast<nn::BatchNorm2dImpl>(module);

    return [bn](torch::TensorList x) {
        return shim::can_fuse(*bn, x[0]) ? shim::batch_norm_relu(*bn, x[0])
                                         : bn->forward(x[0]).relu_();
    };
}

int build_steps(shim_model &m, const archai_network &net, const built_modules &built,
                archai_err *err)
{
    for (size_t i = 0; i < net.n_steps; i++)
        ARCHAI_TRY(check_step(net, i, built, err));
    const std::vector<size_t> last = last_uses(net);

    for (size_t i = 0; i < net.n_steps; i++) {
        const archai_step &s = net.steps[i];

        if (ends_batch_norm_relu(net, i, built, last)) {
            m.steps.back().out = s.out;
            m.steps.back().forward = batch_norm_relu(built.at(net.steps[i - 1].module).module);
            continue;
        }
        shim::step step{{s.inputs, s.inputs + s.n_inputs}, s.out, built.at(s.module).forward, {}};

        if (calls<nn::ReLUImpl>(s, built) && last[static_cast<size_t>(s.inputs[0])] == i &&
            may_overwrite(net, i, s.inputs[0], built))
            step.forward = [](torch::TensorList x) { return torch::Tensor(x[0]).relu_(); };
        for (int r : step.inputs)
            if (last[static_cast<size_t>(r)] == i)
                step.dead.push_back(r);
        m.steps.push_back(std::move(step));
    }
    return ARCHAI_OK;
}

} // namespace

extern "C" {

int shim_model_build(shim_model **out, shim_device *d, const archai_network *net, uint64_t seed,
                     archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        if (net->root == nullptr || net->n_steps == 0)
            return archai_fail(err, ARCHAI_EINVAL, "the network has no modules or no steps");
        auto m = std::make_unique<shim_model>();
        builder b;

        m->device = d;
        m->n_values = net->n_values;
        m->input_ndim = net->n_input > 0 ? net->n_input : 3;
        m->tokens = net->tokens;
        torch::manual_seed(seed);
        m->root = build_tree(b, *net->root, "");
        build_operations(b, *net, *m->root);
        ARCHAI_TRY(tie_weights(b, err));
        ARCHAI_TRY(build_steps(*m, *net, b.built, err));
        m->state = std::move(b.state);
        m->unused = std::move(b.unused);
        m->root->to(d->rep); /* in place: the state's tensors move with it */
        m->root->eval();
        *out = m.release();
        return ARCHAI_OK;
    });
}

} // extern "C"
