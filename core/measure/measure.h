/* core/measure/measure.h - sections [measure.NAME]: what is measured of a model beside its training, and when.
 *
 * Three kinds of measure. Those that follow from the description (params, macs, ...) are computed on rank 0
 * before anything is sent: a section for one gives it another name. Those that run the model (latency,
 * training-free scores) are taken by archai-evaluator. kind = command asks the user's program, which speaks as
 * evaluator.kind = command does; of its answer the key NAME counts.
 */
#ifndef ARCHAI_CORE_MEASURE_MEASURE_H
#define ARCHAI_CORE_MEASURE_MEASURE_H
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/ini.h"
#include "core/config/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The measures that archai-evaluator takes, one function measure_<name> each in shim/measure/<name>.cpp:
 * X(name, help). */
/* clang-format off */
#define ARCHAI_MEASURE_LIST(X) \
    X(latency_seconds,   "of one forward pass of a batch; NAME_iqr is the spread") \
    X(peak_memory_bytes, "most memory that tensors take at once, beside the weights, in one pass over a batch") \
    X(energy_joules,     "of one forward pass of a batch, by the CPU's own meter (RAPL); absent where there is none") \
    X(grad_norm,         "norms of the gradients of convolutions and linear layers, summed; arXiv:2101.08134") \
    X(snip,              "absolute products of weights and their gradients, summed; arXiv:1810.02340") \
    X(synflow,           "the same for absolute weights and an input of ones; arXiv:2006.05467") \
    X(jacob_cov,         "how different the gradients of examples are; arXiv:2006.04647v1") \
    X(naswot,            "how different the ReLU patterns of examples are; arXiv:2006.04647v3")
/* clang-format on */

enum { ARCHAI_MAX_MEASURES = 16 };
typedef enum archai_stage { ARCHAI_BEFORE, ARCHAI_AFTER } archai_stage;
typedef enum archai_pass { ARCHAI_INFERENCE, ARCHAI_TRAINING } archai_pass;

typedef struct archai_measure_spec {
    char *name; /* owned; from the section [measure.<name>] */
    int kind;   /* index into the choices of `kind` */
    int stage;  /* archai_stage */
    char *command;      /* owned; kind = command */
    int64_t batch_size; /* examples in the pass */
    int64_t threads;    /* 0: those of the evaluation */
    int device;         /* auto cpu cuda */
    double percentile;  /* of the repeated passes that latency_seconds takes */
    double seconds;     /* that latency_seconds and energy_joules measure for, at least */
    int pass;           /* archai_pass; of peak_memory_bytes */
} archai_measure_spec;

typedef struct archai_measure_specs {
    archai_measure_spec at[ARCHAI_MAX_MEASURES]; /* in the order of the configuration */
    size_t n;
} archai_measure_specs;

extern const archai_option archai_measure_options[];
extern const char archai_measure_prefix[]; /* "measure." */

/* All sections [measure.*]; every problem is a line. Caller frees, not on failure. */
int archai_measure_specs_create(archai_measure_specs *out, archai_ini *ini, archai_err *err);
/* A measure that archai-evaluator takes, as if its section were there and empty; false: there is none of that
 * name, or too many sections. */
bool archai_measure_specs_imply(archai_measure_specs *s, const char *name);
void archai_measure_specs_free(archai_measure_specs *s);
const archai_measure_spec *archai_measure_specs_find(const archai_measure_specs *s,
                                                     const char *name); /* NULL: none */

const char *archai_measure_kind_name(const archai_measure_spec *m);
bool archai_measure_is_command(const archai_measure_spec *m);
/* By archai-evaluator, from the model? */
bool archai_measure_is_of_model(const archai_measure_spec *m);
/* From the description alone. */
bool archai_measure_is_cheap(const char *name);
bool archai_measure_is_described(const archai_measure_spec *m);

#ifdef __cplusplus
}
#endif
#endif
