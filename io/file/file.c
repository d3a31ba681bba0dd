#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/beside.h"

/* Linux moves at most 2 GiB less a page per call; a round number keeps the rest page-aligned. */
static const size_t write_max = (size_t)1 << 30;

static int write_failed(const char *path, int e, size_t missing, archai_err *err)
{
    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
        return archai_fail(err, ARCHAI_EIO, "%s: disk full writing %zu bytes (%s)", path,
                           missing, strerror(e));
    return archai_fail(err, ARCHAI_EIO, "%s: cannot write %zu bytes: %s", path, missing,
                       strerror(e));
}

static int failed(const char *path, const char *what, archai_err *err)
{
    int e = errno;

    return archai_fail(err, e == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO, "%s: cannot %s: %s",
                       path, what, strerror(e));
}

int archai_file_pwrite(int fd, const void *data, size_t n, uint64_t at, const char *path,
                       archai_err *err)
{
    const char *p = data;

    while (n > 0) {
        ssize_t done = pwrite(fd, p, n < write_max ? n : write_max, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return write_failed(path, done < 0 ? errno : ENOSPC, n, err);
        p += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return ARCHAI_OK;
}

int archai_file_pread(int fd, void *out, size_t n, uint64_t at, const char *path,
                      archai_err *err)
{
    char *p = out;

    while (n > 0) {
        ssize_t done = pread(fd, p, n < write_max ? n : write_max, (off_t)at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(path, "read", err);
        if (done == 0)
            return archai_fail(err, ARCHAI_EFORMAT,
                               "%s: truncated: %zu bytes at %llu are missing", path, n,
                               (unsigned long long)at);
        p += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return ARCHAI_OK;
}

char *archai_file_path(const char *directory, const char *name)
{
    return archai_printf("%s/%s", directory, name);
}

int archai_file_allocate(int fd, uint64_t at, uint64_t n)
{
    enum { TRIES = 100 }; /* it begins anew each time */
    int e = EINTR;

    for (int i = 0; i < TRIES && e == EINTR; i++)
        e = posix_fallocate(fd, (off_t)at, (off_t)n);
    return e;
}

/* A container may have been given the /proc of its host, where its own number is another process's: /proc/self knows. */
void archai_file_name_fd(char *text, size_t size, int fd)
{
    char self[32] = "self";
    const ssize_t n = readlink("/proc/self", self, sizeof self - 1);

    if (n > 0)
        self[n] = '\0';
    (void)snprintf(text, size, "/proc/%s/fd/%d", self, fd);
}

void *archai_file_room(size_t n, size_t size, archai_err *err)
{
    size_t bytes;
    void *room = NULL;

    if (!__builtin_mul_overflow(n, size, &bytes))
        room = malloc(bytes > 0 ? bytes : 1);
    if (room == NULL)
        (void)archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu items of %zu bytes", n, size);
    return room;
}

int archai_file_sync_directory(const char *path, archai_err *err)
{
    const char *slash = strrchr(path, '/');
    char *directory =
        slash == NULL ? archai_strdup(".") : archai_strndup(path, (size_t)(slash - path) + 1);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = ARCHAI_OK;

    /* Some file systems refuse to sync a directory (EINVAL): then a rename is all there is. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP))
        rc = failed(directory, "sync the directory", err);
    if (fd >= 0)
        (void)close(fd);
    free(directory);
    return rc;
}

int archai_file_publish(const char *beside, const char *path, archai_err *err)
{
    int fd = open(beside, O_RDWR | O_CLOEXEC);
    int rc = ARCHAI_OK;

    if (fd < 0)
        return failed(beside, "open", err);
    while (fsync(fd) != 0) {
        if (errno == EINTR)
            continue;
        rc = errno == ENOSPC || errno == EDQUOT ? write_failed(beside, errno, 0, err)
                                                : failed(beside, "sync", err);
        break;
    }
    (void)close(fd);
    ARCHAI_TRY(rc);
    if (rename(beside, path) != 0)
        return failed(path, "rename to it", err);
    return archai_file_sync_directory(path, err);
}

int archai_file_replace(const char *directory, const char *name, const void *data, size_t n,
                        archai_err *err)
{
    archai_beside b = ARCHAI_BESIDE_INIT;
    int rc;

    ARCHAI_TRY(archai_beside_inside(&b, directory, name, err));
    rc = archai_file_pwrite(b.fd, data, n, 0, b.path, err);
    if (rc == ARCHAI_OK)
        return archai_beside_publish(&b, err);
    archai_beside_drop(&b);
    return rc;
}

/* Not pwrite: pipes take no place. */
static int write_on(int fd, const char *data, size_t n, const char *path, archai_err *err)
{
    while (n > 0) {
        const ssize_t done = write(fd, data, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return write_failed(path, done < 0 ? errno : ENOSPC, n, err);
        data += done;
        n -= (size_t)done;
    }
    return ARCHAI_OK;
}

int archai_file_pour(int in, int out, uint64_t n, const char *path, archai_err *err)
{
    const size_t room = (size_t)1 << 20;
    char *buffer = archai_malloc(room);
    int rc = ARCHAI_OK;

    for (uint64_t at = 0; at < n && rc == ARCHAI_OK;) {
        const size_t some = n - at < room ? (size_t)(n - at) : room;

        rc = archai_file_pread(in, buffer, some, at, path, err);
        if (rc == ARCHAI_OK)
            rc = write_on(out, buffer, some, path, err);
        at += some;
    }
    free(buffer);
    return rc;
}

int archai_file_copy(const char *from, int out, const char *to, archai_err *err)
{
    struct stat st = {.st_size = 0};
    int in = open(from, O_RDONLY | O_CLOEXEC);
    uint64_t at = 0;
    int rc = ARCHAI_OK;

    if (in < 0)
        return failed(from, "open", err);
    if (fstat(in, &st) != 0)
        rc = failed(from, "stat", err);
    /* shares blocks where the file system can */
    while (rc == ARCHAI_OK && at < (uint64_t)st.st_size) {
        const ssize_t done =
            copy_file_range(in, NULL, out, NULL, (size_t)((uint64_t)st.st_size - at), 0);

        if (done > 0)
            at += (uint64_t)done;
        else if (done == 0 || errno != EINTR)
            break; /* not between these file systems, or an error that the next copy will name */
    }
    if (rc == ARCHAI_OK && at < (uint64_t)st.st_size) {
        if (lseek(out, 0, SEEK_SET) < 0)
            rc = failed(to, "write", err);
        else
            rc = archai_file_pour(in, out, (uint64_t)st.st_size, to, err);
    }
    (void)close(in);
    return rc;
}

int archai_file_check(const char *path, archai_err *err)
{
    struct stat st;

    if (stat(path, &st) != 0 || access(path, R_OK) != 0)
        return archai_fail(err, errno == ENOENT || errno == ENOTDIR ? ARCHAI_ENOTFOUND : ARCHAI_EINVAL,
                           "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return archai_fail(err, ARCHAI_EINVAL, "%s: is a directory, expected a file", path);
    if (!S_ISREG(st.st_mode))
        return archai_fail(err, ARCHAI_EINVAL, "%s: not a regular file", path);
    return ARCHAI_OK;
}

int archai_file_read(const char *path, size_t limit, char **out, size_t *n, archai_err *err)
{
    struct stat st;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO is refused below */
    int rc = ARCHAI_OK;

    if (fd < 0)
        return failed(path, "open", err);
    if (fstat(fd, &st) != 0)
        rc = failed(path, "stat", err);
    else if (!S_ISREG(st.st_mode))
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: not a regular file", path);
    else if ((uint64_t)st.st_size > limit)
        rc = archai_fail(err, ARCHAI_EFORMAT, "%s: %llu bytes, at most %zu are allowed", path,
                         (unsigned long long)st.st_size, limit);
    else if ((text = archai_file_room((size_t)st.st_size + 1, 1, err)) == NULL)
        rc = ARCHAI_ENOMEM;
    else
        rc = archai_file_pread(fd, text, (size_t)st.st_size, 0, path, err);
    (void)close(fd);
    if (rc != ARCHAI_OK) {
        free(text);
        return rc;
    }
    text[st.st_size] = '\0';
    *out = text;
    *n = (size_t)st.st_size;
    return ARCHAI_OK;
}
