/* runner/process/evaluator_client.h - the rank's (or tool's) side of an archai-evaluator process.
 *
 * Descriptors in the child, beside those of the channel: 5 weights memfd (read-write, safetensors), 6 data
 * set memfd (read-only; absent for tools), 7 a second memfd for tools (input and output of predict, as
 * safetensors with one tensor "input"/"output").
 */
#ifndef ARCHAI_RUNNER_PROCESS_EVALUATOR_CLIENT_H
#define ARCHAI_RUNNER_PROCESS_EVALUATOR_CLIENT_H
#include "runner/process/peer.h"

/* This variable tells it how many share its GPU. */
#define ARCHAI_ENVIRONMENT_SHARING "ARCHAI_WORKERS_ON_DEVICE"

typedef struct archai_evaluator_client {
    archai_peer peer;
    int weights_fd;  /* memfd, owned */
    int exchange_fd; /* memfd for predict, owned; -1: none */
} archai_evaluator_client;

#define ARCHAI_EVALUATOR_CLIENT_INIT                                                               \
    {                                                                                              \
        .peer = ARCHAI_PEER_INIT, .weights_fd = -1, .exchange_fd = -1                              \
    }

/* Start and send `open`. data_fd: the node's data set or -1. env: extra variables as in
 * archai_child_spec, or NULL. The READY (or FAILED) reply comes through the peer. */
int archai_evaluator_client_start(archai_evaluator_client *c, const archai_message *open,
                                  int data_fd, bool exchange, const char *const *env,
                                  int64_t memory_limit, archai_err *err);
/* For tools: wait until it is ready, send a request, wait for its answer of type `type`. FAILED becomes the
 * error that it carries. */
int archai_evaluator_client_ask(archai_evaluator_client *c, const archai_message *request,
                                archai_message_type type, double limit_s, archai_err *err);
void archai_evaluator_client_close(archai_evaluator_client *c); /* kills; idempotent */
#endif
