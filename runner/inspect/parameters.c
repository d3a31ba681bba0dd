/* What a model is, in names and values: the parameters of its arch. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/yaml.h"
#include "runner/inspect/inspect.h"

/* A page stays readable: longer texts end in "...". */
enum { TEXT_MAX = 2000 };

typedef struct listing {
    FILE *out;
    size_t size; /* written so far */
    bool cut;
} listing;

static void put(listing *l, const char *name, const json_t *value)
{
    char *text;

    if (l->cut)
        return;
    if (l->size > TEXT_MAX) {
        l->cut = true;
        (void)fputs(", ...", l->out);
        return;
    }
    text = json_is_string(value) ? archai_strdup(json_string_value(value))
                                 : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    l->size += (size_t)fprintf(l->out, "%s%s=%s", l->size > 0 ? ", " : "", name,
                               text != NULL ? text : "?");
    free(text);
}

static void walk(listing *l, const char *prefix, const json_t *object);

/* A list of Archai's ArchConfig: the number of its groups, and those of them that the model has. */
static void list(listing *l, const char *prefix, const json_t *object, const json_t *times)
{
    const json_t *groups = json_object_get(object, "_configs");

    put(l, prefix, times);
    for (json_int_t i = 0; i < json_integer_value(times); i++) {
        char *name = archai_printf("%s.%" JSON_INTEGER_FORMAT, prefix, i);
        const json_t *group = json_object_get(groups, name + strlen(prefix) + 1);

        walk(l, name, group);
        free(name);
        if (group == NULL)
            break;
    }
}

static void member(listing *l, const char *prefix, const char *key, const json_t *value)
{
    char *name = prefix[0] != '\0' ? archai_printf("%s.%s", prefix, key) : archai_strdup(key);

    if (json_is_object(value))
        walk(l, name, value);
    else if (!json_is_object(json_array_get(value, 0))) /* a graph is no parameter */
        put(l, name, value);
    free(name);
}

/* As deep as a document may be (core/base/yaml.h). */
static void walk(listing *l, const char *prefix, const json_t *object)
{
    const json_t *times = json_object_get(object, "_repeat_times");
    const char *key;
    json_t *value;

    if (times != NULL) {
        list(l, prefix, object, times);
        return;
    }
    json_object_foreach((json_t *)object, key, value)
    {
        if (strcmp(key, "_config_type") != 0)
            member(l, prefix, key, value);
    }
}

char *inspect_parameters(const archai_trial *e)
{
    char *text = NULL;
    size_t size = 0;
    listing l = {.out = open_memstream(&text, &size)};
    json_t *arch = NULL;

    if (l.out == NULL)
        return archai_strdup("");
    if (e->arch != NULL &&
        archai_document_parse(e->arch, strlen(e->arch), &arch, NULL) == ARCHAI_OK)
        walk(&l, "", arch);
    json_decref(arch);
    if (fclose(l.out) != 0) {
        free(text);
        return archai_strdup("");
    }
    return text;
}
