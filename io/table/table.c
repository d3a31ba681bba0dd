#include "io/table/table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/hash.h"
#include "core/config/option.h"
#include "io/table/table_private.h"

enum { KEY_MAX = 65536 };

static int index_rows(archai_table *t, archai_err *err);

int archai_table_open(archai_table **out, const char *path, archai_err *err)
{
    archai_table *t = calloc(1, sizeof *t);
    int rc;

    if (t == NULL || (t->path = strdup(path)) == NULL) {
        free(t);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a table");
    }
    rc = archai_table_read(t, err);
    if (rc != ARCHAI_OK)
        goto out;
    t->is_key = calloc(t->n_columns, sizeof *t->is_key);
    if (t->is_key == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a table");
        goto out;
    }
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->header[c], "archid") == 0) {
            t->is_key[c] = true;
            rc = archai_err_wrap(err, index_rows(t, err), "%s: ", path);
            break;
        }
out:
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
    free(t->is_key);
    free(t->slots);
    free(t);
}

size_t archai_table_rows(const archai_table *t)
{
    return t->n_rows;
}

bool archai_table_has_column(const archai_table *t, const char *name)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->header[c], name) == 0)
            return true;
    return false;
}

/* -- keys -------------------------------------------------------------------------------- */

/* One spelling per value, so that 3, 3.0 and "3" meet, and True (as Python writes it) and true:
 * numbers as Python's repr of a float. */
static int append_value(char *key, size_t *n, const char *text, archai_err *err)
{
    char number[32], *end;
    double v = strtod(text, &end);
    size_t size;

    if (end != text && *end == '\0') {
        archai_format_double(v, number);
        text = number;
    } else if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0) {
        text = strcasecmp(text, "true") == 0 ? "true" : "false";
    }
    size = strlen(text);
    if (*n + size + 1 >= KEY_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "a key is longer than %d bytes", KEY_MAX);
    memcpy(key + *n, text, size);
    *n += size;
    key[(*n)++] = '\x1f'; /* the unit separator: no value holds it */
    key[*n] = '\0';
    return ARCHAI_OK;
}

static int row_key(const archai_table *t, size_t row, char *key, archai_err *err)
{
    size_t n = 0;

    key[0] = '\0';
    for (size_t c = 0; c < t->n_columns; c++)
        if (t->is_key[c])
            ARCHAI_TRY(append_value(key, &n, t->cells[row * t->n_columns + c], err));
    return ARCHAI_OK;
}

static const char *first_key_cell(const archai_table *t, size_t row)
{
    size_t c = 0;

    while (c + 1 < t->n_columns && !t->is_key[c])
        c++;
    return t->cells[row * t->n_columns + c];
}

/* A row as messages number it: the header is 1, empty lines do not count. */
static int same_key(const archai_table *t, size_t row, size_t other, archai_err *err)
{
    return archai_fail(err, ARCHAI_EFORMAT, "rows %zu and %zu have the same key (%s ...)",
                       other + 2, row + 2, first_key_cell(t, row));
}

static int index_rows(archai_table *t, archai_err *err)
{
    char *key = malloc(2 * (size_t)KEY_MAX), *other = key != NULL ? key + KEY_MAX : NULL;
    int rc = ARCHAI_OK;

    t->n_slots = 16;
    while (t->n_slots < 2 * t->n_rows)
        t->n_slots *= 2;
    t->slots = calloc(t->n_slots, sizeof *t->slots);
    if (t->slots == NULL || key == NULL) {
        free(key);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a table");
    }
    for (size_t row = 0; row < t->n_rows && rc == ARCHAI_OK; row++) {
        size_t slot;

        rc = row_key(t, row, key, err);
        if (rc != ARCHAI_OK)
            break;
        slot = (size_t)archai_hash(key) & (t->n_slots - 1);
        for (; t->slots[slot] != 0 && rc == ARCHAI_OK; slot = (slot + 1) & (t->n_slots - 1)) {
            rc = row_key(t, t->slots[slot] - 1, other, err);
            if (rc == ARCHAI_OK && strcmp(key, other) == 0)
                rc = same_key(t, row, t->slots[slot] - 1, err);
        }
        if (rc == ARCHAI_OK)
            t->slots[slot] = row + 1;
    }
    t->keyed = rc == ARCHAI_OK;
    free(key);
    return rc;
}

/* The value of a parameter "a.b.c" in an architecture as text; NULL: it has none. */
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
        return archai_fail(err, ARCHAI_ENOTFOUND, "%s: no column archid, and none that bears the "
                                                  "name of a parameter",
                           t->path);
    free(t->slots); /* of an attempt that failed */
    return archai_err_wrap(err, index_rows(t, err), "%s: ", t->path);
}

static int wanted_key(const archai_table *t, const char *archid, const json_t *arch, char *key,
                      archai_err *err)
{
    size_t n = 0;
    char text[64];

    key[0] = '\0';
    for (size_t c = 0; c < t->n_columns; c++) {
        const char *value = archid;

        if (!t->is_key[c])
            continue;
        if (strcmp(t->header[c], "archid") != 0)
            value = parameter(arch, t->header[c], text);
        ARCHAI_TRY(append_value(key, &n, value != NULL ? value : "", err));
    }
    return ARCHAI_OK;
}

/* -- looking up -------------------------------------------------------------------------- */

static int row_measures(const archai_table *t, size_t row, archai_measure **out, size_t *n,
                        archai_err *err)
{
    archai_measure *at = calloc(t->n_columns, sizeof *at);
    size_t m = 0;

    if (at == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measures");
    for (size_t c = 0; c < t->n_columns; c++) {
        const char *cell = t->cells[row * t->n_columns + c];
        char *end;
        double v;

        if (t->is_key[c] || *cell == '\0')
            continue;
        v = strtod(cell, &end);
        if (*end != '\0')
            continue; /* a column of words is no measure */
        at[m].name = strdup(t->header[c]);
        at[m].value = v;
        if (at[m].name == NULL) {
            archai_measures_free(at, m);
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for measures");
        }
        m++;
    }
    *out = at;
    *n = m;
    return ARCHAI_OK;
}

int archai_table_find(archai_table *t, const char *archid, const json_t *arch,
                      archai_measure **out, size_t *n, archai_err *err)
{
    char *wanted, *key;
    int rc;

    ARCHAI_TRY(archai_table_choose_keys(t, arch, err));
    wanted = malloc(2 * (size_t)KEY_MAX);
    if (wanted == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a key");
    key = wanted + KEY_MAX;
    ARCHAI_TRY_GOTO(rc, wanted_key(t, archid, arch, wanted, err), out);
    for (size_t slot = (size_t)archai_hash(wanted) & (t->n_slots - 1);;
         slot = (slot + 1) & (t->n_slots - 1)) {
        if (t->slots[slot] == 0) {
            rc = archai_fail(err, ARCHAI_ENOTFOUND, "%s has no row for %s", t->path, archid);
            break;
        }
        ARCHAI_TRY_GOTO(rc, row_key(t, t->slots[slot] - 1, key, err), out);
        if (strcmp(key, wanted) == 0) {
            rc = row_measures(t, t->slots[slot] - 1, out, n, err);
            break;
        }
    }
out:
    free(wanted);
    return rc;
}
