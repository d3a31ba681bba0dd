/* io/file/memory.h - how much memory this process may still take.
 *
 * The least of what the control groups of this process and all above them leave (v1 and v2; page cache that the kernel
 * would give back counts as free), MemAvailable, and the limits of the process itself. What is measured now may be gone a
 * moment later: it is for refusing what cannot work, with both numbers.
 */
#ifndef ARCHAI_IO_FILE_MEMORY_H
#define ARCHAI_IO_FILE_MEMORY_H
#include <stdbool.h>
#include "core/base/err.h"

typedef struct archai_memory {
    double limit; /* bytes in all: of the tightest group, the machine or the process */
    double free;  /* bytes that may still be taken; at least 0 */
    const char *limit_by, *free_by; /* who says so: "the control group", "this machine", "RLIMIT_AS"; static */
} archai_memory;

/* Infinite where nothing is known. shared: of memory that RLIMIT_DATA does not count (memfds). */
void archai_memory_look(bool shared, archai_memory *out);
/* ARCHAI_EINVAL "`what` needs 180 GiB of memory, but the control group leaves 1.5 GiB" where so many bytes are
 * more than this process may still allocate. */
int archai_memory_check(const char *what, double bytes, archai_err *err);

/* Tests only: the same with another root than "/" for /proc and /sys, and nothing of this process' own limits. */
void archai_memory_look_below(const char *root, archai_memory *out);
#endif
