#include "core/base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static archai_out_of_memory *out_of_memory;

void archai_on_out_of_memory(archai_out_of_memory *handler)
{
    out_of_memory = handler;
}

static _Noreturn void end(size_t bytes)
{
    if (out_of_memory != NULL)
        out_of_memory(bytes);
    __builtin_trap();
}

static void *had(void *at, size_t bytes)
{
    if (at == NULL)
        end(bytes);
    return at;
}

/* malloc(0) may return NULL, which is not a failure. */
static size_t at_least_one(size_t bytes)
{
    return bytes > 0 ? bytes : 1;
}

void *archai_malloc(size_t bytes)
{
    return had(malloc(at_least_one(bytes)), bytes);
}

void *archai_calloc(size_t n, size_t size)
{
    return had(calloc(at_least_one(n), at_least_one(size)), n * size);
}

void *archai_realloc(void *at, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes))
        end(SIZE_MAX);
    return had(realloc(at, at_least_one(bytes)), bytes);
}

char *archai_strdup(const char *text)
{
    return archai_memdup(text, strlen(text) + 1);
}

char *archai_strndup(const char *text, size_t n)
{
    return had(strndup(text, n), n + 1);
}

void *archai_memdup(const void *bytes, size_t n)
{
    void *copy = archai_malloc(n);

    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

char *archai_printf(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    int n;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    return had(n >= 0 ? text : NULL, n >= 0 ? (size_t)n + 1 : 0);
}

void *archai_there(void *at)
{
    return had(at, 0);
}

void archai_must_have(int ok)
{
    if (!ok)
        end(0);
}

void *archai_grow_(void *at, size_t *capacity, size_t wanted, size_t size)
{
    const size_t doubled = *capacity > SIZE_MAX / 2 ? SIZE_MAX : *capacity * 2;

    wanted = wanted > doubled ? wanted : doubled;
    wanted = wanted > 8 ? wanted : 8;
    at = archai_realloc(at, wanted, size);
    *capacity = wanted;
    return at;
}
