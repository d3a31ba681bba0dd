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
#include <stdbool.h>
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

/* Where the values of documents stand: file and line, of a member the line of its key. Holds a
 * reference to each value. An alias stands where its anchor does. */
typedef struct archai_lines archai_lines;

archai_lines *archai_lines_create(void);
void archai_lines_destroy(archai_lines *l); /* NULL is allowed */
/* False, NULL and 0 where it is unknown, and for true, false and null, which are the same value
 * everywhere: ask for what they are in. *file lives as long as the lines. */
bool archai_lines_where(const archai_lines *l, const json_t *value, const char **file, int *line);

/* As archai_document_parse and archai_document_read, and `lines` knows the document's values
 * afterwards, those of the file `name`. Without success it may know some. */
int archai_document_parse_lines(const char *name, const char *text, size_t size, json_t **out,
                                archai_lines *lines, archai_err *err);
int archai_document_read_lines(const char *path, json_t **out, archai_lines *lines,
                               archai_err *err);

/* For readers; without lines (NULL) they do nothing. A new document; a value of the latest one,
 * unless it is known; all values of a JSON text that was read as `value`. */
void archai_lines_add_document(archai_lines *l, const char *name);
void archai_lines_add(archai_lines *l, const json_t *value, int line);
void archai_lines_add_json(archai_lines *l, const char *text, size_t size, const json_t *value);

/* `value` in PyYAML's block style, keys sorted at every level; caller frees. */
char *archai_yaml_text(const json_t *value);
#endif
