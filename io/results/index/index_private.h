/* io/results/index/index_private.h - the parts of the index writer (index*.c only).
 *
 *   index_table.c    which rows there are, and where their details lie
 *   index_sources.c  finding new rows in the segments, old ones in an earlier results.h5
 *   index_columns.c  /candidates, /objectives, /metrics, /curves
 *   index_params.c   /params
 *   index_models.c   /models: which are shown
 *   index_tensors.c  the virtual datasets of one of them
 *   index_growth.c   /pareto and /hypervolume: counting
 *   index_front.c    /pareto and /hypervolume: writing
 *   index.c          opening, refreshing, publishing
 *
 * A refresh goes through the parts in this order. Memory per row is one index_row; everything else
 * is read again from the segments when needed.
 */
#ifndef ARCHAI_IO_RESULTS_INDEX_PRIVATE_H
#define ARCHAI_IO_RESULTS_INDEX_PRIVATE_H
#include <hdf5.h>
#include "core/base/hash.h"
#include "core/search/space.h"
#include "core/search/trial.h"
#include "core/pareto/pareto.h"
#include "io/results/column.h"
#include "io/results/index/index.h"
#include "io/results/reconcile.h"
#include "io/wire/message.h"
#include "io/segment/segment.h"

/* -- lines for run.log --------------------------------------------------------------------- */

/* What a refresh had to leave out. A few lines are enough: a run may have thousands of such rows. */
enum { INDEX_NOTES_MAX = 8 };
typedef struct index_notes {
    char *text; /* owned; lines joined by "; " */
    size_t n;   /* how many there were */
} index_notes;
void index_note(index_notes *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void index_notes_clear(index_notes *notes);

/* -- the table ----------------------------------------------------------------------------- */

enum { INDEX_KEPT = -1 }; /* index_row.segment: the row is in no segment, only in `kept` */

typedef struct index_row {
    int64_t id;
    double finished, budget;
    int64_t row;         /* in its segment, or index into `kept` */
    int64_t text_offset; /* as in archai_row */
    uint32_t text_bytes, text_crc;
    uint64_t archid_hash;
    int32_t segment; /* index into `segments`, or INDEX_KEPT */
    uint8_t status;  /* after index_check_status() */
    bool doubtful;   /* its weights may have been lost in a power failure: check them */
} index_row;
_Static_assert(sizeof(index_row) <= 64, "archai-indexer may hold millions of these");

typedef struct index_segment {
    archai_segment file;
    uint8_t *seen;    /* owned; bit per row */
    uint16_t *n_seen; /* owned; per block of INDEX_BLOCK rows: full blocks are not read again */
    int64_t n_blocks;
    bool unsynced;    /* a test was found since it was synced last */
} index_segment;
enum { INDEX_BLOCK = 1024 };

typedef struct index_table {
    const char *directory;               /* borrowed */
    const archai_objectives *objectives; /* borrowed */
    index_segment *segments;             /* owned; in the order in which they were found */
    size_t n_segments, segments_capacity;
    index_row *rows; /* owned; sorted by id, ids unique */
    size_t n, capacity;
    archai_buffer *kept; /* packed evaluations; owned */
    size_t n_kept, kept_capacity;
    archai_reconciled reconciled; /* rows of two runs at the same time, as settled before this start */
    index_row *tests; /* owned; rows with is_test, which add to those of the same id; sorted by id, unique */
    size_t n_tests, tests_capacity;
    int64_t first_test; /* lowest id of those that no update has counted yet; INT64_MAX: none */
} index_table;

/* A row that is new to the table, with what the other parts need of it. */
typedef struct index_new {
    index_row row;
    double started, budget; /* row.archid_hash, budget and row.id decide which row stands for its architecture */
    char *archid; /* owned; NULL where there are no weights to show */
    size_t point; /* index_news.points: the first of its n_optimised doubles */
} index_new;

typedef struct index_news {
    index_new *at;  /* owned; in order of finishing */
    double *points; /* owned; minimised; NaN where status is neither ok nor cached */
    size_t n, capacity, points_capacity;
    size_t first;  /* lowest position in the table that changed */
    bool replaced; /* an earlier row took the place of one in the table: recount everything */
} index_news;
void index_news_fini(index_news *news);
/* Add `e`, the content of `row`. */
void index_news_add(index_news *news, const archai_objectives *o, const index_row *row,
                    const archai_trial *e);

void index_mark_seen(index_segment *s, int64_t row);
void index_table_init(index_table *t, const char *directory,
                      const archai_objectives *objectives);
void index_table_fini(index_table *t);
/* Find new segments and new rows, fdatasync where there are some, merge them into the table. */
int index_table_update(index_table *t, index_news *news, archai_err *err);
/* The id that a row has in its segment. */
int64_t index_table_id_in_segment(const index_table *t, const index_row *r);
/* Resume: all rows so far are doubtful, except those of an earlier results.h5 at `path`, which were
 * synced before they entered it. Its rows that no segment holds join the table and `news`. */
int index_table_adopt(index_table *t, const char *path, index_news *news, archai_err *err);
/* Merge the news into the table. They are left in order of finishing, without those that lost to
 * another row with the same id. */
void index_table_merge(index_table *t, index_news *news);
/* Take over the place of a test; of several of one id the first that finished counts. */
void index_table_add_test(index_table *t, const index_row *test);
/* The contract of results.h5 holds whatever a worker wrote: an ok or cached row passes the search's
 * judgement (archai_trial_check), a failed one has a reason. */
void index_check_status(const archai_objectives *o, archai_trial *e);
/* The evaluation of table row `i` with its test, its status checked; caller fini. */
int index_table_read(const index_table *t, size_t i, archai_trial *out, archai_err *err);
/* Position of `id` in the table, or t->n. */
size_t index_table_find(const index_table *t, int64_t id);
/* The whole table as news, to recount everything. */
int index_table_recount(const index_table *t, index_news *news, archai_err *err);

/* -- columns ------------------------------------------------------------------------------- */

/* /params (index_params.c). */
typedef struct index_params {
    archai_space *space; /* owned; NULL: it cannot be made here */
    archai_column *at;   /* owned; in the order in which parameters were met */
    size_t n, capacity;
} index_params;
void index_params_init(index_params *p, const char *config_text);
void index_params_forget(index_params *p); /* a new file: there are no columns */
void index_params_fini(index_params *p);
int index_params_write(index_params *p, const index_table *t, size_t first, size_t n, hid_t file,
                       archai_err *err);
int index_params_close(index_params *p, archai_err *err);
/* The attribute `names` of /candidates/encoding, where the data set is and lacks it. */
int index_params_name_features(const index_params *p, hid_t file, archai_err *err);

typedef struct index_columns {
    const archai_objectives *objectives; /* borrowed */
    index_params *params;                /* borrowed */
    archai_column *at;                   /* owned */
    size_t n, capacity;
    bool full; /* a line has said so */
} index_columns;
void index_columns_init(index_columns *c, const archai_objectives *objectives, index_params *params);
void index_columns_fini(index_columns *c);
/* Write the table's rows from `first` on; a new file (first is 0, no datasets) gets its groups. */
int index_columns_write(index_columns *c, const index_table *t, size_t first, hid_t file,
                        index_notes *notes, archai_err *err);

/* -- front and hypervolume ----------------------------------------------------------------- */

enum { GROWTH_FIRST = 64, GROWTH_OBJECTIVES = 4 };

/* The row that stands for an architecture: the first of its ok or cached rows of the highest budget. */
typedef struct index_stand {
    uint64_t hash; /* of its archid */
    int64_t id;
    double budget;
} index_stand;

typedef struct index_growth {
    const archai_objectives *objectives; /* borrowed */
    archai_front front;                  /* tags are ids; owned */
    index_stand *stands;                 /* owned; one for each architecture that has results */
    double *points;                      /* owned; [n_stands, n_optimised], minimised */
    size_t n_stands, stands_capacity, points_capacity;
    archai_hash_table by_archid;         /* index into stands */
    double began; /* Unix time from which `seconds` counts; 0: not yet known */
    /* The first points determine the reference point (index_growth.c says how). */
    double first[GROWTH_FIRST * GROWTH_OBJECTIVES];
    index_stand first_stands[GROWTH_FIRST];
    int64_t first_evaluations[GROWTH_FIRST];
    double first_seconds[GROWTH_FIRST];
    size_t n_first;
    double reference[GROWTH_OBJECTIVES];
    /* The curve; owned. */
    int64_t *evaluations;
    double *seconds, *value;
    size_t n, evaluations_capacity, seconds_capacity, value_capacity;
    int64_t evaluated; /* rows that are not cached */
    double last;       /* seconds of the latest */
} index_growth;
/* The row with the best value of the first optimised objective, on the front: where values tie, the better
 * one in the next objective, and so on. -1: none. */
int64_t index_growth_best(const index_growth *g);
void index_growth_init(index_growth *g, const archai_objectives *objectives);
void index_growth_fini(index_growth *g);
/* A point of the curve. */
void index_growth_append(index_growth *g, int64_t evaluations, double seconds, double value);
int index_growth_add(index_growth *g, const index_news *news, archai_err *err);
int index_growth_write(index_growth *g, const index_table *t, hid_t file, archai_err *err);

/* -- the data set (index_split.c) ---------------------------------------------------------- */

/* /split and the attribute `data`; nothing where no data are used. */
int index_split_write(hid_t file, const char *record, archai_err *err);
/* The same from an earlier results.h5, as far as it has them. */
int index_split_copy(hid_t file, const char *path, archai_err *err);

/* -- weights of one model (index_tensors.c) ------------------------------------------------ */

/* ARCHAI_EFORMAT: the row's tensors cannot be shown. */
int index_tensors_check(const archai_segment *s, const archai_trial *e, archai_err *err);
/* Make group `link` of the open group `models`, and in it the tensors. */
int index_tensors_write(hid_t models, const char *link, const archai_segment *s,
                        const archai_trial *e, archai_err *err);

/* -- models -------------------------------------------------------------------------------- */

typedef struct index_model {
    char *link; /* owned: the archid, escaped */
    uint64_t hash;
    int64_t id; /* row whose weights stand for the archid: the highest budget's */
    double budget;
    int64_t shown; /* id of the row in the file; -1: none */
    bool lost;     /* its weights failed their checksums */
    bool wanted;   /* by the policy, in this refresh */
} index_model;

typedef struct index_models {
    int policy;      /* ARCHAI_WEIGHTS_* */
    index_model *at; /* owned */
    size_t n, capacity;
    archai_hash_table by_archid; /* by the 64-bit hash, as index_row has it */
} index_models;
void index_models_init(index_models *m, int policy);
void index_models_fini(index_models *m);
void index_models_add(index_models *m, const index_news *news);
/* Bring /models in line with the policy. */
int index_models_write(index_models *m, const index_table *t, const index_growth *g, hid_t file,
                       index_notes *notes, archai_err *err);
void index_models_forget(index_models *m); /* a new file: nothing is shown */
#endif
