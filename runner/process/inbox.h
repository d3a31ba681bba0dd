/* runner/process/inbox.h - messages from a pipe, which delivers them in pieces. */
#ifndef ARCHAI_RUNNER_PROCESS_INBOX_H
#define ARCHAI_RUNNER_PROCESS_INBOX_H
#include <sys/types.h>
#include "io/wire/message.h"

typedef struct archai_inbox { /* zeroed: empty */
    archai_buffer bytes;      /* received; the first `used` of them have been taken */
    size_t used;
} archai_inbox;

/* *got: a complete message was there and is in *out (caller fini). */
int archai_inbox_take(archai_inbox *in, archai_message *out, bool *got, archai_err *err);
/* One read(2) of at most 64 KiB; returns its result. To be called when there is nothing to take: then a
 * flood needs no more memory than the longest frame. */
ssize_t archai_inbox_read(archai_inbox *in, int fd);
void archai_inbox_clear(archai_inbox *in); /* frees; empty afterwards */
#endif
