#include "core/pareto/pareto.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

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

/* -- the front kept up to date --------------------------------------------------------- */

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

bool archai_front_remove(archai_front *f, int64_t tag)
{
    const size_t m = f->n_objectives;
    size_t at = 0;

    while (at < f->n && f->tags[at] != tag)
        at++;
    if (at == f->n)
        return false;
    f->n--;
    memmove(&f->points[at * m], &f->points[(at + 1) * m], (f->n - at) * m * sizeof *f->points);
    memmove(&f->tags[at], &f->tags[at + 1], (f->n - at) * sizeof *f->tags);
    return true;
}

bool archai_front_insert(archai_front *f, const double *point, int64_t tag)
{
    const size_t m = f->n_objectives;
    size_t kept = 0;

    f->n_left = 0;
    if (!archai_front_would_join(f, point))
        return false;
    if (f->n == f->capacity) { /* all three have room for as many members */
        ARCHAI_RESERVE(f->tags, f->capacity, f->n + 1);
        f->points = archai_realloc(f->points, f->capacity * m, sizeof *f->points);
        f->left = archai_realloc(f->left, f->capacity, sizeof *f->left);
    }
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
    return true;
}
