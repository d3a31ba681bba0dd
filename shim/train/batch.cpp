/* shim/train/batch.cpp - the order of the training examples, and the batches that a network
 * sees. */
#include "shim/train/train.hpp"

#include <numeric>

namespace shim
{

int64_t batches::count() const
{
    const int64_t full = n / size, rest = n % size;

    return full + (rest > 1 || (rest == 1 && full == 0) ? 1 : 0);
}

torch::Tensor batches::slice(const torch::Tensor &order, int64_t i) const
{
    return order.narrow(0, i * size, std::min(size, n - i * size));
}

shuffler::shuffler(int64_t n, uint64_t seed) : order(static_cast<size_t>(n))
{
    std::iota(order.begin(), order.end(), 0);
    archai_rng_seed(&rng, seed);
}

void shuffler::skip()
{
    archai_rng_shuffle(&rng, order.data(), order.size());
}

torch::Tensor shuffler::next(const torch::Device &device)
{
    static_assert(sizeof(size_t) == sizeof(int64_t), "an index is an int64");
    skip();
    return torch::from_blob(order.data(), {static_cast<int64_t>(order.size())}, torch::kInt64)
        .clone()
        .to(device);
}

augmented train_batch(const resident &data, const shim_train_settings &s,
                      const torch::Tensor &index, int64_t epoch, int64_t step)
{
    const split &split = data.splits[ARCHAI_SPLIT_TRAIN];
    augmented b;

    b.labels = batch_labels(data, split, index);
    if (s.augment.n == 0) {
        b.images = batch_images(data, split, index);
        return b;
    }
    const uint64_t of_epoch = archai_rng_derive(s.seed, static_cast<uint64_t>(epoch));
    draws d(archai_rng_derive(of_epoch, static_cast<uint64_t>(step) + 1));

    b.images = raw_images(data, split, index);
    augment_pictures(b, s.augment, data.ignore, d);
    b.images = normalised(data, b.images);
    augment_normalised(b, s.augment, d);
    augment_batch(b, s.augment, d);
    return b;
}

} // namespace shim

static void copy_out(void *to, const torch::Tensor &t)
{
    const auto flat = t.to(torch::kCPU).contiguous();

    std::memcpy(to, flat.data_ptr(), flat.nbytes());
}

extern "C" int shim_train_batch(shim_device *d, const archai_dataset_header *data,
                                const shim_train_settings *settings, int64_t epoch,
                                int64_t step, shim_batch *batch, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        const shim_train_settings &s = *settings;
        const shim::resident &resident = shim::reside(*d, data);
        const int64_t n = resident.splits[ARCHAI_SPLIT_TRAIN].n;
        const shim::batches batches{n, s.recipe.batch_size};
        shim::shuffler orders(n, s.seed);

        if (epoch < 0 || step < 0 || n == 0 || step >= batches.count())
            return archai_fail(err, ARCHAI_EINVAL, "no step %lld in epoch %lld",
                               static_cast<long long>(step), static_cast<long long>(epoch));
        for (int64_t i = 0; i < epoch; i++)
            orders.skip();
        const auto index = batches.slice(orders.next(d->rep), step);
        const auto made = shim::train_batch(resident, s, index, epoch, step);

        copy_out(batch->images, made.images);
        if (batch->labels != nullptr)
            copy_out(batch->labels, made.labels);
        copy_out(batch->index, index);
        batch->n = index.size(0);
        batch->share = made.share;
        return ARCHAI_OK;
    });
}
