/* Asynchronous successive halving by stopping: when a candidate comes to a rung (grace_period times a power of
 * reduction_factor) it is recorded there, and ends unless it is in the best 1 / reduction_factor of what was recorded before.
 *
 * Source: Li et al. 2020, arXiv:1810.05934, in the form of Ray Tune's ASHAScheduler (ray/tune/schedulers/async_hyperband.py)
 * with one bracket, whose names the keys have. (The algorithm `asha` promotes instead: core/algorithm/asha.c.) The first to
 * come to a rung passes; a value that is no number ends nothing, here as there. */
#include <math.h>

#include "core/progress/prune_private.h"

enum { RUNGS_MAX = 64 };

/* The highest rung that the step has come to and the candidate is not recorded at; -1: none. */
static int rung_of(const archai_pruner *p, const archai_prune_trial *t, double step, double *milestone)
{
    double at = (double)p->settings.grace_period;
    int rung = -1;

    for (int k = 0; k < RUNGS_MAX && at <= step; k++) {
        if ((t->rungs >> k & 1) == 0) {
            rung = k;
            *milestone = at;
        }
        at *= p->settings.reduction_factor;
    }
    return rung;
}

static bool asha_report(archai_pruner *p, archai_prune_trial *t, double *cutoff)
{
    const archai_prune_point last = t->reports[t->n - 1];
    const double q = (1 - 1 / p->settings.reduction_factor) * 100;
    archai_prune_level *level;
    double milestone = 0;
    int rung;

    t->reports[0] = last; /* the others are not needed any more */
    t->n = 1;
    rung = rung_of(p, t, last.step, &milestone);
    if (rung < 0)
        return false;
    level = archai_prune_level_at(p, milestone);
    *cutoff = -archai_prune_percentile(p, level, t, -1, q);
    t->rungs |= UINT64_C(1) << rung;
    archai_prune_level_add(p, level, t, last.cost);
    return last.cost > *cutoff;
}

const archai_prune_rule archai_prune_asha = {.report = asha_report};
