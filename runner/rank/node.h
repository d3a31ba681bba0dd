/* runner/rank/node.h - what the ranks of one node share: the data set, the GPUs, the cores.
 *
 * The node's first rank loads the data set into a sealed memfd; the others open the same memory through
 * /proc. So a node holds it once, and nothing is left behind however the job ends.
 */
#ifndef ARCHAI_RUNNER_RANK_NODE_H
#define ARCHAI_RUNNER_RANK_NODE_H
#include <mpi.h>
#include <stdbool.h>
#include "core/base/err.h"
#include "core/config/config.h"
#include "io/dataset/dataset.h"

typedef struct archai_node {
    int data_fd;        /* owned; -1: none */
    const char *device; /* "cpu" or "cuda"; static storage */
    char *gpu;          /* owned; this worker's CUDA_VISIBLE_DEVICES; NULL: leave it as it is */
    int threads;        /* of this rank's evaluator */
} archai_node;

#define ARCHAI_NODE_INIT                                                                           \
    {                                                                                              \
        .data_fd = -1                                                                              \
    }

/* Collective over comm. `evaluates`: this rank has a worker. `data`: what to load; NULL: nothing. Every
 * rank returns the same code. */
int archai_node_init(archai_node *n, MPI_Comm comm, const archai_config *config, bool evaluates,
                     const archai_dataset_source *data, archai_err *err);
void archai_node_fini(archai_node *n); /* idempotent */

/* Item `index`, modulo the length, of a list like "0,1,GPU-5c8..."; NULL: the list is empty. Caller frees. */
char *archai_node_pick_gpu(const char *list, int index);
#endif
