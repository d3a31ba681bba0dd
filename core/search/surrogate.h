/* core/search/surrogate.h - predicting an evaluation's results from those of earlier ones.
 *
 * An algorithm with a surrogate has jobs: rows to learn from (encodings and measures) and queries to
 * predict. Nothing is computed here. The caller that drives the search takes the job
 * (archai_search_job), has it done elsewhere while candidates come and go (archai-evaluator; in a test
 * shim/surrogate.cpp in the same process) and brings the answer (archai_search_answer).
 *
 * Rows are sent once: the process that does the jobs keeps them. A job that is asked for again with
 * fewer rows held (a new process holds none) brings the missing ones.
 *
 * A surrogate is one file shim/surrogate_<name>.cpp and one line in ARCHAI_SURROGATE_LIST.
 */
#ifndef ARCHAI_CORE_SEARCH_SURROGATE_H
#define ARCHAI_CORE_SEARCH_SURROGATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"
#ifdef __cplusplus
extern "C" {
#endif

/* name (`search.surrogate_model`) */
#define ARCHAI_SURROGATE_LIST(X) X(dnn_ensemble)

enum {
    ARCHAI_SURROGATE_MEMBERS_MAX = 64,
    ARCHAI_SURROGATE_LAYERS_MAX = 32,
    ARCHAI_SURROGATE_WIDTH_MAX = 4096,
    ARCHAI_SURROGATE_STEPS_MAX = 1000000,
    ARCHAI_SURROGATE_COLUMNS_MAX = 65536 /* features, targets */
};

typedef struct archai_surrogate_settings {
    char model[32];               /* a name of the list */
    int64_t num_ensemble_members; /* Archai's names, core/algorithm/mo_bananas/mo_bananas.c */
    int64_t num_layers, width;
    int64_t num_tr_steps; /* of this fit */
    double lr, replace_nan_value;
} archai_surrogate_settings;

typedef struct archai_surrogate_job {
    int64_t id; /* from 1 */
    archai_surrogate_settings settings;
    uint64_t seed; /* of everything random in it */
    bool warm;     /* go on from the last fit where there is one; else the answer depends on
                      rows, queries and seed alone */
    char *kinds;   /* owned; as archai_space_ops.encoding_kinds; "": all numbers */
    int64_t n_features, n_targets;
    int64_t held;    /* rows of earlier jobs, which are kept */
    float *x;        /* owned; [n_x / n_features, n_features]: further rows; may hold NaN */
    float *y;        /* owned; [n_y / n_targets, n_targets], as many; NaN: not measured */
    float *queries;  /* owned; [n_queries / n_features, n_features] */
    size_t n_x, n_y, n_queries; /* floats */
} archai_surrogate_job;
void archai_surrogate_job_fini(archai_surrogate_job *j); /* safe on a zeroed struct */
/* Counts, ranges, names. ARCHAI_EFORMAT. */
int archai_surrogate_job_check(const archai_surrogate_job *j, archai_err *err);

typedef struct archai_surrogate_answer {
    int64_t id;
    float *mean, *var;    /* owned; [queries, targets], in the targets' units; finite */
    size_t n_mean, n_var; /* floats */
} archai_surrogate_answer;
void archai_surrogate_answer_fini(archai_surrogate_answer *a); /* safe on a zeroed struct */

/* -- jobs ------------------------------------------------------------------------------------- */
struct archai_search;

/* The algorithm's job, if it has one: *got, and *out is the caller's; the same one again until it is
 * answered. `held`: how many of its rows the process that does it has already. Call it in every turn: a
 * job is made in small steps, and *busy says that there is more to do at once. */
int archai_search_job(struct archai_search *s, size_t held, archai_surrogate_job *out, bool *got,
                      bool *busy, archai_err *err);
/* Takes the answer over, also on failure. ARCHAI_EFORMAT: it does not fit the job. */
int archai_search_answer(struct archai_search *s, archai_surrogate_answer *answer,
                         archai_err *err);
/* Its jobs cannot be done, and `why`. async: the search goes on without predictions. generational:
 * ARCHAI_ECHILD. */
int archai_search_abandon_jobs(struct archai_search *s, const char *why, archai_err *err);
/* Does the algorithm have jobs at all? */
bool archai_search_has_jobs(const struct archai_search *s);

#ifdef __cplusplus
}
#endif
#endif
