#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool archai_pareto_dominates(const double *a, const double *b, size_t n)
{
    bool better = false;

    for (size_t i = 0; i < n; i++) {
        if (!(a[i] <= b[i]))
            return false;
        better = better || a[i] < b[i];
    }
    return better;
}

static bool has_nan(const double *point, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(point[i]))
            return true;
    return false;
}

/* -- the front kept incrementally ---------------------------------------------------------- */

void archai_front_init(archai_front *f, size_t n_objectives)
{
    *f = (archai_front){.n_objectives = n_objectives};
}

void archai_front_fini(archai_front *f)
{
    free(f->points);
    free(f->tags);
    free(f->left);
    *f = (archai_front){.n_objectives = 0};
}

bool archai_front_would_join(const archai_front *f, const double *point)
{
    if (has_nan(point, f->n_objectives))
        return false;
    for (size_t i = 0; i < f->n; i++)
        if (archai_pareto_dominates(&f->points[i * f->n_objectives], point, f->n_objectives))
            return false;
    return true;
}

/* All three arrays have room for `capacity` members, so that an insert cannot fail half-way. */
static int grow(archai_front *f, archai_err *err)
{
    size_t capacity = f->capacity == 0 ? 16 : 2 * f->capacity;
    double *points = realloc(f->points, capacity * f->n_objectives * sizeof *points);
    int64_t *tags, *left;

    if (points != NULL)
        f->points = points;
    tags = realloc(f->tags, capacity * sizeof *tags);
    if (tags != NULL)
        f->tags = tags;
    left = realloc(f->left, capacity * sizeof *left);
    if (left != NULL)
        f->left = left;
    if (points == NULL || tags == NULL || left == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a front of %zu", capacity);
    f->capacity = capacity;
    return ARCHAI_OK;
}

int archai_front_insert(archai_front *f, const double *point, int64_t tag, bool *joined,
                        archai_err *err)
{
    const size_t m = f->n_objectives;
    size_t kept = 0;

    if (!archai_front_would_join(f, point)) {
        f->n_left = 0;
        *joined = false;
        return ARCHAI_OK;
    }
    if (f->n == f->capacity)
        ARCHAI_TRY(grow(f, err));
    f->n_left = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (archai_pareto_dominates(point, &f->points[i * m], m)) {
            f->left[f->n_left++] = f->tags[i];
            continue;
        }
        if (kept < i) {
            memcpy(&f->points[kept * m], &f->points[i * m], m * sizeof *point);
            f->tags[kept] = f->tags[i];
        }
        kept++;
    }
    memcpy(&f->points[kept * m], point, m * sizeof *point);
    f->tags[kept] = tag;
    f->n = kept + 1;
    *joined = true;
    return ARCHAI_OK;
}
