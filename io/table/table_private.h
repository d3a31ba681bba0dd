/* io/table/table_private.h - what the two files of the table share. */
#ifndef ARCHAI_IO_TABLE_TABLE_PRIVATE_H
#define ARCHAI_IO_TABLE_TABLE_PRIVATE_H
#include "io/table/table.h"

struct archai_table {
    char *path;
    char *text;            /* the file; cells point into it, unquoted in place */
    char **header;         /* [n_columns] */
    size_t n_columns;
    char **cells;          /* [n_rows * n_columns] */
    size_t n_rows;
    bool *is_key;          /* [n_columns] */
    bool keyed;            /* is_key is decided and `slots` filled */
    size_t *slots;         /* open addressing: row + 1, 0 is free */
    size_t n_slots;        /* power of two */
};

/* Fill path's text, header and cells; errors name the file and, where it is one, the line. What was
 * read stays in `t` also on failure: archai_table_close(). */
int archai_table_read(archai_table *t, archai_err *err);
#endif
