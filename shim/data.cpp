/* shim/data.cpp - tensors over memory: archai_tensor and the mapped data set. */
#include "shim/augment/augment.hpp"
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

/* A view of the mapping. Sequences of tokens are one run, of which each begins where the one before ends. */
static torch::Tensor part(const archai_dataset_header *d, uint64_t at, int32_t dtype,
                          const std::vector<int64_t> &shape)
{
    char *base = reinterpret_cast<char *>(const_cast<archai_dataset_header *>(d));

    return torch::from_blob(base + at, shape, torch_type(static_cast<archai_dtype>(dtype)));
}

static split make_split(const archai_dataset_header *d, int which, const torch::Device &device)
{
    const archai_dataset_split &from = d->split[which];
    std::vector<int64_t> images{from.n}, labels{from.n};
    split s;

    if (from.n == 0)
        return s;
    if (d->tokens > 0)
        images.push_back(d->tokens);
    else if (d->features > 0)
        images.push_back(d->features);
    else
        images.insert(images.end(), {d->channels, d->height, d->width});
    if (d->targets == ARCHAI_TARGETS_MASK)
        labels.insert(labels.end(), {d->height, d->width});
    else if (d->targets == ARCHAI_TARGETS_NEXT_TOKEN)
        labels.push_back(d->tokens);
    else if (d->targets != ARCHAI_TARGETS_CLASS)
        labels.push_back(d->num_classes);
    s.n = from.n;
    s.images = part(d, from.images, d->image_dtype, images).to(device);
    s.labels = part(d, from.labels, d->label_dtype, labels).to(device);
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

const resident &reside(shim_device &d, const archai_dataset_header *data)
{
    if (d.data.source == data)
        return d.data;
    resident r;

    for (int i = 0; i < ARCHAI_SPLIT_COUNT; i++)
        r.splits[i] = make_split(data, i, d.rep);
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

torch::Tensor batch_images(const resident &data, const split &s, const torch::Tensor &index)
{
    const auto x = s.images.index_select(0, index);

    return data.tokens ? x.to(torch::kInt64) : normalised(data, x);
}

torch::Tensor batch_labels(const resident &data, const split &s, const torch::Tensor &index)
{
    const bool several =
        data.targets == ARCHAI_TARGETS_LABELS || data.targets == ARCHAI_TARGETS_NUMBERS;

    return s.labels.index_select(0, index).to(several ? torch::kFloat32 : torch::kInt64);
}

} // namespace shim
