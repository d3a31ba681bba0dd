#include "io/file/beside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

static int failed(const char *path, const char *what, archai_err *err)
{
    const int e = errno;

    return archai_fail(err, e == ENOENT ? ARCHAI_ENOTFOUND : ARCHAI_EIO, "%s: cannot %s: %s", path, what,
                       strerror(e));
}

void archai_beside_drop(archai_beside *b)
{
    if (b->name != NULL)
        (void)unlink(b->name);
    if (b->fd >= 0)
        (void)close(b->fd);
    free(b->name);
    free(b->path);
    *b = (archai_beside)ARCHAI_BESIDE_INIT;
}

/* -- opening ------------------------------------------------------------------------------- */

static int finish_opening(archai_beside *b, archai_beside *out, archai_err *err)
{
    int rc;

    if (b->fd < 0) {
        free(b->name); /* nothing was created under it */
        b->name = NULL;
        rc = failed(b->path, "create", err);
        archai_beside_drop(b);
        return rc;
    }
    archai_file_name_fd(b->at, sizeof b->at, b->fd);
    *out = *b;
    return ARCHAI_OK;
}

static int create(const char *name)
{
    return open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

int archai_beside_inside(archai_beside *out, const char *directory, const char *name, archai_err *err)
{
    archai_beside b = {.path = archai_file_path(directory, name),
                       .name = archai_printf("%s/.%s.new", directory, name)};

    (void)unlink(b.name);
    b.fd = create(b.name);
    return finish_opening(&b, out, err);
}

/* "DIRECTORY/.NAME.<16 digits>" */
/* NULL, with errno, where the system gives no random numbers. */
static char *random_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const int n = slash != NULL ? (int)(slash - path) + 1 : 0;
    uint64_t draw = 0;

    while (getrandom(&draw, sizeof draw, 0) != (ssize_t)sizeof draw)
        if (errno != EINTR)
            return NULL;
    return archai_printf("%.*s.%.200s.%016" PRIx64, n, path, path + n, draw);
}

int archai_beside_output(archai_beside *out, const char *path, archai_err *err)
{
    archai_beside b = {.fd = -1, .path = archai_strdup(path)};
    struct stat st, target;

    if (lstat(path, &st) != 0)
        st.st_mode = S_IFREG; /* nothing yet */
    if (stat(path, &target) == 0 && S_ISDIR(target.st_mode)) {
        archai_beside_drop(&b);
        return archai_fail(err, ARCHAI_EINVAL, "%s: is a directory, expected a file", path);
    }
    if (S_ISREG(st.st_mode)) {
        b.name = random_name(path);
        b.fd = b.name != NULL ? create(b.name) : -1;
    } else {
        b.fd = memfd_create("archai-output", MFD_CLOEXEC);
    }
    return finish_opening(&b, out, err);
}

void archai_beside_sweep(const char *directory, const char *name)
{
    DIR *d = opendir(directory);
    char *begin = archai_printf(".%s.", name);
    const size_t n = strlen(begin);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        if (strncmp(e->d_name, begin, n) == 0 && strspn(e->d_name + n, "0123456789abcdef") == 16 &&
            e->d_name[n + 16] == '\0')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
    free(begin);
}

/* -- publishing ---------------------------------------------------------------------------- */

static int sync_file(const archai_beside *b, archai_err *err)
{
    while (fsync(b->fd) != 0) {
        if (errno == ENOSPC || errno == EDQUOT)
            return archai_fail(err, ARCHAI_EIO, "%s: disk full (%s)", b->path, strerror(errno));
        if (errno != EINTR)
            return failed(b->path, "sync", err);
    }
    return ARCHAI_OK;
}

/* Another process that was taken for dead may have made a file of the same name meanwhile. */
static bool is_ours(const archai_beside *b)
{
    struct stat own, there;

    return fstat(b->fd, &own) == 0 && lstat(b->name, &there) == 0 && own.st_ino == there.st_ino &&
           own.st_dev == there.st_dev;
}

static int put_in_place(archai_beside *b, archai_err *err)
{
    if (!is_ours(b)) {
        free(b->name); /* not ours to remove */
        b->name = NULL;
        return archai_fail(err, ARCHAI_EIO, "%s: another process writes it", b->path);
    }
    if (rename(b->name, b->path) != 0)
        return failed(b->path, "rename to it", err);
    free(b->name);
    b->name = NULL;
    return ARCHAI_OK;
}

static int put_for_good(archai_beside *b, archai_err *err)
{
    ARCHAI_TRY(sync_file(b, err));
    ARCHAI_TRY(put_in_place(b, err));
    return archai_file_sync_directory(b->path, err);
}

static int write_through(const archai_beside *b, archai_err *err)
{
    struct stat st;
    int to, rc;

    if (fstat(b->fd, &st) != 0)
        return failed(b->path, "write", err);
    to = open(b->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (to < 0)
        return failed(b->path, "open", err);
    rc = archai_file_pour(b->fd, to, (uint64_t)st.st_size, b->path, err);
    if (close(to) != 0 && rc == ARCHAI_OK)
        rc = failed(b->path, "write", err);
    return rc;
}

int archai_beside_publish(archai_beside *b, archai_err *err)
{
    const int rc = b->name != NULL ? put_for_good(b, err) : write_through(b, err);

    archai_beside_drop(b);
    return rc;
}

int archai_beside_show(archai_beside *b, archai_err *err)
{
    const int rc = put_in_place(b, err);

    archai_beside_drop(b);
    return rc;
}
