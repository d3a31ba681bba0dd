/* core/bananas_improvement.c - candidates of mo_bananas by what they would add to the front. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/bananas.h"

enum {
    OBJECTIVES_MAX = 3, /* beyond, a volume takes too long */
    FRONT_MAX = 128,    /* members of the front that are looked at */
    RANKED_MAX = 256    /* candidates, in the order that they come in */
};

/* Points whose hypervolume is asked for; the last row is free for a candidate. */
struct volume {
    size_t n, m;
    double points[(FRONT_MAX + RANKED_MAX + 1) * OBJECTIVES_MAX];
    double reference[OBJECTIVES_MAX], sum;
};

struct waiting {
    size_t candidate, place; /* its row, and where it came in */
    double improvement;
    size_t since; /* points that there were then */
};

/* Half the front's extent beyond its worst; false where that is none or too far in some objective. */
static bool set_front(struct volume *v, const archai_front *front, const size_t *column)
{
    const size_t step = (front->n + FRONT_MAX - 1) / FRONT_MAX;

    for (size_t k = 0; k < v->m; k++) {
        double least = HUGE_VAL, most = -HUGE_VAL;

        for (size_t i = 0; i < front->n; i++) {
            least = fmin(least, front->points[i * v->m + k]);
            most = fmax(most, front->points[i * v->m + k]);
        }
        v->reference[column[k]] = most + 0.5 * (most - least);
        if (!(most > least) || isinf(v->reference[column[k]]))
            return false;
    }
    for (size_t i = 0; i < front->n; i += step, v->n++)
        for (size_t k = 0; k < v->m; k++)
            v->points[v->n * v->m + column[k]] = front->points[i * v->m + k];
    return true;
}

/* Volumes are sums, and their differences may say otherwise by a rounding error. */
static bool adds_nothing(const struct volume *v, const double *point)
{
    for (size_t k = 0; k < v->m; k++)
        if (!(point[k] < v->reference[k]))
            return true;
    for (size_t i = 0; i < v->n; i++) {
        size_t k = 0;

        while (k < v->m && v->points[i * v->m + k] <= point[k])
            k++;
        if (k == v->m)
            return true;
    }
    return false;
}

static int improvement(struct volume *v, const double *point, double *out, archai_err *err)
{
    *out = 0.0;
    if (adds_nothing(v, point))
        return ARCHAI_OK;
    memcpy(&v->points[v->n * v->m], point, v->m * sizeof *point);
    ARCHAI_TRY(archai_pareto_hypervolume(v->points, v->n + 1, v->m, v->reference, out, err));
    *out = fmax(*out - v->sum, 0.0);
    return ARCHAI_OK;
}

static const struct waiting *most(const struct waiting *list, size_t n)
{
    const struct waiting *best = list;

    for (size_t i = 1; i < n; i++)
        if (list[i].improvement > best->improvement ||
            (list[i].improvement == best->improvement && list[i].place < best->place))
            best = &list[i];
    return best;
}

int archai_bananas_by_improvement(const archai_front *front, const size_t *column,
                                  const double *points, size_t *order, size_t n,
                                  archai_err *err)
{
    struct volume *v;
    struct waiting *list = NULL;
    size_t left = n < RANKED_MAX ? n : RANKED_MAX;
    int rc = ARCHAI_OK;

    if (front->n_objectives < 2 || front->n_objectives > OBJECTIVES_MAX)
        return ARCHAI_OK;
    v = calloc(1, sizeof *v);
    list = malloc((left + 1) * sizeof *list);
    if (v == NULL || list == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to rank %zu candidates", n);
        goto out;
    }
    v->m = front->n_objectives;
    if (!set_front(v, front, column))
        goto out;
    ARCHAI_TRY_GOTO(
        rc, archai_pareto_hypervolume(v->points, v->n, v->m, v->reference, &v->sum, err), out);
    for (size_t i = 0; i < left; i++) {
        list[i] = (struct waiting){.candidate = order[i], .place = i, .since = v->n};
        ARCHAI_TRY_GOTO(rc, improvement(v, &points[order[i] * v->m], &list[i].improvement, err),
                        out);
    }
    for (size_t placed = 0; left > 0;) {
        struct waiting *w = &list[most(list, left) - list];

        if (w->since < v->n) { /* what others add it does not */
            ARCHAI_TRY_GOTO(
                rc, improvement(v, &points[w->candidate * v->m], &w->improvement, err), out);
            w->since = v->n;
            continue;
        }
        order[placed++] = w->candidate;
        if (w->improvement > 0.0)
            memcpy(&v->points[v->n++ * v->m], &points[w->candidate * v->m],
                   v->m * sizeof *points);
        v->sum += w->improvement;
        *w = list[--left];
    }
out:
    free(v);
    free(list);
    return rc;
}
