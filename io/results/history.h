/* io/results/history.h - what earlier starts of a run left: every committed row, once, in order of
 * id.
 *
 * The union of results.h5 and of all valid rows of the segments. Of several rows with one id (from
 * a rank that was taken for lost, and from the one that got its work) the one that finished first
 * counts, as in the index, and rows with is_test add their measures to it; reconcile.h settles what two
 * runs at the same time disagree about. A row whose segment was deleted comes from results.h5. Memory: 32 bytes
 * a row, and one piece of results.h5.
 *
 * HDF5 1.10 can crash on damaged files: call this in a process that may crash (archai-indexer
 * --read, which rank 0 uses through runner/indexer/earlier.h). Not collective.
 */
#ifndef ARCHAI_IO_RESULTS_HISTORY_H
#define ARCHAI_IO_RESULTS_HISTORY_H
#include "io/results/results.h"

typedef struct archai_history archai_history; /* opaque */

/* Called with each file's path before HDF5 touches it, so that a crash can be blamed on it. */
typedef int (*archai_history_touch)(void *payload, const char *path, archai_err *err);

/* *head: the attributes of results.h5 and in n its rows (caller frees with
 * archai_results_free); all NULL and 0 where there is no results.h5. */
int archai_history_open(archai_history **out, const char *directory, archai_history_touch touch,
                        void *payload, archai_results *head, archai_err *err);
/* The next row; caller fini. A row that only results.h5 has comes without curves and tensors. *got
 * false: there are no more. */
int archai_history_next(archai_history *h, archai_trial *out, bool *got, archai_err *err);
/* Are there rows of two runs at the same time that nobody has settled yet? Then what whoever holds the directory is to
 * publish (archai_reconciled_publish; caller frees), and a sentence; else NULL. */
char *archai_history_reconciled(const archai_history *h, char *sentence, size_t size);
/* Once there are no more: how many of them results.h5 did not show like that, or shows without reason. */
size_t archai_history_behind(const archai_history *h);
void archai_history_close(archai_history *h); /* NULL is allowed */
#endif
