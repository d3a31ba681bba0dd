/* Crowding distance, and the order of NSGA-II. */
#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

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

void archai_pareto_crowding(const double *points, size_t rows, size_t n, double *out)
{
    size_t *order = archai_calloc(rows, sizeof *order);

    for (size_t i = 0; i < rows; i++) {
        order[i] = i;
        out[i] = 0.0;
    }
    for (size_t k = 0; rows > 0 && k < n; k++) {
        struct by_one by = {points, n, k};
        double extent;

        qsort_r(order, rows, sizeof *order, compare_one, &by);
        /* halved, since the distance of two large ones could overflow */
        extent = 0.5 * points[order[rows - 1] * n + k] - 0.5 * points[order[0] * n + k];
        out[order[0]] = out[order[rows - 1]] = INFINITY;
        for (size_t i = 1; extent > 0.0 && i + 1 < rows; i++)
            out[order[i]] +=
                (0.5 * points[order[i + 1] * n + k] - 0.5 * points[order[i - 1] * n + k]) / extent;
    }
    free(order);
}

/* Crowding of the rows of one front, order[0..n_front). `inside` and `distance` have room for
 * them. */
static void crowd(const double *points, size_t n, const size_t *order, size_t n_front,
                  double *inside, double *distance, double *crowding)
{
    for (size_t i = 0; i < n_front; i++)
        memcpy(&inside[i * n], &points[order[i] * n], n * sizeof *inside);
    archai_pareto_crowding(inside, n_front, n, distance);
    for (size_t i = 0; i < n_front; i++)
        crowding[order[i]] = distance[i];
}

/* Rows without NaN, front by front, within a front by index. Returns how many. */
static size_t group(const size_t *front, size_t rows, size_t *order)
{
    size_t *start = archai_calloc(rows + 2, sizeof *start), n;

    for (size_t i = 0; i < rows; i++)
        if (front[i] != SIZE_MAX)
            start[front[i] + 1]++;
    for (size_t k = 0; k < rows; k++)
        start[k + 1] += start[k];
    n = start[rows];
    for (size_t i = 0; i < rows; i++)
        if (front[i] != SIZE_MAX)
            order[start[front[i]]++] = i;
    free(start);
    return n;
}

void archai_pareto_rank(const double *points, size_t rows, size_t n, size_t *front,
                        double *crowding)
{
    size_t *order = archai_calloc(rows, sizeof *order), n_order;
    double *room = archai_calloc(rows * (n + 1), sizeof *room);

    archai_pareto_sort(points, rows, n, front);
    n_order = group(front, rows, order);
    for (size_t i = 0; i < rows; i++)
        crowding[i] = 0.0;
    for (size_t from = 0, to; from < n_order; from = to) {
        for (to = from + 1; to < n_order && front[order[to]] == front[order[from]]; to++)
            ;
        crowd(points, n, &order[from], to - from, room, &room[rows * n], crowding);
    }
    free(order);
    free(room);
}
