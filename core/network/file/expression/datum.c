#include "core/network/file/expression/datum.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"

/* -- arenas -------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 16 * 1024 };

struct archai_arena_block {
    struct archai_arena_block *before;
    size_t size, used;
    max_align_t bytes[];
};

void *archai_arena_take(archai_arena *a, size_t bytes)
{
    struct archai_arena_block *b = a->last;
    char *at;

    bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (b == NULL || b->size - b->used < bytes) {
        const size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

        b = archai_malloc(sizeof *b + size);
        b->before = a->last;
        b->size = size;
        b->used = 0;
        a->last = b;
    }
    at = (char *)b->bytes + b->used;
    b->used += bytes;
    a->bytes += bytes;
    return memset(at, 0, bytes);
}

char *archai_arena_printf(archai_arena *a, const char *format, ...)
{
    va_list arguments, again;
    char *text;
    int n;

    va_start(arguments, format);
    va_copy(again, arguments);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    text = archai_arena_take(a, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void archai_arena_free(archai_arena *a)
{
    while (a->last != NULL) {
        struct archai_arena_block *before = a->last->before;

        free(a->last);
        a->last = before;
    }
    a->bytes = 0;
}

/* -- values -------------------------------------------------------------------------------- */

archai_datum archai_datum_whole(int64_t v)
{
    return (archai_datum){.type = ARCHAI_DATUM_WHOLE, .whole = v};
}

archai_datum archai_datum_text(const char *text)
{
    return (archai_datum){.type = ARCHAI_DATUM_TEXT, .text = text};
}

static bool list_from_json(const json_t *v, archai_arena *a, int64_t *work, archai_datum *out)
{
    const size_t n = json_array_size(v);
    archai_datum *items;

    if ((int64_t)n > *work)
        return false;
    *work -= (int64_t)n;
    items = archai_arena_take(a, n * sizeof *items);
    *out = (archai_datum){.type = ARCHAI_DATUM_LIST, .list = {items, n, 0}};
    for (size_t i = 0; i < n; i++)
        if (!archai_datum_from_json(json_array_get(v, i), a, work, &items[i]))
            return false;
    return true;
}

bool archai_datum_from_json(const json_t *v, archai_arena *a, int64_t *work, archai_datum *out)
{
    *out = (archai_datum){.type = ARCHAI_DATUM_NULL};
    switch (json_typeof(v)) {
    case JSON_TRUE:
    case JSON_FALSE:
        *out = (archai_datum){.type = ARCHAI_DATUM_FLAG, .flag = json_is_true(v)};
        break;
    case JSON_INTEGER:
        *out = archai_datum_whole(json_integer_value(v));
        break;
    case JSON_REAL:
        *out = (archai_datum){.type = ARCHAI_DATUM_REAL, .real = json_real_value(v)};
        break;
    case JSON_STRING:
        *out = archai_datum_text(json_string_value(v));
        break;
    case JSON_ARRAY:
        return list_from_json(v, a, work, out);
    case JSON_OBJECT:
        *out = (archai_datum){.type = ARCHAI_DATUM_GROUP, .group = v};
        break;
    default:
        break;
    }
    return true;
}

bool archai_datum_is_number(const archai_datum *v)
{
    return v->type == ARCHAI_DATUM_FLAG || v->type == ARCHAI_DATUM_WHOLE ||
           v->type == ARCHAI_DATUM_REAL;
}

double archai_datum_real(const archai_datum *v)
{
    return v->type == ARCHAI_DATUM_REAL    ? v->real
           : v->type == ARCHAI_DATUM_WHOLE ? (double)v->whole
                                           : (double)v->flag;
}

bool archai_datum_true(const archai_datum *v)
{
    switch (v->type) {
    case ARCHAI_DATUM_NULL:
        return false;
    case ARCHAI_DATUM_FLAG:
        return v->flag;
    case ARCHAI_DATUM_WHOLE:
        return v->whole != 0;
    case ARCHAI_DATUM_REAL:
        return v->real < 0 || v->real > 0;
    case ARCHAI_DATUM_TEXT:
        return v->text[0] != '\0';
    case ARCHAI_DATUM_LIST:
        return v->list.n > 0;
    case ARCHAI_DATUM_GROUP:
        return json_object_size(v->group) > 0;
    default:
        return true;
    }
}

static bool same_number(const archai_datum *a, const archai_datum *b)
{
    const double x = archai_datum_real(a), y = archai_datum_real(b);

    if (a->type != ARCHAI_DATUM_REAL && b->type != ARCHAI_DATUM_REAL)
        return (a->type == ARCHAI_DATUM_FLAG ? a->flag : a->whole) ==
               (b->type == ARCHAI_DATUM_FLAG ? b->flag : b->whole);
    return !(x < y) && !(x > y);
}

bool archai_datum_same(const archai_datum *a, const archai_datum *b, size_t *work)
{
    ++*work;
    if (archai_datum_is_number(a) && archai_datum_is_number(b))
        return same_number(a, b);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case ARCHAI_DATUM_NULL:
        return true;
    case ARCHAI_DATUM_TEXT:
        return strcmp(a->text, b->text) == 0;
    case ARCHAI_DATUM_LIST:
        /* Lists may share their parts, over many levels. */
        if (a->list.items == b->list.items)
            return a->list.n == b->list.n;
        for (size_t i = 0; i < a->list.n && a->list.n == b->list.n && *work < ARCHAI_DATUM_SAME_MAX;
             i++)
            if (!archai_datum_same(&a->list.items[i], &b->list.items[i], work))
                return false;
        return a->list.n == b->list.n;
    case ARCHAI_DATUM_GROUP:
        return json_equal(a->group, b->group);
    default:
        return false;
    }
}

const char *archai_datum_name(const archai_datum *v, archai_arena *a)
{
    char number[32];

    switch (v->type) {
    case ARCHAI_DATUM_NULL:
        return "null";
    case ARCHAI_DATUM_FLAG:
        return v->flag ? "true" : "false";
    case ARCHAI_DATUM_WHOLE:
        return archai_arena_printf(a, "%lld", (long long)v->whole);
    case ARCHAI_DATUM_REAL:
        archai_format_double(v->real, number);
        return archai_arena_printf(a, "%s", number);
    case ARCHAI_DATUM_TEXT:
        return v->text;
    default:
        return NULL;
    }
}

/* -- messages ------------------------------------------------------------------------------ */

static void describe(const archai_datum *v, char *out, size_t size, int depth)
{
    char number[32];
    size_t n = 0;

    switch (v->type) {
    case ARCHAI_DATUM_WHOLE:
        (void)snprintf(out, size, "%lld", (long long)v->whole);
        break;
    case ARCHAI_DATUM_REAL:
        archai_format_double(v->real, number);
        (void)snprintf(out, size, "%s", number);
        break;
    case ARCHAI_DATUM_TEXT:
        (void)snprintf(out, size, "'%.60s'", v->text);
        break;
    case ARCHAI_DATUM_LIST:
        n = (size_t)snprintf(out, size, "[");
        for (size_t i = 0; i < v->list.n && n + 24 < size && depth < 3; i++) {
            describe(&v->list.items[i], out + n, size - n - 8, depth + 1);
            n += strlen(out + n);
            n += (size_t)snprintf(out + n, size - n, i + 1 < v->list.n ? ", " : "");
            if (n + 24 >= size && i + 1 < v->list.n)
                n += (size_t)snprintf(out + n, size - n, "...");
        }
        (void)snprintf(out + n, size - n, "]");
        break;
    default:
        (void)snprintf(out, size, "%s",
                       v->type == ARCHAI_DATUM_NULL    ? "null"
                       : v->type == ARCHAI_DATUM_FLAG  ? (v->flag ? "true" : "false")
                       : v->type == ARCHAI_DATUM_GROUP ? "a group of parameters"
                       : v->type == ARCHAI_DATUM_BATCH ? "the unknown size of the batch"
                       : v->type == ARCHAI_DATUM_BODY  ? "items of a network"
                                                       : "a value of the network");
    }
}

archai_datum_words archai_datum_describe(const archai_datum *v)
{
    archai_datum_words w;

    describe(v, w.text, sizeof w.text, 0);
    return w;
}
