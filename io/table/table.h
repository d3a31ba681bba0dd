/* io/table/table.h - tabular benchmarks: a CSV file with the measures of every architecture.
 *
 * The first line names the columns (RFC 4180: commas, "..." quoting, "" for a quote). The key is
 * the column `archid` if there is one; otherwise every column with the name of a parameter of the
 * architecture (nested names joined by dots). All other columns are measures; an empty cell is a
 * missing measure, or a parameter that this architecture does not have.
 */
#ifndef ARCHAI_IO_TABLE_TABLE_H
#define ARCHAI_IO_TABLE_TABLE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"
#include "core/search/objective.h"

typedef struct archai_table archai_table; /* opaque */

enum { ARCHAI_TABLE_FILE_MAX = 1 << 30 }; /* bytes */

/* Errors read "path:line: ...". */
int archai_table_open(archai_table **out, const char *path, archai_err *err);
void archai_table_close(archai_table *t); /* NULL is allowed */
bool archai_table_has_column(const archai_table *t, const char *name);
/* Is every cell of a column of measures a number, or empty? ARCHAI_EFORMAT names the line of one that is
 * not ("0,91"). */
int archai_table_check_column(const archai_table *t, const char *name, archai_err *err);

/* The column most like `name`, for messages, or NULL. */
const char *archai_table_nearest(const archai_table *t, const char *name);

/* Without an `archid` column, choose the key columns by the parameters of `arch`. ARCHAI_ENOTFOUND:
 * there are none; ARCHAI_EFORMAT: two rows have the same key. Later calls do nothing. */
int archai_table_choose_keys(archai_table *t, const json_t *arch, archai_err *err);

/* The measures of one architecture: *out is new (archai_measures_free), possibly empty.
 * ARCHAI_ENOTFOUND: there is no such row, or no key column. Calls archai_table_choose_keys(). */
int archai_table_find(archai_table *t, const char *archid, const json_t *arch,
                      archai_measure **out, size_t *n, archai_err *err);
#endif
