/* runner/process/cores.h - how many cores the evaluator of a rank may use: those that it is bound to, those that CPU quotas
 * leave it, and never more threads than OMP_THREAD_LIMIT. What other ranks of the node can use too is shared out evenly.
 *
 * Quotas are cgroup v2's cpu.max and v1's cpu.cfs_quota_us, of the own cgroup and of all above it that are visible. */
#ifndef ARCHAI_RUNNER_PROCESS_CORES_H
#define ARCHAI_RUNNER_PROCESS_CORES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARCHAI_CORES_MAX = 4096, ARCHAI_QUOTAS_MAX = 16 };

typedef struct archai_quota {
    uint64_t device, inode; /* of the cgroup's folder: the same for all that share it */
    double cores;
} archai_quota;

/* Of one process; flat, so that ranks can send it to each other. */
typedef struct archai_cores {
    uint64_t mask[ARCHAI_CORES_MAX / 64]; /* it may run on these; all 0: not known */
    archai_quota quotas[ARCHAI_QUOTAS_MAX];
    int32_t n_quotas;
    int32_t evaluates; /* 0: it has no evaluator, and takes no share */
} archai_cores;

/* Of this process. `root` is put before /proc and /sys: "", but for tests. */
void archai_cores_read(archai_cores *c, bool evaluates, const char *root);
/* Threads for the evaluator of `mine` among all [n] of its node (itself included), which has `online` cores (0: not known).
 * At least 1. */
int archai_cores_share(const archai_cores *mine, const archai_cores *all, size_t n, long online);
/* OMP_THREAD_LIMIT; INT_MAX: none. */
int archai_thread_limit(void);
#endif
