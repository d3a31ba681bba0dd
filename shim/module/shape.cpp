/* Operations and layers that rearrange a value or take a part of it. Most return views. */
#include "shim/module/module.hpp"

namespace shim
{

built_module build_flatten(const archai_module &m)
{
    const int64_t first = arg(m, "start_dim"), last = arg(m, "end_dim");

    return stateless([first, last](torch::TensorList x) { return x[0].flatten(first, last); });
}

built_module build_flatten_layer(const archai_module &m)
{
    return build_flatten(m);
}

built_module build_unflatten(const archai_module &m)
{
    const auto sizes = list(m, "unflattened_size");
    const int64_t dim = arg(m, "dim");

    return stateless([dim, sizes](torch::TensorList x) { return x[0].unflatten(dim, sizes); });
}

built_module build_permute(const archai_module &m)
{
    const auto dims = list(m, "dims");

    return stateless([dims](torch::TensorList x) { return x[0].permute(dims); });
}

built_module build_transpose(const archai_module &m)
{
    const int64_t a = arg(m, "dim0"), b = arg(m, "dim1");

    return stateless([a, b](torch::TensorList x) { return x[0].transpose(a, b); });
}

built_module build_reshape(const archai_module &m)
{
    const auto sizes = list(m, "shape");

    return stateless([sizes](torch::TensorList x) {
        std::vector<int64_t> shape = {x[0].size(0)};

        shape.insert(shape.end(), sizes.begin(), sizes.end());
        return x[0].reshape(shape);
    });
}

/* -- parts --------------------------------------------------------------------------------- */

built_module build_slice(const archai_module &m)
{
    const int64_t dim = arg(m, "dim"), start = arg(m, "start"), step = arg(m, "step");
    const int64_t end = is_none(m, "end") ? INT64_MAX : arg(m, "end");

    return stateless([=](torch::TensorList x) { return x[0].slice(dim, start, end, step); });
}

built_module build_select(const archai_module &m)
{
    const int64_t dim = arg(m, "dim"), index = arg(m, "index");

    return stateless([dim, index](torch::TensorList x) { return x[0].select(dim, index); });
}

built_module build_chunk(const archai_module &m)
{
    const int64_t chunks = arg(m, "chunks"), index = arg(m, "index"), dim = arg(m, "dim");

    return stateless([=](torch::TensorList x) {
        return x[0].chunk(chunks, dim).at(static_cast<size_t>(index));
    });
}

built_module build_positions(const archai_module &m)
{
    const int64_t offset = arg(m, "offset");

    return stateless([offset](torch::TensorList x) {
        const int64_t n = x[0].size(1);

        return torch::arange(offset, offset + n,
                             x[0].options().dtype(torch::kInt64).requires_grad(false))
            .expand({x[0].size(0), n});
    });
}

} // namespace shim
