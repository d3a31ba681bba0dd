#include "runner/inspect/inspect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void inspect_number(double value, char text[32])
{
    if (isnan(value))
        (void)snprintf(text, 32, "-");
    else if (value == floor(value) && fabs(value) < 1e15) /* counts are shown whole */
        (void)snprintf(text, 32, "%.0f", value);
    else
        (void)snprintf(text, 32, "%.6g", value);
}

void inspect_table_init(inspect_table *t, size_t columns)
{
    *t = (inspect_table){.columns = columns};
}

void inspect_table_text(inspect_table *t, const char *text)
{
    if (t->n == t->capacity && !t->failed) {
        size_t capacity = t->capacity == 0 ? 64 : 2 * t->capacity;
        char **grown = realloc(t->cells, capacity * sizeof *grown);

        if (grown == NULL) {
            t->failed = true;
        } else {
            t->cells = grown;
            t->capacity = capacity;
        }
    }
    if (t->failed)
        return;
    t->cells[t->n] = strdup(text);
    if (t->cells[t->n] == NULL)
        t->failed = true;
    else
        t->n++;
}

void inspect_table_number(inspect_table *t, double value)
{
    char text[32];

    inspect_number(value, text);
    inspect_table_text(t, text);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* A column of nothing but numbers (and "-") is set to the right. */
static bool is_numeric(const inspect_table *t, size_t column)
{
    for (size_t i = t->columns + column; i < t->n; i += t->columns) {
        char *end;

        (void)strtod(t->cells[i], &end);
        if (strcmp(t->cells[i], "-") != 0 && (end == t->cells[i] || *end != '\0'))
            return false;
    }
    return true;
}

static void pad(FILE *out, size_t n)
{
    while (n-- > 0)
        (void)fputc(' ', out);
}

int inspect_table_end(inspect_table *t, FILE *out, archai_err *err)
{
    size_t *widths = calloc(t->columns + 1, sizeof *widths);
    bool *right = calloc(t->columns + 1, sizeof *right);
    int rc = ARCHAI_OK;

    if (t->failed || widths == NULL || right == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "out of memory for a table");
        goto out;
    }
    for (size_t i = 0; i < t->n; i++) {
        size_t width = width_of(t->cells[i]);

        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t c = 0; c < t->columns; c++)
        right[c] = is_numeric(t, c);
    for (size_t i = 0; i < t->n; i++) {
        size_t c = i % t->columns;
        size_t blank = widths[c] - width_of(t->cells[i]);
        bool last = c + 1 == t->columns;

        if (right[c])
            pad(out, blank);
        (void)fputs(t->cells[i], out);
        if (!right[c] && !last)
            pad(out, blank);
        (void)fputs(last ? "\n" : "  ", out);
    }
out:
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    free(widths);
    free(right);
    *t = (inspect_table){.columns = t->columns};
    return rc;
}
