/* core/progress/prune_private.h - what the rules share. */
#ifndef ARCHAI_CORE_PROGRESS_PRUNE_PRIVATE_H
#define ARCHAI_CORE_PROGRESS_PRUNE_PRIVATE_H
#include "core/progress/prune.h"

typedef struct archai_prune_point {
    double step, cost;
} archai_prune_point;

typedef struct archai_prune_trial {
    int64_t id;
    double *cost; /* owned; [m], the last that is known */
    archai_prune_point *reports; /* owned; [n], steps ascend. Median: of what runs */
    size_t n, capacity;
    double best;       /* of its reports; NaN: they are no numbers */
    uint64_t rungs;    /* asha: bit k: it has come to rung k */
    bool complete, pruned;
} archai_prune_trial;

/* What candidates had at one step, or when they came to a rung. */
typedef struct archai_prune_peer {
    size_t trial;
    double cost;
} archai_prune_peer;
typedef struct archai_prune_level {
    double step;
    archai_prune_peer *at; /* owned; [n] */
    size_t n, capacity;
} archai_prune_level;

struct archai_pruner {
    archai_prune_settings settings;
    const struct archai_prune_rule *rule;
    size_t m, which;
    double sign; /* of costs in values: -1 where they were negated */
    archai_prune_trial *trials; /* owned; [n_trials], in the order of their first reports */
    size_t n_trials, capacity;
    size_t *running; /* owned; [n_running], of trials, ids ascend */
    size_t n_running, running_capacity;
    archai_prune_level *levels; /* owned; [n_levels], steps ascend */
    size_t n_levels, levels_capacity;
    double *scratch; /* owned */
    size_t scratch_capacity;
};

/* A rule. `t` has its last report already. */
typedef struct archai_prune_rule {
    bool (*report)(archai_pruner *p, archai_prune_trial *t, double *cutoff);
    void (*complete)(archai_pruner *p, archai_prune_trial *t); /* (optional) before its reports are released */
} archai_prune_rule;

/* The level of that step, made if there is none. */
archai_prune_level *archai_prune_level_at(archai_pruner *p, double step);
void archai_prune_level_add(archai_pruner *p, archai_prune_level *l, const archai_prune_trial *t, double cost);
/* May `t` be compared with `other`? */
bool archai_prune_is_peer(const archai_pruner *p, const archai_prune_trial *t, const archai_prune_trial *other);
/* numpy.nanpercentile of sign * cost over the peers of `t`, linear between neighbours; NaN: there is none. q in [0, 100]. */
double archai_prune_percentile(archai_pruner *p, const archai_prune_level *l, const archai_prune_trial *t, double sign,
                               double q);
#endif
