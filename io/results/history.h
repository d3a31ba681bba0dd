/* io/results/history.h - what earlier starts of a run left: every committed row, each once, in order of
 * id.
 *
 * The union of results.h5 and of all valid rows of the segments (design of the results
 * directory in io/README.md). Of several rows with one id, of a rank that was taken for lost
 * and of the one that got its work, the one finished first stands, as in the index. A row that
 * only results.h5 has, since its segment was deleted, comes from there. Memory: 32 bytes a row,
 * and one piece of results.h5.
 *
 * HDF5 1.10 can crash on damaged files: to be read in a process that may (archai-indexer
 * --read, seen from rank 0 through runner/indexer/earlier.h). Not collective.
 */
#ifndef ARCHAI_IO_RESULTS_HISTORY_H
#define ARCHAI_IO_RESULTS_HISTORY_H
#include "io/results/index.h"

typedef struct archai_history archai_history; /* opaque */

/* Called with each file's path before HDF5 touches it, so that a crash can be laid at its door.
 */
typedef int (*archai_history_touch)(void *payload, const char *path, archai_err *err);

/* *head: the attributes of results.h5 and in n its rows (caller frees with
 * archai_results_free); all NULL and 0 where there is no results.h5. */
int archai_history_open(archai_history **out, const char *directory, archai_history_touch touch,
                        void *payload, archai_results *head, archai_err *err);
/* The next row; caller fini. One that only results.h5 has comes without curves and tensors.
 * *got false: that was all. */
int archai_history_next(archai_history *h, archai_trial *out, bool *got, archai_err *err);
void archai_history_close(archai_history *h); /* NULL is allowed */
#endif
