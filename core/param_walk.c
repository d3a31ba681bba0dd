#include "core/param_walk.h"

#include <math.h>
#include <stdlib.h>

static double number(const json_t *v)
{
    return json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v);
}

static bool same_choice(const archai_param *p, size_t a, size_t b)
{
    const json_t *x = json_array_get(p->choices, a), *y = json_array_get(p->choices, b);

    return p->one_hot ? archai_value_equal(x, y) : number(x) == number(y);
}

/* The next choice after `i` that is none of those before it, or the number of choices. */
static size_t next_choice(const archai_param *p, size_t i)
{
    size_t n = json_array_size(p->choices), k;

    while (++i < n) {
        for (k = 0; k < i && !same_choice(p, k, i); k++)
            ;
        if (k == i)
            break;
    }
    return i;
}

static size_t count_choices(const archai_param *p)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(p->choices); i = next_choice(p, i))
        n++;
    return n;
}

static void put_choice(archai_param_walk *w, size_t p, size_t choice)
{
    w->choice[p] = choice;
    w->value[p] = json_array_get(w->tree->params[p].choices, choice);
}

/* First choices from place `k` of the order on. */
static void rewind_from(archai_param_walk *w, size_t k)
{
    const archai_param_tree *t = w->tree;

    for (; k < t->n; k++) {
        put_choice(w, t->order[k], 0);
        w->exists[t->order[k]] = archai_param_exists(t, t->order[k], w->value, w->exists);
    }
}

static void restart(archai_param_walk *w)
{
    rewind_from(w, 0);
    w->index = 0;
}

/* To the next architecture: the last parameter in the order of dependence changes fastest. */
static bool step(archai_param_walk *w)
{
    const archai_param_tree *t = w->tree;

    for (size_t k = t->n; k > 0; k--) {
        size_t p = t->order[k - 1], next;

        if (!w->exists[p])
            continue;
        next = next_choice(&t->params[p], w->choice[p]);
        if (next < json_array_size(t->params[p].choices)) {
            put_choice(w, p, next);
            rewind_from(w, k);
            w->index++;
            return true;
        }
    }
    return false;
}

static double count(archai_param_walk *w, uint64_t limit)
{
    double product = 1.0;

    for (size_t i = 0; w->product && i < w->tree->n; i++)
        product *= (double)count_choices(&w->tree->params[i]);
    if (w->product)
        return product;
    while (w->index < limit)
        if (!step(w))
            return (double)w->index + 1.0;
    return INFINITY;
}

int archai_param_walk_init(archai_param_walk *w, const archai_param_tree *tree, bool all,
                           uint64_t limit, archai_err *err)
{
    *w = (archai_param_walk){.tree = tree, .product = all || !tree->conditional};
    w->value = calloc(tree->n, sizeof *w->value);
    w->choice = calloc(tree->n, sizeof *w->choice);
    w->exists = calloc(tree->n, sizeof *w->exists);
    if (w->value == NULL || w->choice == NULL || w->exists == NULL) {
        archai_param_walk_fini(w);
        return archai_fail(err, ARCHAI_ENOMEM, "parameter tree: out of memory");
    }
    restart(w);
    w->count = count(w, limit);
    return ARCHAI_OK;
}

void archai_param_walk_fini(archai_param_walk *w)
{
    free(w->value);
    free(w->choice);
    free(w->exists);
    *w = (archai_param_walk){.tree = NULL};
}

/* The index in the base of the numbers of choices. */
static void put_digits(archai_param_walk *w, uint64_t index)
{
    w->index = index;
    for (size_t i = w->tree->n; i > 0; i--) {
        const archai_param *p = &w->tree->params[i - 1];
        size_t n = count_choices(p), digit = (size_t)(index % n), choice = 0;

        index /= n;
        while (digit-- > 0)
            choice = next_choice(p, choice);
        put_choice(w, i - 1, choice);
    }
}

void archai_param_walk_to(archai_param_walk *w, uint64_t index)
{
    if (w->product) {
        put_digits(w, index);
        return;
    }
    if (w->index > index)
        restart(w);
    while (w->index < index && step(w))
        ;
}
