/* io/results/results.h - reading results.h5, for tools and --resume.
 *
 * A file may come from anywhere: what is missing, of another type or shape, or larger than the file
 * can hold is ARCHAI_EFORMAT with one line that names the dataset; a missing file is
 * ARCHAI_ENOTFOUND. `path` is a results directory or a results.h5.
 */
#ifndef ARCHAI_IO_RESULTS_RESULTS_H
#define ARCHAI_IO_RESULTS_RESULTS_H
#include "core/base/err.h"
#include "core/config/option.h"
#include "core/search/trial.h"
#include "io/file/array.h"

typedef struct archai_results_objective {
    char *name, *source, *unit; /* owned */
    int direction;              /* ARCHAI_MAXIMIZE or ARCHAI_MINIMIZE */
    int expensive;
} archai_results_objective;

typedef struct archai_results {
    char *state, *space, *algorithm, *schedule, *config, *started, *updated, *software;
    char *data, *data_shape; /* JSON, as README.md has it; NULL: not in the file */
    int64_t seed, ranks, rejected;
    archai_trial *rows; /* owned; measures hold metrics and objectives; no curves, no tensors */
    size_t n;
    archai_results_objective *objectives; /* owned; in the order of the configuration */
    size_t n_objectives;
    double *values; /* owned; [n, n_objectives], NaN: none */
    size_t *front;  /* owned; row numbers of /pareto/index */
    size_t n_front;
} archai_results;
/* A parameter of the architectures (/params): texts, or numbers. */
typedef struct archai_results_param {
    char *name;      /* owned */
    double *numbers; /* owned; [n], NaN: absent; NULL: `texts` */
    char **texts;    /* owned; [n], "": absent */
} archai_results_param;
/* All of them, in the order of the file; none in files of earlier versions. */
int archai_results_params(const char *path, size_t rows, archai_results_param **out, size_t *n,
                          archai_err *err);
void archai_results_params_free(archai_results_param *at, size_t n, size_t rows);

/* /hypervolume: how the front grew. Without the group: n is 0. */
typedef struct archai_results_growth {
    int64_t *evaluations;    /* owned; [n] */
    double *seconds, *value; /* owned; [n] */
    size_t n;
} archai_results_growth;
int archai_results_growth_read(const char *path, archai_results_growth *out, archai_err *err);
void archai_results_growth_free(archai_results_growth *g);

int archai_results_read(archai_results *out, const char *path, archai_err *err);
void archai_results_free(archai_results *r);

/* The same piece by piece, for tables that do not fit into memory. *head: the attributes, and in n
 * the number of rows, but no rows (caller frees). */
typedef struct archai_results_reader archai_results_reader; /* opaque */
int archai_results_open(archai_results_reader **out, const char *path, archai_results *head,
                        archai_err *err);
/* Rows [first, first + n) with objectives and values; the front and all texts are empty. Fast where
 * `first` is a multiple of ARCHAI_RESULTS_PIECE. */
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

/* The tensors of /models/<archid> in the order of the state_dict; caller frees with
 * archai_arrays_free. ARCHAI_ENOTFOUND: no such model, or the segment that holds its weights is
 * gone. */
int archai_results_tensors(const char *path, const char *archid, archai_tensor **out, size_t *n,
                           archai_err *err);
/* Names of the groups in /models; caller frees with archai_strings_free. */
int archai_results_models(const char *path, archai_strings *out, archai_err *err);
#endif
