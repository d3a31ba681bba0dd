/* core/pareto/pareto_sort.c - fronts of many rows at once.
 *
 * Rows are visited in lexicographic order, so that no row is dominated by a later one and the
 * first objective needs no comparison any more: a row is dominated by a front if some member is
 * no worse in the *other* objectives. What a front must remember for that depends on how many
 * others there are: one number for two objectives, a staircase for three (binary search), the
 * members themselves beyond that. The front of a row is found by bisection over the fronts,
 * since a row that front k dominates is dominated by every front before k as well.
 */
#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

/* Indices of the rows without NaN in lexicographic order, ties by index. */
static int sorted_rows(const double *points, size_t rows, size_t n, size_t **out, size_t *n_out,
                       archai_err *err)
{
    struct order order = {points, n};
    size_t *index = malloc((rows + 1) * sizeof *index);
    size_t kept = 0;

    if (index == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory to sort %zu rows", rows);
    for (size_t i = 0; i < rows; i++) {
        bool number = true;

        for (size_t k = 0; k < n; k++)
            number = number && !isnan(points[i * n + k]);
        if (number)
            index[kept++] = i;
    }
    qsort_r(index, kept, sizeof *index, compare_rows, &order);
    *out = index;
    *n_out = kept;
    return ARCHAI_OK;
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

/* Does some member of the layer dominate a row that comes later? `rest` are its other
 * objectives. */
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
static int layer_add(struct layer *l, const double *rest, size_t others, archai_err *err)
{
    const size_t width = others == 0 ? 1 : others;
    size_t first, last;

    if (l->n == l->capacity) {
        size_t capacity = l->capacity == 0 ? 8 : 2 * l->capacity;
        double *grown = realloc(l->rows, capacity * width * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for a front of %zu", capacity);
        l->rows = grown;
        l->capacity = capacity;
    }
    if (others < 2) { /* a better number replaces the old one */
        l->rows[0] = others == 1 ? rest[0] : 0.0;
        l->n = 1;
        return ARCHAI_OK;
    }
    if (others > 2) {
        memcpy(&l->rows[l->n++ * others], rest, others * sizeof *rest);
        return ARCHAI_OK;
    }
    last = steps_up_to(l, rest[0]);
    first = last > 0 && l->rows[2 * (last - 1)] == rest[0] ? last - 1 : last;
    while (last < l->n && l->rows[2 * last + 1] >= rest[1])
        last++;
    /* steps first..last-1 lie behind the new one, which takes their place */
    memmove(&l->rows[2 * (first + 1)], &l->rows[2 * last], (l->n - last) * 2 * sizeof *l->rows);
    memcpy(&l->rows[2 * first], rest, 2 * sizeof *rest);
    l->n = l->n - (last - first) + 1;
    return ARCHAI_OK;
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
static int find_layer(struct layers *ls, const double *rest, size_t others, size_t *out,
                      archai_err *err)
{
    size_t low = 0, high = ls->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (layer_dominates(&ls->at[mid], rest, others))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == ls->capacity) {
        size_t capacity = ls->capacity == 0 ? 16 : 2 * ls->capacity;
        struct layer *grown = realloc(ls->at, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu fronts", capacity);
        ls->at = grown;
        ls->capacity = capacity;
    }
    if (low == ls->n)
        ls->at[ls->n++] = (struct layer){.rows = NULL};
    *out = low;
    return ARCHAI_OK;
}

int archai_pareto_sort(const double *points, size_t rows, size_t n, size_t *front,
                       archai_err *err)
{
    struct layers layers = {.at = NULL};
    size_t *order = NULL, n_order = 0;
    int rc;

    ARCHAI_TRY(sorted_rows(points, rows, n, &order, &n_order, err));
    for (size_t i = 0; i < rows; i++)
        front[i] = SIZE_MAX;
    for (size_t i = 0; i < n_order; i++) {
        const double *row = &points[order[i] * n];
        size_t k = 0;

        if (i > 0 && equal_rows(row, &points[order[i - 1] * n], n)) {
            front[order[i]] = front[order[i - 1]];
            continue;
        }
        ARCHAI_TRY_GOTO(rc, find_layer(&layers, row + 1, n - 1, &k, err), out);
        ARCHAI_TRY_GOTO(rc, layer_add(&layers.at[k], row + 1, n - 1, err), out);
        front[order[i]] = k;
    }
    rc = ARCHAI_OK;
out:
    layers_fini(&layers);
    free(order);
    return rc;
}

int archai_pareto_sort_archai(const double *points, size_t rows, size_t n, size_t *order,
                              size_t *front, size_t *n_out, archai_err *err)
{
    struct layers layers = {.at = NULL};
    size_t *sorted = NULL, *layer, *start = NULL, n_sorted = 0;
    int rc;

    ARCHAI_TRY(sorted_rows(points, rows, n, &sorted, &n_sorted, err));
    layer = malloc((n_sorted + 1) * sizeof *layer);
    if (layer == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to sort %zu rows", rows);
        goto out;
    }
    for (size_t i = 0; i < n_sorted; i++) {
        const double *rest = &points[sorted[i] * n] + 1;

        ARCHAI_TRY_GOTO(rc, find_layer(&layers, rest, n - 1, &layer[i], err), out);
        ARCHAI_TRY_GOTO(rc, layer_add(&layers.at[layer[i]], rest, n - 1, err), out);
    }
    start = calloc(layers.n + 2, sizeof *start); /* where each front begins in the output */
    if (start == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu fronts", layers.n);
        goto out;
    }
    for (size_t i = 0; i < n_sorted; i++)
        start[layer[i] + 1]++;
    for (size_t k = 0; k < layers.n; k++)
        start[k + 1] += start[k];
    for (size_t i = 0; i < n_sorted; i++) {
        const size_t at = start[layer[i]]++;

        order[at] = sorted[i];
        front[at] = layer[i];
    }
    *n_out = n_sorted;
    rc = ARCHAI_OK;
out:
    layers_fini(&layers);
    free(sorted);
    free(layer);
    free(start);
    return rc;
}

/* The first front in lexicographic order; of equal rows all, or only the first one. */
static int first_front(const double *points, size_t rows, size_t n, bool all, size_t *out,
                       size_t *n_out, archai_err *err)
{
    struct layer layer = {.rows = NULL};
    size_t *order = NULL, n_order = 0, kept = 0;
    bool on_front = false;
    int rc;

    ARCHAI_TRY(sorted_rows(points, rows, n, &order, &n_order, err));
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
        ARCHAI_TRY_GOTO(rc, layer_add(&layer, row + 1, n - 1, err), out);
        out[kept++] = order[i];
    }
    *n_out = kept;
    rc = ARCHAI_OK;
out:
    free(layer.rows);
    free(order);
    return rc;
}

static int compare_index(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;

    return i < j ? -1 : i > j;
}

int archai_pareto_front(const double *points, size_t rows, size_t n, size_t *out, size_t *n_out,
                        archai_err *err)
{
    ARCHAI_TRY(first_front(points, rows, n, true, out, n_out, err));
    qsort(out, *n_out, sizeof *out, compare_index);
    return ARCHAI_OK;
}

int archai_pareto_front_archai(const double *points, size_t rows, size_t n, size_t *out,
                               size_t *n_out, archai_err *err)
{
    return first_front(points, rows, n, false, out, n_out, err);
}
