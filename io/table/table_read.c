/* Splitting a CSV file into cells. */
#include "io/table/table.h"

#include <string.h>

#include "core/base/alloc.h"
#include "io/file/file.h"
#include "io/table/table_private.h"

enum { COLUMNS_MAX = 4096 };

/* Take one cell off *at, unquoting in place. *more: a comma follows. */
static int take_cell(char **at, char **cell, bool *more, archai_err *err)
{
    char *in = *at, *out = *at;

    *cell = out;
    if (*in == '"') {
        for (in++; *in != '"' || in[1] == '"'; in++) {
            if (*in == '\0' || *in == '\n')
                return archai_fail(err, ARCHAI_EFORMAT, "a quote is not closed");
            if (*in == '"')
                in++;
            *out++ = *in;
        }
        in++;
        if (*in != ',' && *in != '\n' && *in != '\r' && *in != '\0')
            return archai_fail(err, ARCHAI_EFORMAT, "text after a closing quote");
    } else {
        while (*in != ',' && *in != '\n' && *in != '\r' && *in != '\0')
            *out++ = *in++;
    }
    *more = *in == ',';
    if (*in == '\r' && in[1] == '\n')
        in++;
    *at = *in == '\0' ? in : in + 1;
    *out = '\0';
    return ARCHAI_OK;
}

static int read_header(archai_table *t, char **at, archai_err *err)
{
    bool more = true;

    t->header = archai_calloc(COLUMNS_MAX, sizeof *t->header);
    while (more) {
        if (t->n_columns == COLUMNS_MAX)
            return archai_fail(err, ARCHAI_EFORMAT, "more than %d columns", COLUMNS_MAX);
        ARCHAI_TRY(take_cell(at, &t->header[t->n_columns], &more, err));
        if (*t->header[t->n_columns] == '\0')
            return archai_fail(err, ARCHAI_EFORMAT, "column %zu has no name", t->n_columns + 1);
        t->n_columns++;
    }
    return ARCHAI_OK;
}

static int read_rows(archai_table *t, char *at, archai_err *err)
{
    size_t capacity = 0;

    for (size_t line = 2; *at != '\0'; line++) {
        bool more = true;
        int rc;

        if (*at == '\n') { /* an empty line */
            at++;
            continue;
        }
        ARCHAI_RESERVE(t->cells, capacity, (t->n_rows + 1) * t->n_columns);
        for (size_t c = 0; c < t->n_columns; c++) {
            if (!more)
                return archai_fail(err, ARCHAI_EFORMAT, "%zu: %zu cells, the header has %zu", line,
                                   c, t->n_columns);
            rc = take_cell(&at, &t->cells[t->n_rows * t->n_columns + c], &more, err);
            if (rc != ARCHAI_OK)
                return archai_err_wrap(err, rc, "%zu: ", line);
        }
        if (more)
            return archai_fail(err, ARCHAI_EFORMAT, "%zu: more cells than the header's %zu", line,
                               t->n_columns);
        t->n_rows++;
    }
    if (t->n_rows == 0)
        return archai_fail(err, ARCHAI_EFORMAT, "the table has no rows");
    return ARCHAI_OK;
}

int archai_table_read(archai_table *t, archai_err *err)
{
    char *at;
    size_t n;
    int rc;

    ARCHAI_TRY(archai_file_check(t->path, err));
    ARCHAI_TRY(archai_file_read(t->path, ARCHAI_TABLE_FILE_MAX, &t->text, &n, err));
    if (strlen(t->text) != n)
        return archai_fail(err, ARCHAI_EFORMAT, "%s: contains a NUL byte; this is not a CSV file",
                           t->path);
    at = t->text;
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as spreadsheets write it */
        at += 3;
    rc = read_header(t, &at, err);
    if (rc != ARCHAI_OK)
        return archai_err_wrap(err, rc, "%s:1: ", t->path);
    return archai_err_wrap(err, read_rows(t, at, err), "%s:", t->path);
}
