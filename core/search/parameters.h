/* core/search/parameters.h - the parameters of an architecture, out of its arch document.
 *
 * Members of nested objects have dotted names: "stages.0.kernel". Of a list in Archai's ArchConfig the list's
 * own name stands for the number of its groups, and those groups follow that the model has. A graph (a list
 * of objects) is no parameter.
 */
#ifndef ARCHAI_CORE_SEARCH_PARAMETERS_H
#define ARCHAI_CORE_SEARCH_PARAMETERS_H
#include <jansson.h>

typedef void archai_parameter_take(void *payload, const char *name, const json_t *value);
void archai_parameters_walk(const json_t *arch, archai_parameter_take *take, void *payload);
/* As text: a string as it is, numbers in full, other values as JSON. Caller frees. */
char *archai_parameter_text(const json_t *value);
#endif
