/* runner/process/evaluator_client.h - the rank's (or tool's) side of an archai-evaluator process.
 *
 * Descriptors in the child: 3 requests (frames in), 4 replies (frames out), 5 weights memfd
 * (read-write, safetensors), 6 data set memfd (read-only; absent for tools), 7 a second memfd for
 * tools (input and output of predict, as safetensors with one tensor "input"/"output").
 * Nothing here blocks except archai_evaluator_client_wait.
 */
#ifndef ARCHAI_RUNNER_PROCESS_EVALUATOR_CLIENT_H
#define ARCHAI_RUNNER_PROCESS_EVALUATOR_CLIENT_H
#include "io/wire/message.h"
#include "runner/process/child.h"

typedef struct archai_evaluator_client {
    archai_child child;
    int request_fd, reply_fd; /* -1: none */
    double silent_since;      /* its replies have ended, it has not; 0: all is well */
    int weights_fd;           /* memfd, owned */
    int exchange_fd;          /* memfd for predict, owned; -1: none */
    archai_buffer in;         /* received bytes; the first in_used of them are done with */
    size_t in_used;
    archai_buffer out;        /* bytes to write; the first out_used of them are written */
    size_t out_used;
} archai_evaluator_client;

#define ARCHAI_EVALUATOR_CLIENT_INIT                                                               \
    {                                                                                              \
        .child = ARCHAI_CHILD_INIT, .request_fd = -1, .reply_fd = -1, .weights_fd = -1,            \
        .exchange_fd = -1                                                                          \
    }

/* Start and send `open`. data_fd: the node's data set or -1. env: extra variables as in
 * archai_child_spec, or NULL. The READY (or FAILED) reply comes through poll. */
int archai_evaluator_client_start(archai_evaluator_client *c, const archai_message *open,
                                  int data_fd, bool exchange, const char *const *env,
                                  int64_t memory_limit, archai_err *err);
int archai_evaluator_client_send(archai_evaluator_client *c, const archai_message *m,
                                 archai_err *err); /* queues; poll flushes */
/* *got: a message is in *out (caller fini). *ended: the process is gone and has no message left
 * (archai_child_describe says how it went). A reply that is no message is ARCHAI_EFORMAT: the
 * process is of no use any more. */
int archai_evaluator_client_poll(archai_evaluator_client *c, archai_message *out, bool *got,
                                 bool *ended, archai_err *err);
/* For tools: poll until a message comes, the process ends (ARCHAI_ECHILD, saying how) or the time
 * is over (ARCHAI_ETIMEOUT). */
int archai_evaluator_client_wait(archai_evaluator_client *c, archai_message *out, double limit_s,
                                 archai_err *err);
/* Likewise, for a message of one type; FAILED becomes the error that it carries. */
int archai_evaluator_client_expect(archai_evaluator_client *c, archai_message_type type,
                                   double limit_s, archai_err *err);
void archai_evaluator_client_close(archai_evaluator_client *c); /* kills; idempotent */
#endif
