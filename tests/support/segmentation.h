/* tests/support/segmentation.h - segmentation spaces to test. After cmocka.h. */
#ifndef ARCHAI_TESTS_SEGMENTATION_H
#define ARCHAI_TESTS_SEGMENTATION_H
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/search/space.h"

static inline int try_space(archai_space **s, const char *keys, const archai_data_shape *data,
                     archai_err *err)
{
    archai_ini ini = {.n = 0};
    char text[1024];
    int n = snprintf(text, sizeof text, "[space]\nname = segmentation_dag\n%s", keys), rc;

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, err), 0);
    rc = archai_space_create(s, &ini, data, err);
    archai_ini_free(&ini);
    return rc;
}

static inline archai_space *open_space(const char *keys)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;

    if (try_space(&s, keys, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

static inline void put_value(char *out, size_t size, const json_t *v)
{
    if (json_is_string(v))
        (void)snprintf(out, size, "%s", json_string_value(v));
    else if (json_is_boolean(v))
        (void)snprintf(out, size, "%s", json_is_true(v) ? "yes" : "no");
    else if (json_is_array(v))
        (void)snprintf(out, size, "%d %d", (int)json_integer_value(json_array_get(v, 0)),
                       (int)json_integer_value(json_array_get(v, 1)));
    else
        (void)snprintf(out, size, "%lld", (long long)json_integer_value(v));
}

/* A space with Archai's own parameters, as the vectors have them. */
static inline archai_space *open_params(const json_t *params, const json_t *seed)
{
    char keys[768], value[256];
    size_t n = 0;
    const char *key;
    json_t *v;

    keys[0] = '\0';
    json_object_foreach((json_t *)params, key, v)
    {
        put_value(value, sizeof value, v);
        n += (size_t)snprintf(keys + n, sizeof keys - n, "%s = %s\n", key, value);
    }
    if (seed != NULL)
        (void)snprintf(keys + n, sizeof keys - n, "seed = %lld\n",
                       (long long)json_integer_value(seed));
    return open_space(keys);
}

/* A text in a JSON object; NULL: it has none of this name. */
static inline const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}
#endif
