/* core/pareto/pareto_crowding.c - how lonely a point is on its front, and who is better for it. */
#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct by_one {
    const double *points;
    size_t n, k;
};

static int compare_one(const void *a, const void *b, void *context)
{
    const struct by_one *o = context;
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const double x = o->points[i * o->n + o->k], y = o->points[j * o->n + o->k];

    if (x != y)
        return x < y ? -1 : 1;
    return i < j ? -1 : i > j;
}

int archai_pareto_crowding(const double *points, size_t rows, size_t n, double *out,
                           archai_err *err)
{
    size_t *order = malloc((rows + 1) * sizeof *order);

    if (order == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the crowding of %zu rows", rows);
    for (size_t i = 0; i < rows; i++) {
        order[i] = i;
        out[i] = 0.0;
    }
    for (size_t k = 0; rows > 0 && k < n; k++) {
        struct by_one by = {points, n, k};
        double extent;

        qsort_r(order, rows, sizeof *order, compare_one, &by);
        /* halved, lest the distance of two large ones overflow */
        extent = 0.5 * points[order[rows - 1] * n + k] - 0.5 * points[order[0] * n + k];
        out[order[0]] = out[order[rows - 1]] = INFINITY;
        for (size_t i = 1; extent > 0.0 && i + 1 < rows; i++)
            out[order[i]] +=
                (0.5 * points[order[i + 1] * n + k] - 0.5 * points[order[i - 1] * n + k]) /
                extent;
    }
    free(order);
    return ARCHAI_OK;
}

/* Crowding of the rows of one front, order[0..n_front). `inside` and `distance` have room for
 * them. */
static int crowd(const double *points, size_t n, const size_t *order, size_t n_front,
                 double *inside, double *distance, double *crowding, archai_err *err)
{
    for (size_t i = 0; i < n_front; i++)
        memcpy(&inside[i * n], &points[order[i] * n], n * sizeof *inside);
    ARCHAI_TRY(archai_pareto_crowding(inside, n_front, n, distance, err));
    for (size_t i = 0; i < n_front; i++)
        crowding[order[i]] = distance[i];
    return ARCHAI_OK;
}

/* Rows front by front, in a front by index. *n_order: those without NaN. */
static int group(const size_t *front, size_t rows, size_t *order, size_t *n_order,
                 archai_err *err)
{
    size_t *start = calloc(rows + 2, sizeof *start);

    if (start == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the fronts of %zu rows", rows);
    for (size_t i = 0; i < rows; i++)
        if (front[i] != SIZE_MAX)
            start[front[i] + 1]++;
    for (size_t k = 0; k < rows; k++)
        start[k + 1] += start[k];
    *n_order = start[rows];
    for (size_t i = 0; i < rows; i++)
        if (front[i] != SIZE_MAX)
            order[start[front[i]]++] = i;
    free(start);
    return ARCHAI_OK;
}

int archai_pareto_rank(const double *points, size_t rows, size_t n, size_t *front,
                       double *crowding, archai_err *err)
{
    size_t *order = malloc((rows + 1) * sizeof *order), n_order = 0;
    double *room = malloc((rows + 1) * (n + 1) * sizeof *room);
    int rc;

    if (order == NULL || room == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to rank %zu rows", rows);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_pareto_sort(points, rows, n, front, err), out);
    ARCHAI_TRY_GOTO(rc, group(front, rows, order, &n_order, err), out);
    for (size_t i = 0; i < rows; i++)
        crowding[i] = 0.0;
    for (size_t from = 0, to; rc == ARCHAI_OK && from < n_order; from = to) {
        for (to = from + 1; to < n_order && front[order[to]] == front[order[from]]; to++)
            ;
        rc = crowd(points, n, &order[from], to - from, room, &room[rows * n], crowding, err);
    }
out:
    free(order);
    free(room);
    return rc;
}
