/* io/dataset/format/cifar.h - what the binary versions of CIFAR-10 and CIFAR-100 share.
 *
 * A directory of files. A record is a few label bytes and 3 x 32 x 32 bytes, plane by plane.
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html.
 */
#ifndef ARCHAI_IO_DATASET_CIFAR_H
#define ARCHAI_IO_DATASET_CIFAR_H
#include "io/dataset/format.h"

typedef struct archai_cifar {
    const char *name;         /* "CIFAR-10" */
    const char *const *files; /* names: those of the training split, then the test file, optional */
    int n_train;              /* how many of them */
    int label_bytes, label;   /* in a record; which one counts */
    int classes;
} archai_cifar;

int archai_cifar_plan(const archai_cifar *c, const char *directory, archai_dataset_plan *out,
                      archai_err *err);
/* For a format's open, read and close. */
int archai_cifar_open(const archai_cifar *c, const char *directory, archai_dataset_reader *r,
                      archai_err *err);
int archai_cifar_read(const archai_dataset_reader *r, int64_t first, int64_t n, void *images,
                      void *labels, archai_err *err);
void archai_cifar_close(archai_dataset_reader *r);
#endif
