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
#include "io/results/results.h"

typedef struct inspect {
    void (*words)(FILE *out); /* --help or --version: what to print instead; else NULL */
    const char *path; /* RESULTS as given: a directory or a results.h5 */
    const char *command;
    char *directory;  /* owned; where the segments are */
    archai_results r; /* owned; read before the command runs, unless the command does that itself */
    char **args;      /* after the command, without the options; borrowed */
    size_t n_args;
    size_t row;         /* that stands for the model in args[0], for commands about one model */
    int64_t count;      /* -n; -1: not given */
    const char *format; /* --format; NULL: not given */
    const char *output; /* -o; NULL: not given */
    bool repair;        /* --repair */
} inspect;

int inspect_summary(inspect *t, archai_err *err);
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

/* -- rows ---------------------------------------------------------------------------------- */

/* The row that stands for `archid`: the one with results and the highest budget, else the last.
 * ARCHAI_ENOTFOUND: there is none. */
int inspect_find(const inspect *t, const char *archid, size_t *row, archai_err *err);
/* ARCHAI_ENOTFOUND "<what> '<name>'", with the most similar of `names` where one is similar. */
int inspect_unknown(const char *what, const char *name, const char *const *names, size_t n,
                    archai_err *err);
/* Is the status ok or cached? */
bool inspect_has_values(const archai_trial *e);
/* "width=16, stages=2, stages.0.kernel=3": what the row's arch says, on one line and not escaped; "" where
 * it says nothing. Caller frees. */
char *inspect_parameters(const archai_trial *e);
char *inspect_front_flags(const archai_results *r); /* [r->n]: is the row on the front? Caller frees */
/* -1 for an objective to be maximised, else 1: values times the sign are to be minimised. */
double inspect_sign(const archai_results_objective *o);
/* Row numbers, the best by an objective or a metric first (sign: inspect_sign), those without a value
 * last, equal ones in the order of their ids. */
void inspect_sort(const archai_results *r, size_t *rows, size_t n, const char *name, double sign);
/* ": 7 ok, 2 failed; 3 more rejected by a constraint before evaluation" */
void inspect_counts(const archai_results *r, FILE *out);

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
