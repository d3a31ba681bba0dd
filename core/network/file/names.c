/* What names mean while a file is read: each must be known, and parameters that are mentioned
 * are remembered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/number.h"
#include "core/network/file/reader.h"
#include "core/network/file/vocabulary.h"
#include "core/network/kind/kind.h"

/* -- parameters that are mentioned --------------------------------------------------------- */

static bool same_path(const void *items, size_t index, const void *key)
{
    return strcmp(((const archai_use *)items)[index].path, key) == 0;
}

static void add_use(archai_network_file *f, const char *path, bool whole)
{
    const uint64_t hash = archai_hash(path);
    const size_t known = archai_hash_find(&f->use_paths, hash, same_path, f->uses, path);
    const char *dot = strrchr(path, '.');

    if (known != SIZE_MAX) {
        f->uses[known].whole |= whole;
        return;
    }
    ARCHAI_RESERVE(f->uses, f->uses_capacity, f->n_uses + 1);
    f->uses[f->n_uses] = (archai_use){path, whole};
    archai_hash_add(&f->use_paths, hash, f->n_uses++);
    if (dot != NULL)
        add_use(f, archai_arena_printf(&f->arena, "%.*s", (int)(dot - path), path), false);
}

bool archai_network_file_uses(const archai_network_file *f, const char *path)
{
    size_t known = archai_hash_find(&f->use_paths, archai_hash(path), same_path, f->uses, path);
    char *outer = archai_strdup(path), *dot;
    bool used = known != SIZE_MAX;

    while (!used && (dot = strrchr(outer, '.')) != NULL) {
        *dot = '\0';
        known = archai_hash_find(&f->use_paths, archai_hash(outer), same_path, f->uses, outer);
        used = known != SIZE_MAX && f->uses[known].whole;
    }
    free(outer);
    return used;
}

/* -- what `parameters` declares ------------------------------------------------------------ */

static bool is_list(const json_t *node)
{
    return json_object_get(node, "repeat") != NULL;
}

static bool is_group(const json_t *node)
{
    return json_is_object(node) && !is_list(node) && json_object_get(node, "choice") == NULL &&
           json_object_get(node, "range") == NULL &&
           json_object_get(node, "constant") == NULL &&
           !json_is_string(json_object_get(node, "id"));
}

const json_t *archai_declared_member(const json_t *node, const char *name)
{
    if (is_list(node))
        node = json_object_get(node, "repeat");
    return is_group(node) && strcmp(name, "when") != 0 ? json_object_get(node, name) : NULL;
}

static archai_declared member_of(archai_reader *r, archai_declared of, const char *name)
{
    const json_t *node = archai_declared_member(of.node, name);

    if (node == NULL)
        return (archai_declared){NULL, NULL};
    if (of.path[0] == '\0')
        return (archai_declared){node, name};
    return (archai_declared){node, archai_arena_printf(&r->f->arena, "%s.%s", of.path, name)};
}

/* -- looking up ---------------------------------------------------------------------------- */

int archai_reader_show(archai_reader *r, const char *name, archai_declared declared)
{
    archai_visible *v = archai_arena_take(&r->f->arena, sizeof *v);

    *v = (archai_visible){name, declared, r->visible != NULL ? r->visible->n + 1 : 1,
                          r->visible};
    r->visible = v;
    if (v->n > ARCHAI_NETWORK_FILE_NAMES)
        return archai_fail(r->err, ARCHAI_EINVAL, "more than %d names of loops and 'let'",
                           ARCHAI_NETWORK_FILE_NAMES);
    return ARCHAI_OK;
}

static bool same_saved(const void *items, size_t index, const void *key)
{
    return strcmp(((const char *const *)items)[index], key) == 0;
}

void archai_block_saves(archai_block *b, const char *name)
{
    const uint64_t hash = archai_hash(name);

    if (archai_hash_find(&b->saved_names, hash, same_saved, b->saved, name) != SIZE_MAX)
        return;
    ARCHAI_RESERVE(b->saved, b->saved_capacity, b->n_saved + 1);
    b->saved[b->n_saved] = name;
    archai_hash_add(&b->saved_names, hash, b->n_saved++);
}

bool archai_reader_saves(const archai_reader *r, const char *name)
{
    return archai_hash_find(&r->block->saved_names, archai_hash(name), same_saved,
                            r->block->saved, name) != SIZE_MAX;
}

/* NULL: it is none. */
static archai_block_argument *argument(const archai_block *b, const char *name)
{
    for (size_t i = 0; i < b->n_arguments; i++)
        if (strcmp(b->arguments[i].name, name) == 0)
            return &b->arguments[i];
    return NULL;
}

/* The innermost variable of that name. `shown`: it is an element of a loop. */
static bool find(archai_reader *r, const char *name, archai_declared *declared, bool *shown)
{
    const archai_declared root = {r->f->parameters, ""};
    archai_block_argument *given;

    *declared = (archai_declared){NULL, NULL};
    *shown = true;
    for (const archai_visible *v = r->visible; v != NULL; v = v->outer) {
        if (v->name != NULL && strcmp(v->name, name) == 0) {
            *declared = v->declared;
            return true;
        }
        if (v->name != NULL)
            continue;
        *declared = member_of(r, v->declared, name);
        if (declared->node != NULL || archai_is_place(name))
            return true;
    }
    *shown = false;
    given = argument(r->block, name);
    if (given != NULL)
        given->used = true;
    if (given != NULL || strcmp(name, "in") == 0 || strcmp(name, "x") == 0 ||
        archai_reader_saves(r, name))
        return true;
    *declared = member_of(r, root, name);
    return declared->node != NULL || archai_data_size(NULL, name) != NULL;
}

bool archai_reader_knows(archai_reader *r, const char *name)
{
    archai_declared declared;
    bool shown;

    return find(r, name, &declared, &shown);
}

bool archai_reader_runs(archai_reader *r, const char *name)
{
    archai_declared declared;
    bool shown;

    return find(r, name, &declared, &shown) && (shown || argument(r->block, name) != NULL);
}

/* -- messages ------------------------------------------------------------------------------ */

typedef struct name_list {
    const char **names; /* owned */
    size_t n, capacity;
} name_list;

static void add_name(name_list *l, const char *name)
{
    ARCHAI_RESERVE(l->names, l->capacity, l->n + 1);
    l->names[l->n++] = name;
}

static void add_members(name_list *l, const json_t *group)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)group, key, value)
    {
        add_name(l, key);
    }
}

static void add_variables(name_list *l, const archai_reader *r)
{
    for (const archai_visible *v = r->visible; v != NULL; v = v->outer) {
        if (v->name != NULL)
            add_name(l, v->name);
        else
            add_members(l, is_list(v->declared.node)
                               ? json_object_get(v->declared.node, "repeat")
                               : v->declared.node);
    }
    for (size_t i = 0; i < r->block->n_arguments; i++)
        add_name(l, r->block->arguments[i].name);
    for (size_t i = 0; i < r->block->n_saved; i++)
        add_name(l, r->block->saved[i]);
    add_members(l, r->f->parameters);
    for (size_t i = 0; archai_data_names[i] != NULL; i++)
        add_name(l, archai_data_names[i]);
}

/* A class or step that PyTorch writes otherwise, or without a blank before its arguments. */
static int unknown_class(archai_reader *r, const char *what, const char *name)
{
    const char *write = archai_class_synonym(name), *colon = strchr(name, ':');
    char *before = archai_arena_printf(&r->f->arena, "%.*s",
                                       (int)(colon != NULL ? colon - name : 0), name);

    if (archai_module_kind_find(before) != NULL ||
        archai_network_file_block(r->f, before) != NULL || archai_is_keyword(before))
        return archai_fail(r->err, ARCHAI_EINVAL,
                           "there is no %s '%.60s'; a blank goes after the ':'", what, name);
    if (write == NULL)
        write = archai_class_of_case(name);
    return write == NULL ? ARCHAI_OK
                         : archai_fail(r->err, ARCHAI_EINVAL,
                                       "there is no %s '%.60s'; write %s", what, name, write);
}

/* Is it a value of the network or of another block? */
static bool is_saved_outside(const archai_reader *r, const char *name)
{
    const uint64_t hash = archai_hash(name);
    const archai_block *n = &r->f->network;
    bool found =
        archai_hash_find(&n->saved_names, hash, same_saved, n->saved, name) != SIZE_MAX;

    for (size_t i = 0; i < r->f->n_blocks && !found; i++) {
        const archai_block *b = r->f->blocks[i];

        found = archai_hash_find(&b->saved_names, hash, same_saved, b->saved, name) != SIZE_MAX;
    }
    return found;
}

int archai_reader_unknown(archai_reader *r, const char *what, const char *name)
{
    name_list l = {.names = NULL};
    int rc;

    if (r->block != &r->f->network && is_saved_outside(r, name))
        return archai_fail(
            r->err, ARCHAI_EINVAL,
            "'%.60s' is a value outside of this block: hand it to the block as an "
            "argument",
            name);
    if (strstr(what, "class") != NULL)
        ARCHAI_TRY(unknown_class(r, what, name));
    add_variables(&l, r);
    for (size_t i = 0; archai_module_kinds[i] != NULL; i++)
        add_name(&l, archai_module_kinds[i]->name);
    for (size_t i = 0; i < r->f->n_blocks; i++)
        add_name(&l, r->f->blocks[i]->name);
    for (size_t i = 0; archai_keywords[i] != NULL && strcmp(what, "name") != 0; i++)
        add_name(&l, archai_keywords[i]);
    rc = archai_fail(r->err, ARCHAI_EINVAL, "there is no %s '%.60s'%s", what, name,
                     archai_suggest(name, l.names, l.n).text);
    free(l.names);
    return rc;
}

static int no_member(archai_reader *r, archai_declared of, const char *name)
{
    name_list l = {.names = NULL};
    int rc;

    if (!is_list(of.node) && !is_group(of.node))
        return archai_fail(r->err, ARCHAI_EINVAL, "'%s' is a parameter and has no '%.60s'",
                           of.path, name);
    add_members(&l, is_list(of.node) ? json_object_get(of.node, "repeat") : of.node);
    rc = archai_fail(r->err, ARCHAI_EINVAL, "there is no parameter '%s.%.60s'%s", of.path, name,
                     archai_suggest(name, l.names, l.n).text);
    free(l.names);
    return rc;
}

/* -- expressions --------------------------------------------------------------------------- */

/* a.b.c, where `at` is what a is declared as */
static int follow(archai_reader *r, const archai_expression_mention *m, archai_declared at,
                  bool shown)
{
    for (size_t i = 1; i < m->n && at.node != NULL; i++) {
        const archai_declared next = member_of(r, at, m->parts[i]);

        if (json_object_get(at.node, "constant") != NULL) /* may be a mapping */
            break;
        if (next.node == NULL && !(shown && archai_is_place(m->parts[i])))
            return no_member(r, at, m->parts[i]);
        if (next.node == NULL) { /* stages.index: about the loop */
            add_use(r->f, at.path, false);
            r->declared = next;
            return ARCHAI_OK;
        }
        at = next;
        shown = false;
    }
    r->declared = at;
    if (at.node != NULL)
        add_use(r->f, at.path, m->whole && !(r->counting && is_list(at.node)));
    return ARCHAI_OK;
}

static int look_up(void *data, const archai_expression_mention *m, archai_err *err)
{
    archai_reader *r = data;
    archai_declared declared;
    bool shown;

    (void)err;
    if (find(r, m->parts[0], &declared, &shown))
        return follow(r, m, declared, shown);
    r->declared = declared;
    if (m->n == 1 && (archai_module_kind_find(m->parts[0]) != NULL ||
                      archai_network_file_block(r->f, m->parts[0]) != NULL ||
                      archai_is_argument_word(m->parts[0])))
        return ARCHAI_OK;
    if (m->n == 2 && r->block->saves_templates && strcmp(m->parts[1], "shape") == 0)
        return ARCHAI_OK; /* perhaps a value whose name is computed */
    return archai_reader_unknown(r, "name", m->parts[0]);
}

static int keep(archai_reader *r, archai_expression *e, const archai_expression **out)
{
    archai_network_file *f = r->f;

    ARCHAI_RESERVE(f->expressions, f->expressions_capacity, f->n_expressions + 1);
    f->expressions[f->n_expressions++] = e;
    *out = e;
    r->declared = (archai_declared){NULL, NULL};
    return archai_expression_names(e, look_up, r, r->err);
}

int archai_reader_expression(archai_reader *r, const json_t *at, const archai_expression **out)
{
    archai_expression *e = NULL;

    ARCHAI_TRY(archai_expression_create(&e, at, r->err));
    return keep(r, e, out);
}

int archai_reader_expression_text(archai_reader *r, const char *text,
                                  const archai_expression **out)
{
    archai_expression *e = NULL;

    ARCHAI_TRY(archai_expression_parse(&e, text, r->err));
    return keep(r, e, out);
}

int archai_reader_template(archai_reader *r, const char *text, archai_template *out)
{
    struct archai_template_piece *pieces;
    size_t n = 1;

    if (text[0] == '\0' || strlen(text) > ARCHAI_EXPRESSION_CHARS)
        return archai_fail(r->err, ARCHAI_EINVAL, "expected a name of 1 to %d characters",
                           ARCHAI_EXPRESSION_CHARS);
    for (const char *at = text; *at != '\0'; at++)
        n += *at == '{';
    pieces = archai_arena_take(&r->f->arena, n * sizeof *pieces);
    *out = (archai_template){pieces, n};
    for (size_t i = 0; i < n; i++) {
        const size_t plain = strcspn(text, "{}");
        const char *end;
        char *value;

        pieces[i].text = archai_arena_printf(&r->f->arena, "%.*s", (int)plain, text);
        text += plain;
        end = strchr(text, '}');
        if (*text == '}' || (*text == '{' && end == NULL))
            return archai_fail(r->err, ARCHAI_EINVAL, "expected {expression} in the name");
        if (*text == '\0')
            continue;
        value = archai_arena_printf(&r->f->arena, "%.*s", (int)(end - text - 1), text + 1);
        ARCHAI_TRY(archai_reader_expression_text(r, value, &pieces[i].value));
        text = end + 1;
    }
    return ARCHAI_OK;
}
