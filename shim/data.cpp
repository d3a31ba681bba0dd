/* shim/data.cpp - tensors over memory: archai_tensor and the mapped data set. */
#include "shim/augment/augment.hpp"
#include "shim/cuda.hpp"
#include "shim/stream.hpp"
#include "shim/types.hpp"
extern "C" {
#include "io/dataset/normalize.h"
}

namespace shim
{

archai_tensor view(std::string &name, const torch::Tensor &t)
{
    archai_tensor v{};

    v.name = &name[0];
    v.dtype = archai_type(t.scalar_type());
    v.ndim = static_cast<int>(t.dim());
    for (int d = 0; d < v.ndim; d++)
        v.shape[d] = t.size(d);
    v.data = t.data_ptr();
    v.bytes = t.nbytes();
    return v;
}

/* A view of the mapping, or a copy. Sequences of tokens are one run, of which each begins where the one before ends. */
static split make_split(const archai_dataset_header *d, int which, bool here, const torch::Device &device)
{
    const archai_dataset_split &from = d->split[which];
    const char *base = reinterpret_cast<const char *>(d);
    std::vector<int64_t> images, labels;
    split s;

    s.n = from.n;
    if (from.n == 0 || !here)
        return s;
    sizes_of(d, from.n, images, labels);
    s.images = over(base + from.images, d->image_dtype, images).to(device);
    s.labels = over(base + from.labels, d->label_dtype, labels).to(device);
    return s;
}

static void read_normalization(resident &r, const torch::Device &device)
{
    const int64_t channels = r.source->channels;
    auto both = torch::empty({2, channels, 1, 1}, torch::kFloat64);

    if (channels < 1 || !archai_dataset_normalization(r.source, both[0].data_ptr<double>(),
                                                      both[1].data_ptr<double>()))
        return;
    both = both.to(torch::kFloat32).to(device);
    r.mean = both[0].unsqueeze(0);
    r.deviation = both[1].unsqueeze(0);
}

/* A GPU keeps the examples where they leave half of its memory to the models; else they come from the node's. */
static bool fits(const shim_device &d, const archai_dataset_header *data)
{
    size_t available = 0, total = 0;

    return d.rep.is_cpu() || !gpu_memory(d.rep, &available, &total) || data->bytes <= available / 2;
}

const resident &reside(shim_device &d, const archai_dataset_header *data)
{
    if (d.data.source == data)
        return d.data;
    const bool here = data->streamed == 0 && fits(d, data);
    resident r;

    TORCH_CHECK(data->streamed == 0 || d.feed != nullptr, "the data set is not held, and nothing feeds it");
    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        r.splits[i] = make_split(data, i, here, d.rep);
    if (!here)
        r.elsewhere = std::make_shared<stream>(data, data->streamed != 0 ? d.feed : nullptr, d.rep);
    r.source = data;
    r.classes = data->num_classes;
    r.ignore = data->ignore_index;
    r.targets = static_cast<archai_targets>(data->targets);
    r.tokens = data->tokens > 0;
    read_normalization(r, d.rep);
    d.data = std::move(r);
    return d.data;
}

torch::Tensor normalised(const resident &data, const torch::Tensor &images)
{
    const auto x = as_float(images);

    return data.mean.defined() ? x.sub(data.mean).div_(data.deviation) : x;
}

static int number_of(const resident &data, const split &s)
{
    return static_cast<int>(&s - data.splits);
}

void begin_pass(const resident &data, int split, const torch::Tensor &order, int64_t size)
{
    if (data.elsewhere != nullptr)
        data.elsewhere->begin(split, order, size);
}

void expect_pass(const resident &data, int split, const torch::Tensor &order, int64_t size)
{
    if (data.elsewhere != nullptr)
        data.elsewhere->expect(split, order, size);
}

torch::Tensor raw_images(const resident &data, const split &s, const torch::Tensor &index)
{
    return data.elsewhere != nullptr ? data.elsewhere->at(number_of(data, s), index).images
                                     : s.images.index_select(0, index);
}

torch::Tensor batch_images(const resident &data, const split &s, const torch::Tensor &index)
{
    const auto x = raw_images(data, s, index);

    return data.tokens ? x.to(torch::kInt64) : normalised(data, x);
}

torch::Tensor batch_labels(const resident &data, const split &s, const torch::Tensor &index)
{
    const bool several =
        data.targets == ARCHAI_TARGETS_LABELS || data.targets == ARCHAI_TARGETS_NUMBERS;

    const auto y = data.elsewhere != nullptr ? data.elsewhere->at(number_of(data, s), index).labels
                                             : s.labels.index_select(0, index);

    return y.to(several ? torch::kFloat32 : torch::kInt64);
}

} // namespace shim

extern "C" void shim_device_feed(shim_device *d, archai_feed *feed) noexcept
{
    d->feed = feed;
    if (d->data.source != nullptr && d->data.source->streamed != 0)
        d->data = shim::resident();
}
