/* tests/support/transformer.h - spaces of transformers to test. After cmocka.h. */
#ifndef ARCHAI_TESTS_TRANSFORMER_H
#define ARCHAI_TESTS_TRANSFORMER_H
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/search/space.h"

static inline int try_space(archai_space **s, const char *keys, const archai_data_shape *data,
                            archai_err *err)
{
    archai_ini ini = {.n = 0};
    char text[1024];
    int n = snprintf(text, sizeof text, "[space]\nname = transformer_flex\n%s", keys), rc;

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, err), 0);
    rc = archai_space_create(s, &ini, data, err);
    archai_ini_free(&ini);
    return rc;
}

static inline archai_space *open_space(const char *arch_type, const char *keys)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_space *s = NULL;
    char text[768];

    (void)snprintf(text, sizeof text, "arch_type = %s\n%s", arch_type, keys);
    if (try_space(&s, text, NULL, &err) != 0)
        fail_msg("%s", err.text);
    return s;
}

/* A space with Archai's own parameters, as the vectors have them. `seed` may be NULL. */
static inline archai_space *open_params(const char *arch_type, const json_t *params,
                                        const json_t *seed)
{
    char keys[640] = "";
    size_t n = 0, i;
    const char *key;
    json_t *v, *item;

    json_object_foreach((json_t *)params, key, v)
    {
        n += (size_t)snprintf(keys + n, sizeof keys - n, "%s =", key);
        if (json_is_boolean(v))
            n += (size_t)snprintf(keys + n, sizeof keys - n, " %s",
                                  json_is_true(v) ? "yes" : "no");
        else if (json_is_array(v))
            json_array_foreach(v, i, item) n +=
                (size_t)snprintf(keys + n, sizeof keys - n, " %g", json_number_value(item));
        else
            n += (size_t)snprintf(keys + n, sizeof keys - n, " %g", json_number_value(v));
        n += (size_t)snprintf(keys + n, sizeof keys - n, "\n");
    }
    if (seed != NULL)
        (void)snprintf(keys + n, sizeof keys - n, "seed = %g\n", json_number_value(seed));
    return open_space(arch_type, keys);
}

/* A text in a JSON object; NULL: it has none of this name. */
static inline const char *member(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}
#endif
