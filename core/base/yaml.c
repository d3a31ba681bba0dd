#include "core/base/yaml.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/base/yaml_scalar.h"

enum { MAX_ANCHORS = 1000 };

typedef struct anchor {
    char *name;    /* owned */
    json_t *value; /* owned reference */
    size_t values; /* aliases expanded, itself included */
    int height;    /* levels, itself included */
} anchor;

typedef struct reader {
    yaml_parser_t parser;
    const char *text; /* the document */
    size_t size;
    anchor *anchors; /* owned */
    size_t n_anchors, capacity;
    size_t values; /* read so far, aliases expanded */
    archai_lines *lines;
    archai_err *err;
} reader;

static int fail_at(reader *r, const yaml_event_t *e, const char *what)
{
    return archai_fail(r->err, ARCHAI_EFORMAT, "%zu: %s", e->start_mark.line + 1, what);
}

/* Does a tab indent that line (from 0)? */
static bool has_tab(const reader *r, size_t line)
{
    const char *at = r->text, *end = r->text + r->size;

    for (; line > 0 && at != NULL; line--)
        if ((at = memchr(at, '\n', (size_t)(end - at))) != NULL)
            at++;
    while (at != NULL && at < end && *at == ' ')
        at++;
    return at != NULL && at < end && *at == '\t';
}

static int next_event(reader *r, yaml_event_t *e)
{
    const char *problem, *hint = "";

    if (yaml_parser_parse(&r->parser, e))
        return ARCHAI_OK;
    archai_must_have(r->parser.error != YAML_MEMORY_ERROR);
    problem = r->parser.problem != NULL ? r->parser.problem : "this is not YAML";
    if (has_tab(r, r->parser.problem_mark.line))
        problem = "a tab; indent with blanks";
    if (strncmp(problem, "did not find expected ',' or ", 29) == 0)
        hint = ": an expression with brackets, commas or quotes stands in quotes";
    return archai_fail(r->err, ARCHAI_EFORMAT, "%zu: %s%s", r->parser.problem_mark.line + 1,
                       problem, hint);
}

static int count_values(reader *r, const yaml_event_t *e, size_t more)
{
    if (more > ARCHAI_DOCUMENT_MAX_VALUES - r->values)
        return fail_at(r, e, "too many values (aliases expanded)");
    r->values += more;
    return ARCHAI_OK;
}

/* -- anchors and aliases --------------------------------------------------------------- */

static const anchor *find_anchor(const reader *r, const yaml_char_t *name)
{
    for (size_t i = r->n_anchors; i > 0; i--) /* YAML: the latest of that name counts */
        if (strcmp(r->anchors[i - 1].name, (const char *)name) == 0)
            return &r->anchors[i - 1];
    return NULL;
}

static int keep_anchor(reader *r, const yaml_event_t *e, const yaml_char_t *name, json_t *value,
                       size_t values, int height)
{
    if (r->n_anchors == MAX_ANCHORS)
        return fail_at(r, e, "too many anchors");
    ARCHAI_RESERVE(r->anchors, r->capacity, r->n_anchors + 1);
    r->anchors[r->n_anchors++] = (anchor){.name = archai_strdup((const char *)name),
                                          .value = json_incref(value),
                                          .values = values,
                                          .height = height};
    return ARCHAI_OK;
}

/* An anchor is known only once its value is complete, so no value can hold itself. */
static int read_alias(reader *r, const yaml_event_t *e, int depth, json_t **out, int *height)
{
    const anchor *a = find_anchor(r, e->data.alias.anchor);

    if (a == NULL)
        return fail_at(r, e, "an alias without a (complete) anchor");
    if (depth + a->height > ARCHAI_DOCUMENT_MAX_DEPTH)
        return fail_at(r, e, "nested too deeply");
    ARCHAI_TRY(count_values(r, e, a->values));
    *out = json_incref(a->value);
    *height = a->height;
    return ARCHAI_OK;
}

/* -- values ------------------------------------------------------------------------------ */

/* `line` is where the value, or the key of it, stands. */
static int read_value(reader *r, const yaml_event_t *e, size_t line, int depth, json_t **out,
                      int *height);

static int read_scalar(reader *r, const yaml_event_t *e, json_t **out)
{
    const char *text = (const char *)e->data.scalar.value;
    size_t size = e->data.scalar.length;

    if (memchr(text, '\0', size) != NULL)
        return fail_at(r, e, "a NUL character in a string");
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        const char *wrong = archai_yaml_plain_scalar(text, out);

        if (wrong != NULL)
            return fail_at(r, e, wrong);
    } else {
        *out = archai_there(json_stringn(text, size)); /* libyaml lets only valid UTF-8 in */
    }
    return ARCHAI_OK;
}

static int read_sequence(reader *r, int depth, json_t *array, int *height)
{
    yaml_event_t e;
    int rc = ARCHAI_OK;

    for (bool more = true; more && rc == ARCHAI_OK;) {
        json_t *item = NULL;
        int below = 0;

        ARCHAI_TRY(next_event(r, &e));
        more = e.type != YAML_SEQUENCE_END_EVENT;
        if (more) {
            rc = read_value(r, &e, e.start_mark.line + 1, depth + 1, &item, &below);
            if (rc == ARCHAI_OK)
                archai_must_have(json_array_append_new(array, item) == 0);
            *height = below + 1 > *height ? below + 1 : *height;
        }
        yaml_event_delete(&e);
    }
    return rc;
}

static int check_key(reader *r, const yaml_event_t *e, const json_t *object)
{
    const char *key;

    if (e->type != YAML_SCALAR_EVENT)
        return fail_at(r, e, "a key that is not plain text");
    key = (const char *)e->data.scalar.value;
    if (memchr(key, '\0', e->data.scalar.length) != NULL)
        return fail_at(r, e, "a NUL character in a key");
    if (e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL)
        return fail_at(r, e, "a key with an anchor or a tag");
    if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strcmp(key, "<<") == 0)
        return fail_at(r, e, "merge keys ('<<') are not supported");
    if (json_object_get(object, key) != NULL)
        return archai_fail(r->err, ARCHAI_EFORMAT, "%zu: key '%.100s' appears twice",
                           e->start_mark.line + 1, key);
    return ARCHAI_OK;
}

/* One key and its value; the key's event is `e`. */
static int read_member(reader *r, const yaml_event_t *e, int depth, json_t *object, int *height)
{
    yaml_event_t v;
    json_t *value = NULL;
    int below = 0, rc;

    ARCHAI_TRY(check_key(r, e, object));
    ARCHAI_TRY(next_event(r, &v));
    rc = read_value(r, &v, e->start_mark.line + 1, depth + 1, &value, &below);
    if (rc == ARCHAI_OK)
        archai_must_have(json_object_set_new(object, (const char *)e->data.scalar.value, value) ==
                         0);
    *height = below + 1 > *height ? below + 1 : *height;
    yaml_event_delete(&v);
    return rc;
}

static int read_mapping(reader *r, int depth, json_t *object, int *height)
{
    yaml_event_t e;
    int rc = ARCHAI_OK;

    for (bool more = true; more && rc == ARCHAI_OK;) {
        ARCHAI_TRY(next_event(r, &e));
        more = e.type != YAML_MAPPING_END_EVENT;
        if (more)
            rc = read_member(r, &e, depth, object, height);
        yaml_event_delete(&e);
    }
    return rc;
}

static int read_value(reader *r, const yaml_event_t *e, size_t line, int depth, json_t **out,
                      int *height)
{
    const yaml_char_t *name = NULL, *tag = NULL;
    json_t *value = NULL;
    size_t before = r->values;
    int rc = ARCHAI_OK;

    if (depth > ARCHAI_DOCUMENT_MAX_DEPTH)
        return fail_at(r, e, "nested too deeply");
    *height = 1;
    if (e->type == YAML_ALIAS_EVENT)
        return read_alias(r, e, depth, out, height);
    ARCHAI_TRY(count_values(r, e, 1));
    if (e->type == YAML_SCALAR_EVENT) {
        name = e->data.scalar.anchor;
        tag = e->data.scalar.tag;
    } else if (e->type == YAML_SEQUENCE_START_EVENT) {
        name = e->data.sequence_start.anchor;
        tag = e->data.sequence_start.tag;
    } else if (e->type == YAML_MAPPING_START_EVENT) {
        name = e->data.mapping_start.anchor;
        tag = e->data.mapping_start.tag;
    }
    if (tag != NULL)
        return fail_at(r, e, "tags are not supported");
    if (e->type == YAML_SCALAR_EVENT)
        rc = read_scalar(r, e, &value);
    else if (e->type == YAML_SEQUENCE_START_EVENT)
        rc = read_sequence(r, depth, value = archai_there(json_array()), height);
    else if (e->type == YAML_MAPPING_START_EVENT)
        rc = read_mapping(r, depth, value = archai_there(json_object()), height);
    else
        rc = fail_at(r, e, "expected a value");
    if (rc == ARCHAI_OK && name != NULL)
        rc = keep_anchor(r, e, name, value, r->values - before, *height);
    if (rc == ARCHAI_OK) {
        archai_lines_add(r->lines, value, (int)line);
        *out = value;
    } else
        json_decref(value);
    return rc;
}

/* -- documents --------------------------------------------------------------------------- */

static int expect(reader *r, yaml_event_type_t type, const char *otherwise)
{
    yaml_event_t e;
    int rc;

    ARCHAI_TRY(next_event(r, &e));
    rc = e.type == type ? ARCHAI_OK : fail_at(r, &e, otherwise);
    yaml_event_delete(&e);
    return rc;
}

static int read_document(reader *r, json_t **out)
{
    yaml_event_t e;
    json_t *value = NULL;
    int height, rc;

    ARCHAI_TRY(expect(r, YAML_STREAM_START_EVENT, "expected a document"));
    ARCHAI_TRY(expect(r, YAML_DOCUMENT_START_EVENT, "the document is empty"));
    ARCHAI_TRY(next_event(r, &e));
    rc = read_value(r, &e, e.start_mark.line + 1, 1, &value, &height);
    yaml_event_delete(&e);
    if (rc == ARCHAI_OK)
        rc = expect(r, YAML_DOCUMENT_END_EVENT, "expected the end of the document");
    if (rc == ARCHAI_OK)
        rc = expect(r, YAML_STREAM_END_EVENT, "a second document, expected one");
    if (rc == ARCHAI_OK)
        *out = value;
    else
        json_decref(value);
    return rc;
}

static int parse_yaml(const char *text, size_t size, json_t **out, archai_lines *lines,
                      archai_err *err)
{
    reader r = {.text = text, .size = size, .lines = lines, .err = err};
    int rc;

    archai_must_have(yaml_parser_initialize(&r.parser));
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    rc = read_document(&r, out);
    for (size_t i = 0; i < r.n_anchors; i++) {
        free(r.anchors[i].name);
        json_decref(r.anchors[i].value);
    }
    free(r.anchors);
    yaml_parser_delete(&r.parser);
    return rc;
}

static int levels(const json_t *v, int limit)
{
    const char *key;
    json_t *value;
    int below = 0, n;

    if (limit == 0)
        return 1;
    for (size_t i = 0; i < json_array_size(v); i++)
        below = (n = levels(json_array_get(v, i), limit - 1)) > below ? n : below;
    json_object_foreach((json_t *)v, key, value)
        below = (n = levels(value, limit - 1)) > below ? n : below;
    return below + 1;
}

static int parse_json(const char *text, size_t size, json_t **out, archai_lines *lines,
                      archai_err *err)
{
    json_error_t where;
    json_t *value;
    size_t values = 1; /* an upper bound: commas inside strings count, too */

    for (size_t i = 0; i < size; i++)
        values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    if (values > ARCHAI_DOCUMENT_MAX_VALUES)
        return archai_fail(err, ARCHAI_EFORMAT, "1: too many values");
    value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    if (value == NULL)
        return archai_fail(err, ARCHAI_EFORMAT, "%d: %s", where.line > 0 ? where.line : 1,
                           where.text);
    if (levels(value, ARCHAI_DOCUMENT_MAX_DEPTH) > ARCHAI_DOCUMENT_MAX_DEPTH) {
        json_decref(value);
        return archai_fail(err, ARCHAI_EFORMAT, "1: nested too deeply");
    }
    archai_lines_add_json(lines, text, size, value);
    *out = value;
    return ARCHAI_OK;
}

static int parse(const char *text, size_t size, json_t **out, archai_lines *lines, archai_err *err)
{
    archai_err json = ARCHAI_ERR_INIT;
    size_t start = 0;

    if (size > ARCHAI_DOCUMENT_MAX_BYTES)
        return archai_fail(err, ARCHAI_EFORMAT, "1: more than %d bytes", ARCHAI_DOCUMENT_MAX_BYTES);
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        text += 3;
        size -= 3;
    }
    while (start < size && strchr(" \t\r\n", text[start]) != NULL && text[start] != '\0')
        start++;
    if (start == size)
        return archai_fail(err, ARCHAI_EFORMAT, "1: the document is empty");
    if (text[start] != '{' && text[start] != '[')
        return parse_yaml(text, size, out, lines, err);
    if (parse_json(text, size, out, lines, &json) == ARCHAI_OK)
        return ARCHAI_OK;
    if (json.code == ARCHAI_EFORMAT && parse_yaml(text, size, out, lines, NULL) == ARCHAI_OK)
        return ARCHAI_OK; /* YAML's flow style: {a: [b, c]} */
    return archai_fail(err, json.code, "%s", json.text);
}

int archai_document_parse(const char *text, size_t size, json_t **out, archai_err *err)
{
    return parse(text, size, out, NULL, err);
}

int archai_document_parse_lines(const char *name, const char *text, size_t size, json_t **out,
                                archai_lines *lines, archai_err *err)
{
    archai_lines_add_document(lines, name);
    return parse(text, size, out, lines, err);
}

int archai_document_read_lines(const char *path, json_t **out, archai_lines *lines, archai_err *err)
{
    char *text;
    size_t size;
    int rc;

    ARCHAI_TRY(archai_text_read(path, ARCHAI_DOCUMENT_MAX_BYTES, &text, &size, err));
    archai_lines_add_document(lines, path);
    rc = archai_err_wrap(err, parse(text, size, out, lines, err), "%s:", path);
    free(text);
    return rc;
}

int archai_document_read(const char *path, json_t **out, archai_err *err)
{
    return archai_document_read_lines(path, out, NULL, err);
}
