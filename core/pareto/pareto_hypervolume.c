/* Exact hypervolume of up to four objectives.
 *
 * Points are swept in ascending order of their last objective, and the volume grows by (what the
 * points so far cover in the other objectives) times (the distance to the next point). In two
 * dimensions the cover is a length; in three it is the area of a staircase, kept up to date as
 * steps come and go; in four it is computed anew for each slice.
 */
#include "core/pareto/pareto.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { MAX_OBJECTIVES = 4 };

struct point {
    double x[MAX_OBJECTIVES];
};

struct step {
    double x, y;
};

static int compare_last(const void *a, const void *b, void *context)
{
    const size_t last = *(const size_t *)context;
    const double x = ((const struct point *)a)->x[last], y = ((const struct point *)b)->x[last];

    return x < y ? -1 : x > y;
}

/* Put a point on the staircase (x ascending, y descending) and return by how much the area
 * below the reference grew. `steps` has room for one more. */
static double add_step(struct step *steps, size_t *n, double x, double y, const double *reference)
{
    size_t low = 0, high = *n, first, last;
    double gain = 0.0, left, top;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (steps[mid].x <= x)
            low = mid + 1;
        else
            high = mid;
    }
    if (low > 0 && steps[low - 1].y <= y)
        return 0.0; /* covered already */
    first = low > 0 && steps[low - 1].x == x ? low - 1 : low;
    last = low;
    while (last < *n && steps[last].y >= y)
        last++;
    /* between x and the first step that stays, the area grows from the old steps down to y */
    left = x;
    top = first > 0 ? steps[first - 1].y : reference[1];
    for (size_t i = first; i < last; i++) {
        if (steps[i].x > left) {
            gain += (steps[i].x - left) * (top - y);
            left = steps[i].x;
        }
        top = steps[i].y;
    }
    gain += ((last < *n ? steps[last].x : reference[0]) - left) * (top - y);
    memmove(&steps[first + 1], &steps[last], (*n - last) * sizeof *steps);
    steps[first] = (struct step){x, y};
    *n = *n - (last - first) + 1;
    return gain;
}

/* Points are sorted by x[1]. */
static double volume2(const struct point *p, size_t n, const double *reference)
{
    double left = reference[0], volume = 0.0;

    for (size_t i = 0; i < n; i++)
        if (p[i].x[0] < left) {
            volume += (left - p[i].x[0]) * (reference[1] - p[i].x[1]);
            left = p[i].x[0];
        }
    return volume;
}

/* Points are sorted by x[2]; steps has room for n + 1. */
static double volume3(const struct point *p, size_t n, const double *reference, struct step *steps)
{
    double area = 0.0, volume = 0.0;
    size_t n_steps = 0;

    for (size_t i = 0; i < n; i++) {
        const double next = i + 1 < n ? p[i + 1].x[2] : reference[2];

        area += add_step(steps, &n_steps, p[i].x[0], p[i].x[1], reference);
        volume += area * (next - p[i].x[2]);
    }
    return volume;
}

/* Points are sorted by x[3]; `slice` has room for n. */
static double volume4(const struct point *p, size_t n, const double *reference, struct step *steps,
                      struct point *slice)
{
    double volume = 0.0;

    for (size_t i = 0; i < n; i++) {
        const double next = i + 1 < n ? p[i + 1].x[3] : reference[3];
        size_t at = i; /* into the slice, which stays sorted by x[2] */

        while (at > 0 && slice[at - 1].x[2] > p[i].x[2]) {
            slice[at] = slice[at - 1];
            at--;
        }
        slice[at] = p[i];
        if (next > p[i].x[3])
            volume += volume3(slice, i + 1, reference, steps) * (next - p[i].x[3]);
    }
    return volume;
}

static double volume(const struct point *p, size_t n_points, size_t n, const double *reference,
                     struct step *steps, struct point *slice)
{
    if (n_points == 0)
        return 0.0;
    switch (n) {
    case 1:
        return reference[0] - p[0].x[0];
    case 2:
        return volume2(p, n_points, reference);
    case 3:
        return volume3(p, n_points, reference, steps);
    default:
        return volume4(p, n_points, reference, steps, slice);
    }
}

int archai_pareto_hypervolume(const double *points, size_t rows, size_t n, const double *reference,
                              double *out, archai_err *err)
{
    struct point *inside, *slice;
    struct step *steps;
    size_t n_inside = 0, last = n - 1;
    int rc = ARCHAI_OK;

    if (n < 1 || n > MAX_OBJECTIVES)
        return archai_fail(err, ARCHAI_EINVAL,
                           "the hypervolume of %zu objectives is not computed, only up to %d", n,
                           MAX_OBJECTIVES);
    inside = archai_calloc(rows + 1, sizeof *inside);
    slice = archai_calloc(n == 4 ? rows : 0, sizeof *slice);
    steps = archai_calloc(rows + 1, sizeof *steps);
    for (size_t i = 0; i < rows; i++) {
        bool below = true;

        for (size_t k = 0; k < n; k++) {
            below = below && points[i * n + k] < reference[k];
            inside[n_inside].x[k] = points[i * n + k];
        }
        for (size_t k = 0; below && k < n; k++)
            if (!isfinite(inside[n_inside].x[k]) || !isfinite(reference[k])) {
                rc = archai_fail(err, ARCHAI_EINVAL, "row %zu has an infinite volume", i);
                goto out;
            }
        n_inside += below;
    }
    qsort_r(inside, n_inside, sizeof *inside, compare_last, &last);
    *out = volume(inside, n_inside, n, reference, steps, slice);
    if (!isfinite(*out)) /* all points are finite: an overflow */
        *out = DBL_MAX;
out:
    free(inside);
    free(slice);
    free(steps);
    return rc;
}
