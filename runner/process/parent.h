/* runner/process/parent.h - the channel to the process that started this one: the other side of
 * runner/process/peer.h. Frames arrive on descriptor 3 and leave on 4. */
#ifndef ARCHAI_RUNNER_PROCESS_PARENT_H
#define ARCHAI_RUNNER_PROCESS_PARENT_H
#include <signal.h>
#include "runner/process/inbox.h"

enum { ARCHAI_PARENT_REQUESTS = 3, ARCHAI_PARENT_REPLIES = 4 };

typedef struct archai_parent { /* begins zeroed */
    archai_inbox in;
    archai_buffer out;
} archai_parent;

/* ARCHAI_EINVAL, with a sentence, unless both descriptors are open: started by hand. */
int archai_parent_check(archai_err *err);
/* Blocks until the whole message is in the pipe. ARCHAI_EIO: the parent is gone. */
int archai_parent_send(archai_parent *p, const archai_message *m, archai_err *err);
/* `reply`; where rc is an error, FAILED for `id` with rc and the text of `cause` instead. */
int archai_parent_answer(archai_parent *p, int64_t id, int rc, const archai_message *reply,
                         const archai_err *cause, archai_err *err);
/* For many small messages: they leave with the next send, or once there are 64 KiB of them. */
int archai_parent_queue(archai_parent *p, const archai_message *m, archai_err *err);
/* Waits for the next message. *got false: the pipe has ended, or *stop (may be NULL) was set by
 * a signal handler installed without SA_RESTART. */
int archai_parent_receive(archai_parent *p, const volatile sig_atomic_t *stop, archai_message *out,
                          bool *got, archai_err *err);
/* The next message, if it has arrived. */
int archai_parent_look(archai_parent *p, archai_message *out, bool *got, archai_err *err);
void archai_parent_fini(archai_parent *p);
#endif
