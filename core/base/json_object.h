/* core/base/json_object.h - the members of objects that people write. */
#ifndef ARCHAI_CORE_BASE_JSON_OBJECT_H
#define ARCHAI_CORE_BASE_JSON_OBJECT_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

/* ARCHAI_EINVAL, "KEY: unknown key", with a suggestion, where a key is not among keys[n]. */
int archai_json_check_keys(const json_t *object, const char *const *keys, size_t n,
                           archai_err *err);
/* A member that is a whole number from min to max. ARCHAI_EINVAL: "KEY: ...". */
int archai_json_integer(const json_t *object, const char *key, int64_t min, int64_t max,
                        int64_t *out, archai_err *err);
/* The keys, in insertion order or sorted by bytes. The array is the caller's to free, the texts are
 * borrowed. */
const char **archai_json_keys(const json_t *object, bool sorted);
#endif
