/* core/base/python_text.h - JSON values as Python writes them: json.dumps() and repr().
 *
 * Arch files and the hashes in archids must agree with Archai's to the byte; jansson differs in
 * floats (1e-05 is 1.0000000000000001e-05 there) and in \u escapes.
 */
#ifndef ARCHAI_CORE_BASE_PYTHON_TEXT_H
#define ARCHAI_CORE_BASE_PYTHON_TEXT_H
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* json.dumps(value, sort_keys=...): one line, separators ", " and ": ", ASCII. Caller frees. */
char *archai_python_json(const json_t *value, bool sort_keys);
/* repr() of what json.loads() would give, {'a': None, 'b': [1, 2.0]}, onto a stream. */
void archai_python_repr(const json_t *value, FILE *out);
#endif
