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
#include "runner/evaluator/device.h"

typedef struct archai_node {
    int data_fd;        /* owned; -1: none */
    archai_device device;
    int sharing;        /* so many workers of this node are on its GPU; 0: not on a GPU, or not known */
    int threads;        /* of this rank's evaluator */
    char *notes;        /* owned; rank 0 of comm: what people should know, a line each; "": nothing */
} archai_node;

#define ARCHAI_NODE_INIT                                                                           \
    {                                                                                              \
        .data_fd = -1, .device = {.kind = "cpu"}                                                   \
    }

/* Collective over comm. `evaluates`: this rank has a worker. `tries`: see on every rank that libtorch can use its GPU.
 * `data`: what to load; NULL: nothing. Every rank returns the same code. ARCHAI_EINVAL: the job was given GPUs that it
 * cannot use. */
int archai_node_init(archai_node *n, MPI_Comm comm, const archai_config *config, bool evaluates, bool tries,
                     const archai_dataset_source *data, archai_err *err);
void archai_node_fini(archai_node *n); /* idempotent */
#endif
