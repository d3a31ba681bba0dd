/* io/file/csv.h - cells of CSV text (RFC 4180: "..." quoting, "" for a quote; no line breaks in a cell). */
#ifndef ARCHAI_IO_FILE_CSV_H
#define ARCHAI_IO_FILE_CSV_H
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

/* Take one cell off *at, NUL-terminated text, unquoting in place. *more: a separator follows; else *at is
 * behind the end of the line. */
int archai_csv_cell(char **at, char separator, char **cell, bool *more, archai_err *err);
#endif
