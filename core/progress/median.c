/* Median stopping: a candidate ends whose best value so far is worse than the median of what complete candidates had at
 * the same step.
 *
 * Source: Golovin et al. 2017, "Google Vizier", 3.5.2, in the form of Optuna's MedianPruner (optuna/pruners/_percentile.py),
 * whose names the keys have: not before n_startup_trials candidates are complete, not before step n_warmup_steps, and at
 * the first report in each interval of interval_steps. Candidates that were pruned are not complete. With several
 * objectives (prune.h) those count alone that it is compared with; Optuna prunes single-objective studies only. */
#include <math.h>

#include "core/progress/prune_private.h"

static bool are_enough(const archai_pruner *p, const archai_prune_trial *t)
{
    int64_t n = 0;

    for (size_t i = 0; i < p->n_trials; i++) {
        n += p->trials[i].complete && archai_prune_is_peer(p, t, &p->trials[i]);
        if (n >= p->settings.n_startup_trials && n > 0)
            return true;
    }
    return false;
}

/* Is the last report the first of its interval? */
static bool is_due(const archai_prune_settings *s, const archai_prune_trial *t)
{
    const double step = t->reports[t->n - 1].step, before = t->n > 1 ? t->reports[t->n - 2].step : -1;
    const double warmup = (double)s->n_warmup_steps, interval = (double)s->interval_steps;

    return step >= warmup && before < floor((step - warmup) / interval) * interval + warmup;
}

static bool median_report(archai_pruner *p, archai_prune_trial *t, double *cutoff)
{
    if (!is_due(&p->settings, t) || !are_enough(p, t))
        return false;
    *cutoff = p->sign * archai_prune_percentile(p, archai_prune_level_at(p, t->reports[t->n - 1].step), t, p->sign, 50);
    return isnan(t->best) || t->best > *cutoff;
}

static void median_complete(archai_pruner *p, archai_prune_trial *t)
{
    for (size_t i = 0; i < t->n; i++)
        archai_prune_level_add(p, archai_prune_level_at(p, t->reports[i].step), t, t->reports[i].cost);
}

const archai_prune_rule archai_prune_median = {.report = median_report, .complete = median_complete};
