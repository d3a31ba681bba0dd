/* io/results/merge.h - one results directory out of several.
 *
 * Rows, details, curves, weights and logs are copied into a segment and results.h5 of their own; the sources stay as
 * they are. Rows of the first source keep their ids, those of each further one follow behind the ids before. The
 * configuration is the first one's, but for output.directory. HDF5 may crash on a damaged file. Not collective.
 */
#ifndef ARCHAI_IO_RESULTS_MERGE_H
#define ARCHAI_IO_RESULTS_MERGE_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

typedef struct archai_merged {
    int64_t rows, models; /* of results.h5; with weights */
    int64_t repeated;     /* rows of an architecture that another source has, too */
    char *notes;          /* owned; what could not be shown, or NULL */
} archai_merged;

/* Directories of the same space and objectives: ARCHAI_EINVAL names the first key that differs. `to` exists, is empty but
 * for `owner`, and is held by the caller. After a failure it holds parts. */
int archai_results_merge(const char *const *from, size_t n, const char *to, archai_merged *out, archai_err *err);
#endif
