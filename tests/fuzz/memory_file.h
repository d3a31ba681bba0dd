/* tests/fuzz/memory_file.h - an input as a file that readers can open by path, without a disk. */
#ifndef ARCHAI_TESTS_MEMORY_FILE_H
#define ARCHAI_TESTS_MEMORY_FILE_H
#include <sys/mman.h>
#include <unistd.h>
#include "fuzz.h"

typedef struct memory_file {
    int fd; /* owned */
    char path[32];
} memory_file;

static inline memory_file memory_file_create(const uint8_t *data, size_t size)
{
    memory_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

    FUZZ_CHECK(f.fd >= 0);
    FUZZ_CHECK(write(f.fd, data, size) == (ssize_t)size);
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}
#endif
