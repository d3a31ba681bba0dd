#include "core/space/config/param_walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/python_text.h"

/* -- choices that differ ------------------------------------------------------------------ */

typedef struct ranked {
    const json_t *value;
    char *text; /* owned; of a list */
    size_t index;
    bool one_hot;
} ranked;

static int compare_numbers(double a, double b)
{
    return (a > b) - (a < b);
}

/* Strings, booleans, numbers, lists and null differ where each choice is a feature of its own. */
static int kind_of(const ranked *r)
{
    if (!r->one_hot)
        return 0;
    return json_is_string(r->value)    ? 1
           : json_is_boolean(r->value) ? 2
           : json_is_number(r->value)  ? 3
           : json_is_null(r->value)    ? 4
                                       : 5;
}

static int compare_values(const ranked *a, const ranked *b)
{
    if (kind_of(a) != kind_of(b))
        return kind_of(a) - kind_of(b);
    if (a->text != NULL)
        return strcmp(a->text, b->text);
    if (json_is_null(a->value))
        return 0;
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

    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(p->choices, i);

        work[i] = (ranked){v, NULL, i, p->one_hot};
        if (json_is_array(v))
            work[i].text = archai_python_json(v, false);
    }
    qsort(work, n, sizeof *work, compare);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || compare_values(&work[i - 1], &work[i]) != 0)
            out[m++] = work[i].index;
    for (size_t i = 0; i < n; i++)
        free(work[i].text);
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
    w->n_values = archai_calloc(w->tree->n, sizeof *w->n_values);
    work = archai_calloc(most, sizeof *work);
    for (size_t i = 0; i < w->tree->n; i++) {
        const archai_param *p = &w->tree->params[i];

        w->first[i + 1] = w->first[i] + list_distinct(p, work, w->distinct + w->first[i]);
        w->n_values[i] = p->choices != NULL  ? w->first[i + 1] - w->first[i]
                         : p->range.step > 0 ? (uint64_t)archai_range_count(&p->range)
                                             : 1;
    }
    free(work);
}

/* -- walking ------------------------------------------------------------------------------ */

static void put_choice(archai_param_walk *w, size_t p, uint64_t choice)
{
    const archai_param *at = &w->tree->params[p];

    json_decref(w->value[p]);
    w->choice[p] = choice;
    w->value[p] = at->choices != NULL
                      ? json_incref(json_array_get(at->choices, w->distinct[w->first[p] + choice]))
                      : archai_range_value(&at->range, archai_range_at(&at->range, choice));
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

        if (w->exists[p] && w->choice[p] + 1 < w->n_values[p]) {
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

    for (size_t i = 0; i < w->tree->n; i++)
        if (w->tree->params[i].choices == NULL && w->tree->params[i].range.step == 0)
            return INFINITY;
    for (size_t i = 0; w->product && i < w->tree->n; i++)
        product *= (double)w->n_values[i];
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
    for (size_t i = 0; w->tree != NULL && i < w->tree->n; i++)
        json_decref(w->value[i]);
    free(w->value);
    free(w->n_values);
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
        const uint64_t n = w->n_values[i - 1];

        put_choice(w, i - 1, index % n);
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
