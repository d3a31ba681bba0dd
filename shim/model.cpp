/* shim/model.cpp - from a description to torch::nn modules; state_dict in and out; predict. */
#include "shim/batch_norm_relu.hpp"
#include "shim/module/module.hpp"
#include "shim/types.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

namespace nn = torch::nn;

namespace shim
{

/* In archai_dtype's order. */
static const torch::Dtype types[ARCHAI_DTYPE_COUNT] = {
    torch::kFloat32, torch::kFloat64, torch::kFloat16, torch::kInt64, torch::kInt32, torch::kUInt8,
};

torch::Dtype torch_type(archai_dtype t)
{
    return types[t];
}

archai_dtype archai_type(torch::Dtype t)
{
    int i = 0;

    while (i < ARCHAI_DTYPE_COUNT && types[i] != t)
        i++;
    return static_cast<archai_dtype>(i);
}

torch::Tensor borrow(const archai_tensor &t)
{
    return torch::from_blob(const_cast<void *>(t.data),
                            torch::IntArrayRef(t.shape, static_cast<size_t>(t.ndim)),
                            torch::TensorOptions().dtype(torch_type(t.dtype)));
}

} // namespace shim

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
        const torch::Tensor *weight = nullptr;

        if (source != b.built.end())
            weight = source->second.module->named_parameters(false).find("weight");
        if (weight == nullptr || made.tied_weight == nullptr)
            return archai_fail(err, ARCHAI_EINVAL, "module '%s' cannot share the weight of '%s'",
                               t.module->name, t.module->tied->name);
        *made.tied_weight = b.state[t.entry].tensor = *weight;
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

/* Bounds the memory for activations. */
int64_t samples_at_once(const shim_model &m, const torch::Tensor &all)
{
    constexpr int64_t images = 256, tokens = 16384;

    return m.tokens ? 1 + tokens / std::max<int64_t>(1, all.numel() / all.size(0)) : images;
}

/* Is this a name of a weight that is also loaded under another? */
bool is_alias(const shim_model &m, const shim::entry &e,
              const std::map<std::string, const archai_tensor *> &given)
{
    return std::any_of(m.state.begin(), m.state.end(), [&](const shim::entry &other) {
        return other.name != e.name && other.tensor.is_same(e.tensor) && given.count(other.name) > 0;
    });
}

std::string shape_text(const torch::IntArrayRef &shape)
{
    std::string text = "[";

    for (size_t i = 0; i < shape.size(); i++)
        text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

} // namespace

torch::Tensor shim_model::forward(const torch::Tensor &input)
{
    std::vector<torch::Tensor> values(static_cast<size_t>(n_values)), many;

    values[0] = input;
    for (const auto &s : steps) {
        const auto out = static_cast<size_t>(s.out);

        if (s.inputs.size() == 1) {
            values[out] = s.forward(values[static_cast<size_t>(s.inputs[0])]);
        } else {
            many.clear();
            for (int r : s.inputs)
                many.push_back(values[static_cast<size_t>(r)]);
            values[out] = s.forward(many);
            many.clear();
        }
        for (int r : s.dead)
            values[static_cast<size_t>(r)].reset();
    }
    return values[static_cast<size_t>(steps.back().out)];
}

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

void shim_model_destroy(shim_model *m) noexcept
{
    delete m;
}

int shim_model_load(shim_model *m, const archai_tensor *tensors, size_t n, bool strict,
                    size_t *loaded, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        torch::NoGradGuard no_grad;
        std::map<std::string, const archai_tensor *> all;
        std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;

        for (size_t i = 0; i < n; i++)
            all[tensors[i].name] = &tensors[i];
        auto given = all;
        for (const auto &e : m->state) {
            const auto found = given.find(e.name);

            if (found == given.end()) {
                if (strict && !is_alias(*m, e, all))
                    return archai_fail(err, ARCHAI_EINVAL,
                                       "the weights lack '%s' (they hold %zu tensors, the model %zu)",
                                       e.name.c_str(), n, m->state.size());
                continue;
            }
            const torch::Tensor source = shim::borrow(*found->second);

            given.erase(found);
            if (source.sizes() != e.tensor.sizes()) {
                if (strict)
                    return archai_fail(err, ARCHAI_EINVAL,
                                       "weights '%s': shape %s, expected %s", e.name.c_str(),
                                       shape_text(source.sizes()).c_str(),
                                       shape_text(e.tensor.sizes()).c_str());
                continue;
            }
            copies.emplace_back(e.tensor, source);
        }
        for (const std::string &name : m->unused)
            given.erase(name);
        if (strict && !given.empty())
            return archai_fail(err, ARCHAI_EINVAL, "the weights hold '%s', which the model lacks",
                               given.begin()->first.c_str());
        for (auto &c : copies) /* all or nothing: only now that everything fits */
            c.first.copy_(c.second);
        if (loaded != nullptr)
            *loaded = copies.size();
        return ARCHAI_OK;
    });
}

int shim_model_state(shim_model *m, const archai_tensor **out, size_t *n, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        std::vector<torch::Tensor> copies;
        std::vector<archai_tensor> views;

        for (auto &e : m->state) {
            copies.push_back(e.tensor.detach().to(torch::kCPU).contiguous());
            views.push_back(shim::view(e.name, copies.back()));
        }
        m->copies = std::move(copies);
        m->views = std::move(views);
        *out = m->views.data();
        *n = m->views.size();
        return ARCHAI_OK;
    });
}

int shim_model_predict(shim_model *m, const void *input, const int64_t *shape,
                       void *(*alloc)(void *payload, size_t bytes), void *payload, float **out,
                       int64_t out_shape[8], int *ndim, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        c10::InferenceMode inference;
        std::vector<torch::Tensor> parts;
        const torch::IntArrayRef sizes(shape, static_cast<size_t>(m->input_ndim) + 1);
        const auto all = torch::from_blob(const_cast<void *>(input), sizes,
                                          m->tokens ? torch::kInt64 : torch::kFloat32);

        if (shape[0] < 1)
            return archai_fail(err, ARCHAI_EINVAL, "there is nothing to predict: the input is empty");
        m->root->eval();
        for (const auto &x : all.split(samples_at_once(*m, all)))
            parts.push_back(m->forward(x.to(m->device->rep)).to(torch::kCPU));
        const auto y = torch::cat(parts).to(torch::kFloat32).contiguous();

        if (y.dim() > ARCHAI_MAX_DIMS)
            return archai_fail(err, ARCHAI_EINVAL, "the output has %d dimensions",
                               static_cast<int>(y.dim()));
        auto *memory = static_cast<float *>(alloc(payload, y.nbytes()));
        if (memory == nullptr)
            return archai_fail(err, ARCHAI_ENOMEM, "%zu bytes of output", y.nbytes());
        std::memcpy(memory, y.data_ptr(), y.nbytes());
        for (int64_t d = 0; d < y.dim(); d++)
            out_shape[d] = y.size(d);
        *ndim = static_cast<int>(y.dim());
        *out = memory;
        return ARCHAI_OK;
    });
}

/* As torch::pickle_save, but without its type tags, which torch.load refuses from 2.6 on (weights_only). */
int shim_save_pt(const archai_tensor *tensors, size_t n, const char *path, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        c10::Dict<std::string, torch::Tensor> dict;
        FILE *file = nullptr;
        bool written;

        for (size_t i = 0; i < n; i++)
            dict.insert(tensors[i].name, shim::borrow(tensors[i]));
        std::string pickled, bytes;
        torch::jit::Pickler pickler([&](const char *p, size_t size) { pickled.append(p, size); },
                                    nullptr, nullptr, nullptr, nullptr, false);
        pickler.protocol();
        pickler.pushIValue(dict);
        pickler.stop();
        caffe2::serialize::PyTorchStreamWriter writer([&](const void *p, size_t size) {
            bytes.append(static_cast<const char *>(p), size);
            return size;
        });
        size_t record = 0;
        for (const torch::Tensor &t : pickler.tensorData()) {
            const auto data = torch::jit::getWriteableTensorData(t);
            writer.writeRecord("data/" + std::to_string(record++), data.data(), data.sizeInBytes());
        }
        writer.writeRecord("data.pkl", pickled.data(), pickled.size());
        writer.writeEndOfFile();

        file = std::fopen(path, "wbe");
        if (file == nullptr)
            return archai_fail(err, ARCHAI_EIO, "%s: %s", path, std::strerror(errno));
        written = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
        if (std::fclose(file) != 0 || !written)
            return archai_fail(err, ARCHAI_EIO, "%s: %s while writing %zu bytes", path,
                               std::strerror(errno), bytes.size());
        return ARCHAI_OK;
    });
}

} // extern "C"
