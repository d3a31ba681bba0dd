/* io/dataset/cifar10.c - CIFAR-10's binary version: a directory of data_batch_1.bin to
 * data_batch_5.bin and, for the test split, test_batch.bin. A record is a label byte and 3 x 32 x 32
 * bytes, plane by plane. Source: https://www.cs.toronto.edu/~kriz/cifar.html.
 */
#include "io/dataset/format.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/alloc.h"

enum { CHANNELS = 3, SIDE = 32, PICTURE = CHANNELS * SIDE * SIDE, RECORD = 1 + PICTURE };
enum { TRAIN_FILES = 5, CLASSES = 10 };

typedef struct cifar10_settings {
    char *file;
} cifar10_settings;

/* clang-format off */
static const archai_option cifar10_options[] = {
    {"file", ARCHAI_OPT_STRING, offsetof(cifar10_settings, file), 0, 0, "", "", NULL, "directory of the binary files"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static const char *directory(const archai_dataset_source *source)
{
    return ((const cifar10_settings *)source->settings)->file;
}

static void cifar10_check(const archai_dataset_source *source, archai_check *c)
{
    archai_check_given(c, "file", directory(source), "format",
                       "missing, format = cifar10 needs the directory of its binary files");
}

/* File `i` of the training split, or the test file for i = TRAIN_FILES. Caller frees. */
static char *file_path(const archai_dataset_source *source, int i)
{
    return i < TRAIN_FILES ? archai_printf("%s/data_batch_%d.bin", directory(source), i + 1)
                           : archai_printf("%s/test_batch.bin", directory(source));
}

/* Records in one file; *n is 0 for a missing one that is optional. */
static int count_records(const char *path, bool optional, int64_t *n, archai_err *err)
{
    struct stat st;

    *n = 0;
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && optional)
            return ARCHAI_OK;
        return archai_fail(err, errno == ENOENT || errno == ENOTDIR ? ARCHAI_ENOTFOUND : ARCHAI_EIO,
                           "data.file: %s: %s, expected the files of CIFAR-10's binary version",
                           path, strerror(errno));
    }
    if (st.st_size == 0 || st.st_size % RECORD != 0)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "data.file: %s: %" PRId64 " bytes, expected a multiple of %d", path,
                           (int64_t)st.st_size, (int)RECORD);
    *n = st.st_size / RECORD;
    return ARCHAI_OK;
}

static int cifar10_plan(const archai_dataset_source *source, archai_dataset_plan *out,
                        archai_err *err)
{
    for (int i = 0; i <= TRAIN_FILES; i++) {
        char *path = file_path(source, i);
        int64_t n = 0;
        int rc = count_records(path, i == TRAIN_FILES, &n, err);

        free(path);
        ARCHAI_TRY(rc);
        out->n[i < TRAIN_FILES ? ARCHAI_SPLIT_TRAIN : ARCHAI_SPLIT_TEST] += n;
    }
    out->channels = CHANNELS;
    out->height = out->width = SIDE;
    out->num_classes = CLASSES;
    return ARCHAI_OK;
}

/* Up to `n` records of one file; *did says how many. */
static int read_file(const char *path, int64_t n, unsigned char *images, unsigned char *labels,
                     int64_t *did, archai_err *err)
{
    FILE *f = fopen(path, "rbe");
    unsigned char record[RECORD];
    int rc = ARCHAI_OK;

    *did = 0;
    if (f == NULL)
        return archai_fail(err, ARCHAI_EIO, "data.file: %s: %s", path, strerror(errno));
    while (*did < n && fread(record, RECORD, 1, f) == 1) {
        labels[*did] = record[0];
        memcpy(images + *did * PICTURE, record + 1, PICTURE);
        (*did)++;
    }
    if (ferror(f))
        rc = archai_fail(err, ARCHAI_EIO, "data.file: %s: %s", path, strerror(errno));
    (void)fclose(f);
    return rc;
}

static int cifar10_read(const archai_dataset_source *source, const archai_dataset_plan *p,
                        int split, void *images, void *labels, archai_err *err)
{
    int first = split == ARCHAI_SPLIT_TRAIN ? 0 : TRAIN_FILES;
    int last = split == ARCHAI_SPLIT_TRAIN ? TRAIN_FILES : TRAIN_FILES + 1;
    int64_t at = 0;

    for (int i = first; i < last && at < p->n[split]; i++) {
        char *path = file_path(source, i);
        unsigned char *to = (unsigned char *)labels + at;
        int64_t did = 0;
        int rc = read_file(path, p->n[split] - at, (unsigned char *)images + at * PICTURE, to, &did,
                           err);

        if (rc == ARCHAI_OK)
            rc = archai_err_wrap(err, archai_dataset_check_labels(p, to, did, err),
                                 "data.file: %s: ", path);
        free(path);
        ARCHAI_TRY(rc);
        at += did;
    }
    if (at < p->n[split])
        return archai_fail(err, ARCHAI_EFORMAT, "data.file: %s: became shorter while it was read",
                           directory(source));
    return ARCHAI_OK;
}

const archai_dataset_format archai_dataset_cifar10 = {
    .name = "cifar10",
    .help = "CIFAR-10's binary version",
    .options = cifar10_options,
    .settings_size = sizeof(cifar10_settings),
    .check = cifar10_check,
    .plan = cifar10_plan,
    .read = cifar10_read,
};
