/* core/base/alloc.h - allocations that succeed or end the process.
 *
 * A run can always be resumed, so running out of memory is handled in one place: the handler that
 * main installs prints one line and exits with code 1. None of these functions returns NULL. Where
 * a file or a message decides the size, it is bounded before it gets here: too large a size is an
 * error about that file.
 */
#ifndef ARCHAI_CORE_BASE_ALLOC_H
#define ARCHAI_CORE_BASE_ALLOC_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called with the number of bytes that were refused; must neither return nor allocate. Without a
 * handler (a unit test, say) the process traps. Not thread-safe: install it first. */
typedef void archai_out_of_memory(size_t bytes);
void archai_on_out_of_memory(archai_out_of_memory *handler);

/* As malloc, calloc, realloc, strdup and strndup; archai_realloc takes n items of `size` bytes. */
void *archai_malloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *archai_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *archai_realloc(void *at, size_t n, size_t size) __attribute__((returns_nonnull));
char *archai_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *archai_strndup(const char *text, size_t n) __attribute__((malloc, returns_nonnull));
/* A copy of n bytes; n == 0: a pointer that may be freed. */
void *archai_memdup(const void *bytes, size_t n) __attribute__((malloc, returns_nonnull));
/* As asprintf: the text, to be freed. */
char *archai_printf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
/* For libraries that fail only when memory runs out: NULL (jansson) or a flag that is 0 ends the
 * process, too. */
void *archai_there(void *at) __attribute__((returns_nonnull));
void archai_must_have(int ok);

/* A growing array is a pointer with a size_t capacity; the caller keeps the count. Makes room for
 * `wanted` items in all; the capacity at least doubles. New room is not initialised. */
#define ARCHAI_RESERVE(at, capacity, wanted)                                                       \
    ((size_t)(wanted) > (capacity)                                                                 \
         ? (void)((at) = archai_grow_((at), &(capacity), (size_t)(wanted), sizeof *(at)))          \
         : (void)0)
void *archai_grow_(void *at, size_t *capacity, size_t wanted, size_t size)
    __attribute__((returns_nonnull));

#ifdef __cplusplus
}
#endif
#endif
