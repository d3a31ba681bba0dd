/* core/base/yaml_scalar.h - what a plain (unquoted) YAML scalar means, for reader and writer. */
#ifndef ARCHAI_CORE_BASE_YAML_SCALAR_H
#define ARCHAI_CORE_BASE_YAML_SCALAR_H
#include <jansson.h>
#include <stdbool.h>

/* The value of a plain scalar, see core/base/yaml.h. Returns NULL with a new reference in *out, or
 * what is wrong with it. */
const char *archai_yaml_plain_scalar(const char *text, json_t **out);
/* Whether this string must be quoted because a YAML 1.1 or 1.2 reader takes the plain text for
 * something other than a string. */
bool archai_yaml_needs_quotes(const char *text);
#endif
