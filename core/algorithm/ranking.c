#include "core/algorithm/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

double *archai_ranking_points(const archai_search *s, const size_t *rows, size_t n)
{
    const size_t m = s->objectives->n_optimised;
    double *points = archai_malloc(n * m * sizeof *points);

    for (size_t i = 0; i < n; i++)
        archai_objectives_minimised(s->objectives, s->records[rows[i]].values, &points[i * m]);
    return points;
}

double *archai_ranking_points_float(const archai_search *s, const size_t *rows, size_t n)
{
    double *points = archai_ranking_points(s, rows, n);

    for (size_t i = 0; i < n * s->objectives->n_optimised; i++)
        points[i] = (double)(float)points[i];
    return points;
}

/* -- what is bred from ------------------------------------------------------------------------- */

bool archai_ranking_is_empty(const archai_search *s)
{
    for (size_t i = s->n_records; i-- > 0;)
        if (archai_record_counts(&s->records[i]))
            return false;
    return true;
}

bool archai_ranking_has_result(const archai_search *s, const archai_record *r)
{
    if (r->status != ARCHAI_STATUS_OK && r->status != ARCHAI_STATUS_INFEASIBLE)
        return false;
    for (size_t i = 0; i < s->objectives->n; i++)
        if (s->objectives->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(r->values[i]))
            return false;
    return true;
}

size_t *archai_ranking_rows(const archai_search *s, size_t *n)
{
    size_t *rows = archai_malloc(s->n_records * sizeof *rows);

    *n = 0;
    for (size_t i = 0; i < s->n_records; i++)
        if (archai_record_counts(&s->records[i]))
            rows[(*n)++] = i;
    return rows;
}

size_t archai_ranking_front(const archai_search *s, size_t *rows, size_t n, bool as_float)
{
    double *points =
        as_float ? archai_ranking_points_float(s, rows, n) : archai_ranking_points(s, rows, n);
    size_t *front = archai_malloc(n * sizeof *front);
    const size_t n_front = archai_pareto_front_archai(points, n, s->objectives->n_optimised, front);

    for (size_t i = 0; i < n_front; i++)
        front[i] = rows[front[i]];
    memcpy(rows, front, n_front * sizeof *rows);
    free(points);
    free(front);
    return n_front;
}

static int compare_rows(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;

    return i < j ? -1 : i > j;
}

/* Cached rows are missing from the search's front: each has the point of an earlier one. */
size_t *archai_ranking_best(const archai_search *s, size_t *n)
{
    size_t *rows = archai_malloc(s->front.n * sizeof *rows);

    for (size_t i = 0; i < s->front.n; i++)
        rows[i] = (size_t)s->front.tags[i];
    qsort(rows, s->front.n, sizeof *rows, compare_rows);
    *n = archai_ranking_front(s, rows, s->front.n, false);
    return rows;
}

/* -- NSGA-II's order ------------------------------------------------------------------------------- */

int archai_ranking_compare(const void *a, const void *b)
{
    const archai_ranked *x = a, *y = b;

    if (x->violation != y->violation)
        return x->violation < y->violation ? -1 : 1;
    if (x->front != y->front)
        return x->front < y->front ? -1 : 1;
    if (x->crowding != y->crowding)
        return x->crowding > y->crowding ? -1 : 1;
    return x->record < y->record ? -1 : x->record > y->record;
}

void archai_ranking_sort(const archai_search *s, archai_ranked *list, size_t n)
{
    size_t *rows = archai_malloc(n * sizeof *rows), *front = archai_malloc(n * sizeof *front);
    double *crowding = archai_malloc(n * sizeof *crowding), *points;

    for (size_t i = 0; i < n; i++)
        rows[i] = list[i].record;
    points = archai_ranking_points(s, rows, n);
    archai_pareto_rank(points, n, s->objectives->n_optimised, front, crowding);
    for (size_t i = 0; i < n; i++) {
        list[i].front = front[i];
        list[i].crowding = crowding[i];
    }
    qsort(list, n, sizeof *list, archai_ranking_compare);
    free(rows);
    free(front);
    free(crowding);
    free(points);
}
