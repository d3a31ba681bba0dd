/* shim/model.cpp - a model runs: forward, state_dict in and out, predict. */
#include "shim/cuda.hpp"
#include "shim/types.hpp"

#include <algorithm>
#include <map>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

namespace nn = torch::nn;

namespace shim
{

static constexpr torch::Dtype none = torch::ScalarType::Undefined;
/* In archai_dtype's order. */
static const torch::Dtype types[ARCHAI_DTYPE_COUNT] = {
    torch::kFloat32,  torch::kFloat64, torch::kFloat16, torch::kInt64, torch::kInt32, torch::kUInt8,
    torch::kBFloat16, torch::kBool,    torch::kInt8,    torch::kInt16,
    none, /* uint16, uint32, uint64: since PyTorch 2.3 */
    none, none, torch::kComplexFloat,
    none, /* float8: since PyTorch 2.1, 2.7 */
    none, none,
};

torch::Dtype torch_type(archai_dtype t)
{
    TORCH_CHECK(types[t] != none, "this libtorch has no ", archai_dtype_name(t));
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

/* A tensor that the model lacks, if there is one: that which ends as `missing` ("module.fc.weight"
 * for "fc.weight"), else the first. */
std::string unknown_tensor(const shim_model &m,
                           const std::map<std::string, const archai_tensor *> &given,
                           const std::string &missing)
{
    std::map<std::string, const archai_tensor *> left = given;

    for (const auto &e : m.state)
        left.erase(e.name);
    for (const std::string &name : m.unused)
        left.erase(name);
    for (const auto &e : left)
        if (e.first.size() > missing.size() &&
            e.first.compare(e.first.size() - missing.size(), missing.size(), missing) == 0)
            return e.first;
    return left.empty() ? "" : left.begin()->first;
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

void shim_model_destroy(shim_model *m) noexcept
{
    if (m == nullptr)
        return;
    const torch::Device device = m->device->rep;

    delete m;
    (void)shim::guard(nullptr, __func__, [&]() -> int { /* a poisoned context throws even here */
        shim::gpu_give_back(device);
        return ARCHAI_OK;
    });
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
                if (strict && !is_alias(*m, e, all)) {
                    const std::string extra = unknown_tensor(*m, all, e.name);

                    if (!extra.empty())
                        return archai_fail(err, ARCHAI_EINVAL,
                                           "the weights lack '%s' and hold '%s', which the model "
                                           "lacks",
                                           e.name.c_str(), extra.c_str());
                    return archai_fail(err, ARCHAI_EINVAL,
                                       "the weights lack '%s' (they hold %zu tensors, the model %zu)",
                                       e.name.c_str(), n, m->state.size());
                }
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
