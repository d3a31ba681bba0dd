/* Configurations as JSON, and the archids that are their hashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/base/python_text.h"
#include "core/base/sha1.h"
#include "core/space/transformer_flex/transformer_flex.h"

const char *const archai_transformer_types[ARCHAI_TRANSFORMER_TYPES] = {
    "codegen", "gpt2", "gpt2-flex", "mem-transformer", "opt", "transfo-xl",
};

int archai_transformer_check_heads(const archai_transformer *t, int code, archai_err *err)
{
    for (int64_t layer = 0; layer < t->n_layer; layer++) {
        const int64_t heads = archai_per_layer_at(&t->n_head, layer);

        if (t->d_model % heads != 0)
            return archai_fail(err, code, "n_head: %lld heads do not divide d_model = %lld",
                               (long long)heads, (long long)t->d_model);
    }
    return ARCHAI_OK;
}

/* -- writing ----------------------------------------------------------------------------- */

static void put(json_t *object, const char *key, json_t *value)
{
    archai_must_have(json_object_set_new_nocheck(object, key, value) == 0);
}

static json_t *per_layer_json(const archai_per_layer *v, int n)
{
    json_t *list;

    if (!v->list)
        return json_integer(v->at[0]);
    list = archai_there(json_array());
    for (int i = 0; i < n; i++)
        archai_must_have(json_array_append_new(list, json_integer(v->at[i])) == 0);
    return list;
}

static int shorter(int n, int64_t most)
{
    return n < most ? n : (int)most;
}

/* At most `most` elements of each list. */
static json_t *config_json(const archai_transformer *t, int64_t most)
{
    json_t *config = archai_there(json_object());

    put(config, "vocab_size", json_integer(t->vocab_size));
    put(config, "dropatt",
        t->dropatt_whole ? json_integer((json_int_t)t->dropatt) : json_real(t->dropatt));
    put(config, "max_sequence_length", json_integer(t->max_sequence_length));
    put(config, "n_layer", json_integer(t->n_layer));
    put(config, "d_inner", per_layer_json(&t->d_inner, shorter(t->d_inner.n, most)));
    put(config, "d_model", json_integer(t->d_model));
    put(config, "n_head", per_layer_json(&t->n_head, shorter(t->n_head.n, most)));
    return config;
}

json_t *archai_transformer_to_json(const archai_transformer *t)
{
    json_t *arch = config_json(t, ARCHAI_TRANSFORMER_MAX_LAYERS);

    put(arch, "arch_type", json_string(archai_transformer_types[t->type]));
    return arch;
}

int archai_transformer_archid(const archai_transformer *t, char out[ARCHAI_TRANSFORMER_ARCHID],
                              archai_err *err)
{
    json_t *config = config_json(t, t->n_layer);
    char *text = archai_python_json(config, true), hash[ARCHAI_SHA1_HEX];
    int rc = archai_sha1_hex(text, strlen(text), hash, err);

    free(text);
    json_decref(config);
    if (rc == ARCHAI_OK)
        (void)snprintf(out, ARCHAI_TRANSFORMER_ARCHID, "%s_%s",
                       archai_transformer_types[t->type], hash);
    return rc;
}

static void put_value(FILE *out, const json_t *value)
{
    char *text;

    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            (void)fprintf(out, "%s\n    %lld", i == 0 ? "[" : ",",
                          (long long)json_integer_value(json_array_get(value, i)));
        (void)fputs("\n  ]", out);
        return;
    }
    text = archai_python_json(value, true);
    (void)fputs(text, out);
    free(text);
}

char *archai_transformer_text(const json_t *arch)
{
    const char **keys = archai_json_keys(arch, true);
    char *text = NULL;
    size_t size;
    FILE *out = archai_there(open_memstream(&text, &size));

    for (size_t i = 0; i < json_object_size(arch); i++) {
        (void)fprintf(out, "%s\n  \"%s\": ", i == 0 ? "{" : ",", keys[i]);
        put_value(out, json_object_get(arch, keys[i]));
    }
    (void)fputs("\n}", out);
    archai_must_have(fclose(out) == 0);
    free(keys);
    return text;
}

/* -- reading ----------------------------------------------------------------------------- */

static int read_list(const json_t *list, const char *key, archai_per_layer *out,
                     archai_err *err)
{
    out->n = (int)json_array_size(list);
    if (json_array_size(list) < 1 || json_array_size(list) > ARCHAI_TRANSFORMER_MAX_LAYERS)
        return archai_fail(err, ARCHAI_EINVAL, "%s: a list of %zu, expected 1 to %d numbers",
                           key, json_array_size(list), ARCHAI_TRANSFORMER_MAX_LAYERS);
    for (int i = 0; i < out->n; i++) {
        const json_t *v = json_array_get(list, (size_t)i);

        if (!json_is_integer(v))
            return archai_fail(err, ARCHAI_EINVAL, "%s[%d]: expected a whole number", key, i);
        out->at[i] = json_integer_value(v);
        if (out->at[i] < 1 || out->at[i] > ARCHAI_TRANSFORMER_MAX_WIDTH)
            return archai_fail(err, ARCHAI_EINVAL, "%s[%d]: %lld is outside 1..%d", key, i,
                               (long long)out->at[i], ARCHAI_TRANSFORMER_MAX_WIDTH);
    }
    return ARCHAI_OK;
}

static int read_per_layer(const json_t *arch, const char *key, archai_per_layer *out,
                          archai_err *err)
{
    const json_t *v = json_object_get(arch, key);

    out->list = json_is_array(v);
    if (out->list)
        return read_list(v, key, out, err);
    out->n = 1;
    return archai_json_integer(arch, key, 1, ARCHAI_TRANSFORMER_MAX_WIDTH, &out->at[0], err);
}

static int read_dropatt(const json_t *arch, archai_transformer *t, archai_err *err)
{
    const json_t *v = json_object_get(arch, "dropatt");

    t->dropatt = json_number_value(v);
    t->dropatt_whole = json_is_integer(v);
    if (!json_is_number(v) || !(t->dropatt >= 0.0 && t->dropatt <= 1.0))
        return archai_fail(err, ARCHAI_EINVAL, "dropatt: %sexpected a number from 0 to 1",
                           v == NULL ? "missing, " : "");
    return ARCHAI_OK;
}

static int read_type(const json_t *arch, archai_transformer_type type, archai_err *err)
{
    const json_t *v = json_object_get(arch, "arch_type");

    if (!json_is_string(v))
        return archai_fail(err, ARCHAI_EINVAL, "arch_type: %sexpected '%s'",
                           v == NULL ? "missing, " : "", archai_transformer_types[type]);
    if (strcmp(json_string_value(v), archai_transformer_types[type]) != 0)
        return archai_fail(err, ARCHAI_EINVAL, "arch_type: '%.60s', but the space's is '%s'",
                           json_string_value(v), archai_transformer_types[type]);
    return ARCHAI_OK;
}

int archai_transformer_from_json(archai_transformer *t, const json_t *arch,
                                 archai_transformer_type type, archai_err *err)
{
    static const char *const keys[] = {
        "arch_type", "vocab_size", "dropatt", "max_sequence_length",
        "n_layer",   "d_inner",    "d_model", "n_head"};

    if (!json_is_object(arch))
        return archai_fail(err, ARCHAI_EINVAL,
                           "expected an object with arch_type, n_layer, d_model and so on");
    ARCHAI_TRY(read_type(arch, type, err));
    t->type = type;
    ARCHAI_TRY(archai_json_integer(arch, "vocab_size", type == ARCHAI_OPT ? 2 : 1,
                                   ARCHAI_TRANSFORMER_MAX_VOCAB, &t->vocab_size, err));
    ARCHAI_TRY(read_dropatt(arch, t, err));
    ARCHAI_TRY(archai_json_integer(arch, "max_sequence_length", 1,
                                   ARCHAI_TRANSFORMER_MAX_TOKENS, &t->max_sequence_length,
                                   err));
    ARCHAI_TRY(archai_json_integer(arch, "n_layer", 1, ARCHAI_TRANSFORMER_MAX_LAYERS,
                                   &t->n_layer, err));
    ARCHAI_TRY(archai_json_integer(arch, "d_model", 1, ARCHAI_TRANSFORMER_MAX_WIDTH,
                                   &t->d_model, err));
    ARCHAI_TRY(read_per_layer(arch, "d_inner", &t->d_inner, err));
    ARCHAI_TRY(read_per_layer(arch, "n_head", &t->n_head, err));
    if (t->n_head.list && type != ARCHAI_GPT2_FLEX)
        return archai_fail(err, ARCHAI_EINVAL, "n_head: a list, which only gpt2-flex takes");
    ARCHAI_TRY(archai_json_check_keys(arch, keys, sizeof keys / sizeof keys[0], err));
    return archai_transformer_check_heads(t, ARCHAI_EINVAL, err);
}
