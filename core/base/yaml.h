/* core/base/yaml.h - documents that people write: YAML or JSON in, a JSON value out, and block
 * YAML.
 *
 * Documents are untrusted. What could grow out of proportion is refused: more than
 * ARCHAI_DOCUMENT_MAX_BYTES, deeper than ARCHAI_DOCUMENT_MAX_DEPTH, or more than
 * ARCHAI_DOCUMENT_MAX_VALUES values once every alias is expanded (a "billion laughs"
 * document is refused before anything walks it). Keys are text and unique; merge keys, tags,
 * infinities and NaN (also as Python's json writes them) are refused; a text holds one document.
 *
 * Plain YAML scalars mean what PyYAML's safe_load makes of them (null ~, true yes on, 12, 0x1f,
 * 1.5), and 1e-5 is a number, too, as in JSON and YAML 1.2. Numbers with leading zeros, in
 * base 60 or with underscores are strings, as in YAML 1.2.
 */
#ifndef ARCHAI_CORE_BASE_YAML_H
#define ARCHAI_CORE_BASE_YAML_H
#include <jansson.h>
#include <stddef.h>
#include "core/base/err.h"

enum {
    ARCHAI_DOCUMENT_MAX_BYTES = 16 * 1024 * 1024,
    ARCHAI_DOCUMENT_MAX_DEPTH = 64,
    ARCHAI_DOCUMENT_MAX_VALUES = 1000000
};

/* JSON or YAML, whichever the text is. Errors (ARCHAI_EFORMAT) begin with the line: "12: ...".
 * *out is a new reference; aliases share their values, so change nothing. */
int archai_document_parse(const char *text, size_t size, json_t **out, archai_err *err);
/* A file; no more than the limit is read. Errors begin with "path:" or "path:line:". */
int archai_document_read(const char *path, json_t **out, archai_err *err);

/* `value` in PyYAML's block style, keys sorted at every level; caller frees. */
char *archai_yaml_text(const json_t *value);
#endif
