/* core/search/trial.h - a trial: one candidate from its proposal to its row.
 *
 * An algorithm proposes a model; the search gives it an id, a budget and a seed; a worker evaluates it
 * and fills in the results. It is one struct all the way, moved from hand to hand, and one codec
 * (io/wire/message.h): what a worker commits to a segment, what it reports to rank 0 and what becomes
 * a row of results.h5. A field that is not known yet is zero.
 */
#ifndef ARCHAI_CORE_SEARCH_TRIAL_H
#define ARCHAI_CORE_SEARCH_TRIAL_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/search/evaluation.h"
#include "core/search/model.h"
#include "core/search/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct archai_trial {
    /* What is proposed. */
    archai_model model;  /* owned; model.arch and model.metadata do not travel: `arch` and `metadata` do */
    char *operator_;     /* owned; "random", "mutation", "crossover", "initial", ... */
    char *parents;       /* owned; JSON array of archids, as text; NULL: none */
    int32_t generation;
    double budget;       /* epochs for trained models, else whatever the algorithm gave; 0: the default */
    int64_t begin_at;    /* place of the weights to begin from (io/segment/segment.h): its own of a smaller
                            budget where it was promoted, else its parent's; 0: new ones; -(k + 1): those of
                            given model k (runner/given) */

    /* What the search adds before it hands the trial out. */
    int64_t id;          /* order in which it was asked for, from 0 */
    char *arch;          /* owned; what save_arch writes (archai_space_load_arch reads it) */
    char *metadata;      /* owned; JSON object, as text; NULL: {} */
    uint64_t seed;       /* of this evaluation: archai_rng_derive(run seed, id); of a promoted one, that of
                            its first evaluation, so that going on is as if nothing had been between */
    double max_budget;   /* the largest that the algorithm gives; 0: it gives none of its own */
    bool keep;           /* others may begin from its weights: they are kept in any case */
    bool is_test;        /* no evaluation: the weights at begin_at are measured on the test data, and its row
                            adds these measures to the row with its id (train.test = front) */

    /* What follows from the architecture (archai_search_know), and what was measured. */
    archai_measure *measures; /* owned; cheap and expensive ones */
    size_t n_measures;
    float *encoding;     /* owned; [n_encoding] or NULL */
    size_t n_encoding;

    /* How the evaluation went. */
    int status;          /* archai_status */
    char *error;         /* owned; "" unless failed or infeasible */
    char *device;        /* owned; "cpu", "cuda:0 NVIDIA ..." */
    char *log;           /* owned; file in the results with what its program printed; "": none */
    int32_t rank;
    double started;      /* Unix time, seconds */
    double seconds;      /* wall time of the evaluation */
    archai_curve *curves; /* owned */
    size_t n_curves;
    archai_tensor_place *tensors; /* owned; empty when no weights were kept */
    size_t n_tensors;
    int64_t stored;      /* where its row and weights lie (io/segment/segment.h: a place); 0: none were kept.
                            Not part of the row itself */
} archai_trial;

void archai_trial_fini(archai_trial *t); /* safe on a zeroed struct */
void archai_trial_set_operator(archai_trial *t, const char *name);
void archai_trial_set_error(archai_trial *t, archai_status status, const char *text);
/* Replaces or appends. */
void archai_trial_set_measure(archai_trial *t, const char *name, double value);
/* Was it measured on the test data? */
bool archai_trial_is_tested(const archai_trial *t);
/* Add the measures on the test data of `test`, a trial with is_test, that t does not have. */
void archai_trial_amend(archai_trial *t, const archai_trial *test);
/* The texts of a row are there, also where there is nothing to say: "[]", "{}", "". */
void archai_trial_fill_texts(archai_trial *t);
void archai_trial_drop_tensors(archai_trial *t);
/* An ok evaluation is one whose objectives are finite numbers and whose constraints hold: otherwise its
 * status becomes failed or infeasible, and `error` says why. One that measured a violated constraint need
 * not have measured the rest. Other statuses stay as they are. */
void archai_trial_check(archai_trial *t, const archai_objectives *o);

#ifdef __cplusplus
}
#endif
#endif
