/* io/results/column.h - one column of results.h5: a dataset that gains rows and, if need be, width.
 *
 * A column takes its values from evaluations: a field of the struct, a measure, a curve or the
 * encoding. Text is fixed-length UTF-8 with headroom; a longer one makes the dataset be rewritten
 * wider. Matrices (curves, the encoding) widen in place. Rows without a value read as NaN, 0 or "".
 */
#ifndef ARCHAI_IO_RESULTS_COLUMN_H
#define ARCHAI_IO_RESULTS_COLUMN_H
#include <hdf5.h>
#include <stdbool.h>
#include "core/search/trial.h"

typedef enum archai_column_kind {
    ARCHAI_COLUMN_TEXT,     /* char * at `offset` */
    ARCHAI_COLUMN_STATUS,   /* the name of the archai_status at `offset` */
    ARCHAI_COLUMN_I64,      /* int64_t at `offset` */
    ARCHAI_COLUMN_I32,      /* int32_t at `offset` */
    ARCHAI_COLUMN_F64,      /* double at `offset` */
    ARCHAI_COLUMN_MEASURE,  /* float64: the measure `source` */
    ARCHAI_COLUMN_CURVE,    /* float32 [N, E]: the curve `source` */
    ARCHAI_COLUMN_ENCODING, /* float32 [N, D] */
} archai_column_kind;

bool archai_column_is_text(archai_column_kind kind);
bool archai_column_is_matrix(archai_column_kind kind);
archai_dtype archai_column_dtype(archai_column_kind kind); /* of numbers */

/* The columns of /candidates, up to one without a name. */
typedef struct archai_candidate_column {
    const char *name;
    archai_column_kind kind;
    size_t offset; /* into archai_trial */
    bool later;    /* results of earlier versions lack it: then there is none */
} archai_candidate_column;
extern const archai_candidate_column archai_candidate_columns[];

/* Rows are written in batches that do not cross a multiple of this, so that no chunk is
 * compressed twice. */
enum { ARCHAI_COLUMN_BATCH = 1024 };

typedef struct archai_column {
    archai_column_kind kind;
    const char *group; /* borrowed: "candidates" */
    char *name;    /* owned: link in the group, escaped */
    char *source;  /* owned: measure or curve; "" otherwise */
    size_t offset; /* into archai_trial */
    size_t width;  /* text: bytes; matrix: columns; else 1. 0: no dataset yet */
    hid_t dataset; /* open from the first write to archai_column_close */
} archai_column;

archai_column archai_column_new(archai_column_kind kind, const char *group, const char *name,
                                const char *source, size_t offset); /* caller fini */
void archai_column_fini(archai_column *c);

/* Write e[n] as rows [first, first + n) of a column that will have `total` rows; n may be 0.
 * Creates, widens and lengthens the dataset as needed. `file` is open for writing. */
int archai_column_write(archai_column *c, hid_t file, uint64_t first,
                        const archai_trial *e, size_t n, uint64_t total, archai_err *err);
/* Close the dataset if it is open: an error here is a failed write. */
int archai_column_close(archai_column *c, archai_err *err);

#endif
