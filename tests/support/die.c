/* A library to be preloaded into ranks: one of them dies by SIGKILL at a chosen point.
 *
 *   ARCHAI_DIE_RANK=2            which one
 *   ARCHAI_DIE_AT=row            right after it has committed a row, before anybody hears of it; or right before a call:
 *                                MPI_Isend (of something; signs of life are empty), MPI_Ibarrier, MPI_Iallreduce, MPI_Ibcast
 *   ARCHAI_DIE_NTH=20            at the so-manieth of these
 */
#include <dlfcn.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { ROW = 64 /* io/segment/segment.h: nothing else of a segment is written in this size */ };

static void count(const char *what)
{
    const char *me = getenv("OMPI_COMM_WORLD_RANK"), *rank = getenv("ARCHAI_DIE_RANK"),
               *at = getenv("ARCHAI_DIE_AT"), *nth = getenv("ARCHAI_DIE_NTH");
    static int n;

    if (me == NULL || rank == NULL || at == NULL || nth == NULL || strcmp(me, rank) != 0 ||
        strcmp(at, what) != 0)
        return;
    if (++n == atoi(nth))
        (void)raise(SIGKILL);
}

static int is_segment(int fd)
{
    char link_path[64], path[4096];
    ssize_t n;

    (void)snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    n = readlink(link_path, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, "/segment-") != NULL;
}

#define REAL(result, name, ...)                                                                \
    static result (*real)(__VA_ARGS__);                                                        \
    if (real == NULL)                                                                          \
        *(void **)&real = dlsym(RTLD_NEXT, #name)

/* One function to the C library; which name a program calls depends on how it was compiled. */
#define PWRITE(name)                                                                           \
    ssize_t name(int fd, const void *data, size_t n, off_t at)                                 \
    {                                                                                          \
        ssize_t done;                                                                          \
        REAL(ssize_t, name, int, const void *, size_t, off_t);                                 \
        done = real(fd, data, n, at);                                                          \
        if (n == ROW && is_segment(fd))                                                        \
            count("row");                                                                      \
        return done;                                                                           \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

int MPI_Isend(const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    REAL(int, MPI_Isend, const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    if (n > 0)
        count("MPI_Isend");
    return real(data, n, type, to, tag, comm, request);
}

int MPI_Ibarrier(MPI_Comm comm, MPI_Request *request)
{
    REAL(int, MPI_Ibarrier, MPI_Comm, MPI_Request *);
    count("MPI_Ibarrier");
    return real(comm, request);
}

int MPI_Iallreduce(const void *from, void *to, int n, MPI_Datatype type, MPI_Op op,
                   MPI_Comm comm, MPI_Request *request)
{
    REAL(int, MPI_Iallreduce, const void *, void *, int, MPI_Datatype, MPI_Op, MPI_Comm,
         MPI_Request *);
    count("MPI_Iallreduce");
    return real(from, to, n, type, op, comm, request);
}

int MPI_Ibcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request *request)
{
    REAL(int, MPI_Ibcast, void *, int, MPI_Datatype, int, MPI_Comm, MPI_Request *);
    count("MPI_Ibcast");
    return real(data, n, type, root, comm, request);
}
