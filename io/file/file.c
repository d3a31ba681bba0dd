#include "io/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"

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
    char *path = archai_file_path(directory, name);
    char *beside = archai_printf("%s/.%s.new", directory, name);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int rc = fd < 0 ? failed(path, "create", err)
                    : archai_file_pwrite(fd, data, n, 0, path, err);

    if (fd >= 0 && close(fd) != 0 && rc == ARCHAI_OK)
        rc = write_failed(path, errno, n, err); /* NFS reports a full disk only here */
    if (rc == ARCHAI_OK)
        rc = archai_file_publish(beside, path, err);
    if (rc != ARCHAI_OK)
        (void)unlink(beside);
    free(beside);
    free(path);
    return rc;
}

/* Read and write, where the kernel cannot copy by itself. */
static int copy_bytes(int in, int out, uint64_t at, const char *from, const char *to,
                      archai_err *err)
{
    const size_t room = (size_t)1 << 20;
    char *buffer = archai_malloc(room);
    int rc = ARCHAI_OK;

    for (;;) {
        ssize_t got = pread(in, buffer, room, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = failed(from, "read", err);
        if (got <= 0)
            break;
        ARCHAI_TRY_GOTO(rc, archai_file_pwrite(out, buffer, (size_t)got, at, to, err), out);
        at += (uint64_t)got;
    }
out:
    free(buffer);
    return rc;
}

int archai_file_copy(const char *from, const char *to, archai_err *err)
{
    struct stat st;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = -1;
    uint64_t at = 0;
    int rc = ARCHAI_OK;

    if (in < 0)
        return failed(from, "open", err);
    if (fstat(in, &st) != 0)
        rc = failed(from, "stat", err);
    else if ((out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) < 0)
        rc = failed(to, "create", err);
    if (rc != ARCHAI_OK)
        goto out;
    /* shares blocks where the file system can */
    while (at < (uint64_t)st.st_size) {
        loff_t in_at = (loff_t)at;
        loff_t out_at = (loff_t)at;
        ssize_t done =
            copy_file_range(in, &in_at, out, &out_at, (size_t)((uint64_t)st.st_size - at), 0);

        if (done > 0)
            at += (uint64_t)done;
        else if (done < 0 && errno == EINTR)
            continue;
        else
            break; /* not between these file systems, or an error that copy_bytes will name */
    }
    if (at < (uint64_t)st.st_size)
        rc = copy_bytes(in, out, at, from, to, err);
out:
    if (out >= 0 && close(out) != 0 && rc == ARCHAI_OK)
        rc = write_failed(to, errno, (size_t)st.st_size, err);
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
    int fd = open(path, O_RDONLY | O_CLOEXEC);
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
