#include "runner/evaluator/command/spoken.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/evaluator/last_line.h"

void archai_spoken_fini(archai_spoken *l)
{
    free(l->data);
    *l = (archai_spoken){.data = NULL};
}

void archai_spoken_clear(archai_spoken *l)
{
    l->at = l->n = l->looked = 0;
}

void archai_spoken_add(archai_spoken *l, const char *data, size_t n)
{
    if (n == 0)
        return;
    if (l->at > 0 && l->n > 0)
        memmove(l->data, l->data + l->at, l->n);
    l->at = 0;
    ARCHAI_RESERVE(l->data, l->capacity, l->n + n + 1);
    memcpy(l->data + l->n, data, n);
    l->n += n;
}

/* The first `n` bytes as a text; `end`: what follows them belongs to it. */
static char *take(archai_spoken *l, size_t n, size_t end)
{
    char *line = l->data + l->at;

    l->at += n + end;
    l->n -= n + end;
    l->looked = 0;
    for (size_t i = 0; i < n; i++)
        if (line[i] == '\0')
            line[i] = ' ';
    line[n] = '\0';
    archai_line_drop_escapes(line);
    return line;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

char *archai_spoken_next(archai_spoken *l)
{
    while (l->looked < l->n) {
        const char c = l->data[l->at + l->looked];
        char *line;

        if (c != '\n' && c != '\r') {
            l->looked++;
            continue;
        }
        line = take(l, l->looked, 1);
        if (!is_blank(line))
            return line;
    }
    return NULL;
}

char *archai_spoken_rest(archai_spoken *l)
{
    char *line = l->n > 0 ? take(l, l->n, 0) : NULL;

    return line != NULL && !is_blank(line) ? line : NULL;
}

bool archai_spoken_too_long(const archai_spoken *l)
{
    return l->looked > ARCHAI_SPOKEN_MAX;
}
