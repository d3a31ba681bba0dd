/* core/base/alloc.h - memory that is there or ends the process.
 *
 * A run is resumable by design, so running out of memory is answered once, by the handler that main
 * installs: one line, exit code 1. None of these functions returns NULL. An allocation whose size a file
 * or a message decides is bounded before it gets here: too large a size is an error about the file.
 */
#ifndef ARCHAI_CORE_BASE_ALLOC_H
#define ARCHAI_CORE_BASE_ALLOC_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Called with the number of bytes that could not be had; must not return and must not allocate. Without
 * one (a unit test, a tool that installs none) the process traps. Not thread-safe: install it first. */
typedef void archai_out_of_memory(size_t bytes);
void archai_on_out_of_memory(archai_out_of_memory *handler);

/* As malloc, calloc, realloc, strdup and strndup. archai_realloc is of n items and checks n * size. */
void *archai_malloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *archai_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *archai_realloc(void *at, size_t n, size_t size) __attribute__((returns_nonnull));
char *archai_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *archai_strndup(const char *text, size_t n) __attribute__((malloc, returns_nonnull));
/* A copy of n bytes; n == 0: a pointer that may be freed. */
void *archai_memdup(const void *bytes, size_t n) __attribute__((malloc, returns_nonnull));
/* As asprintf: the text, to be freed. */
char *archai_printf(const char *format, ...) __attribute__((format(printf, 1, 2), malloc, returns_nonnull));
/* A library that said no (jansson's NULL where only memory can be the reason) ends here, too. */
void *archai_there(void *at) __attribute__((returns_nonnull));

/* A growing array is a pointer and a size_t capacity side by side; the count is the caller's. Room for
 * `wanted` items in all: capacity at least doubles. What is new is not initialised. */
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
