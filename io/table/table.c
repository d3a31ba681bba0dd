#include "io/table/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"
#include "core/config/option.h"
#include "io/file/csv.h"
#include "io/file/file.h"

struct archai_table {
    char *path;
    char *text;      /* the file; cells point into it, unquoted in place */
    char **header;   /* [n_columns] */
    size_t n_columns;
    char **cells;    /* [n_rows * n_columns] */
    size_t n_rows;
    size_t *lines;   /* [n_rows]; of the file */
    bool *is_key;    /* [n_columns] */
    bool keyed;      /* is_key is decided and by_key filled */
    archai_hash_table by_key;
};

/* -- reading ------------------------------------------------------------------------------- */

enum { COLUMNS_MAX = 4096 };

static int read_header(archai_table *t, char **at, archai_err *err)
{
    bool more = true;

    t->header = archai_calloc(COLUMNS_MAX, sizeof *t->header);
    while (more) {
        if (t->n_columns == COLUMNS_MAX)
            return archai_fail(err, ARCHAI_EFORMAT, "more than %d columns", COLUMNS_MAX);
        ARCHAI_TRY(archai_csv_cell(at, ',', &t->header[t->n_columns], &more, err));
        if (*t->header[t->n_columns] == '\0')
            return archai_fail(err, ARCHAI_EFORMAT, "column %zu has no name", t->n_columns + 1);
        t->n_columns++;
    }
    return ARCHAI_OK;
}

static int read_rows(archai_table *t, char *at, archai_err *err)
{
    size_t capacity = 0, lines_capacity = 0;

    for (size_t line = 2; *at != '\0'; line++) {
        bool more = true;
        int rc;

        if (*at == '\n') { /* an empty line */
            at++;
            continue;
        }
        ARCHAI_RESERVE(t->cells, capacity, (t->n_rows + 1) * t->n_columns);
        ARCHAI_RESERVE(t->lines, lines_capacity, t->n_rows + 1);
        t->lines[t->n_rows] = line;
        for (size_t c = 0; c < t->n_columns; c++) {
            if (!more)
                return archai_fail(err, ARCHAI_EFORMAT, "%zu: %zu cells, the header has %zu", line,
                                   c, t->n_columns);
            rc = archai_csv_cell(&at, ',', &t->cells[t->n_rows * t->n_columns + c], &more, err);
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

/* Read t->path into text, header and cells; errors name the file and, where there is one, the line. */
static int read_file(archai_table *t, archai_err *err)
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

/* -- keys -------------------------------------------------------------------------------- */

static const char separator = '\x1f'; /* ASCII's unit separator, which no value contains */

/* One spelling per value, so that 3, 3.0 and "3" are equal, and so are Python's True and true.
 * Numbers are spelled as Python's repr of a float. `number` is room for one. */
static const char *spelling(const char *text, char number[32])
{
    char *end;
    const double v = strtod(text, &end);

    if (end != text && *end == '\0') {
        archai_format_double(v, number);
        return number;
    }
    return strcasecmp(text, "true") == 0 ? "true" : strcasecmp(text, "false") == 0 ? "false" : text;
}

typedef struct key {
    char *text; /* owned; the spelling of each key column's value, and a separator behind it */
    size_t n, capacity;
} key;

static void append_value(key *k, const char *text)
{
    char number[32];
    const char *value = spelling(text, number);
    const size_t size = strlen(value);

    ARCHAI_RESERVE(k->text, k->capacity, k->n + size + 2);
    memcpy(k->text + k->n, value, size);
    k->n += size;
    k->text[k->n++] = separator;
    k->text[k->n] = '\0';
}

static const char *cell(const archai_table *t, size_t row, size_t column)
{
    return t->cells[row * t->n_columns + column];
}

static bool row_has_key(const void *table, size_t row, const void *wanted)
{
    const archai_table *t = table;
    const char *rest = wanted;

    for (size_t c = 0; c < t->n_columns; c++) {
        char number[32];
        const char *value;
        size_t size;

        if (!t->is_key[c])
            continue;
        value = spelling(cell(t, row, c), number);
        size = strlen(value);
        if (strncmp(rest, value, size) != 0 || rest[size] != separator)
            return false;
        rest += size + 1;
    }
    return *rest == '\0';
}

static size_t find_row(const archai_table *t, const char *wanted)
{
    return archai_hash_find(&t->by_key, archai_hash(wanted), row_has_key, t, wanted);
}

/* Messages number a row as in the file without its empty lines; the header is 1. */
static int same_key(const archai_table *t, size_t row, size_t other, archai_err *err)
{
    size_t c = 0;

    while (c + 1 < t->n_columns && !t->is_key[c])
        c++;
    return archai_fail(err, ARCHAI_EFORMAT, "rows %zu and %zu have the same key (%s ...)",
                       other + 2, row + 2, cell(t, row, c));
}

static int index_rows(archai_table *t, archai_err *err)
{
    key k = {0};
    int rc = ARCHAI_OK;

    archai_hash_clear(&t->by_key); /* of an attempt that failed */
    for (size_t row = 0; row < t->n_rows && rc == ARCHAI_OK; row++) {
        size_t other;

        k.n = 0;
        for (size_t c = 0; c < t->n_columns; c++)
            if (t->is_key[c])
                append_value(&k, cell(t, row, c));
        other = find_row(t, k.text);
        if (other != SIZE_MAX)
            rc = same_key(t, row, other, err);
        else
            archai_hash_add(&t->by_key, archai_hash(k.text), row);
    }
    t->keyed = rc == ARCHAI_OK;
    free(k.text);
    return rc;
}

/* The value of a parameter "a.b.c" of an architecture as text; NULL: there is none. */
static const char *parameter(const json_t *arch, const char *name, char text[64])
{
    const json_t *at = arch;

    while (json_is_object(at)) {
        const json_t *whole = json_object_get(at, name);
        const char *dot;
        char head[256];

        if (whole != NULL) {
            at = whole;
            break;
        }
        dot = strchr(name, '.');
        if (dot == NULL || (size_t)(dot - name) >= sizeof head)
            return NULL;
        memcpy(head, name, (size_t)(dot - name));
        head[dot - name] = '\0';
        at = json_object_get(at, head);
        name = dot + 1;
    }
    if (json_is_string(at))
        return json_string_value(at);
    if (json_is_integer(at))
        (void)snprintf(text, 64, "%lld", (long long)json_integer_value(at));
    else if (json_is_real(at))
        archai_format_double(json_real_value(at), text);
    else if (json_is_boolean(at))
        (void)snprintf(text, 64, "%s", json_is_true(at) ? "true" : "false");
    else
        return NULL;
    return text;
}

const char *archai_table_nearest(const archai_table *t, const char *name)
{
    return archai_nearest(name, (const char *const *)t->header, t->n_columns);
}

int archai_table_choose_keys(archai_table *t, const json_t *arch, archai_err *err)
{
    size_t n = 0;
    char text[64];

    if (t->keyed)
        return ARCHAI_OK;
    for (size_t c = 0; c < t->n_columns; c++) {
        t->is_key[c] = parameter(arch, t->header[c], text) != NULL;
        n += t->is_key[c];
    }
    if (n == 0)
        return archai_fail(err, ARCHAI_ENOTFOUND,
                           "%s: there is no column archid, and no column is named like a parameter",
                           t->path);
    return archai_err_wrap(err, index_rows(t, err), "%s: ", t->path);
}

/* -- looking up -------------------------------------------------------------------------- */

/* As strtod has it, NaN and infinity too; nothing may follow. */
static bool is_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0';
}

static void row_measures(const archai_table *t, size_t row, archai_measure **out, size_t *n)
{
    archai_measure *at = archai_calloc(t->n_columns, sizeof *at);
    size_t m = 0;

    for (size_t c = 0; c < t->n_columns; c++) {
        double v;

        if (!t->is_key[c] && is_number(cell(t, row, c), &v)) /* a column of words is not a measure */
            at[m++] = (archai_measure){archai_strdup(t->header[c]), v};
    }
    *out = at;
    *n = m;
}

int archai_table_find(archai_table *t, const char *archid, const json_t *arch,
                      archai_measure **out, size_t *n, archai_err *err)
{
    key wanted = {0};
    size_t row;

    ARCHAI_TRY(archai_table_choose_keys(t, arch, err));
    for (size_t c = 0; c < t->n_columns; c++) {
        char text[64];
        const char *value = archid;

        if (!t->is_key[c])
            continue;
        if (strcmp(t->header[c], "archid") != 0)
            value = parameter(arch, t->header[c], text);
        append_value(&wanted, value != NULL ? value : "");
    }
    row = find_row(t, wanted.text);
    free(wanted.text);
    if (row == SIZE_MAX)
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s has no row for %s", t->path, archid);
    row_measures(t, row, out, n);
    return ARCHAI_OK;
}

/* -- opening ------------------------------------------------------------------------------- */

int archai_table_open(archai_table **out, const char *path, archai_err *err)
{
    archai_table *t = archai_calloc(1, sizeof *t);
    int rc;

    t->path = archai_strdup(path);
    rc = read_file(t, err);
    if (rc == ARCHAI_OK)
        t->is_key = archai_calloc(t->n_columns, sizeof *t->is_key);
    for (size_t c = 0; rc == ARCHAI_OK && c < t->n_columns; c++)
        if (strcmp(t->header[c], "archid") == 0) {
            t->is_key[c] = true;
            rc = archai_err_wrap(err, index_rows(t, err), "%s: ", path);
            break;
        }
    if (rc == ARCHAI_OK)
        *out = t;
    else
        archai_table_close(t);
    return rc;
}

void archai_table_close(archai_table *t)
{
    if (t == NULL)
        return;
    free(t->path);
    free(t->text);
    free(t->header);
    free(t->cells);
    free(t->lines);
    free(t->is_key);
    archai_hash_clear(&t->by_key);
    free(t);
}

bool archai_table_has_column(const archai_table *t, const char *name)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->header[c], name) == 0)
            return true;
    return false;
}

int archai_table_check_column(const archai_table *t, const char *name, archai_err *err)
{
    double v;

    for (size_t c = 0; c < t->n_columns; c++) {
        if (strcmp(t->header[c], name) != 0 || (t->is_key[c] && t->keyed))
            continue;
        for (size_t row = 0; row < t->n_rows; row++)
            if (*cell(t, row, c) != '\0' && !is_number(cell(t, row, c), &v))
                return archai_fail(err, ARCHAI_EFORMAT,
                                   "%s:%zu: column '%.100s': '%.100s' is not a number", t->path,
                                   t->lines[row], name, cell(t, row, c));
    }
    return ARCHAI_OK;
}
