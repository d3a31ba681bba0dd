#include "runner/worker/worker_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/search.h"
#include "io/file/checkpoint.h"
#include "runner/process/clock.h"

/* Of one rank in one start: a program that fails at once would fill a file system with files. */
enum { LOGS_MAX = 10000 };

/* -- a row in the making ------------------------------------------------------------------- */

/* Everything of a row that does not come from the evaluator. */
int archai_worker_begin_row(archai_worker *w, archai_err *err)
{
    archai_trial *t = &w->queue[0];

    t->rank = w->comm->rank;
    t->started = archai_clock_unix();
    free(t->device); /* its program could not be started the last time */
    t->device = archai_strdup(w->device);
    archai_trial_fill_texts(t);
    if (t->is_test)
        return ARCHAI_OK;
    return archai_search_know(t, w->space, w->objectives, err);
}

void archai_worker_forget(archai_worker *w)
{
    if (w->config->train.checkpoint != ARCHAI_CHECKPOINT_NONE)
        archai_checkpoint_remove(w->writer.directory, w->queue[0].id);
}

/* What an earlier attempt at the candidate printed does not stand beside a result. */
static void keep_log(archai_worker *w)
{
    const bool all = w->config->output.logs == ARCHAI_LOGS_ALL;
    archai_trial *t = &w->queue[0];

    free(t->log);
    t->log = NULL;
    if (w->evaluator->log == NULL)
        return;
    if ((all || t->status == ARCHAI_STATUS_FAILED) && w->n_logs < LOGS_MAX &&
        !archai_output_log_is_empty(&w->log)) {
        t->log = archai_output_log_write(&w->log, w->writer.directory, t->id);
        w->n_logs += t->log != NULL;
    } else if (w->config->evaluator.retries > 0) {
        archai_output_log_remove(w->writer.directory, t->id);
    }
}

/* The evaluation is over, well or not. Rank 0 is asked where it may keep weights or try again. */
void archai_worker_finish(archai_worker *w)
{
    archai_trial *t = &w->queue[0];
    bool failed, ask;

    t->seconds = archai_clock_s() - w->began;
    if (t->is_test) { /* it changes nothing but what the row of the model lacks */
        archai_trial_drop_tensors(t);
        w->state = ARCHAI_WORKER_COMMITTING;
        return;
    }
    archai_worker_end_progress(w);
    archai_trial_check(t, w->objectives);
    failed = t->status == ARCHAI_STATUS_FAILED;
    keep_log(w);
    archai_trial_fill_texts(t);
    ask = failed ? w->config->evaluator.retries > 0
                 : t->n_tensors > 0 &&
                       (t->keep || w->config->output.weights != ARCHAI_WEIGHTS_NONE);
    if (!ask || failed)
        archai_trial_drop_tensors(t);
    w->state = ask ? ARCHAI_WORKER_OFFERING : ARCHAI_WORKER_COMMITTING;
}

void archai_worker_fail(archai_worker *w, const char *text)
{
    archai_trial_set_error(&w->queue[0], ARCHAI_STATUS_FAILED, text);
    archai_worker_finish(w);
}

/* -- offering and committing --------------------------------------------------------------- */

int archai_worker_offer(archai_worker *w, bool *busy, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_OFFER, .evaluation = &w->queue[0]};
    bool ready;

    ARCHAI_TRY(archai_writer_reserve(&w->writer, &w->queue[0], &ready, err));
    if (!ready)
        return ARCHAI_OK;
    m.text_bytes = (int64_t)w->writer.packed.size;
    ARCHAI_TRY(archai_worker_report(w, err)); /* results arrive in the order in which they were finished */
    w->state = ARCHAI_WORKER_AWAITING;
    *busy = true;
    return archai_worker_post(w, &m, err);
}

/* A test that failed adds nothing to its row: rank 0 alone hears of it. */
static int report_failed_test(archai_worker *w, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_DONE, .reports = &w->queue[0], .n_reports = 1};

    ARCHAI_TRY(archai_worker_report(w, err));
    ARCHAI_TRY(archai_worker_post(w, &m, err));
    archai_worker_next(w);
    return ARCHAI_OK;
}

int archai_worker_commit(archai_worker *w, bool *busy, archai_err *err)
{
    archai_trial *t = &w->queue[0];
    const int64_t id = t->id;
    bool done;

    if (t->is_test && t->status == ARCHAI_STATUS_FAILED) {
        *busy = true;
        return report_failed_test(w, err);
    }

    ARCHAI_TRY(archai_writer_add(&w->writer, t, &done, err));
    if (!done)
        return ARCHAI_OK;
    *busy = true;
    if (t->n_tensors > 0)
        t->stored = archai_segment_place(w->writer.now.name, w->writer.now.row - 1);
    ARCHAI_RESERVE(w->reports, w->reports_capacity, w->n_reports + 1);
    w->reports[w->n_reports++] = *t;
    *t = (archai_trial){.id = id};
    if (w->config->train.checkpoint != ARCHAI_CHECKPOINT_NONE) {
        ARCHAI_TRY(archai_worker_report(w, err));
        archai_worker_forget(w);
    }
    archai_worker_next(w);
    return ARCHAI_OK;
}

int archai_worker_report(archai_worker *w, archai_err *err)
{
    archai_message m = {
        .type = ARCHAI_MSG_DONE, .reports = w->reports, .n_reports = w->n_reports};

    if (w->n_reports == 0)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_writer_flush(&w->writer, err));
    ARCHAI_TRY(archai_worker_post(w, &m, err));
    archai_worker_drop_reports(w);
    return ARCHAI_OK;
}

void archai_worker_drop_reports(archai_worker *w)
{
    for (size_t i = 0; i < w->n_reports; i++)
        archai_trial_fini(&w->reports[i]);
    w->n_reports = 0;
}

/* What rank 0 made of it. */
static void take_verdict(archai_trial *e, archai_trial *verdict)
{
    const archai_trial before = *e;

    e->status = verdict->status;
    e->error = verdict->error;
    e->tensors = verdict->tensors;
    e->n_tensors = verdict->n_tensors;
    verdict->error = before.error;
    verdict->tensors = before.tensors;
    verdict->n_tensors = before.n_tensors;
}

int archai_worker_on_verdict(archai_worker *w, archai_message *m, archai_err *err)
{
    if (w->state != ARCHAI_WORKER_AWAITING || m->id != w->queue[0].id)
        return ARCHAI_OK;       /* for a candidate that was given back since */
    if (m->code != ARCHAI_OK) { /* to be tried again: this attempt is not a row */
        archai_worker_next(w);
        return ARCHAI_OK;
    }
    if (m->evaluation != NULL)
        take_verdict(&w->queue[0], m->evaluation);
    w->state = ARCHAI_WORKER_COMMITTING;
    return m->keep ? archai_worker_begin_write(w, m->segment, err) : ARCHAI_OK;
}
