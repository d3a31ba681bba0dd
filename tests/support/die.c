/* A library to be preloaded into ranks: one of them dies right after it has committed a row, before anybody hears of it.
 *
 *   ARCHAI_DIE_RANK=2    which one
 *   ARCHAI_DIE_ROW=20    after its so-manieth row
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { ROW = 64 /* io/segment.h: nothing else of a segment is written in this size */ };

static int is_segment(int fd)
{
    char link_path[64], path[4096];
    ssize_t n;

    (void)snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    n = readlink(link_path, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, "/segment-") != NULL;
}

static void count(int fd, size_t n)
{
    const char *me = getenv("OMPI_COMM_WORLD_RANK"), *rank = getenv("ARCHAI_DIE_RANK"),
               *row = getenv("ARCHAI_DIE_ROW");
    static int rows;

    if (n != ROW || me == NULL || rank == NULL || row == NULL || strcmp(me, rank) != 0 ||
        !is_segment(fd))
        return;
    if (++rows == atoi(row))
        (void)raise(SIGKILL);
}

/* One function to the C library; which name a program calls depends on how it was compiled. */
#define PWRITE(name)                                                                           \
    ssize_t name(int fd, const void *data, size_t n, off_t at)                                 \
    {                                                                                          \
        static ssize_t (*real)(int, const void *, size_t, off_t);                              \
        ssize_t done;                                                                          \
        if (real == NULL)                                                                      \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                         \
        done = real(fd, data, n, at);                                                          \
        count(fd, n);                                                                          \
        return done;                                                                           \
    }
PWRITE(pwrite)
PWRITE(pwrite64)
