/* A library to be preloaded: makes one call fail that an otherwise healthy run makes.
 *
 *   ARCHAI_FAULT=N           the N-th call counted (from 1) fails, over all processes of the run; 0: count only
 *   ARCHAI_FAULT_ERRNO=28    with this errno
 *   ARCHAI_FAULT_STAYS=1     and so does every later one of its kind (files, messages, starts): a full disk stays full
 *   ARCHAI_FAULT_UNDER=/dir  calls on files below this directory count (and messages, and starts of programs)
 *   ARCHAI_FAULT_COUNTER=F   a file of 16 bytes: the count, and which kind of call fails from then on
 *   ARCHAI_FAULT_LOG=F       a line for every call that failed; with N = 0 for every call
 *
 *   ARCHAI_FAULT_MEMORY=1    allocations count instead of calls: those of the program's own code, which is all in the
 *                            program itself, not those of libraries. The log names the places by their offset
 *   ARCHAI_FAULT_SHORT=1     no call fails; every read of a pipe and every write moves a part of what was asked for,
 *                            and now and then is interrupted first
 *
 * What HDF5 and libc write counts as well, which a switch in the project's own code could not reach. Reads count where a
 * pipe has something to read, receives where a message is there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <mpi.h>
#include <poll.h>
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
static int stays, memory, is_short;
static const char *under, *log_path;
static uintptr_t own_begin, own_end; /* the program's own code */

#define REAL(result, name, ...)                                                                \
    static result (*real)(__VA_ARGS__);                                                        \
    if (real == NULL)                                                                          \
        *(void **)&real = dlsym(RTLD_NEXT, #name)

static int real_open(const char *path, int flags)
{
    REAL(int, open, const char *, int, ...);
    return real(path, flags, 0666);
}

/* The first object that is listed is the program. */
static int find_own(struct dl_phdr_info *info, size_t size, void *payload)
{
    (void)size;
    (void)payload;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0)
            continue;
        own_begin = info->dlpi_addr + p->p_vaddr;
        own_end = own_begin + p->p_memsz;
    }
    return 1;
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
    memory = getenv("ARCHAI_FAULT_MEMORY") != NULL;
    is_short = getenv("ARCHAI_FAULT_SHORT") != NULL;
    (void)dl_iterate_phdr(find_own, NULL);
    if (map != MAP_FAILED && under != NULL &&
        strncmp(program_invocation_short_name, "archai-", 7) == 0) /* not Open MPI's daemon */
        counter = map;
}

static long kind_of(const char *call)
{
    static const char *const kinds[] = {"spawn", "message", "receive", "read", "memory"};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(call, kinds[i]) == 0)
            return (long)i + 1;
    return 100; /* files */
}

static int fails(const char *call, const char *path)
{
    char line[PATH_MAX + 128];
    long n;
    int fd;

    if (counter == NULL || is_short || memory != (strcmp(call, "memory") == 0))
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

static int is_pipe(int fd)
{
    const int error = errno;
    struct stat st;
    const int yes = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);

    errno = error;
    return yes;
}

#define CALLER __builtin_return_address(0)

/* How much of n bytes a call moves, at most `most`; -1: it is interrupted before it has moved any. What goes through a
 * pipe in one piece by POSIX (up to PIPE_BUF) is written in one piece, and the guard's reports are read so. */
static ssize_t part(int fd, size_t n, size_t most, size_t whole)
{
    unsigned call;

    if (counter == NULL || !is_short || n < 2)
        return (ssize_t)n;
    call = (unsigned)atomic_fetch_add(counter, 1);
    if (call % 5 == 0) {
        errno = EINTR;
        return -1;
    }
    if (n <= whole && is_pipe(fd))
        return (ssize_t)n;
    most = most > n / 2 + 1 ? n / 2 + 1 : most;
    return (ssize_t)(1 + (most - 1) * (call % 7) / 6);
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
        ssize_t some = part(fd, n, n, 0);                                                      \
        REAL(ssize_t, name, int, const void *, size_t, off_t);                                 \
        return some < 0 || fd_fails("write", fd) ? -1 : real(fd, data, (size_t)some, at);      \
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

static int is_own(const void *caller)
{
    return own_begin <= (uintptr_t)caller && (uintptr_t)caller < own_end;
}

ssize_t write(int fd, const void *data, size_t n)
{
    const ssize_t some = is_own(CALLER) ? part(fd, n, n, PIPE_BUF) : (ssize_t)n;
    REAL(ssize_t, write, int, const void *, size_t);
    return some < 0 || fd_fails("write", fd) ? -1 : real(fd, data, (size_t)some);
}

static int has_something(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    const int error = errno;
    const int yes = is_pipe(fd) && poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0;

    errno = error;
    return yes;
}

ssize_t read(int fd, void *data, size_t n)
{
    ssize_t some = (ssize_t)n;
    REAL(ssize_t, read, int, void *, size_t);
    if (counter != NULL && is_own(CALLER) && has_something(fd)) {
        some = part(fd, n, 97, 15);
        if (some < 0 || fails("read", "a pipe"))
            return -1;
    }
    return real(fd, data, (size_t)some);
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

int MPI_Mrecv(void *data, int n, MPI_Datatype type, MPI_Message *message, MPI_Status *status)
{
    REAL(int, MPI_Mrecv, void *, int, MPI_Datatype, MPI_Message *, MPI_Status *);
    return fails("receive", "MPI_Mrecv") ? MPI_ERR_OTHER : real(data, n, type, message, status);
}

/* -- memory -------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int memory_fails(const void *caller)
{
    char place[32];
    int failed;

    if (!memory || counter == NULL || !is_own(caller))
        return 0;
    (void)snprintf(place, sizeof place, "+0x%lx", (unsigned long)((uintptr_t)caller - own_begin));
    failed = fails("memory", place);
    errno = ENOMEM;
    return failed;
}

void *malloc(size_t n)
{
    return memory_fails(CALLER) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return memory_fails(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return memory_fails(CALLER) ? NULL : __libc_realloc(p, n);
}

char *strdup(const char *s)
{
    REAL(char *, strdup, const char *);
    return memory_fails(CALLER) ? NULL : real(s);
}

char *strndup(const char *s, size_t n)
{
    REAL(char *, strndup, const char *, size_t);
    return memory_fails(CALLER) ? NULL : real(s, n);
}

FILE *open_memstream(char **text, size_t *n)
{
    REAL(FILE *, open_memstream, char **, size_t *);
    return memory_fails(CALLER) ? NULL : real(text, n);
}

int asprintf(char **text, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (memory_fails(CALLER))
        return -1;
    va_start(ap, fmt);
    n = vasprintf(text, fmt, ap);
    va_end(ap);
    return n;
}
