#include "core/progress/prune_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

#define X(name) extern const archai_prune_rule archai_prune_##name;
ARCHAI_PRUNE_RULES(X)
#undef X

static const archai_prune_rule *const rules[] = {
    NULL,
#define X(name) &archai_prune_##name,
    ARCHAI_PRUNE_RULES(X)
#undef X
};

archai_pruner *archai_pruner_create(const archai_prune_settings *s, size_t m, size_t which, bool negated)
{
    archai_pruner *p;

    if (rules[s->rule] == NULL)
        return NULL;
    p = archai_calloc(1, sizeof *p);
    p->settings = *s;
    p->rule = rules[s->rule];
    p->m = m;
    p->which = which;
    p->sign = negated ? -1 : 1;
    return p;
}

void archai_pruner_destroy(archai_pruner *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->n_trials; i++) {
        free(p->trials[i].cost);
        free(p->trials[i].reports);
    }
    for (size_t i = 0; i < p->n_levels; i++)
        free(p->levels[i].at);
    free(p->trials);
    free(p->running);
    free(p->levels);
    free(p->scratch);
    free(p);
}

/* -- trials -------------------------------------------------------------------------------------- */

/* Where in `running` an id is, or belongs. */
static size_t place_of(const archai_pruner *p, int64_t id)
{
    size_t low = 0, high = p->n_running;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (p->trials[p->running[mid]].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static archai_prune_trial *find(archai_pruner *p, int64_t id)
{
    const size_t at = place_of(p, id);

    return at < p->n_running && p->trials[p->running[at]].id == id ? &p->trials[p->running[at]] : NULL;
}

static archai_prune_trial *find_or_add(archai_pruner *p, int64_t id)
{
    archai_prune_trial *t = find(p, id);
    const size_t at = place_of(p, id);

    if (t != NULL)
        return t;
    ARCHAI_RESERVE(p->trials, p->capacity, p->n_trials + 1);
    ARCHAI_RESERVE(p->running, p->running_capacity, p->n_running + 1);
    memmove(p->running + at + 1, p->running + at, (p->n_running - at) * sizeof *p->running);
    p->running[at] = p->n_trials;
    p->n_running++;
    t = &p->trials[p->n_trials++];
    *t = (archai_prune_trial){.id = id, .best = NAN, .cost = archai_calloc(p->m, sizeof *t->cost)};
    return t;
}

static void leave(archai_pruner *p, archai_prune_trial *t)
{
    const size_t at = place_of(p, t->id);

    memmove(p->running + at, p->running + at + 1, (p->n_running - at - 1) * sizeof *p->running);
    p->n_running--;
    free(t->reports);
    t->reports = NULL;
    t->n = t->capacity = 0;
}

bool archai_pruner_report(archai_pruner *p, int64_t id, double step, const double *cost, double *cutoff)
{
    archai_prune_trial *t = find_or_add(p, id);

    if (!(step >= 0) || (t->n > 0 && step <= t->reports[t->n - 1].step))
        return false;
    memcpy(t->cost, cost, p->m * sizeof *cost);
    ARCHAI_RESERVE(t->reports, t->capacity, t->n + 1);
    t->reports[t->n++] = (archai_prune_point){step, cost[p->which]};
    t->best = fmin(t->best, cost[p->which]); /* which passes over a NaN */
    *cutoff = NAN;
    if (!p->rule->report(p, t, cutoff) || t->pruned)
        return false;
    t->pruned = true;
    return true;
}

void archai_pruner_end(archai_pruner *p, int64_t id, bool complete, const double *cost)
{
    archai_prune_trial *t = find(p, id);

    if (t == NULL)
        return;
    if (complete) {
        memcpy(t->cost, cost, p->m * sizeof *cost);
        t->complete = true;
        if (p->rule->complete != NULL)
            p->rule->complete(p, t);
    }
    leave(p, t);
}

void archai_pruner_forget(archai_pruner *p, int64_t id)
{
    archai_pruner_end(p, id, false, NULL);
}

/* -- levels -------------------------------------------------------------------------------------- */

archai_prune_level *archai_prune_level_at(archai_pruner *p, double step)
{
    size_t low = 0, high = p->n_levels;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (p->levels[mid].step < step)
            low = mid + 1;
        else
            high = mid;
    }
    if (low < p->n_levels && p->levels[low].step == step)
        return &p->levels[low];
    ARCHAI_RESERVE(p->levels, p->levels_capacity, p->n_levels + 1);
    memmove(p->levels + low + 1, p->levels + low, (p->n_levels - low) * sizeof *p->levels);
    p->n_levels++;
    p->levels[low] = (archai_prune_level){.step = step};
    return &p->levels[low];
}

void archai_prune_level_add(archai_pruner *p, archai_prune_level *l, const archai_prune_trial *t, double cost)
{
    ARCHAI_RESERVE(l->at, l->capacity, l->n + 1);
    l->at[l->n++] = (archai_prune_peer){(size_t)(t - p->trials), cost};
}

bool archai_prune_is_peer(const archai_pruner *p, const archai_prune_trial *t, const archai_prune_trial *other)
{
    for (size_t k = 0; k < p->m; k++)
        if (k != p->which && !(other->cost[k] <= t->cost[k])) /* not either where one is not known */
            return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double archai_prune_percentile(archai_pruner *p, const archai_prune_level *l, const archai_prune_trial *t, double sign,
                               double q)
{
    size_t n = 0, low;
    double at, a, b, part;

    ARCHAI_RESERVE(p->scratch, p->scratch_capacity, l->n + 1);
    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->at[i].cost) && archai_prune_is_peer(p, t, &p->trials[l->at[i].trial]))
            p->scratch[n++] = sign * l->at[i].cost;
    if (n == 0)
        return NAN;
    qsort(p->scratch, n, sizeof *p->scratch, compare);
    at = q / 100 * (double)(n - 1);
    low = (size_t)at;
    if (low + 1 >= n)
        return p->scratch[n - 1];
    a = p->scratch[low];
    b = p->scratch[low + 1];
    part = at - (double)low;
    return part < 0.5 ? a + (b - a) * part : b - (b - a) * (1 - part); /* as NumPy does */
}
