/* runner/indexer/archai_indexer.h - the second part of archai-indexer. */
#ifndef ARCHAI_RUNNER_INDEXER_ARCHAI_INDEXER_H
#define ARCHAI_RUNNER_INDEXER_ARCHAI_INDEXER_H
#include "runner/process/parent.h"

/* What a NOTE is about: the file that is read from now on; a sentence for the user; what is to become
 * reconciled.json (io/results/reconcile.h). */
enum { ARCHAI_INDEXER_READS = -1, ARCHAI_INDEXER_TELLS = -2, ARCHAI_INDEXER_SETTLES = -3 };

/* Read what earlier starts left in a results directory (io/results/history.h) and send it: NOTE
 * with the path of each file before HDF5 touches it, one EARLIER, a ROW for each row in order of
 * id, and INDEXED, or FAILED with the reason. */
int archai_indexer_read(archai_parent *parent, const char *directory, archai_err *err);
#endif
