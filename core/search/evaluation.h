/* core/search/evaluation.h - candidates on their way out, evaluations on their way back.
 *
 * An evaluation is (archid, budget). Its record is what a worker commits to a segment, what it
 * reports to rank 0 and what becomes one row of results.h5: one type, one codec (io/wire/message.h).
 */
#ifndef ARCHAI_CORE_SEARCH_EVALUATION_H
#define ARCHAI_CORE_SEARCH_EVALUATION_H
#include <stdint.h>
#include "core/base/err.h"
#include "core/search/model.h"
#include "core/network/network.h"
#include "core/search/objective.h"

#ifdef __cplusplus
extern "C" {
#endif

/* clang-format off */
#define ARCHAI_STATUS_LIST(X) \
    X(ARCHAI_STATUS_OK,         0, "ok")         /* evaluated */                             \
    X(ARCHAI_STATUS_CACHED,     1, "cached")     /* generational: values of an earlier row */ \
    X(ARCHAI_STATUS_FAILED,     2, "failed")     /* `error` says why */                      \
    X(ARCHAI_STATUS_INFEASIBLE, 3, "infeasible") /* violates a constraint */                 \
    X(ARCHAI_STATUS_PRUNED,     4, "pruned")     /* stopped early by the algorithm */
/* clang-format on */
typedef enum archai_status {
#define X(name, value, text) name = value,
    ARCHAI_STATUS_LIST(X)
#undef X
    ARCHAI_STATUS_COUNT
} archai_status;
const char *archai_status_name(int status);     /* "ok"; "unknown" outside the list */
int archai_status_from_name(const char *name);  /* -1: none */

typedef struct archai_curve {
    char *name;    /* owned; "val_loss" */
    float *values; /* owned; one per epoch, [n] */
    size_t n;
} archai_curve;

/* Where one tensor of a model lies: element offset into the pool of its type in a segment. */
typedef struct archai_tensor_place {
    char *name; /* owned; state_dict name */
    archai_dtype dtype;
    int ndim;
    int64_t shape[ARCHAI_MAX_DIMS];
    int64_t offset; /* elements */
    uint32_t crc;   /* zlib crc32 of the bytes */
} archai_tensor_place;

typedef struct archai_evaluation {
    int64_t id;       /* order in which it was asked for, from 0 */
    char *archid;     /* owned, as are all strings; never NULL once complete */
    char *arch;       /* what save_arch writes */
    int status;       /* archai_status */
    char *error;      /* "" unless failed or infeasible */
    char *operator_;  /* "random", "mutation", "crossover", "initial", ... */
    char *parents;    /* JSON array of archids, as text */
    char *metadata;   /* JSON object, as text */
    char *device;     /* "cpu", "cuda:0 NVIDIA ..." */
    int32_t generation, rank;
    double budget;    /* epochs for trained models, else whatever the algorithm gave; 1 by default */
    double started;   /* Unix time, seconds */
    double seconds;   /* wall time of the evaluation */
    float *encoding;  /* owned; [n_encoding] or NULL */
    size_t n_encoding;
    archai_measure *measures; /* owned; cheap and expensive ones */
    size_t n_measures;
    archai_curve *curves; /* owned */
    size_t n_curves;
    archai_tensor_place *tensors; /* owned; empty when no weights were kept */
    size_t n_tensors;
    int64_t stored; /* where its row and weights lie (io/segment/segment.h: a place); 0: none were kept. Of a
                       candidate under way: those that it begins from. No part of the record itself */
} archai_evaluation;
void archai_evaluation_fini(archai_evaluation *e); /* safe on a zeroed struct */
int archai_evaluation_set_measure(archai_evaluation *e, const char *name, double value,
                                  archai_err *err); /* replaces or appends */
/* An ok evaluation is one whose objectives are finite numbers and whose constraints hold: else its
 * status becomes failed or infeasible, and `error` says why. Others stay as they are. */
int archai_evaluation_judge(archai_evaluation *e, const archai_objectives *o, archai_err *err);

typedef struct archai_candidate {
    int64_t id;
    archai_model model;    /* model.arch does not travel: `arch` does (archai_space_load_arch) */
    char *arch;            /* owned; save_arch text */
    char operator_[32];    /* "random", "mutation", ...; by value, since it crosses processes */
    char *parents;         /* owned; JSON array text */
    int32_t generation;
    double budget;
    uint64_t seed;         /* of this evaluation: archai_rng_derive(run seed, id); of a promoted one, that
                              of its first evaluation, so that going on is as if nothing had been between */
    int64_t begin_at;      /* place of the weights to begin from: its own of a smaller budget where it was
                              promoted, else its parent's; 0: new ones */
    double max_budget;     /* the largest that the algorithm gives; 0: it gives none of its own */
    bool keep;             /* others may begin from its weights: they are kept in any case */
    archai_measure *measures; /* owned; the cheap ones, once archai_search_know was here */
    size_t n_measures;
    float *encoding;       /* owned; or NULL; likewise */
    size_t n_encoding;
} archai_candidate;
void archai_candidate_fini(archai_candidate *c);

#ifdef __cplusplus
}
#endif
#endif
