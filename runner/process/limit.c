#include "runner/process/limit.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "io/file/file.h"
#include "io/segment/segment.h"

/* AddressSanitizer's shadow counts as data. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_CAN_BE_LIMITED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_CAN_BE_LIMITED 0
#endif
#endif
#ifndef MEMORY_CAN_BE_LIMITED
#define MEMORY_CAN_BE_LIMITED 1
#endif

enum { BLOCK = 512 }; /* bytes, the unit of st_blocks */
static const rlim_t seconds_least = 20, bytes_a_second = 1 << 20;
static const rlim_t memory_least = (rlim_t)4 << 30, memory_factor = 16;

static rlim_t on_disk(const char *path)
{
    struct stat st;

    return path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode)
               ? (rlim_t)st.st_blocks * BLOCK
               : 0;
}

static rlim_t bytes_of(const char *path)
{
    archai_strings names = {NULL, 0};
    rlim_t bytes = on_disk(path);

    if (bytes > 0 || archai_segment_list(path, &names, NULL) != ARCHAI_OK)
        return bytes;
    for (size_t i = 0; i <= names.n; i++) {
        char *file = archai_file_path(path, i < names.n ? names.at[i] : "results.h5");

        bytes += on_disk(file);
        free(file);
    }
    archai_strings_free(&names);
    return bytes;
}

static void lower(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max)
        limit.rlim_cur = value;
    else
        limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(resource, &limit);
}

void archai_limit_reading(const char *const *paths, size_t n)
{
    rlim_t bytes = 0;
    struct rusage used = {.ru_utime = {0}};

    for (size_t i = 0; i < n; i++)
        bytes += bytes_of(paths[i]);
    (void)getrusage(RUSAGE_SELF, &used);
    lower(RLIMIT_CPU, (rlim_t)used.ru_utime.tv_sec + (rlim_t)used.ru_stime.tv_sec +
                          (rlim_t)n * seconds_least + bytes / bytes_a_second);
    if (MEMORY_CAN_BE_LIMITED)
        lower(RLIMIT_DATA, memory_least + memory_factor * bytes);
}

void archai_limit_time_end(void)
{
    lower(RLIMIT_CPU, RLIM_INFINITY);
}

const char *archai_limit_crash(int wait_status)
{
    if (!WIFSIGNALED(wait_status))
        return NULL;
    switch (WTERMSIG(wait_status)) {
    case SIGXCPU:
        return "did not finish";
    case SIGSEGV:
    case SIGBUS:
    case SIGABRT:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
        return "crashed";
    default:
        return NULL;
    }
}
