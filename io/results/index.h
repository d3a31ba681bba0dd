/* io/results/index.h - results.h5, the index: made from the segments, always valid, replaced
 * atomically.
 *
 * The writer lives in a helper process (runner/indexer/archai_indexer.c), so that rank 0's loop never
 * waits for HDF5. A refresh copies the last index beside itself, adds what is new in the
 * segments, fsyncs and renames. Tensors are virtual datasets over the segments' pools.
 * docs: io/README.md shows the layout; the columns are made in index_columns.c.
 */
#ifndef ARCHAI_IO_RESULTS_INDEX_H
#define ARCHAI_IO_RESULTS_INDEX_H
#include "core/base/err.h"
#include "core/search/trial.h"
#include "core/search/objective.h"

/* Root attributes and what the columns depend on; fixed for a run. All that it points to is
 * borrowed and outlives the index. */
typedef struct archai_index_run {
    const char *directory;                                         /* results directory */
    const char *config_text;                                       /* resolved INI */
    const char *space, *algorithm, *schedule, *software, *started; /* started: ISO 8601 UTC */
    int64_t seed;
    int ranks;
    int weights;    /* archai_config.output.weights */
    bool is_resume; /* segments of earlier starts exist: keep their rows */
    const archai_objectives *objectives;
} archai_index_run;

typedef struct archai_index archai_index; /* opaque */
int archai_index_open(archai_index **out, const archai_index_run *run, archai_err *err);
/* Scan the segments for new rows and publish results.h5 with this state (static storage).
 * *rows: rows in it. After a failure results.h5 is the last good one, and another refresh may
 * be tried. */
int archai_index_refresh(archai_index *x, const char *state, int64_t rejected, int64_t *rows,
                         archai_err *err);
void archai_index_close(archai_index *x); /* NULL is allowed */

/* -- reading results.h5 (tools, resume) ----------------------------------------------------
 *
 * A file may come from anywhere: what is missing, of another type or shape, or larger than the
 * file can hold is ARCHAI_EFORMAT with one line that names the dataset; a missing file is
 * ARCHAI_ENOTFOUND. `path` is a results directory or a results.h5.
 */
typedef struct archai_results_objective {
    char *name, *source, *unit; /* owned */
    int direction;              /* ARCHAI_MAXIMIZE or ARCHAI_MINIMIZE */
    int expensive;
} archai_results_objective;

typedef struct archai_results {
    char *format, *state, *space, *algorithm, *schedule, *config, *started, *updated, *software;
    int64_t seed, ranks, rejected, format_version;
    archai_trial
        *rows; /* owned; measures hold metrics and objectives; no curves, no tensors */
    size_t n;
    archai_results_objective *objectives; /* owned; in the order of the configuration */
    size_t n_objectives;
    double *values; /* owned; [n, n_objectives], NaN: none */
    size_t *front;  /* owned; row numbers of /pareto/index */
    size_t n_front;
} archai_results;
int archai_results_read(archai_results *out, const char *path, archai_err *err);
void archai_results_free(archai_results *r);
/* The same piece by piece, for tables that do not fit. *head: the attributes, and in n how many
 * rows there are, but none of them (caller frees). */
typedef struct archai_results_reader archai_results_reader; /* opaque */
int archai_results_open(archai_results_reader **out, const char *path, archai_results *head,
                        archai_err *err);
/* Rows [first, first + n) with objectives and values; the front and all texts are empty. Quick
 * where first is a multiple of ARCHAI_RESULTS_PIECE. */
enum { ARCHAI_RESULTS_PIECE = 4096 };
int archai_results_piece(archai_results_reader *x, size_t first, size_t n, archai_results *out,
                         archai_err *err);
void archai_results_close(archai_results_reader *x); /* NULL is allowed */

/* An objective or a measure of a row by name; NaN: none. */
double archai_results_value(const archai_results *r, size_t row, const char *name);

/* The learning curves of row `row`; caller frees with archai_results_curves_free. */
int archai_results_curves(const char *path, size_t row, archai_curve **out, size_t *n,
                          archai_err *err);
void archai_results_curves_free(archai_curve *curves, size_t n);

/* The tensors of /models/<archid> in memory, in the order of the state_dict: meta[i] with
 * offset 0 and the crc of data[i]. Caller frees with archai_results_tensors_free.
 * ARCHAI_ENOTFOUND: no such model, or the segment that holds its weights is gone. */
int archai_results_tensors(const char *path, const char *archid, archai_tensor_place **meta,
                           void ***data, size_t *n, archai_err *err);
void archai_results_tensors_free(archai_tensor_place *meta, void **data, size_t n);
/* Names of the groups in /models; caller frees with archai_strings_free. */
int archai_results_models(const char *path, archai_strings *out, archai_err *err);
#endif
