/* A library to be preloaded: makes one call fail that an otherwise healthy run makes.
 *
 *   ARCHAI_FAULT=N           the N-th call counted (from 1) fails, over all processes of the run; 0: count only
 *   ARCHAI_FAULT_ERRNO=28    with this errno
 *   ARCHAI_FAULT_STAYS=1     and so does every later one of its kind (files, messages, starts): a full disk stays full
 *   ARCHAI_FAULT_UNDER=/dir  calls on files below this directory count (and messages, and starts of programs)
 *   ARCHAI_FAULT_COUNTER=F   a file of 16 bytes: the count, and which kind of call fails from then on
 *   ARCHAI_FAULT_LOG=F       a line for every call that failed; with N = 0 for every call
 *
 * What HDF5 and libc write counts as well, which a switch in the project's own code could not reach.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mpi.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic long *counter; /* [2], shared by all processes */
static long target;
static int error_number = EIO;
static int stays;
static const char *under, *log_path;

#define REAL(result, name, ...)                                                                \
    static result (*real)(__VA_ARGS__);                                                        \
    if (real == NULL)                                                                          \
        *(void **)&real = dlsym(RTLD_NEXT, #name)

static int real_open(const char *path, int flags)
{
    REAL(int, open, const char *, int, ...);
    return real(path, flags, 0666);
}

__attribute__((constructor)) static void set_up(void)
{
    const char *file = getenv("ARCHAI_FAULT_COUNTER");
    int fd = file != NULL ? real_open(file, O_RDWR | O_CLOEXEC) : -1;
    void *map = fd >= 0 ? mmap(NULL, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0)
        (void)close(fd);
    under = getenv("ARCHAI_FAULT_UNDER");
    log_path = getenv("ARCHAI_FAULT_LOG");
    target = atol(getenv("ARCHAI_FAULT") != NULL ? getenv("ARCHAI_FAULT") : "0");
    if (getenv("ARCHAI_FAULT_ERRNO") != NULL)
        error_number = atoi(getenv("ARCHAI_FAULT_ERRNO"));
    stays = getenv("ARCHAI_FAULT_STAYS") != NULL;
    if (map != MAP_FAILED && under != NULL)
        counter = map;
}

static long kind_of(const char *call)
{
    return strcmp(call, "spawn") == 0 ? 1 : strcmp(call, "message") == 0 ? 2 : 3;
}

static int fails(const char *call, const char *path)
{
    char line[PATH_MAX + 128];
    long n;
    int fd;

    if (counter == NULL)
        return 0;
    n = atomic_fetch_add(counter, 1) + 1;
    if (n == target)
        atomic_store(&counter[1], kind_of(call));
    else if (target != 0 && (n < target || !stays || atomic_load(&counter[1]) != kind_of(call)))
        return 0;
    REAL(ssize_t, write, int, const void *, size_t);
    fd = log_path != NULL ? real_open(log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC) : -1;
    if (fd >= 0) {
        int size = snprintf(line, sizeof line, "%s %s %s\n", call, path,
                            program_invocation_short_name);

        (void)!real(fd, line, (size_t)size);
        (void)close(fd);
    }
    errno = error_number;
    return target != 0;
}

static int below(const char *path)
{
    return under != NULL && path != NULL && strncmp(path, under, strlen(under)) == 0;
}

static int path_fails(const char *call, const char *path)
{
    char whole[2 * PATH_MAX], here[PATH_MAX];

    if (counter == NULL || path == NULL)
        return 0;
    if (path[0] != '/' && getcwd(here, sizeof here) != NULL) {
        (void)snprintf(whole, sizeof whole, "%s/%s", here, path);
        path = whole;
    }
    return below(path) && fails(call, path);
}

static int fd_fails(const char *call, int fd)
{
    char link_path[64], path[PATH_MAX];
    ssize_t n;

    if (counter == NULL)
        return 0;
    (void)snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    n = readlink(link_path, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    return below(path) && fails(call, path);
}

/* Each pair of names is one function to the C library; which one a program calls depends on how it was compiled. */
#define OPEN(name)                                                                             \
    int name(const char *path, int flags, ...)                                                 \
    {                                                                                          \
        mode_t mode = 0;                                                                       \
        va_list ap;                                                                            \
        REAL(int, name, const char *, int, ...);                                               \
        va_start(ap, flags);                                                                   \
        if ((flags & O_CREAT) != 0)                                                            \
            mode = va_arg(ap, mode_t);                                                         \
        va_end(ap);                                                                            \
        return path_fails("open", path) ? -1 : real(path, flags, mode);                        \
    }
OPEN(open)
OPEN(open64)

#define PWRITE(name)                                                                           \
    ssize_t name(int fd, const void *data, size_t n, off_t at)                                 \
    {                                                                                          \
        REAL(ssize_t, name, int, const void *, size_t, off_t);                                 \
        return fd_fails("write", fd) ? -1 : real(fd, data, n, at);                             \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define FOPEN(name)                                                                            \
    FILE *name(const char *path, const char *mode)                                             \
    {                                                                                          \
        REAL(FILE *, name, const char *, const char *);                                        \
        return path_fails("open", path) ? NULL : real(path, mode);                             \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int fd, const void *data, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return fd_fails("write", fd) ? -1 : real(fd, data, n);
}

#define ON_FD(name)                                                                            \
    int name(int fd)                                                                           \
    {                                                                                          \
        REAL(int, name, int);                                                                  \
        return fd_fails(#name, fd) ? -1 : real(fd);                                            \
    }
ON_FD(fsync)
ON_FD(fdatasync)

#define FTRUNCATE(name)                                                                        \
    int name(int fd, off_t size)                                                               \
    {                                                                                          \
        REAL(int, name, int, off_t);                                                           \
        return fd_fails("ftruncate", fd) ? -1 : real(fd, size);                                \
    }
FTRUNCATE(ftruncate)
FTRUNCATE(ftruncate64)

#define ON_TWO_PATHS(name)                                                                     \
    int name(const char *from, const char *to)                                                 \
    {                                                                                          \
        REAL(int, name, const char *, const char *);                                           \
        return path_fails(#name, to) ? -1 : real(from, to);                                    \
    }
ON_TWO_PATHS(rename)
ON_TWO_PATHS(link)

int mkdir(const char *path, mode_t mode)
{
    REAL(int, mkdir, const char *, mode_t);
    return path_fails("mkdir", path) ? -1 : real(path, mode);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const env[])
{
    REAL(int, posix_spawn, pid_t *, const char *, const posix_spawn_file_actions_t *,
         const posix_spawnattr_t *, char *const *, char *const *);
    return fails("spawn", argv[0]) ? EAGAIN : real(pid, path, actions, attributes, argv, env);
}

int MPI_Isend(const void *data, int n, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    REAL(int, MPI_Isend, const void *, int, MPI_Datatype, int, int, MPI_Comm, MPI_Request *);
    return fails("message", "MPI_Isend") ? MPI_ERR_OTHER
                                         : real(data, n, type, to, tag, comm, request);
}
