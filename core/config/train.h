/* core/config/train.h - section [train]: the training recipe of a candidate.
 *
 * One struct, filled from one option table, so that whoever overrides keys for a candidate
 * (core/config/train_own.h) needs to know none of them.
 */
#ifndef ARCHAI_CORE_CONFIG_TRAIN_H
#define ARCHAI_CORE_CONFIG_TRAIN_H
#include <stdbool.h>
#include <stdint.h>
#include "core/config/option.h"
#include "core/config/registry.h"

enum { ARCHAI_CHECKPOINT_NONE, ARCHAI_CHECKPOINT_EPOCH };
enum {
    ARCHAI_OPTIMIZER_SGD,
    ARCHAI_OPTIMIZER_ADAM,
    ARCHAI_OPTIMIZER_ADAMW,
    ARCHAI_OPTIMIZER_RMSPROP,
    ARCHAI_OPTIMIZER_LION
};
enum { ARCHAI_DECAY_ALL, ARCHAI_DECAY_WEIGHTS };
enum {
    ARCHAI_LR_CONSTANT,
    ARCHAI_LR_COSINE,
    ARCHAI_LR_STEP,
    ARCHAI_LR_MULTISTEP,
    ARCHAI_LR_LINEAR,
    ARCHAI_LR_ONE_CYCLE
};
enum { ARCHAI_KEEP_LAST, ARCHAI_KEEP_BEST };
enum { ARCHAI_TEST_ALL, ARCHAI_TEST_FRONT, ARCHAI_TEST_NONE };
enum {
    ARCHAI_PRECISION_FP32,
    ARCHAI_PRECISION_BF16,
    ARCHAI_PRECISION_FP16,
    ARCHAI_PRECISION_AUTO
};
enum { ARCHAI_TF32_CONV, ARCHAI_TF32_YES, ARCHAI_TF32_NO };
enum {
    ARCHAI_LOSS_AUTO,
    ARCHAI_LOSS_CROSS_ENTROPY,
    ARCHAI_LOSS_BCE,
    ARCHAI_LOSS_MSE,
    ARCHAI_LOSS_L1,
    ARCHAI_LOSS_HUBER
};

/* A span is epochs from 1 on, below that a share of the whole training. Zeros switch off what
 * comes after the schedule, and are the defaults there but for gamma. */
typedef struct archai_train_settings {
    double epochs; /* of a candidate without a budget; not whole: the last epoch is cut short */
    int64_t batch_size;
    int optimizer;                                /* ARCHAI_OPTIMIZER_* */
    double learning_rate, momentum, weight_decay; /* momentum: SGD and RMSprop */
    int learning_rate_schedule;                   /* ARCHAI_LR_* */

    double warmup;             /* a span */
    double step_size;          /* a span; schedule step */
    archai_doubles milestones; /* spans, ascending; schedule multistep */
    double gamma;              /* schedules step and multistep */
    double end_factor;         /* schedules cosine and linear: the last rate / learning_rate */
    int loss; /* ARCHAI_LOSS_*; io/dataset/loss.h */
    bool nesterov;
    int weight_decay_on;    /* ARCHAI_DECAY_* */
    double clip_grad_norm;  /* 0: none */
    double label_smoothing; /* [0, 1) */
    double ema;             /* decay of the average of weights; 0: none */
    int keep;               /* ARCHAI_KEEP_*: which epoch counts */
    int64_t patience;       /* epochs without a lower val_loss; 0: none */
    int test;               /* ARCHAI_TEST_*: which models are measured on the test data */
    int precision;          /* ARCHAI_PRECISION_* */
    int tf32;               /* ARCHAI_TF32_* */
    bool cudnn_benchmark, deterministic;

    int checkpoint;            /* ARCHAI_CHECKPOINT_* */
    double checkpoint_pause_s; /* between two of a candidate */
    bool inherit_weights;
} archai_train_settings;

#ifdef __cplusplus
extern "C" {
#endif

/* Keys of [train] that need each other: what is wrong with `key`, maybe because of `cause`. */
typedef struct archai_train_fault {
    const char *key, *cause, *text; /* static; cause may be NULL */
} archai_train_fault;
/* The first `max` of them; how many there are in `out`. */
size_t archai_train_faults(const archai_train_settings *s, archai_train_fault *out, size_t max);
void archai_train_check(const archai_train_settings *s, archai_check *c);

#ifdef __cplusplus
}
#endif
#endif
