/* What names mean while a network is built. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/network/file/build.h"
#include "core/network/file/vocabulary.h"

/* -- messages ------------------------------------------------------------------------------ */

static size_t add_path(const archai_level *level, char *out, size_t size)
{
    size_t n;

    if (level->outer == NULL)
        return 0;
    n = add_path(level->outer, out, size);
    if (n + strlen(level->container->name) + 2 < size)
        n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? "." : "",
                              level->container->name);
    return n;
}

int archai_build_at(archai_build *b, const json_t *at, const json_t *in, const char *name,
                    int rc)
{
    enum { SHOWN = 120 }; /* the end of a long path says more than its beginning */
    char path[2048] = "", where[SHOWN + 8];
    size_t n;

    if (rc == ARCHAI_OK)
        return rc;
    n = add_path(b->level, path, sizeof path - 130);
    if (name != NULL)
        n += (size_t)snprintf(path + n, sizeof path - n, "%s%s", n > 0 ? "." : "", name);
    (void)snprintf(where, sizeof where, "%s%s", n > SHOWN ? "..." : "",
                   n == 0 ? "network" : path + (n > SHOWN ? n - SHOWN : 0));
    return archai_network_file_at(b->f, at, in, where, rc, b->err);
}

int archai_build_item_at(archai_build *b, const archai_item *item, const char *name, int rc)
{
    return archai_build_at(b, item->at, item->in, name, rc);
}

/* -- names --------------------------------------------------------------------------------- */

const archai_saved *archai_build_saved(archai_build *b, const char *name)
{
    for (const archai_saved *s = b->frame->saved; s != NULL; s = s->next, b->scope.work--)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

/* The size of the batch, then those of the sample. */
static archai_datum tensor(archai_build *b, int value)
{
    const archai_shape *s = &b->shapes[value];
    archai_datum *sizes = archai_arena_take(&b->arena, ((size_t)s->ndim + 1) * sizeof *sizes);

    sizes[0].type = ARCHAI_DATUM_BATCH;
    for (int i = 0; i < s->ndim; i++)
        sizes[1 + i] = archai_datum_whole(s->dim[i]);
    return (archai_datum){.type = ARCHAI_DATUM_TENSOR,
                          .list = {sizes, (size_t)s->ndim + 1, value}};
}

static int from_json(archai_build *b, const json_t *v, archai_datum *out, archai_err *err)
{
    if (!archai_datum_from_json(v, &b->arena, &b->scope.work, out))
        return archai_fail(err, ARCHAI_EINVAL, "too much to compute");
    return ARCHAI_OK;
}

/* A parameter that is declared and not there: its `when` does not hold. */
static int missing(const char *name, archai_err *err)
{
    return archai_fail(err, ARCHAI_EINVAL, "the parameter '%.60s' does not exist here", name);
}

static bool place_of(const archai_datum_place *at, const char *name, archai_datum *out)
{
    if (!archai_is_place(name))
        return false;
    *out = archai_datum_whole(name[0] == 'i' ? at->index : at->count);
    if (name[0] == 'f' || name[0] == 'l')
        *out = (archai_datum){.type = ARCHAI_DATUM_FLAG,
                              .flag = at->index == (name[0] == 'f' ? 0 : at->count - 1)};
    return true;
}

/* ARCHAI_ENONE: it is not one of this binding's. */
static int find_bound(archai_build *b, const archai_binding *v, const char *name,
                      archai_datum *out, archai_err *err)
{
    const json_t *member;

    for (size_t i = 0; i < v->item->n_names; i++) {
        if (strcmp(v->item->names[i], name) != 0)
            continue;
        if (v->item->type == ARCHAI_ITEM_LET && i >= v->n)
            continue; /* it is being computed */
        *out = v->item->type == ARCHAI_ITEM_LET ? v->values[i]
               : v->item->apart                 ? v->element.list.items[i]
                                                : v->element;
        if (v->item->type == ARCHAI_ITEM_FOR)
            out->place = &v->place;
        return ARCHAI_OK;
    }
    if (v->item->type == ARCHAI_ITEM_LET)
        return ARCHAI_ENONE;
    if (v->element.type == ARCHAI_DATUM_GROUP) {
        member = json_object_get(v->element.group, name);
        if (member != NULL)
            return from_json(b, member, out, err);
        if (archai_declared_member(v->item->declared.node, name) != NULL)
            return missing(name, err);
    }
    return place_of(&v->place, name, out) ? ARCHAI_OK : ARCHAI_ENONE;
}

static int find_data(archai_build *b, const char *name, archai_datum *out, archai_err *err)
{
    const int size = *archai_data_size(&b->data, name);

    if (size <= 0)
        return archai_fail(err, ARCHAI_EINVAL, "the data do not say '%s': give it in 'input'",
                           name);
    *out = archai_datum_whole(size);
    return ARCHAI_OK;
}

/* What is in a frame: arguments, `in`, `x`, values that are saved. */
static int find_in_frame(archai_build *b, const char *name, archai_datum *out)
{
    const archai_frame *frame = b->frame;
    const archai_shape *entered = &frame->entered;
    const archai_saved *saved;

    for (size_t i = 0; i < frame->n_arguments; i++)
        if (strcmp(frame->block->arguments[i].name, name) == 0) {
            *out = frame->arguments[i];
            return ARCHAI_OK;
        }
    if (strcmp(name, "in") == 0) {
        *out = archai_datum_whole(entered->dim[entered->ndim >= 3 ? 0 : entered->ndim - 1]);
        return ARCHAI_OK;
    }
    if (strcmp(name, "x") == 0) {
        *out = tensor(b, b->x);
        return ARCHAI_OK;
    }
    saved = archai_build_saved(b, name);
    if (saved == NULL)
        return ARCHAI_ENONE;
    *out = tensor(b, saved->value);
    return ARCHAI_OK;
}

int archai_build_find(archai_expression_scope *s, const char *name, archai_datum *out,
                      archai_err *err)
{
    archai_build *b = (archai_build *)s;
    const json_t *param;
    int rc = ARCHAI_ENONE;

    for (const archai_binding *v = b->frame->bindings; v != NULL && rc == ARCHAI_ENONE;
         v = v->outer) {
        ARCHAI_TRY(archai_expression_work(s, 1 + v->item->n_names, err));
        rc = find_bound(b, v, name, out, err);
    }
    if (rc == ARCHAI_ENONE)
        rc = find_in_frame(b, name, out);
    if (rc != ARCHAI_ENONE)
        return rc;
    param = json_object_get(b->params, name);
    if (param != NULL)
        return from_json(b, param, out, err);
    if (archai_declared_member(b->f->parameters, name) != NULL)
        return missing(name, err);
    if (archai_data_size(NULL, name) != NULL)
        return find_data(b, name, out, err);
    ARCHAI_TRY(
        archai_expression_work(s, 50, err)); /* about what it costs to look through them */
    if (archai_module_kind_find(name) == NULL &&
        archai_network_file_block(b->f, name) == NULL && !archai_is_argument_word(name))
        return archai_fail(err, ARCHAI_EINVAL, "nothing was saved as '%.60s' before", name);
    *out = archai_datum_text(name);
    return ARCHAI_OK;
}

/* -- expressions --------------------------------------------------------------------------- */

int archai_build_evaluate(archai_build *b, const archai_expression *e, archai_datum *out)
{
    return archai_expression_evaluate(e, &b->scope, out, b->err);
}

int archai_build_text(archai_build *b, const archai_template *t, const char **out)
{
    char text[256] = "";
    size_t n = 0;

    if (t->n == 1 && t->pieces[0].value == NULL) {
        *out = t->pieces[0].text;
        return ARCHAI_OK;
    }
    for (size_t i = 0; i < t->n; i++) {
        const char *value = "";
        archai_datum v;

        if (t->pieces[i].value != NULL) {
            ARCHAI_TRY(archai_build_evaluate(b, t->pieces[i].value, &v));
            if (v.type == ARCHAI_DATUM_REAL && v.real == floor(v.real) && fabs(v.real) < 1e15)
                v = archai_datum_whole((int64_t)v.real); /* layer{n / 2}: no dot in the name */
            value = v.type != ARCHAI_DATUM_REAL ? archai_datum_name(&v, &b->arena) : NULL;
            if (value == NULL)
                return archai_fail(b->err, ARCHAI_EINVAL,
                                   "expected a whole number or a text in the name, got %s",
                                   archai_datum_describe(&v).text);
        }
        if (n + strlen(t->pieces[i].text) + strlen(value) >= sizeof text)
            return archai_fail(b->err, ARCHAI_EINVAL, "a name of more than %zu characters",
                               sizeof text - 1);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", t->pieces[i].text, value);
    }
    *out = archai_arena_printf(&b->arena, "%s", text);
    return ARCHAI_OK;
}
