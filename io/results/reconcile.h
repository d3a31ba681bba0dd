/* io/results/reconcile.h - the rows of two runs that wrote to one directory at the same time.
 *
 * It is an accident (a clock that was wrong, a cluster that was cut in two), but its rows are paid for. The segments
 * have them all, each run in its own; what they disagree about is settled once and written down:
 *
 *   - of rows of different starts for one evaluation (archid, budget) the one that finished first counts; in a
 *     generational search, which repeats evaluations under new ids on purpose, only where they share the id
 *   - rows that share an id but not the evaluation are all kept: those of the latest start under that id, the
 *     others under new ones, beyond all that are in use
 *
 * `reconciled.json` in the results directory, written by whoever holds the directory, makes that the same for every
 * reader and every later start: {"format": "archai-reconciled", "rows": [{"segment": "segment-0-0.h5", "row": 17,
 * "was": 55, "archid_hash": "…", "id": 91}, …]}, id -1: the row does not count. Without the accident there is no such
 * file, and nothing but the rows' 64-byte records is read.
 */
#ifndef ARCHAI_IO_RESULTS_RECONCILE_H
#define ARCHAI_IO_RESULTS_RECONCILE_H
#include "io/segment/segment.h"

typedef struct archai_reconciled_row {
    int64_t place;        /* archai_segment_place */
    int64_t was, id;      /* in the segment; from now on, -1: it does not count */
    uint64_t archid_hash; /* archai_hash */
} archai_reconciled_row;

typedef struct archai_reconciled {
    archai_reconciled_row *at; /* owned; by place */
    size_t n;
    size_t n_new;              /* of them, how many the file does not have yet */
} archai_reconciled;

/* `segments`: all of the directory, open. Changes nothing there. ARCHAI_EFORMAT: reconciled.json is damaged. */
int archai_reconcile(archai_reconciled *out, const char *directory,
                     const archai_segment *const *segments, size_t n, bool is_generational,
                     archai_err *err);
/* What was settled before; empty where there is no such file. */
int archai_reconciled_read(archai_reconciled *out, const char *directory, archai_err *err);
/* The content of reconciled.json; caller frees. */
char *archai_reconciled_text(const archai_reconciled *r);
/* For whoever holds the directory. */
int archai_reconciled_publish(const char *text, const char *directory, archai_err *err);
void archai_reconciled_free(archai_reconciled *r);

/* The entry of a row; NULL: it is what its segment says. */
const archai_reconciled_row *archai_reconciled_find(const archai_reconciled *r, int64_t place);
/* Does an earlier results.h5 show, under `id`, a row that has another id now, or none? */
bool archai_reconciled_moved(const archai_reconciled *r, int64_t id, const char *archid);
/* "2 rows of two runs at the same time: 1 evaluation made twice, ...": a line for run.log and tools. */
void archai_reconciled_sentence(const archai_reconciled *r, char *text, size_t size);
#endif
