/* core/algorithm/mo_bananas/bananas_improvement.c - mo_bananas by hypervolume: parents by what they add to
 * the front, candidates by what they would add. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/mo_bananas/bananas.h"
#include "core/base/alloc.h"

enum {
    OBJECTIVES_MAX = 3, /* beyond, a volume takes too long */
    FRONT_MAX = 128,    /* members of the front that are looked at */
    RANKED_MAX = 256    /* candidates, in the order that they come in */
};

/* Points whose hypervolume is measured; the last row is free for a candidate. */
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

static bool can_measure(const archai_front *front)
{
    return front->n_objectives >= 2 && front->n_objectives <= OBJECTIVES_MAX;
}

/* Half the front's extent beyond its worst; false where that is none or too far in some objective. */
static bool set_reference(struct volume *v, const archai_front *front, const size_t *column)
{
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
    return true;
}

static void add_member(struct volume *v, const archai_front *front, size_t i, const size_t *column)
{
    for (size_t k = 0; k < v->m; k++)
        v->points[v->n * v->m + column[k]] = front->points[i * v->m + k];
    v->n++;
}

static int measure(const struct volume *v, size_t n, double *out, archai_err *err)
{
    return archai_pareto_hypervolume(v->points, n, v->m, v->reference, out, err);
}

/* Checked exactly: the difference of two volumes may say otherwise by a rounding error. */
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
    ARCHAI_TRY(measure(v, v->n + 1, out, err));
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
    struct waiting *list;
    size_t left = n < RANKED_MAX ? n : RANKED_MAX;
    int rc = ARCHAI_OK;

    if (!can_measure(front))
        return ARCHAI_OK;
    v = archai_calloc(1, sizeof *v);
    list = archai_malloc(left * sizeof *list);
    v->m = front->n_objectives;
    if (!set_reference(v, front, column))
        goto out;
    for (size_t i = 0; i < front->n; i += (front->n + FRONT_MAX - 1) / FRONT_MAX)
        add_member(v, front, i, column);
    ARCHAI_TRY_GOTO(rc, measure(v, v->n, &v->sum, err), out);
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

/* -- parents ------------------------------------------------------------------------------- */

/* log(u) / weight: with the largest keys a sample without replacement, in proportion to weights. */
static int draw_keys(struct volume *v, archai_rng *rng, double *keys, archai_err *err)
{
    const size_t last = v->n - 1;
    double all;

    ARCHAI_TRY(measure(v, v->n, &all, err));
    for (size_t i = 0; i < v->n; i++) {
        double *it = &v->points[i * v->m], *end = &v->points[last * v->m];
        double saved[OBJECTIVES_MAX], others;

        memcpy(saved, it, v->m * sizeof *it);
        memmove(it, end, v->m * sizeof *it); /* the last one in its place */
        ARCHAI_TRY(measure(v, last, &others, err));
        memcpy(it, saved, v->m * sizeof *it);
        keys[i] = log(archai_rng_random(rng)) / (fmax(all - others, 0.0) + 1e-9 * all);
    }
    return ARCHAI_OK;
}

static void take_largest(double *keys, size_t *members, size_t n_members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t best = i;

        for (size_t k = i + 1; k < n_members; k++)
            if (keys[k] > keys[best])
                best = k;
        const size_t member = members[best];

        members[best] = members[i];
        members[i] = member;
        keys[best] = keys[i];
    }
}

int archai_bananas_parents(const archai_front *front, archai_rng *rng, size_t n, size_t *out,
                           archai_err *err)
{
    const size_t column[] = {0, 1, 2};
    const size_t count = front->n < FRONT_MAX ? front->n : FRONT_MAX;
    size_t members[FRONT_MAX];
    double keys[FRONT_MAX];
    struct volume *v;
    int rc;

    if (!can_measure(front) || n >= count)
        return archai_rng_sample(rng, front->n, n, out, err);
    v = archai_calloc(1, sizeof *v);
    v->m = front->n_objectives;
    if (!set_reference(v, front, column)) {
        rc = archai_rng_sample(rng, front->n, n, out, err);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, archai_rng_sample(rng, front->n, count, members, err), out);
    for (size_t i = 0; i < count; i++)
        add_member(v, front, members[i], column);
    ARCHAI_TRY_GOTO(rc, draw_keys(v, rng, keys, err), out);
    take_largest(keys, members, count, n);
    memcpy(out, members, n * sizeof *out);
out:
    free(v);
    return rc;
}
