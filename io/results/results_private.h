/* io/results/results_private.h - what the readers of results.h5 share (results*.c only). */
#ifndef ARCHAI_IO_RESULTS_RESULTS_PRIVATE_H
#define ARCHAI_IO_RESULTS_RESULTS_PRIVATE_H
#include <hdf5.h>
#include <stdint.h>
#include "core/base/err.h"
#include "io/results/results.h"

typedef struct results_file {
    hid_t file;
    char *path;      /* owned; of the file */
    char *directory; /* owned; where its segments are */
    uint64_t bytes;  /* of the file */
} results_file;
/* Open `path`, a directory or a file, and check that it is results of a known version. */
int results_open(results_file *f, const char *path, archai_err *err);
void results_close(results_file *f); /* safe after a failed open */
/* The error of a file that could be opened: what HDF5 cannot read in it is damage (ARCHAI_EFORMAT),
 * and the message begins with the file's path. Returns the code. */
int results_blame(const results_file *f, int rc, archai_err *err);

/* Open dataset `name` of `group`, of type class `class` and shape [*rows] (rank 1) or [*rows,
 * *width] (rank 2); *rows SIZE_MAX: any number, which is then filled in. Caller releases. A claim
 * of more elements than a file of `bytes` can hold is refused. */
int results_dataset(hid_t group, const char *name, H5T_class_t class, int rank, uint64_t bytes,
                    size_t *rows, size_t *width, hid_t *dataset, archai_err *err);

/* -- the table (results_candidates.c) ------------------------------------------------------ */

/* A piece of the table: r->n rows from row `first` on, of `total`. */
typedef struct results_reading {
    archai_results *r; /* borrowed */
    uint64_t bytes;    /* of the file */
    size_t first, total;
} results_reading;
/* The number of rows in the table. */
int results_rows(hid_t file, uint64_t bytes, size_t *rows, archai_err *err);
/* /candidates: allocates and fills in->r->rows. */
int results_candidates(const results_reading *in, hid_t file, archai_err *err);
/* A numeric column as `type` (of `size` bytes); caller frees. *width NULL: rank 1. */
int results_numbers(const results_reading *in, hid_t group, const char *name, H5T_class_t class,
                    hid_t type, size_t size, size_t *width, void **out, archai_err *err);
#endif
