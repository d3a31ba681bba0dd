/* The weights that a candidate begins from: out of a segment, or the file of a given model, into its
 * evaluator's file, a piece at a time. If they cannot be had the candidate begins with new ones: that costs
 * time, never the candidate. Where they are to be measured on the test data, there is nothing to measure
 * then; and a given model that is to be trained from its weights is not trained from others. */
#include "runner/worker/worker_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "core/search/algorithm.h"
#include "io/file/file.h"
#include "runner/given/retrain.h"
#include "runner/process/child.h"
#include "runner/process/clock.h"

enum { STEP_BYTES = 8 << 20 };
/* What another node has written may take a moment to be seen here. */
static const double patience_s = 5;
static const double pause_s = 0.1;

int archai_worker_prepare(archai_worker *w, archai_err *err)
{
    const archai_evaluator_ops *ops = w->evaluator->ops;

    if (w->queue[0].begin_at == 0 || ops->start_fd == NULL)
        return archai_worker_begin(w, err);
    w->began = w->fetch_at = archai_clock_s();
    w->fetch_by = w->fetch_at + patience_s;
    w->state = ARCHAI_WORKER_FETCHING;
    return ARCHAI_OK;
}

/* A promoted model goes on from its own weights, and from no others. What is measured on the test data is the
 * architecture that lies beside them. */
static int check(const archai_worker *w, archai_err *err)
{
    archai_trial *c = &w->queue[0];
    const archai_trial *e = &w->stored.row;
    const bool same = strcmp(e->model.archid, c->model.archid) == 0;

    if (c->is_test && same) {
        free(c->arch);
        c->arch = archai_strdup(e->arch);
        return ARCHAI_OK;
    }
    if (!c->is_test && (strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) != 0 ||
                        (same && e->budget < c->budget)))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EFORMAT, "they are those of candidate %lld, %s with budget %g",
                       (long long)e->id, e->model.archid, e->budget);
}

void archai_worker_fetch_end(archai_worker *w)
{
    archai_stored_close(&w->stored);
    archai_fd_close(&w->given_fd);
}

static int open_given(archai_worker *w, const char *path, archai_err *err)
{
    struct stat s;

    ARCHAI_TRY(archai_file_check(path, err));
    w->given_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (w->given_fd < 0 || fstat(w->given_fd, &s) != 0 || ftruncate(w->evaluator->ops->start_fd(w->evaluator), 0) != 0)
        return archai_fail(err, ARCHAI_EIO, "%s: %s", path, strerror(errno));
    w->given_at = 0;
    w->given_bytes = (uint64_t)s.st_size;
    return ARCHAI_OK;
}

/* From <results>/from/<k>.safetensors (runner/given/retrain.h). */
static int copy_given(archai_worker *w, bool *done, archai_err *err)
{
    char *path = archai_printf("%s/%s/%lld.safetensors", w->writer.directory, ARCHAI_RETRAIN_FOLDER,
                               -(long long)w->queue[0].begin_at - 1);
    char *piece = archai_malloc(STEP_BYTES);
    uint64_t n;
    int rc = ARCHAI_OK;

    if (w->given_fd < 0)
        ARCHAI_TRY_GOTO(rc, open_given(w, path, err), out);
    n = w->given_bytes - w->given_at < STEP_BYTES ? w->given_bytes - w->given_at : STEP_BYTES;
    ARCHAI_TRY_GOTO(rc, archai_file_pread(w->given_fd, piece, n, w->given_at, path, err), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_file_pwrite(w->evaluator->ops->start_fd(w->evaluator), piece, n, w->given_at,
                                       "the weights to begin from", err),
                    out);
    w->given_at += n;
    *done = w->given_at == w->given_bytes;
out:
    free(piece);
    free(path);
    return rc;
}

static int copy_some(archai_worker *w, bool *done, archai_err *err)
{
    if (w->queue[0].begin_at < 0)
        return copy_given(w, done, err);
    if (w->stored.n == 0) {
        ARCHAI_TRY(archai_stored_open(&w->stored, w->writer.directory, w->queue[0].begin_at, err));
        ARCHAI_TRY(check(w, err));
    }
    return archai_stored_copy(&w->stored, w->evaluator->ops->start_fd(w->evaluator), STEP_BYTES,
                              done, err);
}

static int do_without(archai_worker *w, const char *why, archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    archai_message note = {.type = ARCHAI_MSG_NOTE, .id = w->queue[0].id, .text = text};

    (void)snprintf(text, sizeof text, "its stored weights cannot be read: %.900s", why);
    if (w->queue[0].is_test || w->queue[0].begin_at < 0) {
        archai_worker_fail(w, text);
        return ARCHAI_OK;
    }
    w->queue[0].begin_at = 0;
    ARCHAI_TRY(archai_worker_post(w, &note, err));
    return archai_worker_begin(w, err);
}

int archai_worker_fetch(archai_worker *w, bool *busy, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool done = false;

    if (archai_clock_s() < w->fetch_at)
        return ARCHAI_OK;
    *busy = true;
    if (copy_some(w, &done, &why) == ARCHAI_OK && !done)
        return ARCHAI_OK;
    archai_worker_fetch_end(w);
    if (done)
        return archai_worker_begin(w, err);
    w->fetch_at = archai_clock_s() + pause_s;
    return w->fetch_at < w->fetch_by ? ARCHAI_OK : do_without(w, why.text, err);
}
