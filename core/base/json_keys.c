#include "core/base/json_keys.h"

#include <string.h>

const char *archai_unknown_key(const json_t *object, const char *const *keys, size_t n)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        if (i == n)
            return key;
    }
    return NULL;
}
