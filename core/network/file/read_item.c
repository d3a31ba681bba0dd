/* Bodies and the items that are modules, steps and blocks. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/network/file/arguments.h"
#include "core/network/file/reader.h"
#include "core/network/file/vocabulary.h"

/* -- classes, steps, blocks ---------------------------------------------------------------- */

static bool takes_several(const archai_module_kind *kind)
{
    return kind->max_inputs > 1;
}

/* A named class, step or block with what is written behind it (NULL: nothing). */
static int read_named(archai_reader *r, const char *name, const json_t *v, const json_t *in,
                      archai_item *out)
{
    out->kind = archai_module_kind_find(name);
    out->block = out->kind == NULL ? archai_network_file_block(r->f, name) : NULL;
    out->type = out->kind != NULL ? ARCHAI_ITEM_KIND : ARCHAI_ITEM_BLOCK;
    if (out->kind != NULL && takes_several(out->kind))
        return archai_read_operands(r, v, in, out);
    return archai_read_arguments(r, v, in, out);
}

static bool is_named(const archai_reader *r, const char *name)
{
    return archai_module_kind_find(name) != NULL ||
           archai_network_file_block(r->f, name) != NULL;
}

/* A text: a class, a step, a block, or a variable that names one. */
static int read_text(archai_reader *r, const json_t *v, const json_t *in, bool operand,
                     archai_item *out)
{
    const char *name = json_string_value(v);
    int rc;

    if (is_named(r, name))
        return read_named(r, name, NULL, in, out);
    if (archai_is_keyword(name))
        rc = archai_fail(r->err, ARCHAI_EINVAL, "'%s' needs something behind it", name);
    else if (strcmp(name, "x") == 0 || archai_reader_saves(r, name))
        rc = archai_fail(r->err, ARCHAI_EINVAL,
                         "expected a class, step or block; to go on with a value, 'use: %.60s'",
                         name);
    else if (!archai_reader_runs(r, name) && archai_reader_knows(r, name))
        rc = archai_fail(
            r->err, ARCHAI_EINVAL,
            "expected a class, step or block; for one that '%.60s' names, 'make: %.60s'", name,
            name);
    else if (!archai_reader_runs(r, name))
        rc = archai_reader_unknown(
            r, operand ? "value, class, step or block" : "class, step or block", name);
    else
        rc = archai_reader_expression(r, v, &out->value);
    out->type = ARCHAI_ITEM_MAKE;
    return archai_reader_at(r, v, in, rc);
}

/* -- named children ------------------------------------------------------------------------ */

/* Could it be an item? Not a number, and no text that names nothing. */
static bool may_be_item(archai_reader *r, const json_t *v)
{
    if (json_is_string(v))
        return is_named(r, json_string_value(v)) || archai_reader_runs(r, json_string_value(v));
    return json_is_array(v) || json_is_object(v);
}

static bool is_like_class(const char *name)
{
    const char *names[256];
    size_t n = 0;

    for (size_t i = 0; archai_module_kinds[i] != NULL && n < 256; i++)
        names[n++] = archai_module_kinds[i]->name;
    return archai_nearest(name, names, n) != NULL;
}

/* What is behind a misspelled class does not read as a child's body: {Conv: {out_channels: 8}},
 * {Dropot: 0.1}, {Linaer: classes}. */
static bool is_misspelled(archai_reader *r, const char *name, const json_t *body)
{
    const char *key;
    json_t *value;

    if (archai_class_synonym(name) != NULL &&
        json_is_array(body)) /* view: [-1, 8], cat: [x, y] */
        return !may_be_item(r, json_array_get(body, 0));
    if (archai_class_synonym(name) != NULL && json_object_get(body, "of") != NULL)
        return true;
    if (json_is_string(body))
        return !may_be_item(r, body) && is_like_class(name) &&
               !is_like_class(json_string_value(body));
    if (!json_is_object(body) || archai_is_form(body) || json_object_size(body) == 0)
        return !may_be_item(r, body);
    json_object_foreach((json_t *)body, key, value)
    {
        if (is_named(r, key) || archai_is_keyword(key) || may_be_item(r, value))
            return false;
    }
    return true;
}

static int read_child(archai_reader *r, const char *name, const json_t *body, const json_t *in,
                      archai_item *out)
{
    size_t where;

    out->type = ARCHAI_ITEM_CHILD;
    if (is_misspelled(r, name, body))
        return archai_reader_at(r, body, in,
                                archai_reader_unknown(r, "class, step or block", name));
    ARCHAI_TRY(archai_reader_at(r, body, in, archai_reader_template(r, name, &out->name)));
    where = archai_reader_enter(r, name);
    ARCHAI_TRY(archai_read_body(r, body, in, &out->body));
    archai_reader_leave(r, where);
    return ARCHAI_OK;
}

/* A step takes no class as its argument: {flatten: Flatten} names a child. */
static bool is_layer_behind_step(archai_reader *r, const char *key, const json_t *value)
{
    const archai_module_kind *step = archai_module_kind_find(key), *kind;
    const char *name = json_is_string(value) ? json_string_value(value)
                       : json_object_size(value) == 1
                           ? json_object_iter_key(json_object_iter((json_t *)value))
                           : NULL;

    if (step == NULL || name == NULL || !archai_kind_is_operation(step) || takes_several(step))
        return false;
    kind = archai_module_kind_find(name);
    return kind != NULL ? !archai_kind_is_operation(kind)
                        : archai_network_file_block(r->f, name) != NULL;
}

static int read_member(archai_reader *r, const char *key, const json_t *value, const json_t *in,
                       archai_item *out)
{
    out->at = value;
    out->in = in;
    if (archai_is_keyword(key))
        return archai_read_keyword(r, key, value, out);
    if (is_named(r, key) && !is_layer_behind_step(r, key, value))
        return read_named(r, key, value, in, out);
    return read_child(r, key, value, in, out);
}

/* -- items --------------------------------------------------------------------------------- */

static int begin_item(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    *out = (archai_item){.at = v, .in = in};
    if (++r->n_items > ARCHAI_NETWORK_FILE_ITEMS)
        return archai_reader_at(r, v, in,
                                archai_fail(r->err, ARCHAI_EINVAL, "more than %d items",
                                            ARCHAI_NETWORK_FILE_ITEMS));
    return ARCHAI_OK;
}

int archai_read_item(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    void *first = json_object_iter((json_t *)v);

    ARCHAI_TRY(begin_item(r, v, in, out));
    if (json_is_string(v))
        return read_text(r, v, in, false, out);
    if (json_is_array(v)) {
        out->type = ARCHAI_ITEM_SEQUENCE;
        return archai_read_body(r, v, in, &out->body);
    }
    if (archai_is_form(v))
        return archai_read_form(r, v, false, out);
    if (json_object_size(v) == 1)
        return read_member(r, json_object_iter_key(first), json_object_iter_value(first), v,
                           out);
    return archai_reader_at(
        r, v, in,
        archai_fail(r->err, ARCHAI_EINVAL,
                    "expected a class, a step, a block, a list or 'name: ...', got %s",
                    json_is_null(v)     ? "nothing"
                    : json_is_object(v) ? "an empty mapping"
                                        : "a number or flag"));
}

/* What several items are made of grows on the heap and is then kept in the arena. */
typedef struct item_list {
    archai_item *items; /* owned */
    size_t n, capacity;
} item_list;

static archai_item *next_item(item_list *l)
{
    ARCHAI_RESERVE(l->items, l->capacity, l->n + 1);
    return &l->items[l->n++];
}

static int read_members(archai_reader *r, const json_t *v, item_list *l)
{
    const char *key;
    json_t *value;

    ARCHAI_TRY(archai_check_indent(r, v));
    json_object_foreach((json_t *)v, key, value)
    {
        archai_item item;

        ARCHAI_TRY(begin_item(r, value, v, &item));
        ARCHAI_TRY(read_member(r, key, value, v, &item));
        *next_item(l) = item;
    }
    return ARCHAI_OK;
}

/* An element of a body's list: an item, or members that are several. */
static int read_element(archai_reader *r, const json_t *v, const json_t *in, item_list *l)
{
    archai_item item;

    if (json_object_size(v) > 1 && !archai_is_form(v))
        return read_members(r, v, l);
    ARCHAI_TRY(archai_read_item(r, v, in, &item));
    *next_item(l) = item;
    return ARCHAI_OK;
}

int archai_read_body(archai_reader *r, const json_t *v, const json_t *in, archai_body *out)
{
    const archai_visible *visible = r->visible; /* what `let` adds ends with the body */
    item_list l = {.items = NULL};
    int rc = ARCHAI_OK;

    if (json_is_array(v))
        for (size_t i = 0; i < json_array_size(v) && rc == ARCHAI_OK; i++)
            rc = read_element(r, json_array_get(v, i), v, &l);
    else
        rc = read_element(r, v, in, &l);
    if (rc == ARCHAI_OK) {
        archai_item *items = archai_arena_take(&r->f->arena, l.n * sizeof *items);

        if (l.n > 0)
            memcpy(items, l.items, l.n * sizeof *items);
        *out = (archai_body){.items = items,
                             .n = l.n,
                             .listed = json_is_array(v) || l.n > 1 ||
                                       (l.n == 1 && l.items[0].type == ARCHAI_ITEM_CHILD)};
    }
    free(l.items);
    r->visible = visible;
    return rc;
}

/* -- operands ------------------------------------------------------------------------------ */

/* `x`, or the name of a value? Names with braces are names of values. */
static bool is_value(archai_reader *r, const char *name)
{
    if (strcmp(name, "x") == 0 || archai_reader_saves(r, name) || strchr(name, '{') != NULL)
        return true;
    return !is_named(r, name) && (archai_reader_knows(r, name) || r->block->saves_templates);
}

int archai_read_operand(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    if (json_is_string(v)) {
        ARCHAI_TRY(begin_item(r, v, in, out));
        return is_value(r, json_string_value(v)) ? archai_read_keyword(r, "use", v, out)
                                                 : read_text(r, v, in, true, out);
    }
    if (archai_is_form(v) && json_object_get(v, "make") == NULL) {
        ARCHAI_TRY(begin_item(r, v, in, out));
        return archai_read_form(r, v, true, out);
    }
    if (json_object_size(v) > 1 && !archai_is_form(v)) {
        ARCHAI_TRY(begin_item(r, v, in, out));
        out->type = ARCHAI_ITEM_BODY;
        return archai_read_body(r, v, in, &out->body);
    }
    if (json_object_get(v, "let") != NULL)
        return archai_reader_at(
            r, v, in,
            archai_fail(r->err, ARCHAI_EINVAL, "'let' makes no value; write it before"));
    return archai_read_item(r, v, in, out);
}

static bool is_operand_of(const archai_item *item, const json_t *v)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value)
    {
        if (archai_is_operand(item->kind, key))
            return true;
    }
    return false;
}

/* {a: BODY, b: BODY}: branches that are named children. */
static int read_branches(archai_reader *r, const json_t *v, archai_item *items)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)v, key, value)
    {
        ARCHAI_TRY(begin_item(r, value, v, items));
        ARCHAI_TRY(read_member(r, key, value, v, items));
        items++;
    }
    return ARCHAI_OK;
}

/* A list of operands, named branches, or one operand. */
static int read_of(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    const bool branches = json_object_size(v) > 1 && !archai_is_form(v);
    const size_t n = json_is_array(v) ? json_array_size(v) : branches ? json_object_size(v) : 1;
    archai_item *items = archai_arena_take(&r->f->arena, n * sizeof *items);

    out->body = (archai_body){.items = items, .n = n};
    out->with_x = !json_is_array(v) && !branches;
    if (branches)
        return read_branches(r, v, items);
    if (out->with_x)
        return archai_read_operand(r, v, in, items);
    for (size_t i = 0; i < n; i++)
        ARCHAI_TRY(archai_read_operand(r, json_array_get(v, i), v, &items[i]));
    return ARCHAI_OK;
}

/* query, key and value: what is not written is the current value. */
static int read_three(archai_reader *r, const json_t *v, archai_item *out)
{
    static const char *const names[] = {"query", "key", "value"};
    archai_item *items = archai_arena_take(&r->f->arena, 3 * sizeof *items);
    json_t *current = archai_there(json_string("x"));
    int rc = ARCHAI_OK;

    out->body = (archai_body){.items = items, .n = 3};
    for (size_t i = 0; i < 3 && rc == ARCHAI_OK; i++) {
        const json_t *given = json_object_get(v, names[i]);

        rc = archai_read_operand(r, given != NULL ? given : current, v, &items[i]);
        if (given == NULL)
            items[i].at = v;
    }
    json_decref(current);
    return rc;
}

int archai_read_operands(archai_reader *r, const json_t *v, const json_t *in, archai_item *out)
{
    const bool operation = archai_kind_is_operation(out->kind);
    const json_t *of = json_object_get(v, "of");

    if (is_operand_of(out, v)) {
        ARCHAI_TRY(of != NULL ? read_of(r, of, v, out) : read_three(r, v, out));
        return archai_read_arguments(r, v, in, out);
    }
    if (operation && out->kind->max_inputs != 3 && v != NULL && !json_is_null(v)) {
        ARCHAI_TRY(read_of(r, v, in, out));
        return archai_read_arguments(r, NULL, in, out);
    }
    if (operation && out->kind->max_inputs != 3)
        return archai_reader_at(
            r, out->at, in,
            archai_fail(r->err, ARCHAI_EINVAL, "%s: needs operands", out->kind->name));
    return archai_read_arguments(r, v, in, out);
}
