/* io/dataset/dataset.h - labelled pictures, held once per node in a sealed memfd.
 *
 * The memfd starts with archai_dataset_header; images and labels follow at the offsets it names
 * (64-byte aligned). Whoever has the descriptor maps it read-only. Images are uint8 [N,C,H,W] or
 * float32; the network sees uint8 as x / 255 in float32 and float32 as it is - no other
 * normalisation, so that weights work in PyTorch on the same pictures. Labels are uint8 or int32,
 * [N] (a class each) or [N,H,W] (a class per pixel).
 */
#ifndef ARCHAI_IO_DATASET_DATASET_H
#define ARCHAI_IO_DATASET_DATASET_H
#include <stdbool.h>
#include <stdint.h>
#include "core/config/config.h"
#include "core/base/err.h"
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

/* What the files promise, from their headers (and the IDX label files, which tell the number of
 * classes): checked on rank 0 before any work. Errors name "data.<key>: path: what is wrong". */
int archai_dataset_probe(const archai_config *config, archai_data_shape *out, archai_err *err);
/* Likewise whether a label stands for each pixel, [N,H,W], and not for a picture, [N]. */
int archai_dataset_probe_masks(const archai_config *config, bool *out, archai_err *err);
/* Load, split and lay out everything into a new sealed memfd (caller closes). Deterministic in
 * (files, [data]). Validation pictures are the files' own, else the last of a shuffle by data.seed;
 * max_samples counts before that split. */
int archai_dataset_load(const archai_config *config, int *fd, archai_err *err);
/* Map a data set read-only; checks the header against the size. */
int archai_dataset_map(int fd, const archai_dataset_header **out, archai_err *err);
void archai_dataset_unmap(const archai_dataset_header *d);
#endif
