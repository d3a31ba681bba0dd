/* io/dataset/format/numbers.h - a CSV table as numbers; for numbers.c alone. */
#ifndef ARCHAI_IO_DATASET_NUMBERS_H
#define ARCHAI_IO_DATASET_NUMBERS_H
#include "io/dataset/format.h"

enum { ARCHAI_NUMBERS_CLASS, ARCHAI_NUMBERS_REAL }; /* data.targets */

typedef struct archai_numbers_wish {
    archai_strings target, columns; /* names of columns; columns empty: all that are no target */
    int targets;
} archai_numbers_wish;

typedef struct archai_numbers {
    size_t n, d, k;                        /* rows, features, targets; k == 0: classes */
    double *features;                      /* owned: [n,d] */
    double *targets;                       /* owned: [n,k] */
    int32_t *label;                        /* owned: [n] */
    archai_strings feature_names, classes; /* as numbers sort if all are numbers, else as text */
} archai_numbers;

/* At most `most` rows. Classes are those of `like`, if given, whose columns must be there, too. Errors read
 * "path:line: column 'x': ..." */
int archai_numbers_read(archai_numbers *out, const char *path, const archai_numbers_wish *wish,
                        const archai_numbers *like, size_t most, archai_err *err);
void archai_numbers_free(archai_numbers *t); /* safe on a zeroed struct */
#endif
