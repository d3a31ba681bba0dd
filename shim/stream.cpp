/* shim/stream.cpp - batches that come from elsewhere than the device's memory. */
#include "shim/stream.hpp"

#include <stdexcept>

#include "shim/types.hpp"

namespace shim
{

void sizes_of(const archai_dataset_header *d, int64_t n, std::vector<int64_t> &images,
              std::vector<int64_t> &labels)
{
    images = labels = {n};
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
}

torch::Tensor over(const void *at, int32_t dtype, const std::vector<int64_t> &sizes)
{
    return torch::from_blob(const_cast<void *>(at), sizes,
                            torch_type(static_cast<archai_dtype>(dtype)));
}

/* The caller's own memory, since what it lies in is used again. From pinned memory the copy to a GPU goes on beside its work;
 * libtorch keeps that memory until it is done. */
static torch::Tensor own(const torch::Tensor &t, const torch::Device &device)
{
    return device.is_cpu() ? t.clone() : t.contiguous().pin_memory().to(device, true);
}

stream::stream(const archai_dataset_header *d, archai_feed *f, const torch::Device &where)
    : data(d), feed(f), device(where)
{
}

static torch::Tensor on_host(const torch::Tensor &order)
{
    return order.to(torch::kCPU).contiguous();
}

[[noreturn]] static void fail(const archai_err &err)
{
    throw std::runtime_error(err.text);
}

void stream::begin(int which, const torch::Tensor &all, int64_t batch)
{
    archai_err err{};

    order = on_host(all);
    of = which;
    size = batch;
    given = 0;
    if (feed == nullptr)
        return;
    if (archai_feed_begin(feed, which, order.data_ptr<int64_t>(), order.numel(), batch, &err) !=
        ARCHAI_OK)
        fail(err);
    pass = archai_feed_passes(feed);
    if (expected.split >= 0)
        archai_feed_announce(feed, expected.split, expected.order.data_ptr<int64_t>(),
                             expected.order.numel(), expected.size);
    expected.split = -1;
}

void stream::expect(int which, const torch::Tensor &all, int64_t batch)
{
    expected.order = on_host(all);
    expected.split = which;
    expected.size = batch;
}

double stream::waited() const
{
    return feed != nullptr ? archai_feed_waited(feed) : 0;
}

raw stream::fetch()
{
    const void *images = nullptr, *labels = nullptr;
    std::vector<int64_t> image_sizes, label_sizes;
    archai_err err{};
    int64_t n = 0;

    if (archai_feed_next(feed, &images, &labels, &n, &err) != ARCHAI_OK)
        fail(err);
    sizes_of(data, n, image_sizes, label_sizes);
    if (data->tokens == 0)
        return {own(over(images, data->image_dtype, image_sizes), device),
                own(over(labels, data->label_dtype, label_sizes), device)};
    const auto both = own(over(images, data->image_dtype, {n, data->tokens + 1}), device);

    return {both.narrow(1, 0, data->tokens), both.narrow(1, 1, data->tokens)};
}

raw stream::pick(int which, const torch::Tensor &wanted) const
{
    const archai_dataset_split &s = data->split[which];
    const char *base = reinterpret_cast<const char *>(data);
    const int32_t label_dtype = data->tokens > 0 ? data->image_dtype : data->label_dtype;
    std::vector<int64_t> image_sizes, label_sizes;

    sizes_of(data, s.n, image_sizes, label_sizes);
    return {own(over(base + s.images, data->image_dtype, image_sizes).index_select(0, wanted), device),
            own(over(base + s.labels, label_dtype, label_sizes).index_select(0, wanted), device)};
}

const raw &stream::at(int which, const torch::Tensor &wanted)
{
    const auto numbers = on_host(wanted);
    const int64_t n = numbers.numel();

    if (which == split && index.defined() && torch::equal(index, numbers))
        return now;
    if (feed == nullptr) {
        now = pick(which, numbers);
    } else {
        if (which != of || pass != archai_feed_passes(feed) || given + n > order.numel() || (n != size && given + n != order.numel()) ||
            !torch::equal(order.narrow(0, given, n), numbers))
            begin(which, numbers, n);
        now = fetch();
        given += n;
    }
    split = which;
    index = numbers;
    return now;
}

} // namespace shim
