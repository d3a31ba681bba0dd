/* runner/inspect/inspect.h - what the commands of archai-inspect share.
 *
 * Each command is one function in runner/inspect_<noun>.c and one line in the table of
 * runner/inspect/archai_inspect.c. Results go to standard output, messages to standard error.
 */
#ifndef ARCHAI_RUNNER_INSPECT_INSPECT_H
#define ARCHAI_RUNNER_INSPECT_INSPECT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "core/base/err.h"
#include "io/results/index.h"

typedef struct inspect {
    const char *path; /* RESULTS as given: a directory or a results.h5 */
    char *directory;  /* owned; where the segments are */
    archai_results r; /* owned; read before the command runs, unless the command reads itself */
    char **args;      /* after the command, options taken out; borrowed */
    size_t n_args;
    int64_t count;      /* -n; -1: not given */
    const char *format; /* --format; NULL: not given */
    const char *output; /* -o; NULL: not given */
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
int inspect_watch(inspect *t, archai_err *err);
int inspect_report(inspect *t, archai_err *err);

/* -- rows ---------------------------------------------------------------------------------- */

/* The row that stands for `archid`: of those with results the one with the highest budget, else
 * the last. ARCHAI_ENOTFOUND names the nearest archid there is. */
int inspect_find(const inspect *t, const char *archid, size_t *row, archai_err *err);
/* Is the status ok or cached? */
bool inspect_has_values(const archai_trial *e);
/* A living run holds the directory; `who` describes the last one that did, "" when none. */
bool inspect_is_alive(const inspect *t, char who[512]);

/* -- tables -------------------------------------------------------------------------------- */

/* Columns as wide as their widest cell, numbers to the right. Cells are added row by row; the
 * first row is the head. */
typedef struct inspect_table {
    char **cells; /* owned */
    size_t n, capacity, columns;
    bool failed; /* out of memory, reported by the end */
} inspect_table;
void inspect_table_init(inspect_table *t, size_t columns);
void inspect_table_text(inspect_table *t, const char *text);
void inspect_table_number(inspect_table *t, double value); /* "-" where there is none */
/* Print and release. */
int inspect_table_end(inspect_table *t, FILE *out, archai_err *err);
/* "0.97", "12345678", "1.5e-07"; "-" for NaN. */
void inspect_number(double value, char text[32]);
#endif
