/* The parts of parts.py, which the build puts into the program. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "io/model/python/python_private.h"

static const char mark[] = "\n# == ";

/* The name behind its mark; NULL: there is none. */
static const char *find(const char *name, size_t n)
{
    const char *at = archai_python_parts;

    while ((at = strstr(at, mark)) != NULL) {
        at += sizeof mark - 1;
        if (strncmp(at, name, n) == 0 && (at[n] == '\n' || at[n] == ':'))
            return at;
    }
    return NULL;
}

bool python_has_part(const char *name, size_t n)
{
    return find(name, n) != NULL;
}

static bool is_written(const python_parts *p, const char *at)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->names[i] == at)
            return true;
    return false;
}

static void put(python_parts *p, const char *name, size_t n)
{
    const char *at = find(name, n), *end, *body;

    if (at == NULL || is_written(p, at))
        return;
    ARCHAI_RESERVE(p->names, p->capacity, p->n + 1);
    p->names[p->n++] = at;
    body = strchr(at, '\n') + 1;
    if (at[n] == ':') /* one other is enough so far */
        put(p, at + n + 2, (size_t)(body - 1 - (at + n + 2)));
    end = strstr(body - 1, mark);
    (void)fprintf(p->out, "%.*s\n", (int)(end != NULL ? (size_t)(end - body) : strlen(body)), body);
}

void python_put_part(python_parts *p, const char *name)
{
    put(p, name, strlen(name));
}
