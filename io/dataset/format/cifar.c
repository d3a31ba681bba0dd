#include "io/dataset/format/cifar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file/file.h"

enum { CHANNELS = 3, SIDE = 32, PICTURE = CHANNELS * SIDE * SIDE, MAX_LABELS = 2 };

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

/* Up to `n` records of one file; *did says how many. */
static int read_file(const archai_cifar *c, const char *path, int64_t n, unsigned char *images,
                     unsigned char *labels, int64_t *did, archai_err *err)
{
    FILE *f = fopen(path, "rbe");
    unsigned char record[MAX_LABELS + PICTURE];
    int rc = ARCHAI_OK;

    *did = 0;
    if (f == NULL)
        return archai_fail(err, ARCHAI_EIO, "data.file: %s: %s", path, strerror(errno));
    while (*did < n && fread(record, (size_t)record_bytes(c), 1, f) == 1) {
        labels[*did] = record[c->label];
        memcpy(images + *did * PICTURE, record + c->label_bytes, PICTURE);
        (*did)++;
    }
    if (ferror(f))
        rc = archai_fail(err, ARCHAI_EIO, "data.file: %s: %s", path, strerror(errno));
    (void)fclose(f);
    return rc;
}

int archai_cifar_read(const archai_cifar *c, const char *directory, const archai_dataset_plan *p,
                      int split, void *images, void *labels, archai_err *err)
{
    int first = split == ARCHAI_SPLIT_TRAIN ? 0 : c->n_train;
    int last = split == ARCHAI_SPLIT_TRAIN ? c->n_train : c->n_train + 1;
    int64_t at = 0;

    for (int i = first; i < last && at < p->n[split]; i++) {
        char *path = archai_file_path(directory, c->files[i]);
        unsigned char *to = (unsigned char *)labels + at;
        int64_t did = 0;
        int rc = read_file(c, path, p->n[split] - at, (unsigned char *)images + at * PICTURE, to,
                           &did, err);

        if (rc == ARCHAI_OK)
            rc = archai_err_wrap(err, archai_dataset_check_labels(p, to, did, err),
                                 "data.file: %s: ", path);
        free(path);
        ARCHAI_TRY(rc);
        at += did;
    }
    if (at < p->n[split])
        return archai_fail(err, ARCHAI_EFORMAT, "data.file: %s: became shorter while it was read",
                           directory);
    return ARCHAI_OK;
}
