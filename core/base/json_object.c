#include "core/base/json_object.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"

int archai_json_check_keys(const json_t *object, const char *const *keys, size_t n, archai_err *err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        if (i == n)
            return archai_fail(err, ARCHAI_EINVAL, "%.100s: unknown key%s", key,
                               archai_suggest(key, keys, n).text);
    }
    return ARCHAI_OK;
}

int archai_json_integer(const json_t *object, const char *key, int64_t min, int64_t max,
                        int64_t *out, archai_err *err)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        return archai_fail(err, ARCHAI_EINVAL, "%s: %sexpected a whole number", key,
                           v == NULL ? "missing, " : "");
    *out = json_integer_value(v);
    if (*out < min || *out > max)
        return archai_fail(err, ARCHAI_EINVAL, "%s: %lld is outside %lld..%lld", key,
                           (long long)*out, (long long)min, (long long)max);
    return ARCHAI_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **archai_json_keys(const json_t *object, bool sorted)
{
    const char *key, **keys = archai_calloc(json_object_size(object), sizeof *keys);
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)object, key, value) keys[n++] = key;
    if (sorted)
        qsort(keys, n, sizeof *keys, compare_keys);
    return keys;
}
