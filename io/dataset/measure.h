/* io/dataset/measure.h - what follows from the training examples: normalisation, and what the format measures; for
 * io/dataset/ alone. */
#ifndef ARCHAI_IO_DATASET_MEASURE_H
#define ARCHAI_IO_DATASET_MEASURE_H
#include "io/dataset/format.h"

typedef struct archai_dataset_measured {
    double *constants; /* owned [n_constants] */
    size_t n_constants;
} archai_dataset_measured;

/* Measure, in the memory at `base` (which is adjusted then), or where h is streamed by reading the training examples again,
 * in the order in which they would lie there: the figures are the same to the last bit. */
int archai_dataset_measure(const archai_dataset_source *s, const archai_dataset_plan *p,
                           const archai_dataset_header *h, int64_t split_off, char *base,
                           archai_dataset_measured *out, json_t *about, archai_err *err);
#endif
