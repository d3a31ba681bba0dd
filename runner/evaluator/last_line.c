#include "runner/evaluator/last_line.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

void archai_last_line_init(archai_last_line *r)
{
    r->line = archai_malloc(ARCHAI_LAST_LINE_MAX + 1);
    r->last = archai_malloc(ARCHAI_LAST_LINE_MAX + 1);
    archai_last_line_clear(r);
}

void archai_last_line_fini(archai_last_line *r)
{
    free(r->line);
    free(r->last);
}

void archai_last_line_clear(archai_last_line *r)
{
    r->n = 0;
    r->last[0] = '\0';
    r->too_long = false;
}

/* Length of the escape sequence at s: CSI (colours, cursors), OSC (titles), or two characters; 0: none.
 * Source: ECMA-48, 5.4 and 5.6. */
static size_t escape_at(const char *s)
{
    size_t n = 2;

    if (s[0] != '\033' || s[1] == '\0')
        return s[0] == '\033';
    if (s[1] == '[')
        for (; s[n] >= 0x20 && s[n] < 0x40; n++)
            continue;
    else if (s[1] == ']')
        for (; s[n] != '\0' && s[n] != '\007' && s[n] != '\033'; n++)
            continue;
    else
        return n;
    return s[n] != '\0' && s[n] != '\033' ? n + 1 : n;
}

/* Programs that think they write to a terminal colour their lines and show the cursor again at the end. */
void archai_line_drop_escapes(char *line)
{
    char *to = line;

    while (*line != '\0') {
        size_t n = escape_at(line);

        if (n == 0)
            *to++ = *line++;
        line += n;
    }
    *to = '\0';
}

/* The line being read ends here: it is the last one unless it is blank. */
static void end_line(archai_last_line *r)
{
    char *swap = r->last;

    if (r->n > ARCHAI_LAST_LINE_MAX) {
        r->too_long = true;
        r->last[0] = '\0';
        r->n = 0;
        return;
    }
    r->line[r->n] = '\0';
    r->n = 0;
    archai_line_drop_escapes(r->line);
    if (r->line[strspn(r->line, " \t")] == '\0')
        return;
    r->last = r->line;
    r->line = swap;
    r->too_long = false;
}

void archai_last_line_take(archai_last_line *r, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n' || data[i] == '\r') /* a progress bar writes over its line */
            end_line(r);
        else if (r->n < ARCHAI_LAST_LINE_MAX)
            r->line[r->n++] = data[i] != '\0' ? data[i] : ' ';
        else
            r->n = ARCHAI_LAST_LINE_MAX + 1;
    }
}

const char *archai_last_line_end(archai_last_line *r)
{
    if (r->n > 0)
        end_line(r);
    return r->last;
}
