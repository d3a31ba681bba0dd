/* shim/cuda.cpp - the driver's library, present with every GPU, and libtorch's allocator for it. */
#include "shim/cuda.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#ifdef ARCHAI_CUDA /* a libtorch for GPUs, and NVIDIA's headers */
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#endif

namespace shim
{

namespace
{

/* Calls of the driver's library by their names, so that programs start where there is none. It numbers the visible devices as
 * libtorch does. Never closed: libtorch uses it too. */
class driver
{
  public:
    explicit driver(const c10::Device &d) : lib(dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL))
    {
        const auto init = call<int (*)(unsigned)>("cuInit");
        const auto get = call<int (*)(int *, int)>("cuDeviceGet");

        there = init && get && init(0) == 0 && get(&device, d.has_index() ? d.index() : 0) == 0;
    }
    template <class F> F call(const char *name) const
    {
        return lib != nullptr ? reinterpret_cast<F>(dlsym(lib, name)) : nullptr;
    }
    int device = 0;
    bool there;

  private:
    void *lib;
};

std::string name_of(const driver &d)
{
    const auto get = d.call<int (*)(char *, int, int)>("cuDeviceGetName");
    char text[128] = "";

    return d.there && get && get(text, sizeof text, d.device) == 0 ? text : "";
}

/* 16 bytes, written as nvidia-smi writes them. */
std::string uuid_of(const driver &d, const std::string &prefix)
{
    using getter = int (*)(unsigned char *, int);
    auto get = d.call<getter>("cuDeviceGetUuid_v2"); /* knows MIG instances */
    std::array<unsigned char, 16> bytes{};
    std::string text;

    if (get == nullptr)
        get = d.call<getter>("cuDeviceGetUuid");
    if (!d.there || get == nullptr || get(bytes.data(), d.device) != 0)
        return text;
    text = prefix;
    for (size_t i = 0; i < bytes.size(); i++) {
        char two[3];

        (void)std::snprintf(two, sizeof two, "%02x", bytes[i]);
        text += i == 4 || i == 6 || i == 8 || i == 10 ? std::string("-") + two : two;
    }
    return text;
}

/* The item of CUDA_VISIBLE_DEVICES that this device is; "": it is not set. */
std::string visible_item(int index)
{
    const char *list = std::getenv("CUDA_VISIBLE_DEVICES");

    if (list == nullptr)
        return "";
    for (; index > 0 && *list != '\0'; index--)
        list += std::strcspn(list, ",") + (std::strchr(list, ',') != nullptr);
    return {list, std::strcspn(list, ",")};
}

} // namespace

std::string gpu_text(const c10::Device &device)
{
    const int index = device.has_index() ? device.index() : 0;
    const std::string item = visible_item(index);
    const bool is_number = !item.empty() && item.find_first_not_of("0123456789") == std::string::npos;
    const driver d(device);
    const std::string name = name_of(d);
    const std::string uuid = uuid_of(d, item.compare(0, 4, "MIG-") == 0 ? "MIG-" : "GPU-");

    return "cuda:" + (is_number ? item : std::to_string(index)) + (name.empty() ? "" : " " + name) +
           (uuid.empty() ? "" : ", " + uuid);
}

int gpu_capability(const c10::Device &device)
{
    enum { COMPUTE_CAPABILITY_MAJOR = 75 }; /* CU_DEVICE_ATTRIBUTE_... of cuda.h */
    const driver d(device);
    const auto get = d.call<int (*)(int *, int, int)>("cuDeviceGetAttribute");
    int major = 0;

    return d.there && get && get(&major, COMPUTE_CAPABILITY_MAJOR, d.device) == 0 ? major : 0;
}

bool gpu_memory(const c10::Device &device, size_t *available, size_t *total)
{
    const driver d(device);
    /* of the current context: libtorch's, once it has done something on the device */
    const auto info = d.call<int (*)(size_t *, size_t *)>("cuMemGetInfo_v2");

    return d.there && info && info(available, total) == 0;
}

void gpu_share(const c10::Device &device, int n)
{
#ifdef ARCHAI_CUDA
    if (device.is_cuda() && n > 1)
        c10::cuda::CUDACachingAllocator::setMemoryFraction(1.0 / n, device.index());
#else
    (void)device;
    (void)n;
#endif
}

void gpu_give_back(const c10::Device &device)
{
#ifdef ARCHAI_CUDA
    if (device.is_cuda())
        c10::cuda::CUDACachingAllocator::emptyCache();
#else
    (void)device;
#endif
}

} // namespace shim
