#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/number.h"
#include "core/base/yaml.h"
#include "core/base/yaml_scalar.h"

/* Give `e`, just initialised with success `made`, to the emitter. */
static bool emit(yaml_emitter_t *w, yaml_event_t *e, int made)
{
    return made && yaml_emitter_emit(w, e);
}

static bool put_scalar(yaml_emitter_t *w, const char *text, bool plain)
{
    yaml_event_t e;

    return emit(w, &e,
                yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text,
                                             (int)strlen(text), plain, 1,
                                             YAML_ANY_SCALAR_STYLE));
}

/* As PyYAML: repr(), and 1e-05 as 1.0e-05, since YAML 1.1 wants a point in a number. */
static bool put_real(yaml_emitter_t *w, double v)
{
    char text[32], with_point[40];
    char *e;

    archai_format_double(v, text);
    e = strchr(text, 'e');
    if (e == NULL || strchr(text, '.') != NULL)
        return put_scalar(w, text, true);
    (void)snprintf(with_point, sizeof with_point, "%.*s.0%s", (int)(e - text), text, e);
    return put_scalar(w, with_point, true);
}

static bool put_integer(yaml_emitter_t *w, json_int_t v)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, v);
    return put_scalar(w, text, true);
}

static bool put(yaml_emitter_t *w, const json_t *v);

static bool put_array(yaml_emitter_t *w, const json_t *v)
{
    yaml_event_t e;
    size_t n = json_array_size(v);

    if (!emit(
            w, &e,
            yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!put(w, json_array_get(v, i)))
            return false;
    return emit(w, &e, yaml_sequence_end_event_initialize(&e));
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool put_members(yaml_emitter_t *w, const json_t *v)
{
    json_t *walked = (json_t *)v; /* jansson's iterators take no const */
    size_t n = json_object_size(v), i = 0;
    const char **keys = calloc(n + 1, sizeof *keys);
    bool ok = keys != NULL;

    for (void *at = json_object_iter(walked); ok && at != NULL;
         at = json_object_iter_next(walked, at))
        keys[i++] = json_object_iter_key(at);
    if (ok)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 0; ok && i < n; i++)
        ok = put_scalar(w, keys[i], !archai_yaml_needs_quotes(keys[i])) &&
             put(w, json_object_get(v, keys[i]));
    free(keys);
    return ok;
}

static bool put_object(yaml_emitter_t *w, const json_t *v)
{
    yaml_event_t e;

    return emit(w, &e,
                yaml_mapping_start_event_initialize(&e, NULL, NULL, 1,
                                                    YAML_BLOCK_MAPPING_STYLE)) &&
           put_members(w, v) && emit(w, &e, yaml_mapping_end_event_initialize(&e));
}

static bool put(yaml_emitter_t *w, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return put_object(w, v);
    case JSON_ARRAY:
        return put_array(w, v);
    case JSON_STRING:
        return put_scalar(w, json_string_value(v),
                          !archai_yaml_needs_quotes(json_string_value(v)));
    case JSON_INTEGER:
        return put_integer(w, json_integer_value(v));
    case JSON_REAL:
        return put_real(w, json_real_value(v));
    case JSON_TRUE:
        return put_scalar(w, "true", true);
    case JSON_FALSE:
        return put_scalar(w, "false", true);
    case JSON_NULL:
        return put_scalar(w, "null", true);
    }
    return false;
}

static bool put_document(yaml_emitter_t *w, const json_t *v)
{
    yaml_event_t e;

    return emit(w, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING)) &&
           emit(w, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1)) &&
           put(w, v) && emit(w, &e, yaml_document_end_event_initialize(&e, 1)) &&
           emit(w, &e, yaml_stream_end_event_initialize(&e)) && yaml_emitter_flush(w);
}

int archai_yaml_text(const json_t *value, char **out, archai_err *err)
{
    yaml_emitter_t w;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    bool ok = f != NULL && yaml_emitter_initialize(&w);

    if (ok) {
        yaml_emitter_set_output_file(&w, f);
        ok = put_document(&w, value);
        yaml_emitter_delete(&w);
    }
    if (f != NULL && fclose(f) != 0)
        ok = false;
    if (!ok) {
        free(text);
        return archai_fail(err, ARCHAI_ENOMEM, "YAML text: out of memory");
    }
    *out = text;
    return ARCHAI_OK;
}
