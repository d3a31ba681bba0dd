#include "core/space/config/param_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* -- choices that differ ------------------------------------------------------------------ */

typedef struct ranked {
    const json_t *value;
    size_t index;
    bool one_hot;
} ranked;

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* Strings, booleans and numbers differ where each choice is a feature of its own. */
static int kind_of(const ranked *r)
{
    return !r->one_hot ? 0 : json_is_string(r->value) ? 1 : json_is_boolean(r->value) ? 2 : 3;
}

static int compare_values(const ranked *a, const ranked *b)
{
    if (kind_of(a) != kind_of(b))
        return kind_of(a) - kind_of(b);
    return json_is_string(a->value)
               ? strcmp(json_string_value(a->value), json_string_value(b->value))
               : compare_numbers(archai_value_number(a->value), archai_value_number(b->value));
}

static int compare(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    int by_value = compare_values(x, y);

    return by_value != 0 ? by_value : (x->index > y->index) - (x->index < y->index);
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The first of each run of equal choices, in the tree's order, to `out`; returns how many. */
static size_t list_distinct(const archai_param *p, ranked *work, size_t *out)
{
    size_t n = json_array_size(p->choices), m = 0;

    for (size_t i = 0; i < n; i++)
        work[i] = (ranked){json_array_get(p->choices, i), i, p->one_hot};
    qsort(work, n, sizeof *work, compare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_values(&work[i - 1], &work[i]) != 0)
            out[m++] = work[i].index;
    qsort(out, m, sizeof *out, compare_sizes);
    return m;
}

static void find_distinct(archai_param_walk *w)
{
    size_t total = 0, most = 0;
    ranked *work;

    for (size_t i = 0; i < w->tree->n; i++) {
        size_t n = json_array_size(w->tree->params[i].choices);

        total += n;
        most = n > most ? n : most;
    }
    w->distinct = archai_calloc(total, sizeof *w->distinct);
    w->first = archai_calloc(w->tree->n + 1, sizeof *w->first);
    work = archai_calloc(most, sizeof *work);
    for (size_t i = 0; i < w->tree->n; i++)
        w->first[i + 1] =
            w->first[i] + list_distinct(&w->tree->params[i], work, w->distinct + w->first[i]);
    free(work);
}

static size_t count_choices(const archai_param_walk *w, size_t p)
{
    return w->first[p + 1] - w->first[p];
}

/* -- walking ------------------------------------------------------------------------------ */

static void put_choice(archai_param_walk *w, size_t p, size_t choice)
{
    w->choice[p] = choice;
    w->value[p] = json_array_get(w->tree->params[p].choices, w->distinct[w->first[p] + choice]);
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

/* To the next architecture; the last parameter in the order of dependence changes fastest. */
static bool step(archai_param_walk *w)
{
    const archai_param_tree *t = w->tree;

    for (size_t k = t->n; k > 0; k--) {
        size_t p = t->order[k - 1];

        if (w->exists[p] && w->choice[p] + 1 < count_choices(w, p)) {
            put_choice(w, p, w->choice[p] + 1);
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
        product *= (double)count_choices(w, i);
    if (w->product)
        return product;
    while (w->index < limit)
        if (!step(w))
            return (double)w->index + 1.0;
    return INFINITY;
}

void archai_param_walk_init(archai_param_walk *w, const archai_param_tree *tree, bool all,
                            uint64_t limit)
{
    *w = (archai_param_walk){.tree = tree, .product = all || !tree->conditional};
    w->value = archai_calloc(tree->n, sizeof *w->value);
    w->choice = archai_calloc(tree->n, sizeof *w->choice);
    w->exists = archai_calloc(tree->n, sizeof *w->exists);
    find_distinct(w);
    restart(w);
    w->count = count(w, limit);
}

void archai_param_walk_fini(archai_param_walk *w)
{
    free(w->value);
    free(w->choice);
    free(w->exists);
    free(w->distinct);
    free(w->first);
    *w = (archai_param_walk){.tree = NULL};
}

/* The digits of the index in a mixed base: the numbers of choices. */
static void put_digits(archai_param_walk *w, uint64_t index)
{
    w->index = index;
    for (size_t i = w->tree->n; i > 0; i--) {
        size_t n = count_choices(w, i - 1);

        put_choice(w, i - 1, (size_t)(index % n));
        index /= n;
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
