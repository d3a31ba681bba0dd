/* io/results/index/index.h - writing results.h5, the index: made from the segments, always valid,
 * replaced atomically.
 *
 * A separate process writes it (runner/indexer/archai_indexer.c), so that rank 0's loop
 * never waits for HDF5. A refresh copies the last index beside itself, adds what is new in the
 * segments, fsyncs and renames. Tensors are virtual datasets over the segments' pools.
 * io/results/README.md has the layout; index_columns.c makes the columns.
 */
#ifndef ARCHAI_IO_RESULTS_INDEX_H
#define ARCHAI_IO_RESULTS_INDEX_H
#include "core/base/err.h"
#include "core/config/config.h"
#include "core/search/objective.h"

/* Root attributes, and what the columns depend on; fixed for a run. What it points to is borrowed
 * and must outlive the index. */
typedef struct archai_index_run {
    const char *directory;   /* results directory */
    const char *config_text; /* the resolved configuration, which `config` and `objectives` hold */
    const archai_config *config;
    const archai_objectives *objectives;
    const char *space, *software, *started; /* started: ISO 8601 UTC */
    const char *updated; /* of a copy: its last change; NULL: now */
    const char *data; /* archai_dataset_record; "": no data are used; NULL: none, or (is_resume) as before */
    int ranks;
    bool is_resume; /* there are segments of earlier starts: keep their rows */
} archai_index_run;

typedef struct archai_index archai_index; /* opaque */
int archai_index_open(archai_index **out, const archai_index_run *run, archai_err *err);
/* Scan the segments for new rows and publish results.h5 with this state (static storage). *rows:
 * how many it holds. After a failure results.h5 is the last good one, and another refresh may be
 * tried. */
int archai_index_refresh(archai_index *x, const char *state, int64_t rejected, int64_t *rows,
                         archai_err *err);
/* What the last refresh had to leave out, as one line for run.log; "": nothing. Caller frees. */
char *archai_index_notes(const archai_index *x);
void archai_index_close(archai_index *x); /* NULL is allowed */
#endif
