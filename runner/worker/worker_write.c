/* The weights of a model that is kept: out of its evaluator's file into the segment that rank 0
 * named, a piece at a time. Rank 0 has a worker slot in the same loop, and all other workers
 * wait for its answers meanwhile. */
#include "runner/worker/worker_private.h"

#include "runner/process/clock.h"

/* One to five milliseconds of reading, checksum and writing, and rank 0 answers in between; a
 * larger step would not be quicker for each MiB. */
enum { STEP_BYTES = 1 << 20 };
/* What another node has created may take a moment to be seen here. */
static const double pause_s = 0.1;

int archai_worker_begin_write(archai_worker *w, const char *segment, archai_err *err)
{
    w->write_at = archai_clock_s();
    w->state = ARCHAI_WORKER_WRITING;
    return archai_writer_turn_to(&w->writer, segment, err);
}

static int copy_some(archai_worker *w, bool *done, archai_err *err)
{
    archai_trial *e = &w->queue[0];

    if (w->offered.n == 0) {
        const int fd = w->evaluator->ops->weights_fd(w->evaluator);

        ARCHAI_TRY(archai_err_wrap(
            err, archai_offered_open(&w->offered, fd, e->tensors, e->n_tensors, err),
            "weights: "));
    }
    w->writer.dirty = true;
    return archai_offered_copy(&w->offered, &w->writer.now.segment, e->tensors, STEP_BYTES,
                               done, err);
}

/* A model whose weights cannot be read is a failed candidate; a disk that cannot be written
 * ends the run. */
int archai_worker_write(archai_worker *w, bool *busy, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool open, done = false;
    int rc;

    if (archai_clock_s() < w->write_at)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_writer_open(&w->writer, &open, err));
    if (!open) {
        w->write_at = archai_clock_s() + pause_s;
        return ARCHAI_OK;
    }
    *busy = true;
    rc = copy_some(w, &done, &why);
    if (rc == ARCHAI_OK && !done)
        return ARCHAI_OK;
    archai_offered_close(&w->offered);
    w->state = ARCHAI_WORKER_COMMITTING;
    if (rc == ARCHAI_EFORMAT) {
        archai_worker_close(w);
        archai_worker_fail(w, why.text);
        return ARCHAI_OK;
    }
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    return rc;
}
