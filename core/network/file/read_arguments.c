/* What is written behind a class, a step, a block or `make`. */
#include <stdio.h>
#include <string.h>

#include "core/base/number.h"
#include "core/network/file/arguments.h"
#include "core/network/file/reader.h"

static int read_body_argument(archai_reader *r, const json_t *v, const json_t *in,
                              archai_given *out)
{
    archai_body *body = archai_arena_take(&r->f->arena, sizeof *body);
    const json_t *inner = json_object_get(v, "do");

    if (inner == NULL || json_object_size(v) != 1)
        return archai_reader_at(
            r, v, in,
            archai_fail(r->err, ARCHAI_EINVAL,
                        "expected a value, or items of a network as {do: ...}"));
    ARCHAI_TRY(archai_read_body(r, inner, v, body));
    out->body = body;
    return ARCHAI_OK;
}

static bool is_word(const char *text)
{
    return text != NULL && text[0] != '\0' &&
           text[strspn(text,
                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

static int no_such_word(archai_reader *r, const archai_arg *a, const char *word)
{
    char words[128] = "";
    size_t n = 0, length = 0;

    for (; a->words[n] != NULL && length + 40 < sizeof words; n++)
        length += (size_t)snprintf(words + length, sizeof words - length, "%s%.30s",
                                   n > 0 ? ", " : "", a->words[n]);
    return archai_fail(r->err, ARCHAI_EINVAL, "expected %s or a value, got '%.60s'%s", words,
                       word, archai_suggest(word, a->words, n).text);
}

static int read_given(archai_reader *r, const archai_item *item, const char *name,
                      const json_t *v, const json_t *in, archai_given *out)
{
    const archai_module_kind *kind = item->kind;
    const archai_arg *a = kind == NULL   ? NULL
                          : name != NULL ? archai_kind_argument(kind, name)
                                         : archai_kind_first_argument(kind);
    int rc = ARCHAI_OK;

    *out = (archai_given){.name = name, .at = v, .word = json_string_value(v)};
    if (a != NULL && out->word != NULL && archai_argument_word(a, out->word) >= 0)
        return ARCHAI_OK;
    if (kind != NULL && a == NULL)
        return ARCHAI_OK; /* reported with what there is */
    if (json_is_object(v) && kind == NULL)
        return read_body_argument(r, v, in, out);
    rc = archai_reader_expression(r, v, &out->value);
    if (rc != ARCHAI_OK && a != NULL && a->words != NULL && is_word(out->word))
        rc = no_such_word(r, a, out->word);
    if (rc != ARCHAI_OK && name != NULL)
        rc = archai_err_wrap(r->err, rc, "%s: ", name);
    if (rc != ARCHAI_OK && (kind != NULL || item->block != NULL))
        rc = archai_err_wrap(r->err, rc, "%s: ", kind != NULL ? kind->name : item->block->name);
    return archai_reader_at(r, v, in, rc);
}

static int read_tie(archai_reader *r, const json_t *v, const json_t *in, archai_item *item)
{
    int rc;

    if (!json_is_string(v))
        rc = archai_fail(r->err, ARCHAI_EINVAL, "tie: expected the path of a layer");
    else
        rc = archai_reader_template(r, json_string_value(v), &item->tie);
    return archai_reader_at(r, v, in, rc);
}

static int read_members(archai_reader *r, const json_t *v, archai_item *item)
{
    archai_given *given = archai_arena_take(&r->f->arena, json_object_size(v) * sizeof *given);
    const char *key;
    json_t *value;

    item->arguments.given = given;
    json_object_foreach((json_t *)v, key, value)
    {
        if (item->kind != NULL && strcmp(key, "tie") == 0)
            ARCHAI_TRY(read_tie(r, value, v, item));
        else if (item->kind == NULL || !archai_is_operand(item->kind, key))
            ARCHAI_TRY(read_given(r, item, key, value, v, &given[item->arguments.n++]));
    }
    return ARCHAI_OK;
}

/* For a block each value of a list is an argument, for a class or step the list is the first
 * one. */
static int read_list(archai_reader *r, const json_t *v, const json_t *in, archai_item *item)
{
    const size_t n = json_array_size(v);
    archai_given *given = archai_arena_take(&r->f->arena, (n + 1) * sizeof *given);

    if (item->type == ARCHAI_ITEM_KIND || item->type == ARCHAI_ITEM_MAKE) {
        ARCHAI_TRY(read_given(r, item, NULL, v, in, &given[n]));
        item->arguments.list = &given[n];
    }
    item->arguments.given = given;
    for (size_t i = 0; i < n && item->type != ARCHAI_ITEM_KIND; i++)
        ARCHAI_TRY(
            read_given(r, item, NULL, json_array_get(v, i), v, &given[item->arguments.n++]));
    return ARCHAI_OK;
}

static int check_block(archai_reader *r, const archai_item *item, const json_t *in)
{
    const archai_block *b = item->block;
    const archai_arguments *a = &item->arguments;
    const char *names[64];
    size_t n = 0;

    for (size_t i = 0; i < b->n_arguments && n < 64; i++)
        names[n++] = b->arguments[i].name;
    if (a->n > b->n_arguments)
        return archai_reader_at(
            r, item->at, in,
            archai_fail(r->err, ARCHAI_EINVAL, "%s: takes %zu argument%s, got %zu", b->name,
                        b->n_arguments, b->n_arguments == 1 ? "" : "s", a->n));
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;

        while (a->given[i].name != NULL && k < b->n_arguments &&
               strcmp(b->arguments[k].name, a->given[i].name) != 0)
            k++;
        if (a->given[i].name != NULL && k == b->n_arguments)
            return archai_reader_at(
                r, a->given[i].at, item->in,
                archai_fail(r->err, ARCHAI_EINVAL, "%s: there is no argument '%.60s'%s",
                            b->name, a->given[i].name,
                            archai_suggest(a->given[i].name, names, n).text));
    }
    for (size_t k = 0; k < b->n_arguments; k++) {
        bool given = b->arguments[k].standard != NULL;

        for (size_t i = 0; i < a->n && !given; i++)
            given = a->given[i].name != NULL
                        ? strcmp(a->given[i].name, b->arguments[k].name) == 0
                        : i == k;
        if (!given)
            return archai_reader_at(r, item->at, in,
                                    archai_fail(r->err, ARCHAI_EINVAL, "%s: needs '%s'",
                                                b->name, b->arguments[k].name));
    }
    return ARCHAI_OK;
}

static int check_kind(archai_reader *r, const archai_item *item, const json_t *in)
{
    double args[ARCHAI_MODULE_MAX_ARGS];
    const json_t *at;
    const int rc =
        archai_arguments_of_kind(item->kind, &item->arguments, NULL, args, &at, r->err);

    return archai_reader_at(r, at != NULL ? at : item->at, in, rc);
}

int archai_read_arguments(archai_reader *r, const json_t *v, const json_t *in,
                          archai_item *item)
{
    archai_given *one;

    if (json_is_object(v))
        ARCHAI_TRY(read_members(r, v, item));
    else if (json_is_array(v))
        ARCHAI_TRY(read_list(r, v, in, item));
    else if (v != NULL && !json_is_null(v)) {
        one = archai_arena_take(&r->f->arena, sizeof *one);
        item->arguments = (archai_arguments){.given = one, .n = 1};
        ARCHAI_TRY(read_given(r, item, NULL, v, in, one));
    }
    if (item->block != NULL)
        return check_block(r, item, in);
    return item->kind != NULL ? check_kind(r, item, in) : ARCHAI_OK;
}

int archai_check_indent(archai_reader *r, const json_t *members)
{
    void *first = json_object_iter((json_t *)members);
    void *second = json_object_iter_next((json_t *)members, first);
    const char *class = json_object_iter_key(first), *key = json_object_iter_key(second);
    const archai_module_kind *kind = class != NULL ? archai_module_kind_find(class) : NULL;

    if (kind == NULL || key == NULL || !json_is_null(json_object_iter_value(first)) ||
        archai_kind_argument(kind, key) == NULL || archai_module_kind_find(key) != NULL ||
        archai_network_file_block(r->f, key) != NULL)
        return ARCHAI_OK;
    return archai_reader_at(r, json_object_iter_value(second), members,
                            archai_fail(r->err, ARCHAI_EINVAL,
                                        "'%s' is an argument of %s: indent it deeper than '%s'",
                                        key, class, class));
}
