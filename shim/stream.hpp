/* shim/stream.hpp - examples of a split that do not lie on the device: they come from a feed (io/dataset/feed/feed.h), or from
 * the node's memory where a GPU has no room for them. */
#pragma once
#include <torch/torch.h>
extern "C" {
#include "io/dataset/feed/feed.h"
}

namespace shim
{

/* As the files have them, [n,...]: on the device, the caller's own. */
struct raw {
    torch::Tensor images, labels;
};

class stream
{
  public:
    /* Both are borrowed. feed NULL: the examples lie behind the header. */
    stream(const archai_dataset_header *data, archai_feed *feed, const torch::Device &device);
    /* A pass over the examples that `order` [n] numbers, in batches of `size`: they are read ahead. */
    void begin(int split, const torch::Tensor &order, int64_t size);
    /* The one that will probably follow the pass that is begun next. */
    void expect(int split, const torch::Tensor &order, int64_t size);
    /* The examples `index` [b] of a split: at no cost the next ones of the pass, else whichever. They last until the next
     * call. Throws std::runtime_error: they cannot be read. */
    const raw &at(int split, const torch::Tensor &index);
    double waited() const; /* seconds, in all */

  private:
    const archai_dataset_header *data;
    archai_feed *feed;
    torch::Device device;
    torch::Tensor order; /* int64 [n], of the pass */
    int64_t given = 0, size = 0;
    int of = -1; /* split of the pass */
    int64_t pass = -1; /* its number: another device may have begun one since */
    struct {
        torch::Tensor order;
        int split = -1;
        int64_t size = 0;
    } expected;
    torch::Tensor index; /* of `now` */
    int split = -1;
    raw now;

    raw fetch();
    raw pick(int split, const torch::Tensor &index) const;
};

/* Sizes of n examples and of their labels. */
void sizes_of(const archai_dataset_header *d, int64_t n, std::vector<int64_t> &images,
              std::vector<int64_t> &labels);
/* A tensor over memory. */
torch::Tensor over(const void *at, int32_t dtype, const std::vector<int64_t> &sizes);

} // namespace shim
