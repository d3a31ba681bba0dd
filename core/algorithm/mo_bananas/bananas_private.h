/* core/algorithm/mo_bananas/bananas_private.h - the struct of mo_bananas; README.md lists its files. */
#ifndef ARCHAI_CORE_ALGORITHM_MO_BANANAS_BANANAS_PRIVATE_H
#define ARCHAI_CORE_ALGORITHM_MO_BANANAS_BANANAS_PRIVATE_H
#include "core/algorithm/mo_bananas/bananas.h"
#include "core/algorithm/population.h"

typedef struct archai_bananas {
    archai_population population;
    int64_t num_parents, mutations_per_parent, num_candidates;
    int64_t max_per_fit; /* -1: auto */
    int surrogate_model;
    int64_t num_ensemble_members, num_layers, width, num_tr_steps, num_warm_steps;
    double lr, replace_nan_value;

    size_t *rows; /* [n_rows], records that the surrogate learns from, in that order; owned */
    size_t n_rows, rows_capacity;
    size_t n_known; /* rows of the last job */
    int64_t n_jobs;
    archai_bananas_pool pool; /* what is being predicted, or going to be */

    /* generational */
    size_t n_synced;                /* records that were looked at */
    archai_surrogate_answer answer; /* for the next iteration; id 0: none */

    /* async */
    size_t *parents; /* [n_parents], of the pool that is being bred; owned */
    size_t n_parents, tries, wanted;
    bool breeding;
    archai_proposals ranked; /* from `next` on, the most promising first */
    size_t next, n_spent;    /* n_spent: asked for since the last pool was begun */
    size_t ranked_from;      /* the first record that was proposed after the last ranking came */
    size_t n_vain;           /* records from there on that taught nothing */
    bool alone;              /* the surrogate is gone */
} archai_bananas;

/* The surrogate learns from this record, if something predictable was measured. */
void archai_bananas_learn(archai_bananas *a, size_t record);
/* From now on there is a job: to learn all rows and to predict the pool. */
void archai_bananas_open_job(archai_bananas *a);
/* Move the best `n` of the pool, by these predictions, into a list: the most promising first. */
int archai_bananas_take_best(archai_bananas *a, const archai_surrogate_answer *answer, size_t n,
                             archai_proposals *out, archai_err *err);

int archai_bananas_generational_propose(archai_bananas *a, archai_propose *what,
                                        archai_trial *out, archai_err *err);
/* Keep the predictions for the next iteration. */
void archai_bananas_generational_answer(archai_bananas *a, const archai_surrogate_answer *answer);

int archai_bananas_async_propose(archai_bananas *a, archai_propose *what, archai_trial *out,
                                 archai_err *err);
/* Where no job is open, prepare the next one, one step at a time. *busy: there is another step. */
int archai_bananas_async_prepare(archai_bananas *a, bool *busy, archai_err *err);
int archai_bananas_async_answer(archai_bananas *a, const archai_surrogate_answer *answer,
                                archai_err *err);
#endif
