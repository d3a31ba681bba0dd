/* A CSV file to cells. */
#include "io/table/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

    t->header = calloc(COLUMNS_MAX, sizeof *t->header);
    if (t->header == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the columns");
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
        if (t->n_rows == capacity) {
            size_t grown = capacity == 0 ? 1024 : 2 * capacity;
            char **cells = realloc(t->cells, grown * t->n_columns * sizeof *cells);

            if (cells == NULL)
                return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu rows", grown);
            t->cells = cells;
            capacity = grown;
        }
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

static int read_text(archai_table *t, archai_err *err)
{
    FILE *in = fopen(t->path, "re");
    size_t n = 0, capacity = 1 << 16, got;
    int rc = ARCHAI_OK;

    if (in == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "%s", strerror(errno));
    do {
        char *grown = n + 1 >= capacity || t->text == NULL
                          ? realloc(t->text, (capacity = 2 * capacity))
                          : t->text;

        if (grown == NULL || n > ARCHAI_TABLE_FILE_MAX) {
            rc = archai_fail(err, ARCHAI_EINVAL, "too large for a table");
            break;
        }
        t->text = grown;
        got = fread(t->text + n, 1, capacity - n - 1, in);
        n += got;
    } while (got > 0);
    if (rc == ARCHAI_OK && ferror(in))
        rc = archai_fail(err, ARCHAI_EIO, "%s", strerror(errno));
    (void)fclose(in);
    if (rc == ARCHAI_OK) {
        t->text[n] = '\0';
        if (strlen(t->text) != n)
            rc = archai_fail(err, ARCHAI_EFORMAT, "holds a NUL byte; this is no CSV file");
    }
    return rc;
}

int archai_table_read(archai_table *t, archai_err *err)
{
    char *at;
    int rc = read_text(t, err);

    if (rc != ARCHAI_OK)
        return archai_err_wrap(err, rc, "%s: ", t->path);
    at = t->text;
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as spreadsheets write it */
        at += 3;
    rc = read_header(t, &at, err);
    if (rc != ARCHAI_OK)
        return archai_err_wrap(err, rc, "%s:1: ", t->path);
    return archai_err_wrap(err, read_rows(t, at, err), "%s:", t->path);
}
