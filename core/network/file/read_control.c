/* Loops, choices and what else is a word of the grammar. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/json_object.h"
#include "core/base/number.h"
#include "core/network/file/reader.h"
#include "core/network/file/vocabulary.h"

/* -- forms: a word that takes others beside it --------------------------------------------- */

static const struct {
    const char *keys[4];
    size_t n;
    archai_item_type type;
} forms[] = {
    {{"for", "do", "as"}, 3, ARCHAI_ITEM_FOR},
    {{"if", "then", "else"}, 3, ARCHAI_ITEM_IF},
    {{"choose", "from", "default"}, 3, ARCHAI_ITEM_CHOOSE},
    {{"make", "args"}, 2, ARCHAI_ITEM_MAKE},
};

static int form_of(const json_t *v)
{
    for (int i = 0; i < (int)(sizeof forms / sizeof forms[0]); i++)
        if (json_object_get(v, forms[i].keys[0]) != NULL)
            return i;
    return -1;
}

bool archai_is_form(const json_t *v)
{
    return form_of(v) >= 0;
}

/* A body, or one operand. */
static int read_part(archai_reader *r, const json_t *v, const json_t *in, bool operands,
                     archai_body *out)
{
    archai_item *item;

    if (!operands)
        return archai_read_body(r, v, in, out);
    item = archai_arena_take(&r->f->arena, sizeof *item);
    *out = (archai_body){.items = item, .n = 1};
    return archai_read_operand(r, v, in, item);
}

static int read_names(archai_reader *r, const json_t *as, archai_item *out)
{
    const size_t n = json_is_array(as) ? json_array_size(as) : 1;
    const char **names = archai_arena_take(&r->f->arena, n * sizeof *names);

    out->apart = json_is_array(as);
    out->names = names;
    out->n_names = n;
    for (size_t i = 0; i < n; i++) {
        names[i] = json_string_value(out->apart ? json_array_get(as, i) : as);
        if (names[i] == NULL)
            return archai_fail(r->err, ARCHAI_EINVAL, "as: expected a name or a list of names");
        ARCHAI_TRY(archai_check_name(names[i], r->err));
    }
    return n > 0 ? ARCHAI_OK : archai_fail(r->err, ARCHAI_EINVAL, "as: expected a name");
}

/* What the elements are declared as, where the head is a list of groups. */
static archai_declared element_of(const archai_reader *r, const archai_item *item)
{
    const json_t *repeat = json_object_get(r->declared.node, "repeat");

    if (!archai_expression_is_path(item->value) || repeat == NULL)
        return (archai_declared){NULL, NULL};
    return r->declared;
}

/* In a list that is written down, [q, k, v], words that are the name of nothing are texts. A
 * new reference. */
static json_t *quote_words(archai_reader *r, const json_t *v)
{
    const char *word;
    json_t *list, *item;

    if (!json_is_array(v))
        return json_incref((json_t *)v);
    list = archai_there(json_array());
    for (size_t i = 0; i < json_array_size(v); i++) {
        item = quote_words(r, json_array_get(v, i));
        word = json_string_value(item);
        if (word != NULL && archai_check_name(word, NULL) == ARCHAI_OK &&
            !archai_reader_knows(r, word)) {
            json_decref(item);
            item = archai_there(json_sprintf("'%s'", word));
        }
        archai_must_have(json_array_append_new(list, item) == 0);
    }
    return list;
}

static int read_for(archai_reader *r, const json_t *v, bool operands, archai_item *out)
{
    const json_t *over = json_object_get(v, "for"), *as = json_object_get(v, "as"),
                 *inner = json_object_get(v, "do");
    const archai_visible *visible = r->visible;
    json_t *words;
    int rc;

    if (inner == NULL)
        return archai_reader_at(r, over, v,
                                archai_fail(r->err, ARCHAI_EINVAL, "for: needs 'do'"));
    words = quote_words(r, over);
    r->counting = true;
    rc = archai_reader_expression(r, words, &out->value);
    r->counting = false;
    json_decref(words);
    ARCHAI_TRY(archai_reader_at(r, over, v, archai_err_wrap(r->err, rc, "for: ")));
    out->declared = element_of(r, out);
    if (as != NULL)
        ARCHAI_TRY(archai_reader_at(r, as, v, read_names(r, as, out)));
    rc = archai_reader_show(r, NULL, out->declared);
    for (size_t i = 0; i < out->n_names && rc == ARCHAI_OK; i++)
        rc = archai_reader_show(r, out->names[i],
                                out->apart ? (archai_declared){NULL, NULL} : out->declared);
    ARCHAI_TRY(archai_reader_at(r, over, v, rc));
    ARCHAI_TRY(read_part(r, inner, v, operands, &out->body));
    r->visible = visible;
    return ARCHAI_OK;
}

static int read_if(archai_reader *r, const json_t *v, bool operands, archai_item *out)
{
    const json_t *condition = json_object_get(v, "if"), *then = json_object_get(v, "then"),
                 *otherwise = json_object_get(v, "else");
    int rc;

    if (then == NULL)
        return archai_reader_at(r, condition, v,
                                archai_fail(r->err, ARCHAI_EINVAL, "if: needs 'then'"));
    rc = archai_reader_expression(r, condition, &out->value);
    ARCHAI_TRY(archai_reader_at(r, condition, v, archai_err_wrap(r->err, rc, "if: ")));
    ARCHAI_TRY(read_part(r, then, v, operands, &out->body));
    out->has_other = otherwise != NULL;
    return otherwise != NULL ? read_part(r, otherwise, v, operands, &out->other) : ARCHAI_OK;
}

/* Every value that the parameter may have must be among the cases. */
static int check_cases(archai_reader *r, const archai_item *item, archai_declared by)
{
    const json_t *choices = json_object_get(by.node, "choice");

    for (size_t i = 0; i < json_array_size(choices); i++) {
        int64_t work = ARCHAI_NETWORK_FILE_ITEMS;
        archai_datum v;
        const char *name = NULL;
        size_t k = 0;

        if (archai_datum_from_json(json_array_get(choices, i), &r->f->arena, &work, &v))
            name = archai_datum_name(&v, &r->f->arena);
        while (name != NULL && k < item->n_cases && strcmp(item->cases[k].value, name) != 0)
            k++;
        if (name == NULL || k == item->n_cases)
            return archai_fail(
                r->err, ARCHAI_EINVAL,
                "'%s' may be %s, which is not in 'from', and there is no 'default'", by.path,
                archai_datum_describe(&v).text);
    }
    return ARCHAI_OK;
}

static int read_choose(archai_reader *r, const json_t *v, bool operands, archai_item *out)
{
    const json_t *by = json_object_get(v, "choose"), *from = json_object_get(v, "from"),
                 *standard = json_object_get(v, "default");
    archai_case *cases;
    const char *key;
    json_t *value;
    archai_declared declared;
    int rc = archai_reader_expression(r, by, &out->value);

    declared = r->declared;
    ARCHAI_TRY(archai_reader_at(r, by, v, archai_err_wrap(r->err, rc, "choose: ")));
    if (!json_is_object(from))
        return archai_reader_at(r, from != NULL ? from : by, v,
                                archai_fail(r->err, ARCHAI_EINVAL,
                                            "choose: needs 'from': {value: ..., value: ...}"));
    out->cases = cases =
        archai_arena_take(&r->f->arena, json_object_size(from) * sizeof *cases);
    json_object_foreach((json_t *)from, key, value)
    {
        cases[out->n_cases].value = key;
        ARCHAI_TRY(read_part(r, value, from, operands, &cases[out->n_cases++].body));
    }
    out->has_other = standard != NULL;
    if (standard != NULL)
        return read_part(r, standard, v, operands, &out->other);
    rc = archai_expression_is_path(out->value) ? check_cases(r, out, declared) : ARCHAI_OK;
    return archai_reader_at(r, by, v, archai_err_wrap(r->err, rc, "choose: "));
}

static int read_make(archai_reader *r, const json_t *v, archai_item *out)
{
    const json_t *what = json_object_get(v, "make");
    int rc = archai_reader_expression(r, what, &out->value);

    ARCHAI_TRY(archai_reader_at(r, what, v, archai_err_wrap(r->err, rc, "make: ")));
    return archai_read_arguments(r, json_object_get(v, "args"), v, out);
}

static int check_form(archai_reader *r, const json_t *v, const json_t *in,
                      const char *const *keys, size_t n)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value)
    {
        size_t i = 0;

        while (i < n && strcmp(keys[i], key) != 0)
            i++;
        if (i == n) {
            const archai_suggestion near = archai_suggest(key, keys, n);
            const bool shown = near.text[0] != '\0';
            const int rc =
                archai_fail(r->err, ARCHAI_EINVAL, "%s: %.100s: unknown key%s%s%s%s%s", keys[0],
                            key, near.text, shown ? "" : "; it takes ", shown ? "" : keys[1],
                            shown || n < 3 ? "" : " and ", shown || n < 3 ? "" : keys[2]);

            return archai_reader_at(r, v, in, rc);
        }
    }
    return ARCHAI_OK;
}

int archai_read_form(archai_reader *r, const json_t *v, bool operands, archai_item *out)
{
    const int form = form_of(v);

    ARCHAI_TRY(check_form(r, v, out->in, forms[form].keys, forms[form].n));
    out->type = forms[form].type;
    switch (out->type) {
    case ARCHAI_ITEM_FOR:
        return read_for(r, v, operands, out);
    case ARCHAI_ITEM_IF:
        return read_if(r, v, operands, out);
    case ARCHAI_ITEM_CHOOSE:
        return read_choose(r, v, operands, out);
    default:
        return read_make(r, v, out);
    }
}

/* -- words with one value ------------------------------------------------------------------ */

static int read_residual(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    static const char *const keys[] = {"do", "shortcut"};
    const json_t *inner = json_object_get(v, "do"), *shortcut = json_object_get(v, "shortcut");
    int rc;

    out->type = ARCHAI_ITEM_RESIDUAL;
    if (inner == NULL)
        return archai_read_body(r, v, in, &out->body);
    rc = archai_json_check_keys(v, keys, 2, r->err);
    ARCHAI_TRY(archai_reader_at(r, v, in, archai_err_wrap(r->err, rc, "residual: ")));
    ARCHAI_TRY(archai_read_body(r, inner, v, &out->body));
    out->has_other = shortcut != NULL;
    return shortcut != NULL ? archai_read_body(r, shortcut, v, &out->other) : ARCHAI_OK;
}

static int read_let(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    const size_t n = json_object_size(v);
    const char **names = archai_arena_take(&r->f->arena, n * sizeof *names);
    const archai_expression **values = archai_arena_take(&r->f->arena, n * sizeof *values);
    const char *key;
    json_t *value;

    out->type = ARCHAI_ITEM_LET;
    out->names = names;
    out->values = values;
    if (n == 0)
        return archai_reader_at(r, v, in,
                                archai_fail(r->err, ARCHAI_EINVAL, "let: needs {name: value}"));
    json_object_foreach((json_t *)v, key, value)
    {
        int rc = archai_check_name(key, r->err);

        if (rc == ARCHAI_OK)
            rc = archai_reader_expression(r, value, &values[out->n_names]);
        ARCHAI_TRY(archai_reader_at(r, value, v, archai_err_wrap(r->err, rc, "let: ")));
        names[out->n_names++] = key;
        ARCHAI_TRY(archai_reader_at(r, value, v,
                                    archai_reader_show(r, key, (archai_declared){NULL, NULL})));
    }
    return ARCHAI_OK;
}

static int read_child(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    static const char *const keys[] = {"name", "do"};
    const json_t *name = json_object_get(v, "name"), *inner = json_object_get(v, "do");
    size_t where;
    int rc = json_is_object(v) ? archai_json_check_keys(v, keys, 2, r->err) : ARCHAI_OK;

    out->type = ARCHAI_ITEM_CHILD;
    if (rc == ARCHAI_OK && (!json_is_string(name) || inner == NULL))
        rc = archai_fail(r->err, ARCHAI_EINVAL, "needs {name: NAME, do: ...}");
    if (rc == ARCHAI_OK)
        rc = archai_reader_template(r, json_string_value(name), &out->name);
    ARCHAI_TRY(archai_reader_at(r, v, in, archai_err_wrap(r->err, rc, "child: ")));
    where = archai_reader_enter(r, json_string_value(name));
    ARCHAI_TRY(archai_read_body(r, inner, v, &out->body));
    archai_reader_leave(r, where);
    return ARCHAI_OK;
}

static int read_inline(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    void *first = json_object_iter((json_t *)v);
    const char *name = json_is_string(v)          ? json_string_value(v)
                       : json_object_size(v) == 1 ? json_object_iter_key(first)
                                                  : NULL;

    if (json_is_array(v)) {
        out->type = ARCHAI_ITEM_BODY;
        return archai_read_body(r, v, in, &out->body);
    }
    out->type = ARCHAI_ITEM_INLINE;
    out->block = name != NULL ? archai_network_file_block(r->f, name) : NULL;
    if (name == NULL)
        return archai_reader_at(
            r, v, in,
            archai_fail(r->err, ARCHAI_EINVAL,
                        "inline: expected a block, {BLOCK: arguments} or a list of items"));
    if (out->block == NULL)
        return archai_reader_at(
            r, v, in,
            archai_err_wrap(r->err, archai_reader_unknown(r, "block", name), "inline: "));
    return archai_read_arguments(r, json_is_string(v) ? NULL : json_object_iter_value(first), v,
                                 out);
}

/* save, use, call: the name of a value, or a path. */
static int read_name(archai_reader *r, const char *word, const json_t *v, const json_t *in,
                     archai_item *out)
{
    const char *name = json_string_value(v);
    int rc = ARCHAI_OK;

    out->type = strcmp(word, "save") == 0  ? ARCHAI_ITEM_SAVE
                : strcmp(word, "use") == 0 ? ARCHAI_ITEM_USE
                                           : ARCHAI_ITEM_CALL;
    if (name == NULL)
        rc = archai_fail(r->err, ARCHAI_EINVAL, "expected a name");
    else if (out->type == ARCHAI_ITEM_SAVE && strchr(name, '{') == NULL)
        rc = archai_check_name(name, r->err);
    else if (out->type == ARCHAI_ITEM_USE && strchr(name, '{') != NULL)
        r->block->uses_templates = true;
    else if (out->type == ARCHAI_ITEM_USE && !archai_reader_knows(r, name) &&
             !r->block->saves_templates)
        rc = archai_reader_unknown(r, "value", name);
    if (rc == ARCHAI_OK)
        rc = archai_reader_template(r, name, &out->name);
    return archai_reader_at(r, v, in, archai_err_wrap(r->err, rc, "%s: ", word));
}

int archai_read_keyword(archai_reader *r, const char *word, const json_t *v, archai_item *out)
{
    const json_t *in = out->in;

    if (strcmp(word, "residual") == 0)
        return read_residual(r, v, in, out);
    if (strcmp(word, "let") == 0)
        return read_let(r, v, in, out);
    if (strcmp(word, "child") == 0)
        return read_child(r, v, in, out);
    if (strcmp(word, "inline") == 0)
        return read_inline(r, v, in, out);
    return read_name(r, word, v, in, out);
}
