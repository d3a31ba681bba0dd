/* runner/evaluator/device.h - the device of a worker: the CPU, or a GPU that its evaluator sees alone. */
#ifndef ARCHAI_RUNNER_EVALUATOR_DEVICE_H
#define ARCHAI_RUNNER_EVALUATOR_DEVICE_H
#include <stdint.h>
#include "core/base/err.h"
#include "core/config/config.h"
#include "runner/evaluator/gpus.h"

enum { ARCHAI_DEVICE_TEXT = 256 };

typedef struct archai_device {
    const char *kind; /* "cpu" or "cuda"; static */
    char *gpu;        /* owned; its evaluator's CUDA_VISIBLE_DEVICES; NULL: as it is */
    char *given_by;   /* owned; what gave it GPUs ("evaluator.device = cuda", "SLURM_JOB_GPUS=0"); NULL: nothing */
    int exist;        /* GPUs that this node has */
    int unused;       /* likewise, if its worker trains on the CPU because libtorch cannot use them */
    char text[ARCHAI_DEVICE_TEXT]; /* after archai_device_try: as libtorch calls it */
} archai_device;

/* `place`: the number of this worker among those of its node that were given the same GPUs (archai_device_list). */
void archai_device_choose(archai_device *d, const archai_gpus *gpus, const archai_config *config, int place);
void archai_device_free(archai_device *d); /* idempotent */
/* A number that is the same for workers that were given the same GPUs. */
uint64_t archai_device_list(const archai_gpus *gpus);
/* A number that is the same for workers on the same GPU, after archai_device_try; 0: on the CPU. */
uint64_t archai_device_identity(const archai_device *d);

/* Start an evaluator on it, see that it is ready, end it. Where libtorch cannot use a GPU: ARCHAI_EINVAL with a sentence if
 * this job was given it; else the device is the CPU from now on, *why says why (text "": no need to), and it is no error. */
int archai_device_try(archai_device *d, archai_err *why, archai_err *err);
#endif
