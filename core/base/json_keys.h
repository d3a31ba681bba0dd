/* core/base/json_keys.h - objects that people write must not have keys that nobody reads. */
#ifndef ARCHAI_CORE_BASE_JSON_KEYS_H
#define ARCHAI_CORE_BASE_JSON_KEYS_H
#include <jansson.h>
#include <stddef.h>

/* The first key of the object that is not among `keys`; NULL: there is none. Borrowed. */
const char *archai_unknown_key(const json_t *object, const char *const *keys, size_t n);
#endif
