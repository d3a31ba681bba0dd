/* Items to modules and steps. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/build.h"

/* -- children ------------------------------------------------------------------------------ */

typedef struct child_key {
    const archai_module *parent;
    const char *name;
} child_key;

static bool same_child(const void *items, size_t index, const void *key)
{
    const archai_made *m = (const archai_made *)items + index;
    const child_key *k = key;

    return m->parent == k->parent && strcmp(m->module->name, k->name) == 0;
}

static uint64_t child_hash(const archai_module *parent, const char *name)
{
    return archai_hash(name) ^ (uint64_t)(uintptr_t)parent * UINT64_C(0x9e3779b97f4a7c15);
}

const archai_made *archai_build_child(const archai_build *b, const archai_module *parent,
                                      const char *name)
{
    const child_key key = {parent, name};
    const size_t i =
        archai_hash_find(&b->made_names, child_hash(parent, name), same_child, b->made, &key);

    return i != SIZE_MAX ? &b->made[i] : NULL;
}

size_t archai_build_made(archai_build *b, archai_module *module)
{
    const archai_module *parent = b->level->container;

    ARCHAI_RESERVE(b->made, b->made_capacity, b->n_made + 1);
    b->made[b->n_made] = (archai_made){.parent = parent, .module = module};
    archai_hash_add(&b->made_names, child_hash(parent, module->name), b->n_made);
    return b->n_made++;
}

/* The next child without a name has the number after the largest before it, as if all were in a
 * Sequential. */
static void count_name(archai_level *level, const char *name)
{
    const size_t digits = strspn(name, "0123456789");

    if (digits < 10 && name[digits] == '\0' && strtoll(name, NULL, 10) >= level->next)
        level->next = strtoll(name, NULL, 10) + 1;
}

/* A slash would be a path in HDF5; "archai:" and "operation:" begin names of the program's own; a
 * control character would go to somebody's terminal. */
static bool is_childs_name(const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0'; n++)
        if ((unsigned char)name[n] <= ' ' || name[n] == '/' || name[n] == ':' || name[n] == 0x7f)
            return false;
    return n > 0 && n < 128;
}

int archai_build_name(archai_build *b, const archai_item *item, const char **name)
{
    if (*name == NULL)
        *name = archai_arena_printf(&b->arena, "%lld", (long long)b->level->next);
    if (!is_childs_name(*name))
        return archai_build_item_at(
            b, item, NULL,
            archai_fail(b->err, ARCHAI_EINVAL,
                        "'%.60s' is not a child's name: up to 127 characters, no slashes, colons and "
                        "spaces in it",
                        *name));
    if (archai_build_child(b, b->level->container, *name) != NULL)
        return archai_build_item_at(
            b, item, NULL,
            archai_fail(b->err, ARCHAI_EINVAL, "there is a child '%s' already", *name));
    if (b->n_made >= ARCHAI_NETWORK_FILE_MODULES)
        return archai_build_item_at(b, item, NULL,
                                    archai_fail(b->err, ARCHAI_EINVAL, "more than %d modules",
                                                ARCHAI_NETWORK_FILE_MODULES));
    count_name(b->level, *name);
    return ARCHAI_OK;
}

/* -- bodies -------------------------------------------------------------------------------- */

int archai_build_body(archai_build *b, const archai_body *body)
{
    archai_frame *frame = b->frame;
    const archai_binding *bindings = frame->bindings;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < body->n && rc == ARCHAI_OK; i++)
        rc = archai_build_item(b, &body->items[i], NULL);
    frame->bindings = bindings; /* what `let` added ends here */
    return rc;
}

static int build_body(archai_build *b, const archai_body *body, void *data)
{
    (void)data;
    return archai_build_body(b, body);
}

/* A container of that class around a body. */
int archai_build_container(archai_build *b, const archai_item *item, const archai_body *body,
                           const char *name, const char *class_name)
{
    archai_level level = {.outer = b->level};
    const size_t from = b->net->n_steps;
    const int in = b->x;
    size_t index;

    ARCHAI_TRY(archai_build_name(b, item, &name));
    level.container = archai_module_container(b->level->container, name, class_name);
    index = archai_build_made(b, level.container);
    b->level = &level;
    ARCHAI_TRY(archai_build_body(b, body));
    b->level = (archai_level *)level.outer;
    b->made[index] = (archai_made){
        b->level->container, level.container, from, b->net->n_steps, in, b->x, true};
    return ARCHAI_OK;
}

static bool makes_one_child(const archai_item *item)
{
    switch (item->type) {
    case ARCHAI_ITEM_KIND:
        return !archai_kind_is_operation(item->kind);
    case ARCHAI_ITEM_BLOCK:
    case ARCHAI_ITEM_MAKE:
    case ARCHAI_ITEM_IF:
    case ARCHAI_ITEM_CHOOSE:
        return true;
    default:
        return false;
    }
}

int archai_build_part(archai_build *b, const archai_body *body, const char *name,
                      const archai_item *item)
{
    if (name == NULL)
        return archai_build_body(b, body);
    if (!body->listed && body->n == 1 && makes_one_child(&body->items[0]))
        return archai_build_item(b, &body->items[0], name);
    return archai_build_container(b, item, body, name, "Sequential");
}

/* -- items --------------------------------------------------------------------------------- */

static int build_kind(archai_build *b, const archai_item *item, const archai_module_kind *kind,
                      const char *name)
{
    const size_t n = kind->max_inputs > 1 && kind->min_inputs > 1 ? kind->min_inputs : 1;
    int inputs[8];

    if (item->type == ARCHAI_ITEM_KIND && kind->max_inputs > 1)
        return archai_build_operands(b, item, name);
    for (size_t i = 0; i < n && i < 8; i++)
        inputs[i] = b->x;
    return archai_build_kind(b, item, kind, inputs, n < 8 ? n : 8, name);
}

/* What a name stands for that was computed; a step under a name is put into a Sequential. */
static int make(archai_build *b, const archai_item *item, const archai_datum *v,
                const char *name)
{
    const archai_module_kind *kind;
    const archai_block *block;

    if (v->type == ARCHAI_DATUM_NULL)
        return ARCHAI_OK;
    if (v->type == ARCHAI_DATUM_BODY)
        return archai_build_closure(b, item, v->body, name);
    if (v->type == ARCHAI_DATUM_TEXT && (kind = archai_module_kind_find(v->text)) != NULL) {
        if (archai_kind_is_operation(kind) && kind->min_inputs == 2)
            return archai_build_item_at(
                b, item, name,
                archai_fail(b->err, ARCHAI_EINVAL, "%s: needs operands", kind->name));
        if (name != NULL && archai_kind_is_operation(kind))
            ARCHAI_TRY(
                archai_build_container(b, item, &(archai_body){.n = 0}, name, "Sequential"));
        return build_kind(b, item, kind, archai_kind_is_operation(kind) ? NULL : name);
    }
    if (v->type == ARCHAI_DATUM_TEXT &&
        (block = archai_network_file_block(b->f, v->text)) != NULL)
        return archai_build_block(b, item, block, false, name);
    return archai_build_item_at(
        b, item, name,
        archai_fail(b->err, ARCHAI_EINVAL,
                    "expected the name of a class, step or block, got %s",
                    archai_datum_describe(v).text));
}

static int build_made(archai_build *b, const archai_item *item, const char *name)
{
    archai_datum v;

    ARCHAI_TRY(archai_build_item_at(b, item, name, archai_build_evaluate(b, item->value, &v)));
    return make(b, item, &v, name);
}

static int save(archai_build *b, const archai_item *item)
{
    archai_saved *saved;
    const char *name;

    ARCHAI_TRY(archai_build_item_at(b, item, NULL, archai_build_text(b, &item->name, &name)));
    saved = (archai_saved *)archai_build_saved(b, name);
    if (saved == NULL) {
        saved = archai_arena_take(&b->arena, sizeof *saved);
        *saved = (archai_saved){.name = name, .next = b->frame->saved};
        b->frame->saved = saved;
    }
    saved->value = b->x;
    return ARCHAI_OK;
}

static int use(archai_build *b, const archai_item *item)
{
    const char *name;
    const archai_saved *saved;
    archai_datum v;
    int rc = archai_build_text(b, &item->name, &name);

    ARCHAI_TRY(archai_build_item_at(b, item, NULL, archai_err_wrap(b->err, rc, "use: ")));
    saved = archai_build_saved(b, name);
    if (saved != NULL) {
        b->x = saved->value;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(
        archai_build_item_at(b, item, NULL, archai_build_find(&b->scope, name, &v, b->err)));
    if (v.type != ARCHAI_DATUM_TENSOR)
        return make(b, item, &v, NULL);
    b->x = v.list.value;
    return ARCHAI_OK;
}

/* The container of that name: what stands before a dot in "convs.0". It is made where it is
 * first named. What is added to it in turns is called by itself only. */
static int enter(archai_build *b, const archai_item *item, const char *name,
                 archai_module **container)
{
    archai_made *made = (archai_made *)archai_build_child(b, b->level->container, name);

    if (made == NULL) {
        ARCHAI_TRY(archai_build_name(b, item, &name));
        *container = archai_module_container(b->level->container, name, "Sequential");
        (void)archai_build_made(b, *container);
        return ARCHAI_OK;
    }
    *container = made->module;
    made->complete = false;
    if (made->module->kind != NULL)
        return archai_build_item_at(
            b, item, NULL,
            archai_fail(b->err, ARCHAI_EINVAL, "'%.60s' is a layer and has no children", name));
    return ARCHAI_OK;
}

static int build_named(archai_build *b, const archai_item *item, const char *name)
{
    archai_level level = {.outer = b->level};
    const char *dot = strchr(name, '.');

    if (dot == NULL)
        return archai_build_part(b, &item->body, name, item);
    ARCHAI_TRY(enter(b, item, archai_arena_printf(&b->arena, "%.*s", (int)(dot - name), name),
                     &level.container));
    b->level = &level;
    ARCHAI_TRY(build_named(b, item, dot + 1));
    b->level = (archai_level *)level.outer;
    return ARCHAI_OK;
}

static int build_child(archai_build *b, const archai_item *item)
{
    const char *name;

    ARCHAI_TRY(archai_build_item_at(b, item, NULL, archai_build_text(b, &item->name, &name)));
    return build_named(b, item, name);
}

/* `if` and `choose`: a branch that is written as [] is nothing, under a name, too. */
static int build_choice(archai_build *b, const archai_item *item, const char *name)
{
    const archai_body *body;

    ARCHAI_TRY(archai_build_choice(b, item, &body));
    if (body == NULL || body->n == 0)
        return ARCHAI_OK;
    return archai_build_part(b, body, name, item);
}

static int build(archai_build *b, const archai_item *item, const char *name)
{
    switch (item->type) {
    case ARCHAI_ITEM_KIND:
        return build_kind(b, item, item->kind, name);
    case ARCHAI_ITEM_BLOCK:
        return archai_build_block(b, item, item->block, false, name);
    case ARCHAI_ITEM_INLINE:
        return archai_build_block(b, item, item->block, true, NULL);
    case ARCHAI_ITEM_SEQUENCE:
        return archai_build_container(b, item, &item->body, name, "Sequential");
    case ARCHAI_ITEM_BODY:
        return archai_build_body(b, &item->body);
    case ARCHAI_ITEM_CHILD:
        return build_child(b, item);
    case ARCHAI_ITEM_FOR:
        return archai_build_for(b, item, build_body, NULL);
    case ARCHAI_ITEM_IF:
    case ARCHAI_ITEM_CHOOSE:
        return build_choice(b, item, name);
    case ARCHAI_ITEM_RESIDUAL:
        return archai_build_residual(b, item);
    case ARCHAI_ITEM_LET:
        return archai_build_let(b, item);
    case ARCHAI_ITEM_SAVE:
        return save(b, item);
    case ARCHAI_ITEM_USE:
        return use(b, item);
    case ARCHAI_ITEM_CALL:
        return archai_build_again(b, item);
    default:
        return build_made(b, item, name);
    }
}

int archai_build_item(archai_build *b, const archai_item *item, const char *name)
{
    int rc;

    rc = archai_expression_work(&b->scope, 1, b->err);
    if (rc == ARCHAI_OK && b->depth == ARCHAI_NETWORK_FILE_DEPTH)
        rc = archai_fail(b->err, ARCHAI_EINVAL,
                         "nested too deeply: does a block call itself without end?");
    ARCHAI_TRY(archai_build_item_at(b, item, name, rc));
    b->depth++;
    rc = build(b, item, name);
    b->depth--;
    return rc;
}
