/* runner/indexer/archai_indexer.h - the parts of archai-indexer. */
#ifndef ARCHAI_RUNNER_INDEXER_ARCHAI_INDEXER_H
#define ARCHAI_RUNNER_INDEXER_ARCHAI_INDEXER_H
#include "core/base/err.h"

/* Read what earlier starts left in a results directory (io/results/history.h) and send it in frames on
 * descriptor 3: `note` with the path of each file before HDF5 touches it, one `earlier`, a `done` for
 * each row in order of id, and `stop` with a code and its text. */
int archai_indexer_read(const char *directory, archai_err *err);
#endif
