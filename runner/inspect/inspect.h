/* runner/inspect/inspect.h - what the commands of archai-inspect share.
 *
 * Each command is one function in a file of this folder and one line in the table of archai_inspect.c.
 * Results go to standard output, messages to standard error.
 */
#ifndef ARCHAI_RUNNER_INSPECT_INSPECT_H
#define ARCHAI_RUNNER_INSPECT_INSPECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "core/base/err.h"
#include "core/search/failure.h"
#include "io/results/results.h"

typedef struct inspect {
    void (*words)(FILE *out); /* --help or --version: what to print instead; else NULL */
    char **paths; /* RESULTS, as many as were given before the command; borrowed */
    size_t n_paths;
    const char *path; /* the first of them, as given: a directory or a results.h5 */
    const char *command;
    char *directory;  /* owned; where the segments are */
    archai_results r; /* owned; read before the command runs, unless the command does that itself */
    char **args;      /* after the command, without the options; borrowed */
    size_t n_args;
    size_t row;         /* that stands for the model in args[0], for commands about one model */
    int64_t count;      /* -n; -1: not given */
    const char *format; /* --format; NULL: not given */
    const char *output; /* -o; NULL: not given */
    const char *config; /* --config; NULL: not given */
    bool front;         /* --front */
    bool repair;        /* --repair */
    bool json, csv;     /* --json, --csv */
    /* inspect_names: */
    archai_results_param *params; /* owned */
    bool *differs;                /* owned; [n_params]: not the same in all rows */
    size_t n_params, short_length; /* 0: not called yet */
} inspect;

int inspect_summary(inspect *t, archai_err *err);
int inspect_summary_text(inspect *t, FILE *out, archai_err *err);
int inspect_state(inspect *t, archai_err *err);
int inspect_pareto(inspect *t, archai_err *err);
int inspect_top(inspect *t, archai_err *err);
int inspect_show(inspect *t, archai_err *err);
int inspect_curves(inspect *t, archai_err *err);
int inspect_csv(inspect *t, archai_err *err);
int inspect_export(inspect *t, archai_err *err);
int inspect_verify(inspect *t, archai_err *err);
int inspect_repair(inspect *t, archai_err *err);
int inspect_watch(inspect *t, archai_err *err);
int inspect_report(inspect *t, archai_err *err);
int inspect_compare(inspect *t, archai_err *err);
int inspect_merge(inspect *t, archai_err *err);
int inspect_pack(inspect *t, archai_err *err);
int inspect_table_all(inspect *t, archai_err *err);
int inspect_choose(inspect *t, archai_err *err);

/* -- rows ---------------------------------------------------------------------------------- */

/* The row that stands for `archid`: the one with results and the highest budget, else the last.
 * ARCHAI_ENOTFOUND: there is none. */
int inspect_find(const inspect *t, const char *archid, size_t *row, archai_err *err);
/* ARCHAI_ENOTFOUND "<what> '<name>'", with the most similar of `names` where one is similar. */
int inspect_unknown(const char *what, const char *name, const char *const *names, size_t n,
                    archai_err *err);
/* Is the status ok or cached? */
bool inspect_has_values(const archai_trial *e);
/* Rows of the front, each architecture once, the best by the first objective first: front:1, front:2, ...
 * Caller frees. */
size_t *inspect_front(const archai_results *r, size_t *n);
/* Of rows[n], in place, those whose architecture no row before has, at most `most`; returns how many. */
size_t inspect_once(const archai_results *r, size_t *rows, size_t n, size_t most);
/* [r->n], the caller's to free: equal for the rows of one architecture, from 0. *n: how many there are. */
size_t *inspect_number_archids(const archai_results *r, size_t *n);
/* The `most` best models by an objective or a metric, each once, by the best of its budgets. Caller frees. */
int inspect_best_rows(const inspect *t, const char *name, size_t most, bool *is_objective,
                      size_t **out, size_t *n, archai_err *err);
/* Is row a better than row b by an objective? Where values tie, by the others in turn, then the earlier. */
bool inspect_is_better(const archai_results *r, size_t a, size_t b, size_t objective);
/* The best row of the front by an objective; r->n: the front is empty. */
size_t inspect_best(const archai_results *r, size_t objective);
/* -- names (models.c) ------------------------------------------------------------------------- */

/* The row of a model as users name it: an archid, the beginning of just one, an id, or front:K. */
int inspect_resolve(const inspect *t, const char *word, size_t *row, archai_err *err);
/* Before the following ones: which parameters there are, and which differ. */
int inspect_names(inspect *t, archai_err *err);
void inspect_names_free(inspect *t);
char *inspect_short(const inspect *t, size_t row); /* enough of the archid to name it; caller frees */
char *inspect_differing(const inspect *t, size_t row); /* "k=3, width=16"; caller frees */
bool inspect_param_absent(const archai_results_param *p, size_t row);
void inspect_param_text(const archai_results_param *p, size_t row, char *out, size_t size); /* "": absent; longer: cut, "..." */

char *inspect_front_flags(const archai_results *r); /* [r->n]: is the row on the front? Caller frees */
/* -1 for an objective to be maximised, else 1: values times the sign are to be minimised. */
double inspect_sign(const archai_results_objective *o);
/* Row numbers, the best by an objective or a metric first (sign: inspect_sign), those without a value
 * last, equal ones in the order of their ids. */
void inspect_sort(const archai_results *r, size_t *rows, size_t n, const char *name, double sign);
void inspect_failures(const archai_results *r, archai_failures *out); /* by kind, the commonest first */
/* Failed rows, the one that ended last first; caller frees *out. Returns how many, `most` at most. */
size_t inspect_last_failures(const archai_results *r, size_t most, size_t **out);
/* The candidates that are under way, as far as they report, as a table; "": none. Caller frees. */
char *inspect_running_text(const char *directory);
/* ": 7 ok, 2 failed; 3 more rejected by a constraint before evaluation" */
void inspect_counts(const archai_results *r, FILE *out);

/* Rows as a JSON list, an object each (README.md has the schema). */
int inspect_json_rows(inspect *t, const size_t *rows, size_t n, archai_err *err);

/* -- tables -------------------------------------------------------------------------------- */

/* Columns as wide as their widest cell, numbers flush right. Cells are added row by row; the first row
 * is the head. Begins as {.columns = ...}. */
typedef struct inspect_table {
    char **cells; /* owned */
    size_t n, capacity, columns;
} inspect_table;
void inspect_table_text(inspect_table *t, const char *text);
void inspect_table_number(inspect_table *t, double value); /* "-" for NaN */
void inspect_table_end(inspect_table *t, FILE *out); /* print and release */
/* "0.97", "12345678", "1.5e-07"; "-" for NaN. */
void inspect_number(double value, char text[32]);
#endif
