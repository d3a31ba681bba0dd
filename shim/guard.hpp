/* shim/guard.hpp - the only place where C++ exceptions become archai_err. */
#pragma once
#include <cstring>
#include <exception>
#include <new>
#include <c10/util/Exception.h>
#include "core/base/err.h"

namespace shim
{

/* What a failure of libtorch means. Besides libtorch's exception for it, CUDA's allocator, cuBLAS and cuDNN
 * report exhausted memory as plain errors, which only their texts identify. */
inline int code_of(const char *text) noexcept
{
    for (const char *sign : {"out of memory", "CUDNN_STATUS_ALLOC_FAILED",
                             "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory"})
        if (std::strstr(text, sign) != nullptr)
            return ARCHAI_EDEVMEM;
    return ARCHAI_ETORCH;
}

/* The first line of libtorch's text: what follows is its backtrace or advice. */
inline int record(archai_err *err, int code, const char *fn, const char *what) noexcept
{
    const int n = static_cast<int>(std::strcspn(what, "\n"));

    return archai_fail(err, code, "%s: %.*s", fn, n, what);
}

/* Rethrows the exception in flight and records it. Never throws. */
inline int translate(archai_err *err, const char *fn) noexcept
{
    try {
        throw;
    } catch (const c10::OutOfMemoryError &e) {
        return record(err, ARCHAI_EDEVMEM, fn, e.what_without_backtrace());
    } catch (const c10::Error &e) {
        return record(err, code_of(e.what_without_backtrace()), fn, e.what_without_backtrace());
    } catch (const std::bad_alloc &) {
        return archai_fail(err, ARCHAI_ENOMEM, "%s: out of host memory", fn);
    } catch (const std::exception &e) {
        return record(err, code_of(e.what()), fn, e.what());
    } catch (...) {
        return archai_fail(err, ARCHAI_ETORCH, "%s: an exception of an unknown type", fn);
    }
}

/* Runs `body`, which returns an archai_rc, and turns whatever it throws into one. */
template <class F> int guard(archai_err *err, const char *fn, F &&body) noexcept
{
    try {
        return body();
    } catch (...) {
        return translate(err, fn);
    }
}

} // namespace shim
