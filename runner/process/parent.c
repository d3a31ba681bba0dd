#include "runner/process/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH_AT = 65536 };

int archai_parent_check(archai_err *err)
{
    for (int fd = ARCHAI_PARENT_REQUESTS; fd <= ARCHAI_PARENT_REPLIES; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            return archai_fail(err, ARCHAI_EINVAL,
                               "descriptor %d is not open: this program is started by archai-run "
                               "and the tools, not by hand",
                               fd);
    return ARCHAI_OK;
}

static int flush(archai_parent *p, archai_err *err)
{
    for (size_t done = 0; done < p->out.size;) {
        const ssize_t n = TEMP_FAILURE_RETRY(
            write(ARCHAI_PARENT_REPLIES, p->out.data + done, p->out.size - done));

        if (n <= 0)
            return archai_fail(err, ARCHAI_EIO, "cannot reply: %s", strerror(errno));
        done += (size_t)n;
    }
    p->out.size = 0;
    return ARCHAI_OK;
}

int archai_parent_queue(archai_parent *p, const archai_message *m, archai_err *err)
{
    ARCHAI_TRY(archai_frame_append(m, &p->out, err));
    return p->out.size < FLUSH_AT ? ARCHAI_OK : flush(p, err);
}

int archai_parent_send(archai_parent *p, const archai_message *m, archai_err *err)
{
    ARCHAI_TRY(archai_frame_append(m, &p->out, err));
    return flush(p, err);
}

int archai_parent_answer(archai_parent *p, int64_t id, int rc, const archai_message *reply,
                         const archai_err *cause, archai_err *err)
{
    const archai_message failed = {
        .type = ARCHAI_MSG_FAILED, .id = id, .code = rc, .text = (char *)(uintptr_t)cause->text};

    return archai_parent_send(p, rc == ARCHAI_OK ? reply : &failed, err);
}

/* Waits for bytes or a signal. *end: no more will come. */
static int receive(archai_parent *p, bool *end, archai_err *err)
{
    const ssize_t n = archai_inbox_read(&p->in, ARCHAI_PARENT_REQUESTS);

    *end = n == 0;
    return n >= 0 || errno == EINTR
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_EIO, "cannot read a request: %s", strerror(errno));
}

int archai_parent_receive(archai_parent *p, const volatile sig_atomic_t *stop, archai_message *out,
                          bool *got, archai_err *err)
{
    for (bool end = false;;) {
        ARCHAI_TRY(archai_inbox_take(&p->in, out, got, err));
        if (*got || end || (stop != NULL && *stop != 0))
            return ARCHAI_OK;
        ARCHAI_TRY(receive(p, &end, err));
    }
}

int archai_parent_look(archai_parent *p, archai_message *out, bool *got, archai_err *err)
{
    struct pollfd fd = {.fd = ARCHAI_PARENT_REQUESTS, .events = POLLIN};

    for (bool end = false;;) {
        ARCHAI_TRY(archai_inbox_take(&p->in, out, got, err));
        if (*got || end || poll(&fd, 1, 0) <= 0)
            return ARCHAI_OK;
        ARCHAI_TRY(receive(p, &end, err));
    }
}

void archai_parent_fini(archai_parent *p)
{
    archai_inbox_clear(&p->in);
    archai_buffer_free(&p->out);
}
