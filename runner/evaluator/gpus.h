/* runner/evaluator/gpus.h - which GPUs this process was given, and which merely exist, found without libtorch.
 *
 * Given: CUDA_VISIBLE_DEVICES names one (a number, "GPU-..." or "MIG-..."); or it is not set and a scheduler's variables do. An
 * empty CUDA_VISIBLE_DEVICES gives none, whatever else says so.
 */
#ifndef ARCHAI_RUNNER_EVALUATOR_GPUS_H
#define ARCHAI_RUNNER_EVALUATOR_GPUS_H
#include <stdbool.h>
#include <stddef.h>

typedef struct archai_gpus {
    char **at; /* owned [n]; items for CUDA_VISIBLE_DEVICES: of those given, else of those that exist */
    size_t n;
    char *given_by; /* owned; "CUDA_VISIBLE_DEVICES=0,1", "SLURM_JOB_GPUS=0"; NULL: nothing gave any */
    size_t exist;   /* so many does NVIDIA's driver list on this node */
} archai_gpus;

/* `root` is put before /proc and /dev: "", but for tests. */
void archai_gpus_find(archai_gpus *g, const char *root);
void archai_gpus_free(archai_gpus *g); /* idempotent */
#endif
