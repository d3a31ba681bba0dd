/* io/results/results_private.h - what the readers of results.h5 share (results*.c only). */
#ifndef ARCHAI_IO_RESULTS_RESULTS_PRIVATE_H
#define ARCHAI_IO_RESULTS_RESULTS_PRIVATE_H
#include <hdf5.h>
#include <stdint.h>
#include "core/base/err.h"
#include "io/results/column.h"
#include "io/results/results.h"

struct archai_results_reader {
    hid_t file;
    char *path;      /* owned; of the file */
    char *directory; /* owned; where its segments are */
    uint64_t bytes;  /* of the file */
    size_t total;    /* rows of the table; SIZE_MAX: not counted */
};
/* Open `path`, a directory or a file, and check that it is results of a known version. */
int results_open(archai_results_reader *x, const char *path, archai_err *err);
void results_close(archai_results_reader *x); /* safe after a failed open */
/* The error of a file that could be opened: what HDF5 cannot read in it is damage (ARCHAI_EFORMAT),
 * and the message begins with the file's path. Returns the code. */
int results_blame(const archai_results_reader *x, int rc, archai_err *err);

/* Open group `name` of the file and list its links as they were created. A group that is missing
 * has none. Caller releases and frees. */
int results_group(const archai_results_reader *x, const char *name, hid_t *group,
                  archai_strings *links, archai_err *err);
/* Open dataset `name` of `group`, of type class `class` and shape [rows] (rank 1) or [rows, any]
 * (rank 2); rows SIZE_MAX: any number. dims: its shape, with 1 for a missing second dimension.
 * A claim of more elements than the file can hold is refused. Caller releases. */
int results_dataset(const archai_results_reader *x, hid_t group, const char *name,
                    H5T_class_t class, int rank, size_t rows, hsize_t dims[2], hid_t *dataset,
                    archai_err *err);

/* -- columns (results_columns.c) ----------------------------------------------------------- */

/* A piece of the table: r->n rows from row `first` on. */
typedef struct results_piece {
    const archai_results_reader *x; /* borrowed */
    archai_results *r;              /* borrowed */
    size_t first;
} results_piece;

/* Take one row's value of a column: `width` bytes of text, or numbers. `row` counts from the first
 * row read. */
typedef int results_take(void *payload, size_t row, const void *value, size_t width,
                         archai_err *err);
/* Read rows [first, first + n) of a column and hand them to `take` one by one. */
int results_column(const archai_results_reader *x, hid_t group, const char *name,
                   archai_column_kind kind, size_t first, size_t n, results_take *take,
                   void *payload, archai_err *err);
/* /candidates: allocates and fills in->r->rows. */
int results_candidates(const results_piece *in, archai_err *err);

/* The name of a measure or curve from that of its link, unescaped, fit to be shown. Caller frees. */
char *results_shown_name(const char *link);
#endif
