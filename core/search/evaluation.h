/* core/search/evaluation.h - what an evaluation gives: a status, curves, the places of weights.
 *
 * An evaluation is (archid, budget); core/search/trial.h holds the whole of it.
 */
#ifndef ARCHAI_CORE_SEARCH_EVALUATION_H
#define ARCHAI_CORE_SEARCH_EVALUATION_H
#include <stdint.h>
#include "core/network/network.h"

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

#ifdef __cplusplus
}
#endif
#endif
