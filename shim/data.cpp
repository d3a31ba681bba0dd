/* shim/data.cpp - tensors over memory: archai_tensor and the mapped data set. */
#include "shim/types.hpp"

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

static split make_split(const archai_dataset_header *d, int which, const torch::Device &device)
{
    const archai_dataset_split &from = d->split[which];
    char *base = reinterpret_cast<char *>(const_cast<archai_dataset_header *>(d));
    std::vector<int64_t> labels{from.n};
    split s;

    if (from.n == 0)
        return s;
    if (d->targets == ARCHAI_TARGETS_MASK)
        labels.insert(labels.end(), {d->height, d->width});
    s.n = from.n;
    s.images = torch::from_blob(base + from.images, {from.n, d->channels, d->height, d->width},
                                torch_type(static_cast<archai_dtype>(d->image_dtype)))
                   .to(device);
    s.labels = torch::from_blob(base + from.labels, labels,
                                torch_type(static_cast<archai_dtype>(d->label_dtype)))
                   .to(device);
    return s;
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
    r.masks = data->targets == ARCHAI_TARGETS_MASK;
    d.data = std::move(r);
    return d.data;
}

torch::Tensor batch_images(const split &s, const torch::Tensor &index)
{
    const auto x = s.images.index_select(0, index);

    return x.scalar_type() == torch::kUInt8 ? x.to(torch::kFloat32).div_(255) : x;
}

torch::Tensor batch_labels(const split &s, const torch::Tensor &index)
{
    return s.labels.index_select(0, index).to(torch::kInt64);
}

} // namespace shim
