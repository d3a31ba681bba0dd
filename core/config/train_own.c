#include "core/config/train_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static const archai_option *train_table(void)
{
    const archai_config_section *s = archai_config_sections;

    while (strcmp(s->name, "train") != 0)
        s++;
    return s->options;
}

bool archai_train_is_key(const char *key)
{
    return archai_option_find(train_table(), key) != NULL;
}

/* How a run is kept going, where models begin and what they are measured by are the same for all
 * candidates. */
static bool is_of_the_run(const char *key)
{
    static const char *const keys[] = {"checkpoint", "checkpoint_pause", "inherit_weights",
                                       "loss", "test"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static int find(const char *key, const archai_option **out, archai_err *err)
{
    const archai_option *table = train_table();
    const char *names[64];
    size_t n = 0;

    *out = archai_option_find(table, key);
    if (*out != NULL && !is_of_the_run(key))
        return ARCHAI_OK;
    if (*out != NULL)
        return archai_fail(err, ARCHAI_EINVAL,
                           "%s: is the same for all candidates: give it in [train]", key);
    for (; table[n].key != NULL && n < sizeof names / sizeof names[0]; n++)
        names[n] = table[n].key;
    return archai_fail(err, ARCHAI_EINVAL, "%.100s: not a key of [train]%s", key,
                       archai_suggest(key, names, n).text);
}

static void put_value(FILE *out, const json_t *v)
{
    char number[32];

    if (json_is_string(v))
        (void)fputs(json_string_value(v), out);
    else if (json_is_boolean(v))
        (void)fputs(json_is_true(v) ? "yes" : "no", out);
    else if (json_is_integer(v))
        (void)fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v)) {
        archai_format_double(json_real_value(v), number);
        (void)fputs(number, out);
    }
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (i > 0)
            (void)fputc(' ', out);
        put_value(out, json_array_get(v, i));
    }
}

static int set(archai_config *c, const char *key, const json_t *value, archai_err *err)
{
    const archai_option *option;
    char *text = NULL;
    size_t size;
    FILE *out;
    int rc;

    ARCHAI_TRY(find(key, &option, err));
    out = archai_there(open_memstream(&text, &size));
    put_value(out, value); /* nothing for null and mappings, which no key takes */
    (void)fclose(out);
    rc = archai_option_set(option, c, text, err);
    free(text);
    return rc;
}

int archai_train_check_value(const char *key, const json_t *value, bool budgets,
                             archai_err *err)
{
    archai_config c = {.train = {.epochs = 0}};
    int rc;

    if (budgets && strcmp(key, "epochs") == 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "epochs: the algorithm decides how long a candidate is trained");
    rc = set(&c, key, value, err);
    archai_option_free(train_table(), &c);
    return rc;
}

int archai_train_override(archai_config *out, const archai_config *c, const json_t *values,
                          archai_err *err)
{
    archai_config own = {.train = {.epochs = 0}};
    archai_train_fault fault;
    const char *key;
    json_t *value;
    int rc = archai_option_copy(train_table(), &own, c, err);

    json_object_foreach((json_t *)values, key, value) if (rc == ARCHAI_OK) rc =
        set(&own, key, value, err);
    if (rc == ARCHAI_OK && archai_train_faults(&own.train, &fault, 1) > 0)
        rc = archai_fail(err, ARCHAI_EINVAL, "%s: %s", fault.key, fault.text);
    if (rc == ARCHAI_OK)
        *out = own;
    else
        archai_option_free(train_table(), &own);
    return rc;
}
