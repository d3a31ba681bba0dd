/* shim/model.cpp - from a description to torch::nn modules; state_dict in and out; predict. */
#include "shim/batch_norm_relu.hpp"
#include "shim/module.hpp"
#include "shim/types.hpp"

#include <map>
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

/* PyTorch's order: a module's parameters, its buffers, then its children. */
module_ptr build_tree(const archai_module &m, const std::string &prefix, built_modules &built,
                      std::vector<shim::entry> &state)
{
    const module_ptr module = (built[&m] = shim::build_module(m)).module;

    for (const auto &p : module->named_parameters(false))
        state.push_back({prefix + p.key(), p.value()});
    for (const auto &b : module->named_buffers(false))
        state.push_back({prefix + b.key(), b.value()});
    for (size_t i = 0; i < m.n_children; i++) {
        const archai_module &child = *m.children[i];

        module->register_module(child.name,
                                build_tree(child, prefix + child.name + ".", built, state));
    }
    return module;
}

/* Is the layer that step `s` calls of this class? */
template <class Impl> bool calls(const archai_step &s, const built_modules &built)
{
    return s.op == ARCHAI_STEP_CALL &&
           std::dynamic_pointer_cast<Impl>(built.at(s.module).module) != nullptr;
}

/* Is register `r`, as step `i` left it, not read later? */
bool dead_after(const archai_network &net, size_t i, int r)
{
    for (size_t j = i + 1; j < net.n_steps; j++) {
        if (net.steps[j].a == r || (net.steps[j].op == ARCHAI_STEP_ADD && net.steps[j].b == r))
            return false;
        if (net.steps[j].out == r)
            return true;
    }
    return r != net.steps[net.n_steps - 1].out;
}

/* May a ReLU overwrite what register `r` holds before step `i`? Not where autograd needs the value: as
 * the output of its producer or as the input of an earlier reader. */
bool may_overwrite(const archai_network &net, size_t i, int r, const built_modules &built)
{
    for (size_t j = i; j-- > 0;) {
        const archai_step &s = net.steps[j];

        if (s.out == r)
            return s.op == ARCHAI_STEP_ADD ||
                   (s.op == ARCHAI_STEP_CALL && built.at(s.module).output_free);
        if (s.a == r || (s.op == ARCHAI_STEP_ADD && s.b == r))
            return false; /* an earlier reader may have kept it for its backward pass */
    }
    return false; /* the network's input belongs to the caller */
}

int check_step(const archai_network &net, size_t i, const built_modules &built, archai_err *err)
{
    const archai_step &s = net.steps[i];
    const int highest = net.n_values;

    if (s.a < 0 || s.a >= highest || s.out < 0 || s.out >= highest ||
        (s.op == ARCHAI_STEP_ADD && (s.b < 0 || s.b >= highest)))
        return archai_fail(err, ARCHAI_EINVAL, "step %zu has a register outside 0..%d", i,
                           highest - 1);
    const auto found = built.find(s.module);

    if (s.op == ARCHAI_STEP_CALL && (found == built.end() || !found->second.forward))
        return archai_fail(err, ARCHAI_EINVAL, "step %zu does not call a layer of the module tree", i);
    return ARCHAI_OK;
}

/* Is step `i` a ReLU of the batch norm just before it, whose output is not read elsewhere? */
bool ends_batch_norm_relu(const archai_network &net, size_t i, const built_modules &built)
{
    const archai_step &relu = net.steps[i];

    if (i == 0 || !calls<nn::ReLUImpl>(relu, built))
        return false;
    const archai_step &norm = net.steps[i - 1];

    return calls<nn::BatchNorm2dImpl>(norm, built) && norm.out == relu.a && norm.a != relu.out &&
           dead_after(net, i, relu.a);
}

shim::function batch_norm_relu(const module_ptr &module)
{
    const auto bn = std::dynamic_pointer_cast<nn::BatchNorm2dImpl>(module);

    return [bn](const torch::Tensor &x) {
        return shim::can_fuse(*bn, x) ? shim::batch_norm_relu(*bn, x) : bn->forward(x).relu_();
    };
}

int build_steps(shim_model &m, const archai_network &net, const built_modules &built,
                archai_err *err)
{
    for (size_t i = 0; i < net.n_steps; i++) {
        ARCHAI_TRY(check_step(net, i, built, err));
        const archai_step &s = net.steps[i];

        if (ends_batch_norm_relu(net, i, built)) {
            m.steps.back().out = s.out;
            m.steps.back().forward = batch_norm_relu(built.at(net.steps[i - 1].module).module);
            continue;
        }
        shim::step step{s.op, s.a, s.b, s.out, {}, {}};

        if (s.op == ARCHAI_STEP_CALL)
            step.forward = built.at(s.module).forward;
        if (calls<nn::ReLUImpl>(s, built) && dead_after(net, i, s.a) &&
            may_overwrite(net, i, s.a, built))
            step.forward = [](const torch::Tensor &x) { return torch::Tensor(x).relu_(); };
        for (int r : {s.a, s.op == ARCHAI_STEP_ADD ? s.b : s.a})
            if (r != s.out && dead_after(net, i, r))
                step.dead.push_back(r);
        m.steps.push_back(std::move(step));
    }
    return ARCHAI_OK;
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
    std::vector<torch::Tensor> values(static_cast<size_t>(n_values));

    values[0] = input;
    for (const auto &s : steps) {
        const auto a = static_cast<size_t>(s.a), out = static_cast<size_t>(s.out);

        switch (s.op) {
        case ARCHAI_STEP_CALL:
            values[out] = s.forward(values[a]);
            break;
        case ARCHAI_STEP_ADD:
            values[out] = values[a] + values[static_cast<size_t>(s.b)];
            break;
        case ARCHAI_STEP_FLATTEN:
            values[out] = values[a].flatten(1);
            break;
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
        built_modules built;

        m->device = d;
        m->n_values = net->n_values;
        torch::manual_seed(seed);
        m->root = build_tree(*net->root, "", built, m->state);
        ARCHAI_TRY(build_steps(*m, *net, built, err));
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
        std::map<std::string, const archai_tensor *> given;
        std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;

        for (size_t i = 0; i < n; i++)
            given[tensors[i].name] = &tensors[i];
        for (const auto &e : m->state) {
            const auto found = given.find(e.name);

            if (found == given.end()) {
                if (strict)
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

int shim_model_predict(shim_model *m, const float *input, const int64_t shape[4],
                       void *(*alloc)(void *payload, size_t bytes), void *payload, float **out,
                       int64_t out_shape[8], int *ndim, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        enum { BATCH = 256 }; /* images at a time: bounds the memory for activations */
        c10::InferenceMode inference;
        std::vector<torch::Tensor> parts;
        const auto all = torch::from_blob(const_cast<float *>(input), torch::IntArrayRef(shape, 4),
                                          torch::kFloat32);

        if (shape[0] < 1)
            return archai_fail(err, ARCHAI_EINVAL, "there are no images to predict");
        m->root->eval();
        for (const auto &x : all.split(BATCH))
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
