/* Where the values of documents stand. Values are found by their address, so each is kept
 * alive. */
#include "core/base/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/hash.h"

typedef struct place {
    json_t *value; /* owned reference */
    size_t name;   /* index of the document's name */
    int line;
} place;

struct archai_lines {
    char **names; /* owned, as is each */
    size_t n_names, names_capacity;
    place *places; /* owned */
    size_t n, capacity;
    archai_hash_table table; /* of places */
};

archai_lines *archai_lines_create(void)
{
    return archai_calloc(1, sizeof(archai_lines));
}

void archai_lines_destroy(archai_lines *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->places[i].value);
    for (size_t i = 0; i < l->n_names; i++)
        free(l->names[i]);
    free(l->places);
    free(l->names);
    archai_hash_clear(&l->table);
    free(l);
}

/* Fibonacci hashing: addresses differ in their lower bits, the table wants all bits mixed. */
static uint64_t hash_of(const json_t *value)
{
    return (uint64_t)(uintptr_t)value * UINT64_C(0x9e3779b97f4a7c15);
}

static bool is_value(const void *items, size_t index, const void *key)
{
    return ((const place *)items)[index].value == key;
}

static size_t find(const archai_lines *l, const json_t *value)
{
    return archai_hash_find(&l->table, hash_of(value), is_value, l->places, value);
}

void archai_lines_add_document(archai_lines *l, const char *name)
{
    if (l == NULL)
        return;
    ARCHAI_RESERVE(l->names, l->names_capacity, l->n_names + 1);
    l->names[l->n_names++] = archai_strdup(name);
}

void archai_lines_add(archai_lines *l, const json_t *value, int line)
{
    if (l == NULL || json_is_true(value) || json_is_false(value) || json_is_null(value) ||
        find(l, value) != SIZE_MAX)
        return;
    ARCHAI_RESERVE(l->places, l->capacity, l->n + 1);
    l->places[l->n] = (place){json_incref((json_t *)value), l->n_names - 1, line};
    archai_hash_add(&l->table, hash_of(value), l->n++);
}

bool archai_lines_where(const archai_lines *l, const json_t *value, const char **file,
                        int *line)
{
    const size_t i = l != NULL ? find(l, value) : SIZE_MAX;

    *file = i != SIZE_MAX ? l->names[l->places[i].name] : NULL;
    *line = i != SIZE_MAX ? l->places[i].line : 0;
    return i != SIZE_MAX;
}

/* -- JSON ------------------------------------------------------------------------------- */

/* jansson keeps no lines, so its text is walked again. It is known to be correct: tokens need
 * no checks, and the members of an object come in the text's order, each key once. */
typedef struct walk {
    archai_lines *lines;
    const char *at, *end;
    int line;
} walk;

/* Over all of these characters. */
static void pass(walk *w, const char *skip)
{
    for (; w->at < w->end && memchr(skip, *w->at, strlen(skip)) != NULL; w->at++)
        w->line += *w->at == '\n';
}

/* Over all but these. */
static void pass_until(walk *w, const char *stop)
{
    while (w->at < w->end && memchr(stop, *w->at, strlen(stop)) == NULL)
        w->at++;
}

/* Strings hold no line breaks, only \n. */
static void pass_string(walk *w)
{
    for (w->at++; w->at < w->end && *w->at != '"'; w->at++)
        w->at += *w->at == '\\';
    w->at++;
}

static void walk_value(walk *w, const json_t *value, int line);

static void walk_object(walk *w, const json_t *object)
{
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)object, key, member)
    {
        int at_key;

        pass(w, "{, \t\r\n");
        at_key = w->line;
        pass_string(w);
        pass(w, ": \t\r\n");
        walk_value(w, member, at_key);
    }
    pass(w, "{ \t\r\n");
    w->at++;
}

static void walk_array(walk *w, const json_t *array)
{
    w->at++;
    for (size_t i = 0; i < json_array_size(array); i++) {
        pass(w, ", \t\r\n");
        walk_value(w, json_array_get(array, i), w->line);
    }
    pass(w, " \t\r\n");
    w->at++;
}

static void walk_value(walk *w, const json_t *value, int line)
{
    archai_lines_add(w->lines, value, line);
    if (json_is_object(value))
        walk_object(w, value);
    else if (json_is_array(value))
        walk_array(w, value);
    else if (json_is_string(value))
        pass_string(w);
    else
        pass_until(w, ",]} \t\r\n");
}

void archai_lines_add_json(archai_lines *l, const char *text, size_t size, const json_t *value)
{
    walk w = {l, text, text + size, 1};

    if (l == NULL)
        return;
    pass(&w, " \t\r\n");
    walk_value(&w, value, w.line);
}
