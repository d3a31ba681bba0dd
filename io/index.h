/* io/index.h - results.h5, the index: made from the segments, always valid, replaced atomically.
 *
 * The writer lives in a helper process (runner/archai_indexer.c), so that rank 0's loop never
 * waits for HDF5. A refresh copies the last index beside itself, adds what is new in the
 * segments, fsyncs and renames. Tensors are virtual datasets over the segments' pools.
 * docs: io/README.md shows the layout; the contract's columns are made in index_write.c.
 */
#ifndef ARCHAI_IO_INDEX_H
#define ARCHAI_IO_INDEX_H
#include "core/err.h"
#include "core/evaluation.h"
#include "core/objective.h"

/* Root attributes and what the columns depend on; fixed for a run. */
typedef struct archai_index_run {
    const char *directory;      /* results directory */
    const char *config_text;    /* resolved INI */
    const char *space, *algorithm, *schedule, *software, *started; /* started: ISO 8601 UTC */
    int64_t seed;
    int ranks;
    int weights;                /* archai_config.output.weights */
    bool is_resume;             /* segments of earlier starts exist: keep their rows */
    const archai_objectives *objectives;
} archai_index_run;

typedef struct archai_index archai_index; /* opaque */
int archai_index_open(archai_index **out, const archai_index_run *run, archai_err *err);
/* Scan the segments for new rows and publish results.h5 with this state. *rows: rows in it. */
int archai_index_refresh(archai_index *x, const char *state, int64_t rejected, int64_t *rows,
                         archai_err *err);
void archai_index_close(archai_index *x); /* NULL is allowed */

/* -- reading results.h5 (tools, resume) ---------------------------------------------------- */
typedef struct archai_results {
    char *format, *state, *space, *algorithm, *schedule, *config, *started, *updated, *software;
    int64_t seed, ranks, rejected, format_version;
    archai_evaluation *rows; /* owned; measures hold objectives and metrics; no curves, no tensors */
    size_t n;
    struct { char *name; int direction; char *unit; int expensive; } *objectives; /* owned */
    size_t n_objectives;
    size_t *front; /* row numbers of /pareto/index */
    size_t n_front;
} archai_results;
/* `path`: a results directory or a results.h5. Damaged or foreign: ARCHAI_EFORMAT, one line. */
int archai_results_read(archai_results *out, const char *path, archai_err *err);
void archai_results_free(archai_results *r);
double archai_results_value(const archai_results *r, size_t row, const char *name); /* NaN: none */
/* The tensors of /models/<archid> in memory of the caller (free with archai_results_tensors_free). */
struct archai_tensors;
int archai_results_tensors(const char *path, const char *archid, archai_tensor_place **meta,
                           void ***data, size_t *n, archai_err *err);
void archai_results_tensors_free(archai_tensor_place *meta, void **data, size_t n);
#endif
