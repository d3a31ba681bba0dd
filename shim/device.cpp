/* shim/device.cpp - choosing a device, and setting the process up for it. */
#include "shim/cuda.hpp"
#include "shim/types.hpp"

#include <dlfcn.h>
#include <malloc.h>

namespace
{

/* An OpenBLAS built for POSIX threads has a thread pool that neither OpenMP nor libtorch can limit. The
 * symbol tells whether the BLAS that is loaded is OpenBLAS. */
void limit_blas(int threads)
{
    using setter = void (*)(int);

    if (auto set = reinterpret_cast<setter>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
        set(threads);
}

/* By default glibc maps every large block afresh and unmaps it on free, so that each training step pays for
 * the page faults of all its activations. This process trains one model after another: keep the memory. */
void keep_memory()
{
    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, -1);
    (void)mallopt(M_TOP_PAD, 64 * 1024 * 1024);
}

int open_cpu(shim_device **out, int threads)
{
    keep_memory();
    *out = new shim_device{torch::Device(torch::kCPU),
                           "cpu, " + std::to_string(threads) +
                               (threads == 1 ? " thread" : " threads"),
                           {}};
    return ARCHAI_OK;
}

int open_cuda(shim_device **out, const char *device, archai_err *err)
{
    const std::string name(device);
    const size_t visible = torch::cuda::is_available() ? torch::cuda::device_count() : 0;
    size_t index = 0;

    if (visible == 0)
        return archai_fail(err, ARCHAI_ENOTFOUND,
                           "%s: libtorch sees no GPU (a CPU build, no driver, or an empty "
                           "CUDA_VISIBLE_DEVICES)",
                           device);
    if (name != "cuda") {
        const std::string digits = name.substr(5);

        if (name[4] != ':' || digits.empty() || digits.size() > 4 ||
            digits.find_first_not_of("0123456789") != std::string::npos)
            return archai_fail(err, ARCHAI_EINVAL, "%s: expected cpu, cuda or cuda:<number>",
                               device);
        index = std::stoul(digits);
    }
    if (index >= visible)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: only %zu GPUs are visible", device,
                           visible);
    const torch::Device rep(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
    /* Create the context here, so that a faulty device is a failed start, not a failed model. */
    (void)torch::zeros({1}, torch::TensorOptions().device(rep)).item<float>();
    *out = new shim_device{rep, shim::gpu_text(rep), {}};
    return ARCHAI_OK;
}

} // namespace

extern "C" {

int shim_device_open(shim_device **out, const char *device, int threads, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        if (threads < 1)
            return archai_fail(err, ARCHAI_EINVAL, "%d threads, expected at least 1", threads);
        at::set_num_threads(threads);
        limit_blas(threads);
        if (std::strcmp(device, "cpu") == 0)
            return open_cpu(out, threads);
        if (std::strncmp(device, "cuda", 4) == 0)
            return open_cuda(out, device, err);
        return archai_fail(err, ARCHAI_EINVAL, "%s: expected cpu, cuda or cuda:<number>", device);
    });
}

int shim_device_share(shim_device *d, int n, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        shim::gpu_share(d->rep, n);
        return ARCHAI_OK;
    });
}

void shim_device_close(shim_device *d) noexcept
{
    delete d;
}

void shim_device_text(const shim_device *d, char *text, size_t size) noexcept
{
    (void)std::snprintf(text, size, "%s", d->text.c_str());
}

void shim_version(char *text, size_t size) noexcept
{
    (void)std::snprintf(text, size, "libtorch %d.%d.%d", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR,
                        TORCH_VERSION_PATCH);
}

int shim_test_throw(int kind, archai_err *err) noexcept
{
    return shim::guard(err, __func__, [&]() -> int {
        switch (kind) {
        case SHIM_THROW_BAD_ALLOC:
            throw std::bad_alloc();
        case SHIM_THROW_INT:
            throw 42;
        case SHIM_THROW_C10:
            TORCH_CHECK(false, "a check of libtorch failed");
        case SHIM_THROW_OUT_OF_MEMORY:
            TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory");
        case SHIM_THROW_STD:
            throw std::runtime_error("a standard exception");
        default:
            return ARCHAI_OK;
        }
    });
}

} // extern "C"
