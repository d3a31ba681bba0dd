/* core/progress/prune.h - which candidates end early: rules that compare what is reported while candidates train.
 *
 * Everything is a cost: something to be made small. A candidate reports costs at steps (epochs, or whatever the
 * program counts); a rule answers each report. Where there are several objectives a candidate is compared with those
 * alone that are as good or better in all others: what a cheaper model does worse may still be on the front. One that
 * is not known yet allows no comparison. Rules: a file each, and a line in ARCHAI_PRUNE_RULES.
 */
#ifndef ARCHAI_CORE_PROGRESS_PRUNE_H
#define ARCHAI_CORE_PROGRESS_PRUNE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct archai_prune_settings {
    int rule; /* of ARCHAI_PRUNE_NAMES */
    int64_t n_startup_trials, n_warmup_steps, interval_steps; /* median */
    int64_t grace_period;                                     /* asha */
    double reduction_factor;
} archai_prune_settings;

/* search.prune: its words, and the rules behind `none` in the same order. X(name) */
#define ARCHAI_PRUNE_NAMES "none median asha"
#define ARCHAI_PRUNE_RULES(X) X(median) X(asha)

typedef struct archai_pruner archai_pruner;

/* NULL for none. `m` objectives, of which number `which` is compared; negated: its costs are values with the other sign, in
 * which a median is rounded as where it comes from. */
archai_pruner *archai_pruner_create(const archai_prune_settings *s, size_t m, size_t which, bool negated);
void archai_pruner_destroy(archai_pruner *p); /* NULL is allowed */

/* Candidate `id` has come to `step` (>= 0) with cost[m]; NaN: not known. Steps that do not grow are passed over. True:
 * it should end now; *cutoff is the cost that it should have undercut. Said once. */
bool archai_pruner_report(archai_pruner *p, int64_t id, double step, const double *cost, double *cutoff);
/* It has ended. complete: as a result, of which cost[m] is known. Otherwise what it reported may still count (asha), or not. */
void archai_pruner_end(archai_pruner *p, int64_t id, bool complete, const double *cost);
/* It will be evaluated again from the beginning, or from a checkpoint. */
void archai_pruner_forget(archai_pruner *p, int64_t id);
#endif
