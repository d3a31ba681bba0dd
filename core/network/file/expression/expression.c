/* Making and evaluating expressions. */
#include "core/network/file/expression/expression.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/expression/terms.h"

enum { ARGUMENTS = 64 }; /* of a function */

/* -- making -------------------------------------------------------------------------------- */

static bool has_names(const archai_expression *e)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->terms[i].type == ARCHAI_TERM_NAME)
            return true;
    return false;
}

static int in_words(const archai_expression *e, int rc, archai_err *err)
{
    return archai_err_wrap(err, rc, "'%.150s'%s: ", e->text,
                           strlen(e->text) > 150 ? "..." : "");
}

static int find_nothing(archai_expression_scope *s, const char *name, archai_datum *out,
                        archai_err *err)
{
    (void)s, (void)out;
    return archai_fail(err, ARCHAI_ENOTFOUND, "there is no '%s'", name);
}

int archai_expression_create(archai_expression **out, const json_t *document, archai_err *err)
{
    archai_expression *e = archai_calloc(1, sizeof *e);
    archai_expression_scope none = {
        .find = find_nothing, .arena = &e->arena, .work = ARCHAI_EXPRESSION_TERMS};
    int rc;

    if (json_is_string(document))
        e->text = archai_strdup(json_string_value(document));
    else
        e->text = archai_there(json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY));
    rc = in_words(e, archai_expression_read(e, document, err), err);
    if (rc == ARCHAI_OK && !has_names(e)) {
        rc = archai_expression_evaluate(e, &none, &e->constant, err);
        e->is_constant = true;
    }
    if (rc == ARCHAI_OK)
        *out = e;
    else
        archai_expression_destroy(e);
    return rc;
}

int archai_expression_parse(archai_expression **out, const char *text, archai_err *err)
{
    json_t *document = json_string(text);
    int rc;

    if (document == NULL) /* not UTF-8 */
        return archai_fail(err, ARCHAI_EINVAL, "expected a text in UTF-8");
    rc = archai_expression_create(out, document, err);
    json_decref(document);
    return rc;
}

void archai_expression_destroy(archai_expression *e)
{
    if (e == NULL)
        return;
    archai_arena_free(&e->arena);
    free(e->terms);
    free(e->text);
    free(e);
}

const archai_datum *archai_expression_constant(const archai_expression *e)
{
    return e->is_constant ? &e->constant : NULL;
}

bool archai_expression_is_path(const archai_expression *e)
{
    int i = e->root;

    while (e->terms[i].type == ARCHAI_TERM_MEMBER)
        i = e->terms[i].first;
    return e->terms[i].type == ARCHAI_TERM_NAME;
}

/* -- evaluating ---------------------------------------------------------------------------- */

typedef struct evaluation {
    const archai_expression *e;
    archai_expression_scope *scope;
    archai_err *err;
} evaluation;

int archai_expression_work(archai_expression_scope *s, size_t work, archai_err *err)
{
    if ((int64_t)work > s->work || s->arena->bytes > ARCHAI_EXPRESSION_BYTES)
        return archai_fail(err, ARCHAI_EINVAL, "too much to compute");
    s->work -= (int64_t)work;
    return ARCHAI_OK;
}

static int evaluate(evaluation *v, int index, archai_datum *out);

/* `s.index` of a loop's element `s`. */
static bool place_member(const archai_datum *of, const char *name, archai_datum *out)
{
    const archai_datum_place *at = of->place;

    if (at == NULL)
        return false;
    if (strcmp(name, "index") == 0)
        *out = archai_datum_whole(at->index);
    else if (strcmp(name, "count") == 0)
        *out = archai_datum_whole(at->count);
    else if (strcmp(name, "first") == 0)
        *out = (archai_datum){.type = ARCHAI_DATUM_FLAG, .flag = at->index == 0};
    else if (strcmp(name, "last") == 0)
        *out = (archai_datum){.type = ARCHAI_DATUM_FLAG, .flag = at->index == at->count - 1};
    else
        return false;
    return true;
}

static int from_json(evaluation *v, const json_t *value, archai_datum *out)
{
    if (!archai_datum_from_json(value, v->scope->arena, &v->scope->work, out))
        return archai_fail(v->err, ARCHAI_EINVAL, "too much to compute");
    return ARCHAI_OK;
}

static int member(evaluation *v, const archai_term *t, archai_datum *out)
{
    archai_datum of;
    const json_t *found;

    ARCHAI_TRY(evaluate(v, t->first, &of));
    found = of.type == ARCHAI_DATUM_GROUP ? json_object_get(of.group, t->name) : NULL;
    if (found != NULL)
        return from_json(v, found, out);
    if (place_member(&of, t->name, out))
        return ARCHAI_OK;
    if (of.type == ARCHAI_DATUM_TENSOR && strcmp(t->name, "shape") == 0) {
        *out = (archai_datum){.type = ARCHAI_DATUM_LIST, .list = of.list};
        return ARCHAI_OK;
    }
    return archai_fail(v->err, ARCHAI_EINVAL, "%s has no '%s'%s",
                       archai_datum_describe(&of).text, t->name,
                       of.type == ARCHAI_DATUM_GROUP ? " here" : "");
}

static int item(evaluation *v, const archai_term *t, archai_datum *out)
{
    archai_datum of, at;
    int64_t i;

    ARCHAI_TRY(evaluate(v, t->first, &of));
    ARCHAI_TRY(evaluate(v, v->e->terms[t->first].next, &at));
    if (of.type != ARCHAI_DATUM_LIST)
        return archai_fail(v->err, ARCHAI_EINVAL, "%s is not a list",
                           archai_datum_describe(&of).text);
    if (at.type != ARCHAI_DATUM_WHOLE)
        return archai_fail(v->err, ARCHAI_EINVAL, "the index %s is not a whole number",
                           archai_datum_describe(&at).text);
    i = at.whole < 0 ? at.whole + (int64_t)of.list.n : at.whole;
    if (i < 0 || i >= (int64_t)of.list.n)
        return archai_fail(v->err, ARCHAI_EINVAL, "[%lld] of a list of %zu",
                           (long long)at.whole, of.list.n);
    *out = of.list.items[i];
    return ARCHAI_OK;
}

static int list(evaluation *v, const archai_term *t, archai_datum *out)
{
    const archai_term *terms = v->e->terms;
    archai_datum *items;
    size_t n = 0;

    for (int i = t->first; i != ARCHAI_NO_TERM; i = terms[i].next)
        n++;
    items = archai_arena_take(v->scope->arena, n * sizeof *items);
    *out = (archai_datum){.type = ARCHAI_DATUM_LIST, .list = {items, n, 0}};
    for (int i = t->first; i != ARCHAI_NO_TERM; i = terms[i].next)
        ARCHAI_TRY(evaluate(v, i, items++));
    return ARCHAI_OK;
}

static int call(evaluation *v, const archai_term *t, archai_datum *out)
{
    archai_datum values[ARGUMENTS];
    size_t n = 0;

    for (int i = t->first; i != ARCHAI_NO_TERM; i = v->e->terms[i].next) {
        if (n == ARGUMENTS)
            return archai_fail(v->err, ARCHAI_EINVAL, "more than %d arguments", ARGUMENTS);
        ARCHAI_TRY(evaluate(v, i, &values[n++]));
    }
    return archai_expression_call(t->function, values, n, v->scope, out, v->err);
}

/* Operations that may leave an operand alone. */
static int logical(evaluation *v, const archai_term *t, archai_datum *out)
{
    const int second = v->e->terms[t->first].next;

    ARCHAI_TRY(evaluate(v, t->first, out));
    if (t->type == ARCHAI_TERM_NOT)
        *out = (archai_datum){.type = ARCHAI_DATUM_FLAG, .flag = !archai_datum_true(out)};
    else if (t->type == ARCHAI_TERM_IF)
        return evaluate(v, archai_datum_true(out) ? second : v->e->terms[second].next, out);
    else if (archai_datum_true(out) == (t->type == ARCHAI_TERM_AND))
        return evaluate(v, second, out);
    return ARCHAI_OK;
}

static int operation(evaluation *v, const archai_term *t, archai_datum *out)
{
    archai_datum a, b = archai_datum_whole(0);
    bool holds = false;

    ARCHAI_TRY(evaluate(v, t->first, &a));
    if (t->type == ARCHAI_TERM_NEGATE)
        return archai_expression_arithmetic(ARCHAI_TERM_NEGATE, &a, &b, v->scope, out, v->err);
    ARCHAI_TRY(evaluate(v, v->e->terms[t->first].next, &b));
    if (t->type < ARCHAI_TERM_EQUAL)
        return archai_expression_arithmetic(t->type, &a, &b, v->scope, out, v->err);
    ARCHAI_TRY(archai_expression_compare(t->type, &a, &b, v->scope, &holds, v->err));
    *out = (archai_datum){.type = ARCHAI_DATUM_FLAG, .flag = holds};
    return ARCHAI_OK;
}

static int evaluate(evaluation *v, int index, archai_datum *out)
{
    const archai_term *t = &v->e->terms[index];

    ARCHAI_TRY(archai_expression_work(v->scope, 1, v->err));
    switch (t->type) {
    case ARCHAI_TERM_CONSTANT:
        *out = t->constant;
        return ARCHAI_OK;
    case ARCHAI_TERM_NAME:
        return v->scope->find(v->scope, t->name, out, v->err);
    case ARCHAI_TERM_MEMBER:
        return member(v, t, out);
    case ARCHAI_TERM_ITEM:
        return item(v, t, out);
    case ARCHAI_TERM_LIST:
        return list(v, t, out);
    case ARCHAI_TERM_CALL:
        return call(v, t, out);
    case ARCHAI_TERM_NOT:
    case ARCHAI_TERM_AND:
    case ARCHAI_TERM_OR:
    case ARCHAI_TERM_IF:
        return logical(v, t, out);
    default:
        return operation(v, t, out);
    }
}

int archai_expression_evaluate(const archai_expression *e, archai_expression_scope *s,
                               archai_datum *out, archai_err *err)
{
    evaluation v = {e, s, err};

    if (e->is_constant) {
        *out = e->constant;
        return ARCHAI_OK;
    }
    return in_words(e, evaluate(&v, e->root, out), err);
}

/* -- names --------------------------------------------------------------------------------- */

enum { PARTS = 64 };

typedef struct visitor {
    const archai_expression *e;
    archai_expression_visit *visit;
    void *data;
    archai_err *err;
} visitor;

static int visit_term(visitor *v, int index, bool counted);

/* The name at the bottom of a chain of members and items, with the members after it.
 * Expressions are no deeper than PARTS. */
static int visit_chain(visitor *v, int index, bool counted)
{
    const archai_term *terms = v->e->terms;
    const char *parts[PARTS + 1];
    size_t n = 0;
    int i = index;

    for (; terms[i].type == ARCHAI_TERM_MEMBER || terms[i].type == ARCHAI_TERM_ITEM;
         i = terms[i].first) {
        if (terms[i].type == ARCHAI_TERM_ITEM)
            ARCHAI_TRY(visit_term(v, terms[terms[i].first].next, false));
        else
            parts[PARTS - n++] = terms[i].name;
    }
    if (terms[i].type != ARCHAI_TERM_NAME)
        return visit_term(v, i, counted);
    parts[PARTS - n++] = terms[i].name;
    return v->visit(
        v->data,
        &(archai_expression_mention){&parts[PARTS + 1 - n], n,
                                     !counted || terms[index].type == ARCHAI_TERM_ITEM},
        v->err);
}

static int visit_term(visitor *v, int index, bool counted)
{
    const archai_term *t = &v->e->terms[index];
    const bool count = t->type == ARCHAI_TERM_CALL &&
                       t->function == archai_expression_function("len", strlen("len"));

    if (t->type == ARCHAI_TERM_NAME || t->type == ARCHAI_TERM_MEMBER ||
        t->type == ARCHAI_TERM_ITEM)
        return visit_chain(v, index, counted);
    for (int i = t->first; i != ARCHAI_NO_TERM; i = v->e->terms[i].next)
        ARCHAI_TRY(visit_term(v, i, count));
    return ARCHAI_OK;
}

int archai_expression_names(const archai_expression *e, archai_expression_visit *visit,
                            void *data, archai_err *err)
{
    visitor v = {e, visit, data, err};

    return in_words(e, visit_term(&v, e->root, false), err);
}
