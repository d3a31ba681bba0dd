/* io/dataset/dataset_format.h - what a data format offers; seen by io/dataset*.c alone.
 *
 * A format is one file io/dataset_<name>.c with one table, and one line in dataset.c. It reads; the
 * validation split, the memfd and max_samples are handled once, in dataset.c.
 */
#ifndef ARCHAI_IO_DATASET_DATASET_FORMAT_H
#define ARCHAI_IO_DATASET_DATASET_FORMAT_H
#include "io/dataset/dataset.h"

enum { ARCHAI_DATASET_MAX_SIDE = 1 << 16, ARCHAI_DATASET_MAX_CLASSES = 1 << 16 };

/* What the headers promise. */
typedef struct archai_dataset_plan {
    archai_dtype image_dtype; /* ARCHAI_U8 or ARCHAI_F32 */
    archai_dtype label_dtype; /* ARCHAI_U8 or ARCHAI_I32 */
    int channels, height, width, num_classes;
    int ignore_index;              /* -1: none */
    bool masks;                    /* labels are [N,H,W] */
    int64_t n[ARCHAI_SPLIT_COUNT]; /* pictures; none for validation: a share of the training ones */
} archai_dataset_plan;

typedef struct archai_dataset_format {
    const char *name; /* `data.format` */
    /* Fill the plan from headers alone (label files, which are small, may be read). */
    int (*plan)(const archai_config *config, archai_dataset_plan *out, archai_err *err);
    /* Read the first plan->n[split] pictures and labels into memory of exactly that size. The plan is
     * what plan() gave, perhaps with fewer pictures; files may have changed since. */
    int (*read)(const archai_config *config, const archai_dataset_plan *plan, int split,
                void *images, void *labels, archai_err *err);
} archai_dataset_format;

extern const archai_dataset_format archai_dataset_synthetic, archai_dataset_idx,
    archai_dataset_cifar10, archai_dataset_hdf5;

/* Bytes of one picture and of its label(s). */
size_t archai_dataset_image_bytes(const archai_dataset_plan *p);
size_t archai_dataset_label_bytes(const archai_dataset_plan *p);
/* ARCHAI_EFORMAT "label 12 of picture 3, expected 0 to 9" where one is no class. */
int archai_dataset_check_labels(const archai_dataset_plan *p, const void *labels, int64_t n,
                                archai_err *err);
#endif
