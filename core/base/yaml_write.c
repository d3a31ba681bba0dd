/* Block YAML as PyYAML writes it. The emitter fails only for want of memory: jansson's texts are
 * UTF-8 and the stream is memory. */
#include "core/base/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/base/yaml_scalar.h"

/* Give `e`, just initialised with success `made`, to the emitter. */
static void emit(yaml_emitter_t *w, yaml_event_t *e, int made)
{
    archai_must_have(made && yaml_emitter_emit(w, e));
}

static void put_scalar(yaml_emitter_t *w, const char *text, bool plain)
{
    yaml_event_t e;

    emit(w, &e,
         yaml_scalar_event_initialize(&e, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text),
                                      plain, 1, YAML_ANY_SCALAR_STYLE));
}

static void put_text(yaml_emitter_t *w, const char *text)
{
    put_scalar(w, text, !archai_yaml_needs_quotes(text));
}

/* As PyYAML: repr(), and 1e-05 as 1.0e-05, since YAML 1.1 wants a point in a number. */
static void put_real(yaml_emitter_t *w, double v)
{
    char text[32], with_point[40];
    char *e;

    archai_format_double(v, text);
    e = strchr(text, 'e');
    if (e == NULL || strchr(text, '.') != NULL) {
        put_scalar(w, text, true);
        return;
    }
    (void)snprintf(with_point, sizeof with_point, "%.*s.0%s", (int)(e - text), text, e);
    put_scalar(w, with_point, true);
}

static void put_integer(yaml_emitter_t *w, json_int_t v)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, v);
    put_scalar(w, text, true);
}

static void put(yaml_emitter_t *w, const json_t *v);

static void put_array(yaml_emitter_t *w, const json_t *v)
{
    yaml_event_t e;

    emit(w, &e, yaml_sequence_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
    for (size_t i = 0; i < json_array_size(v); i++)
        put(w, json_array_get(v, i));
    emit(w, &e, yaml_sequence_end_event_initialize(&e));
}

static void put_object(yaml_emitter_t *w, const json_t *v)
{
    const char **keys = archai_json_keys(v, true);
    yaml_event_t e;

    emit(w, &e, yaml_mapping_start_event_initialize(&e, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
    for (size_t i = 0; i < json_object_size(v); i++) {
        put_text(w, keys[i]);
        put(w, json_object_get(v, keys[i]));
    }
    emit(w, &e, yaml_mapping_end_event_initialize(&e));
    free(keys);
}

static void put(yaml_emitter_t *w, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        put_object(w, v);
        break;
    case JSON_ARRAY:
        put_array(w, v);
        break;
    case JSON_STRING:
        put_text(w, json_string_value(v));
        break;
    case JSON_INTEGER:
        put_integer(w, json_integer_value(v));
        break;
    case JSON_REAL:
        put_real(w, json_real_value(v));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        put_scalar(w, json_is_true(v) ? "true" : "false", true);
        break;
    case JSON_NULL:
        put_scalar(w, "null", true);
        break;
    }
}

char *archai_yaml_text(const json_t *value)
{
    yaml_emitter_t w;
    yaml_event_t e;
    char *text = NULL;
    size_t size;
    FILE *f = archai_there(open_memstream(&text, &size));

    archai_must_have(yaml_emitter_initialize(&w));
    yaml_emitter_set_output_file(&w, f);
    emit(&w, &e, yaml_stream_start_event_initialize(&e, YAML_UTF8_ENCODING));
    emit(&w, &e, yaml_document_start_event_initialize(&e, NULL, NULL, NULL, 1));
    put(&w, value);
    emit(&w, &e, yaml_document_end_event_initialize(&e, 1));
    emit(&w, &e, yaml_stream_end_event_initialize(&e));
    archai_must_have(yaml_emitter_flush(&w));
    yaml_emitter_delete(&w);
    archai_must_have(fclose(f) == 0);
    return text;
}
