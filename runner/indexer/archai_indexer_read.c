/* archai-indexer --read: the reader of earlier rows, a process that HDF5 may crash. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "io/results/history.h"
#include "io/wire/message.h"
#include "runner/indexer/archai_indexer.h"
#include "runner/process/limit.h"

enum { OUT = 3, FLUSH_AT = 64 * 1024 };

static int flush(archai_buffer *b, archai_err *err)
{
    for (size_t at = 0; at < b->size;) {
        const ssize_t n = write(OUT, b->data + at, b->size - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return archai_fail(err, ARCHAI_EIO, "cannot send rows: %s", strerror(errno));
        at += (size_t)n;
    }
    b->size = 0;
    return ARCHAI_OK;
}

static int touch(void *payload, const char *path, archai_err *err)
{
    const archai_message note = {
        .type = ARCHAI_MSG_NOTE, .id = -1, .text = (char *)(uintptr_t)path};

    ARCHAI_TRY(archai_frame_append(&note, payload, err));
    return flush(payload, err); /* before a crash */
}

static int send_rows(archai_history *h, const archai_results *head, archai_buffer *out,
                     archai_err *err)
{
    const archai_message earlier = {
        .type = ARCHAI_MSG_EARLIER,
        .text = head->config,
        .state = head->state,
        .n_rows = (int64_t)head->n,
        .rejected = head->rejected > 0 ? head->rejected : 0,
        .ranks = head->ranks > 0 && head->ranks < INT32_MAX ? (int32_t)head->ranks : 0};
    bool got = true;

    ARCHAI_TRY(archai_frame_append(&earlier, out, err));
    ARCHAI_TRY(flush(out, err));
    while (got) {
        archai_trial e = {0};
        archai_message row = {.type = ARCHAI_MSG_ROW, .evaluation = &e};
        int rc;

        ARCHAI_TRY(archai_history_next(h, &e, &got, err));
        if (!got)
            break;
        row.stored = e.stored;
        rc = archai_frame_append(&row, out, err);
        archai_trial_fini(&e);
        ARCHAI_TRY(rc);
        if (out->size >= FLUSH_AT)
            ARCHAI_TRY(flush(out, err));
    }
    return ARCHAI_OK;
}

int archai_indexer_read(const char *directory, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    archai_history *h = NULL;
    archai_results head = {0};
    archai_buffer out = {0};
    archai_message stop = {.type = ARCHAI_MSG_STOP};
    int rc;

    if (fcntl(OUT, F_GETFD) < 0)
        return archai_fail(
            err, ARCHAI_EINVAL,
            "descriptor %d is not open: archai-run starts this program, people do not", OUT);
    archai_limit_reading(directory);
    rc = archai_history_open(&h, directory, touch, &out, &head, &why);
    if (rc == ARCHAI_OK)
        rc = send_rows(h, &head, &out, &why);
    stop.code = rc;
    stop.text = why.text;
    rc = archai_frame_append(&stop, &out, err);
    if (rc == ARCHAI_OK)
        rc = flush(&out, err);
    archai_history_close(h);
    archai_results_free(&head);
    archai_buffer_free(&out);
    return rc;
}
