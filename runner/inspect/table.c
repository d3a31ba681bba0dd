#include "runner/inspect/inspect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

void inspect_number(double value, char text[32])
{
    if (isnan(value))
        (void)snprintf(text, 32, "-");
    else if (value == floor(value) && fabs(value) < 1e15) /* counts in full */
        (void)snprintf(text, 32, "%.0f", value);
    else
        (void)snprintf(text, 32, "%.6g", value);
}

void inspect_table_text(inspect_table *t, const char *text)
{
    ARCHAI_RESERVE(t->cells, t->capacity, t->n + 1);
    t->cells[t->n++] = archai_strdup(text);
}

void inspect_table_number(inspect_table *t, double value)
{
    char text[32];

    inspect_number(value, text);
    inspect_table_text(t, text);
}

/* Characters, not bytes: continuation bytes of UTF-8 have no width. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Does a column hold nothing but numbers and "-"? */
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

void inspect_table_end(inspect_table *t, FILE *out)
{
    size_t *widths = archai_calloc(t->columns, sizeof *widths);
    bool *right = archai_calloc(t->columns, sizeof *right);

    for (size_t i = 0; i < t->n; i++) {
        size_t width = width_of(t->cells[i]);

        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    for (size_t c = 0; c < t->columns; c++)
        right[c] = is_numeric(t, c);
    for (size_t i = 0; i < t->n; i++) {
        const size_t c = i % t->columns, blank = widths[c] - width_of(t->cells[i]);
        const bool last = c + 1 == t->columns;

        if (right[c])
            pad(out, blank);
        (void)fputs(t->cells[i], out);
        if (!right[c] && !last)
            pad(out, blank);
        (void)fputs(last ? "\n" : "  ", out);
        free(t->cells[i]);
    }
    free(t->cells);
    free(widths);
    free(right);
    *t = (inspect_table){.columns = t->columns};
}
