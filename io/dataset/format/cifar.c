#include "io/dataset/format/cifar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/file.h"

enum { CHANNELS = 3, SIDE = 32, PICTURE = CHANNELS * SIDE * SIDE, MAX_LABELS = 2, FEW = 16 };

static int64_t record_bytes(const archai_cifar *c)
{
    return c->label_bytes + PICTURE;
}

/* Records in one file; *n is 0 for a missing one that is optional. */
static int count_records(const archai_cifar *c, const char *path, bool optional, int64_t *n,
                         archai_err *err)
{
    struct stat st;

    *n = 0;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && optional)
            return ARCHAI_OK;
        return archai_fail(err, errno == ENOENT || errno == ENOTDIR ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                           "data.file: %s: %s, expected the files of %s's binary version", path,
                           strerror(errno), c->name);
    }
    if (!S_ISREG(st.st_mode))
        return archai_fail(err, ARCHAI_EINVAL, "data.file: %s: not a regular file", path);
    if (st.st_size == 0 || st.st_size % record_bytes(c) != 0)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "data.file: %s: %" PRId64 " bytes, expected a multiple of %" PRId64, path,
                           (int64_t)st.st_size, record_bytes(c));
    *n = st.st_size / record_bytes(c);
    return ARCHAI_OK;
}

int archai_cifar_plan(const archai_cifar *c, const char *directory, archai_dataset_plan *out,
                      archai_err *err)
{
    for (int i = 0; i <= c->n_train; i++) {
        char *path = archai_file_path(directory, c->files[i]);
        int64_t n = 0;
        int rc = count_records(c, path, i == c->n_train, &n, err);

        free(path);
        ARCHAI_TRY(rc);
        out->n[i < c->n_train ? ARCHAI_SPLIT_TRAIN : ARCHAI_SPLIT_TEST] += n;
    }
    out->channels = CHANNELS;
    out->height = out->width = SIDE;
    out->num_classes = c->classes;
    return ARCHAI_OK;
}

/* -- reading ------------------------------------------------------------------------------- */

typedef struct part {
    char *path;       /* owned */
    int fd;           /* owned */
    int64_t first, n; /* records, of the split's */
} part;

typedef struct cifar_reader {
    const archai_cifar *cifar;
    part *parts; /* owned */
    int n_parts;
} cifar_reader;

void archai_cifar_close(archai_dataset_reader *r)
{
    cifar_reader *own = r->own;

    for (int i = 0; i < own->n_parts; i++) {
        free(own->parts[i].path);
        if (own->parts[i].fd >= 0)
            (void)close(own->parts[i].fd);
    }
    free(own->parts);
    free(own);
    r->own = NULL;
}

int archai_cifar_open(const archai_cifar *c, const char *directory, archai_dataset_reader *r,
                      archai_err *err)
{
    const int from = r->split == ARCHAI_SPLIT_TRAIN ? 0 : c->n_train;
    const int to = r->split == ARCHAI_SPLIT_TRAIN ? c->n_train : c->n_train + 1;
    cifar_reader *own = archai_calloc(1, sizeof *own);
    int64_t n = 0;

    r->own = own;
    own->cifar = c;
    own->parts = archai_calloc((size_t)(to - from), sizeof *own->parts);
    for (int i = from; i < to; i++) {
        part *p = &own->parts[own->n_parts++];
        int rc;

        *p = (part){.path = archai_file_path(directory, c->files[i]), .first = n, .fd = -1};
        rc = count_records(c, p->path, false, &p->n, err);
        p->fd = rc == ARCHAI_OK ? open(p->path, O_RDONLY | O_CLOEXEC) : -1;
        if (rc == ARCHAI_OK && p->fd < 0)
            rc = archai_fail(err, ARCHAI_EIO, "data.file: %s: %s", p->path, strerror(errno));
        if (rc != ARCHAI_OK) {
            archai_cifar_close(r);
            return rc;
        }
        n += p->n;
    }
    if (n >= r->plan->n[r->split])
        return ARCHAI_OK;
    archai_cifar_close(r);
    return archai_fail(err, ARCHAI_EFORMAT, "data.file: %s: became shorter while it was read", directory);
}

/* The n records from `at` on of one file, a few at a time. */
static int read_part(const cifar_reader *own, const part *p, int64_t at, int64_t n,
                     unsigned char *images, unsigned char *labels, archai_err *err)
{
    const archai_cifar *c = own->cifar;
    const int64_t record = record_bytes(c);
    unsigned char buffer[FEW * (MAX_LABELS + PICTURE)];

    for (int64_t i = 0; i < n; i += FEW) {
        const int64_t few = n - i < FEW ? n - i : FEW;

        ARCHAI_TRY(archai_err_wrap(err,
                                   archai_file_pread(p->fd, buffer, (size_t)(few * record),
                                                     (uint64_t)((at + i) * record), p->path, err),
                                   "data.file: "));
        for (int64_t k = 0; k < few; k++) {
            labels[i + k] = buffer[k * record + c->label];
            memcpy(images + (i + k) * PICTURE, buffer + k * record + c->label_bytes, PICTURE);
        }
    }
    return ARCHAI_OK;
}

int archai_cifar_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                      void *labels, archai_err *err)
{
    const cifar_reader *own = r->own;
    int64_t did = 0;

    for (int i = 0; i < own->n_parts && did < n; i++) {
        const part *p = &own->parts[i];
        const int64_t at = first + did - p->first, left = p->n - at;
        const int64_t now = left < n - did ? left : n - did;
        unsigned char *to = (unsigned char *)labels + did;

        if (at < 0 || left <= 0)
            continue;
        ARCHAI_TRY(read_part(own, p, at, now, (unsigned char *)images + did * PICTURE, to, err));
        ARCHAI_TRY(archai_err_wrap(err, archai_dataset_check_labels(r->plan, to, at, now, err),
                                   "data.file: %s: ", p->path));
        did += now;
    }
    return ARCHAI_OK;
}
