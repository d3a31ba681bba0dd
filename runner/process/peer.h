/* runner/process/peer.h - the one channel to a child process that speaks messages
 * (io/wire/message.h).
 *
 * The child reads frames from descriptor 3 and writes frames to descriptor 4; its side of the
 * channel is runner/process/parent.h. What a child sends is not trusted: after a frame that is too
 * long or not a message, an error, the channel is useless. Nothing here blocks except
 * archai_peer_wait.
 */
#ifndef ARCHAI_RUNNER_PROCESS_PEER_H
#define ARCHAI_RUNNER_PROCESS_PEER_H
#include <poll.h>
#include "runner/process/child.h"
#include "runner/process/inbox.h"

typedef struct archai_peer {
    archai_child child;
    int request_fd, reply_fd; /* -1: none */
    double silent_since;      /* clock: when it was found to have closed its pipe; 0: it has not */
    archai_inbox in;
    archai_buffer out;        /* bytes to write; the first out_used of them are written */
    size_t out_used;
} archai_peer;

#define ARCHAI_PEER_INIT                                                                           \
    {                                                                                              \
        .child = ARCHAI_CHILD_INIT, .request_fd = -1, .reply_fd = -1                               \
    }

/* Start spec->argv through the guard; spec->fds become 5, 6, ... in the child. */
int archai_peer_start(archai_peer *p, const archai_child_spec *spec, archai_err *err);
/* Queues; what the pipe does not take now is written by later calls. */
int archai_peer_send(archai_peer *p, const archai_message *m, archai_err *err);
/* *got: the next message is in *out (caller fini). Errors continue a sentence that begins with the
 * child's name. ARCHAI_ECHILD: it has ended, and everything that it sent was taken ("killed by
 * signal 9 (Killed)"); ARCHAI_EFORMAT: it sent something other than a message, or closed its pipe
 * without ending. */
int archai_peer_poll(archai_peer *p, archai_message *out, bool *got, archai_err *err);
/* Likewise, but waits for the message; ARCHAI_ETIMEOUT ("gave no answer in 3 s"): none came in
 * time. */
int archai_peer_wait(archai_peer *p, archai_message *out, double limit_s, archai_err *err);
/* The descriptors whose events are worth a poll; returns how many of `max` it filled in. */
size_t archai_peer_wake(const archai_peer *p, struct pollfd *out, size_t max);
/* A FAILED message as the error that it carries. */
int archai_peer_failure(const archai_message *m, archai_err *err);
void archai_peer_close(archai_peer *p); /* kills; idempotent */
#endif
