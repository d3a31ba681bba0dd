#include "core/search/parameters.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"

typedef struct visit {
    archai_parameter_take *take;
    void *payload;
} visit;

static void walk(const visit *v, const char *prefix, const json_t *object);

static void list(const visit *v, const char *prefix, const json_t *object, const json_t *times)
{
    const json_t *groups = json_object_get(object, "_configs");

    v->take(v->payload, prefix, times);
    for (json_int_t i = 0; i < json_integer_value(times); i++) {
        char *name = archai_printf("%s.%" JSON_INTEGER_FORMAT, prefix, i);
        const json_t *group = json_object_get(groups, name + strlen(prefix) + 1);

        walk(v, name, group);
        free(name);
        if (group == NULL)
            break;
    }
}

static void member(const visit *v, const char *prefix, const char *key, const json_t *value)
{
    char *name = prefix[0] != '\0' ? archai_printf("%s.%s", prefix, key) : archai_strdup(key);

    if (json_is_object(value))
        walk(v, name, value);
    else if (!json_is_object(json_array_get(value, 0)))
        v->take(v->payload, name, value);
    free(name);
}

/* As deep as a document may be (core/base/yaml.h). */
static void walk(const visit *v, const char *prefix, const json_t *object)
{
    const json_t *times = json_object_get(object, "_repeat_times");
    const char *key;
    json_t *value;

    if (times != NULL) {
        list(v, prefix, object, times);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (strcmp(key, "_config_type") != 0)
            member(v, prefix, key, value);
    }
}

void archai_parameters_walk(const json_t *arch, archai_parameter_take *take, void *payload)
{
    const visit v = {take, payload};

    walk(&v, "", arch);
}

char *archai_parameter_text(const json_t *value)
{
    char number[32], *text;

    if (json_is_string(value))
        return archai_strdup(json_string_value(value));
    if (json_is_real(value)) {
        archai_format_double(json_real_value(value), number);
        return archai_strdup(number);
    }
    text = json_dumps(value, JSON_ENCODE_ANY);
    return text != NULL ? text : archai_strdup("?");
}
