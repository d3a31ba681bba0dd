/* io/dataset/format/numbers.h - a CSV table as numbers, and what the files of the format share. */
#ifndef ARCHAI_IO_DATASET_NUMBERS_H
#define ARCHAI_IO_DATASET_NUMBERS_H
#include <stdbool.h>
#include "io/dataset/format.h"
#include "io/file/h5.h"

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

typedef struct archai_numbers_settings {
    char *file[ARCHAI_SPLIT_COUNT];
    archai_numbers_wish wish;
    bool standardize;
} archai_numbers_settings;

int archai_numbers_is_hdf5(const archai_numbers_settings *s, bool *out, archai_err *err);
int archai_numbers_csv(const archai_numbers_settings *s, int split, const archai_numbers *like, size_t most,
                       archai_numbers *out, archai_err *err);
/* The first training row, [d], of an HDF5 file at `path`. */
int archai_numbers_first_row(hid_t file, const char *path, size_t d, double *out, archai_err *err);
/* As archai_dataset_format has them. */
size_t archai_numbers_constants(const archai_dataset_source *source, const archai_dataset_plan *p);
int archai_numbers_finish(const archai_dataset_source *source, const archai_dataset_plan *p, json_t *about,
                          archai_err *err);
int archai_numbers_measure(const archai_dataset_source *source, const archai_dataset_plan *p, int pass,
                           const void *rows, int64_t n, double *constants, json_t *about, archai_err *err);
void archai_numbers_adjust(const archai_dataset_plan *p, const double *constants, void *rows, int64_t n);
#endif
