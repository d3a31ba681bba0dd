/* io/table/table_private.h - what the two files of the table share. */
#ifndef ARCHAI_IO_TABLE_TABLE_PRIVATE_H
#define ARCHAI_IO_TABLE_TABLE_PRIVATE_H
#include "core/base/hash.h"
#include "io/table/table.h"

struct archai_table {
    char *path;
    char *text;            /* the file; cells point into it, unquoted in place */
    char **header;         /* [n_columns] */
    size_t n_columns;
    char **cells;          /* [n_rows * n_columns] */
    size_t n_rows;
    bool *is_key;          /* [n_columns] */
    bool keyed;            /* is_key is decided and by_key filled */
    archai_hash_table by_key;
};

/* Read t->path into text, header and cells; errors name the file and, where there is one, the line.
 * After a failure, too, free with archai_table_close(). */
int archai_table_read(archai_table *t, archai_err *err);
#endif
