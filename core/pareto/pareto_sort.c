/* Fronts of many rows at once.
 *
 * Rows are visited in lexicographic order, so no row is dominated by a later one and the first
 * objective needs no further comparison: a front dominates a row if some member is no worse in
 * the *other* objectives. What a front must remember for that depends on how many others there
 * are: one number for two objectives, a staircase for three (binary search), the members
 * themselves beyond that. A row's front is found by bisection, since a row that front k
 * dominates is dominated by every front before k as well.
 */
#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

struct layer {
    double *rows; /* [n, others]; owned. others == 2: a staircase, y ascending, z descending */
    size_t n, capacity;
};

struct order {
    const double *points;
    size_t n;
};

static int compare_rows(const void *a, const void *b, void *context)
{
    const struct order *o = context;
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;

    for (size_t k = 0; k < o->n; k++) {
        const double x = o->points[i * o->n + k], y = o->points[j * o->n + k];

        if (x != y)
            return x < y ? -1 : 1;
    }
    return i < j ? -1 : i > j;
}

static bool equal_rows(const double *a, const double *b, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (a[k] != b[k])
            return false;
    return true;
}

/* Indices of the rows without NaN in lexicographic order, ties by index. Caller frees. */
static size_t *sorted_rows(const double *points, size_t rows, size_t n, size_t *n_out)
{
    struct order order = {points, n};
    size_t *index = archai_calloc(rows, sizeof *index);
    size_t kept = 0;

    for (size_t i = 0; i < rows; i++) {
        bool number = true;

        for (size_t k = 0; k < n; k++)
            number = number && !isnan(points[i * n + k]);
        if (number)
            index[kept++] = i;
    }
    qsort_r(index, kept, sizeof *index, compare_rows, &order);
    *n_out = kept;
    return index;
}

/* Number of steps of a staircase with y <= the given one. */
static size_t steps_up_to(const struct layer *l, double y)
{
    size_t low = 0, high = l->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (l->rows[2 * mid] <= y)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Does some member of the layer dominate a later row? `rest` are the row's other objectives. */
static bool layer_dominates(const struct layer *l, const double *rest, size_t others)
{
    if (l->n == 0)
        return false;
    if (others == 0)
        return true;
    if (others == 1)
        return l->rows[0] <= rest[0];
    if (others == 2) {
        const size_t at = steps_up_to(l, rest[0]);

        return at > 0 && l->rows[2 * (at - 1) + 1] <= rest[1];
    }
    for (size_t i = l->n; i-- > 0;) { /* the latest member is the likeliest */
        size_t k = 0;

        while (k < others && l->rows[i * others + k] <= rest[k])
            k++;
        if (k == others)
            return true;
    }
    return false;
}

/* Add a row that no member dominates. */
static void layer_add(struct layer *l, const double *rest, size_t others)
{
    size_t first, last;

    ARCHAI_RESERVE(l->rows, l->capacity, others < 2 ? 1 : (l->n + 1) * others);
    if (others < 2) { /* a better number replaces the old one */
        l->rows[0] = others == 1 ? rest[0] : 0.0;
        l->n = 1;
        return;
    }
    if (others > 2) {
        memcpy(&l->rows[l->n++ * others], rest, others * sizeof *rest);
        return;
    }
    last = steps_up_to(l, rest[0]);
    first = last > 0 && l->rows[2 * (last - 1)] == rest[0] ? last - 1 : last;
    while (last < l->n && l->rows[2 * last + 1] >= rest[1])
        last++;
    /* the new step takes the place of steps first..last-1, which it covers */
    memmove(&l->rows[2 * (first + 1)], &l->rows[2 * last], (l->n - last) * 2 * sizeof *l->rows);
    memcpy(&l->rows[2 * first], rest, 2 * sizeof *rest);
    l->n = l->n - (last - first) + 1;
}

struct layers {
    struct layer *at; /* owned */
    size_t n, capacity;
};

static void layers_fini(struct layers *ls)
{
    for (size_t i = 0; i < ls->n; i++)
        free(ls->at[i].rows);
    free(ls->at);
}

/* The first layer that does not dominate the row; a new one where all do. */
static size_t find_layer(struct layers *ls, const double *rest, size_t others)
{
    size_t low = 0, high = ls->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (layer_dominates(&ls->at[mid], rest, others))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == ls->n) {
        ARCHAI_RESERVE(ls->at, ls->capacity, ls->n + 1);
        ls->at[ls->n++] = (struct layer){.rows = NULL};
    }
    return low;
}

void archai_pareto_sort(const double *points, size_t rows, size_t n, size_t *front)
{
    struct layers layers = {.at = NULL};
    size_t n_order, *order = sorted_rows(points, rows, n, &n_order);

    for (size_t i = 0; i < rows; i++)
        front[i] = SIZE_MAX;
    for (size_t i = 0; i < n_order; i++) {
        const double *row = &points[order[i] * n];
        size_t k;

        if (i > 0 && equal_rows(row, &points[order[i - 1] * n], n)) {
            front[order[i]] = front[order[i - 1]];
            continue;
        }
        k = find_layer(&layers, row + 1, n - 1);
        layer_add(&layers.at[k], row + 1, n - 1);
        front[order[i]] = k;
    }
    layers_fini(&layers);
    free(order);
}

size_t archai_pareto_sort_archai(const double *points, size_t rows, size_t n, size_t *order,
                                 size_t *front)
{
    struct layers layers = {.at = NULL};
    size_t n_sorted, *sorted = sorted_rows(points, rows, n, &n_sorted);
    size_t *layer = archai_calloc(n_sorted, sizeof *layer), *start;

    for (size_t i = 0; i < n_sorted; i++) {
        const double *rest = &points[sorted[i] * n] + 1;

        layer[i] = find_layer(&layers, rest, n - 1);
        layer_add(&layers.at[layer[i]], rest, n - 1);
    }
    start = archai_calloc(layers.n + 2, sizeof *start); /* where each front begins in the output */
    for (size_t i = 0; i < n_sorted; i++)
        start[layer[i] + 1]++;
    for (size_t k = 0; k < layers.n; k++)
        start[k + 1] += start[k];
    for (size_t i = 0; i < n_sorted; i++) {
        const size_t at = start[layer[i]]++;

        order[at] = sorted[i];
        front[at] = layer[i];
    }
    layers_fini(&layers);
    free(sorted);
    free(layer);
    free(start);
    return n_sorted;
}

/* The first front in lexicographic order; of equal rows all, or only the first one. */
static size_t first_front(const double *points, size_t rows, size_t n, bool all, size_t *out)
{
    struct layer layer = {.rows = NULL};
    size_t n_order, *order = sorted_rows(points, rows, n, &n_order), kept = 0;
    bool on_front = false;

    for (size_t i = 0; i < n_order; i++) {
        const double *row = &points[order[i] * n];

        if (i > 0 && equal_rows(row, &points[order[i - 1] * n], n)) {
            if (all && on_front)
                out[kept++] = order[i];
            continue;
        }
        on_front = !layer_dominates(&layer, row + 1, n - 1);
        if (!on_front)
            continue;
        layer_add(&layer, row + 1, n - 1);
        out[kept++] = order[i];
    }
    free(layer.rows);
    free(order);
    return kept;
}

static int compare_index(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;

    return i < j ? -1 : i > j;
}

size_t archai_pareto_front(const double *points, size_t rows, size_t n, size_t *out)
{
    const size_t kept = first_front(points, rows, n, true, out);

    qsort(out, kept, sizeof *out, compare_index);
    return kept;
}

size_t archai_pareto_front_archai(const double *points, size_t rows, size_t n, size_t *out)
{
    return first_front(points, rows, n, false, out);
}
