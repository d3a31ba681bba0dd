/* io/dataset/dataset.h - labelled pictures, held once per node in a sealed memfd.
 *
 * The memfd starts with archai_dataset_header; images and labels follow at the offsets it names
 * (64-byte aligned). A process that has the descriptor maps it read-only. Images are uint8 [N,C,H,W]
 * or float32; the network sees uint8 as x / 255 in float32 and float32 unchanged, without any other
 * normalisation, so that weights work in PyTorch on the same pictures. Labels are uint8 or int32,
 * [N] (a class each) or [N,H,W] (a class per pixel).
 */
#ifndef ARCHAI_IO_DATASET_DATASET_H
#define ARCHAI_IO_DATASET_DATASET_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/registry.h"
#include "core/network/network.h"
#include "core/search/space.h"

#define ARCHAI_DATASET_MAGIC "ARCHDATA"
enum { ARCHAI_DATASET_VERSION = 1 };
enum { ARCHAI_SPLIT_TRAIN, ARCHAI_SPLIT_VAL, ARCHAI_SPLIT_TEST, ARCHAI_SPLIT_COUNT };

typedef struct archai_dataset_split {
    int64_t n;
    uint64_t images, labels; /* byte offsets from the start of the memfd */
} archai_dataset_split;

typedef struct archai_dataset_header {
    char magic[8]; /* ARCHAI_DATASET_MAGIC, without its NUL */
    uint32_t version;
    int32_t image_dtype; /* archai_dtype: ARCHAI_U8 or ARCHAI_F32 */
    int32_t label_dtype; /* ARCHAI_U8 or ARCHAI_I32 */
    int32_t channels, height, width;
    int32_t num_classes;
    int32_t ignore_index; /* -1: none */
    int32_t masks;        /* labels are [N,H,W] */
    int32_t pad;
    archai_dataset_split split[ARCHAI_SPLIT_COUNT];
    uint64_t bytes; /* of the whole memfd */
} archai_dataset_header;

/* Section [data], read: where the pictures come from. */
struct archai_dataset_format;
typedef struct archai_dataset_source {
    const struct archai_dataset_format *format; /* borrowed, static */
    void *settings;      /* owned; the format's own struct */
    char *name;          /* owned; data.format */
    double validation;   /* share of the training data, [0, 0.9] */
    int64_t max_samples; /* of the training file; 0: all */
    int64_t seed;        /* of the split and of synthetic pictures */
} archai_dataset_source;
extern const archai_registry archai_dataset_registry;

/* Read [data], which may be missing; marks its entries used. All problems, a line each,
 * "file:line: data.key: ..."; nothing to close then. */
int archai_dataset_source_open(archai_dataset_source *out, archai_ini *ini, archai_err *err);
void archai_dataset_source_close(archai_dataset_source *s); /* safe on a zeroed struct */
/* For archai_config_write; borrows from the source. */
archai_choice archai_dataset_choice(const archai_dataset_source *s);

/* What the files promise, from their headers (and the IDX label files, which tell the number of
 * classes): checked on rank 0 before any work. *masks (NULL is allowed): a label for each pixel,
 * [N,H,W], not for each picture, [N]. Errors read "data.<key>: path: what is wrong". */
int archai_dataset_probe(const archai_dataset_source *s, archai_data_shape *out, bool *masks,
                         archai_err *err);
/* Load, split and lay out everything in a new sealed memfd (caller closes). Deterministic in
 * (files, [data]). Validation pictures are the files' own, else the last of a shuffle by data.seed;
 * max_samples counts before that split. */
int archai_dataset_load(const archai_dataset_source *s, int *fd, archai_err *err);
/* Map a data set read-only; checks the header against the size. */
int archai_dataset_map(int fd, const archai_dataset_header **out, archai_err *err);
void archai_dataset_unmap(const archai_dataset_header *d);
#endif
