/* Loops, choices, names of values, sums with what came in. */
#include "core/network/file/build.h"

#include <string.h>

#include "core/base/number.h"

/* -- loops --------------------------------------------------------------------------------- */

static int go_through(archai_build *b, const archai_item *item, const archai_datum *over,
                      archai_build_part_of *part, void *data)
{
    const bool list = over->type == ARCHAI_DATUM_LIST;
    archai_binding v = {.item = item, .outer = b->frame->bindings};
    archai_frame *frame = b->frame;
    int rc = ARCHAI_OK;

    v.place.count = list ? (int64_t)over->list.n : over->whole;
    for (int64_t i = 0; i < v.place.count && rc == ARCHAI_OK; i++) {
        v.place.index = i;
        v.element = list ? over->list.items[i] : archai_datum_whole(i);
        if (item->apart &&
            (v.element.type != ARCHAI_DATUM_LIST || v.element.list.n != item->n_names))
            return archai_build_item_at(
                b, item, NULL,
                archai_fail(b->err, ARCHAI_EINVAL,
                            "for: expected a list of %zu for 'as', got %s", item->n_names,
                            archai_datum_describe(&v.element).text));
        ARCHAI_TRY(
            archai_build_item_at(b, item, NULL, archai_expression_work(&b->scope, 1, b->err)));
        frame->bindings = &v;
        rc = part(b, &item->body, data);
    }
    frame->bindings = v.outer;
    return rc;
}

int archai_build_for(archai_build *b, const archai_item *item, archai_build_part_of *part,
                     void *data)
{
    archai_datum over;
    int rc = archai_build_evaluate(b, item->value, &over);

    if (rc == ARCHAI_OK && over.type == ARCHAI_DATUM_REAL && over.real >= 0 &&
        over.real < 1e9 && !((double)(int64_t)over.real < over.real))
        over = archai_datum_whole((int64_t)over.real);
    if (rc == ARCHAI_OK && over.type != ARCHAI_DATUM_LIST &&
        (over.type != ARCHAI_DATUM_WHOLE || over.whole < 0))
        rc = archai_fail(b->err, ARCHAI_EINVAL, "expected a list or a number from 0, got %s",
                         archai_datum_describe(&over).text);
    ARCHAI_TRY(archai_build_item_at(b, item, NULL, archai_err_wrap(b->err, rc, "for: ")));
    return go_through(b, item, &over, part, data);
}

/* -- choices ------------------------------------------------------------------------------- */

static int choose(archai_build *b, const archai_item *item, const archai_datum *v,
                  const archai_body **out)
{
    const char *name = archai_datum_name(v, &b->arena), *names[64];
    size_t n = 0;

    for (size_t i = 0; name != NULL && i < item->n_cases; i++)
        if (strcmp(item->cases[i].value, name) == 0) {
            *out = &item->cases[i].body;
            return ARCHAI_OK;
        }
    *out = &item->other;
    if (item->has_other)
        return ARCHAI_OK;
    for (size_t i = 0; i < item->n_cases && n < 64; i++)
        names[n++] = item->cases[i].value;
    return archai_fail(
        b->err, ARCHAI_EINVAL, "choose: 'from' has no %s, and there is no 'default'%s",
        archai_datum_describe(v).text, archai_suggest(name != NULL ? name : "", names, n).text);
}

int archai_build_choice(archai_build *b, const archai_item *item, const archai_body **out)
{
    archai_datum v;
    int rc = archai_build_evaluate(b, item->value, &v);

    *out = NULL;
    if (rc == ARCHAI_OK && item->type == ARCHAI_ITEM_CHOOSE)
        rc = choose(b, item, &v, out);
    else if (rc == ARCHAI_OK && archai_datum_true(&v))
        *out = &item->body;
    else if (rc == ARCHAI_OK && item->has_other)
        *out = &item->other;
    return archai_build_item_at(b, item, NULL, rc);
}

/* -- names of values ----------------------------------------------------------------------- */

int archai_build_let(archai_build *b, const archai_item *item)
{
    archai_datum *values = archai_arena_take(&b->arena, item->n_names * sizeof *values);
    archai_binding *v = archai_arena_take(&b->arena, sizeof *v);

    *v = (archai_binding){.item = item, .values = values, .outer = b->frame->bindings};
    b->frame->bindings = v; /* until the body ends */
    for (; v->n < item->n_names; v->n++) {
        const int rc = archai_build_evaluate(b, item->values[v->n], &values[v->n]);

        ARCHAI_TRY(archai_build_item_at(
            b, item, NULL, archai_err_wrap(b->err, rc, "let: %s: ", item->names[v->n])));
    }
    return ARCHAI_OK;
}

/* -- residuals ----------------------------------------------------------------------------- */

int archai_build_residual(archai_build *b, const archai_item *item)
{
    const int before = b->x;
    int made;

    ARCHAI_TRY(archai_build_body(b, &item->body));
    made = b->x;
    if (archai_shape_equal(&b->shapes[before], &b->shapes[made]))
        return archai_build_kind(b, item, &archai_kind_add, (const int[]){before, made}, 2,
                                 NULL);
    if (!item->has_other)
        return ARCHAI_OK;
    b->x = before;
    ARCHAI_TRY(archai_build_body(b, &item->other));
    return archai_build_kind(b, item, &archai_kind_add, (const int[]){made, b->x}, 2, NULL);
}
