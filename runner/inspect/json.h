/* runner/inspect/json.h - values for JSON out of what results hold. Each is a new reference. */
#ifndef ARCHAI_RUNNER_INSPECT_JSON_H
#define ARCHAI_RUNNER_INSPECT_JSON_H
#include <jansson.h>
#include "runner/inspect/inspect.h"

json_t *inspect_json_number(double v);    /* null where v is not finite */
json_t *inspect_json_whole(double v);     /* the same; an integer where it is one */
json_t *inspect_json_text(const char *s); /* "" for NULL, "?" for what is not UTF-8 */
/* The row's value of a parameter; null: absent. */
json_t *inspect_json_param(const archai_results_param *p, size_t row);
/* A row as `table --json` has it. */
int inspect_json_row(inspect *t, size_t row, json_t **out, archai_err *err);
json_t *inspect_running_json(const char *directory); /* what inspect_running_text says */
void inspect_json_print(json_t *value); /* on standard output; takes the reference */
#endif
