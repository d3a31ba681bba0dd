#include "runner/worker/worker_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

static const double sync_pause_s = 1;
static const double step_s = 1e-3; /* of instant evaluations, before messages are looked at */

int archai_worker_init(archai_worker *w, archai_comm *comm, const archai_evaluator_ops *ops,
                       const archai_evaluator_setup *setup, const archai_objectives *objectives,
                       const char *directory, archai_err *err)
{
    *w = (archai_worker){
        .comm = comm,
        .config = setup->config,
        .objectives = objectives,
        .setup = *setup,
        .stored = ARCHAI_STORED_INIT,
        .given_fd = -1,
    };
    archai_writer_init(&w->writer, directory);
    w->writer.synced_by_index = comm->rank == 0;
    if (gethostname(w->host, sizeof w->host - 1) != 0)
        (void)snprintf(w->host, sizeof w->host, "unknown");
    w->device = archai_strdup(setup->device);
    ARCHAI_TRY(archai_evaluator_create(&w->evaluator, ops, &w->setup, err));
    if (w->config->output.logs != ARCHAI_LOGS_NONE)
        w->evaluator->log = &w->log;
    ARCHAI_TRY(archai_worker_parts_init(w, err));
    return archai_evaluator_space(w->evaluator, &w->space, err);
}

void archai_worker_fini(archai_worker *w)
{
    if (w->comm == NULL)
        return;
    archai_evaluator_destroy(w->evaluator);
    archai_worker_parts_fini(w);
    archai_space_destroy(w->space);
    (void)archai_writer_fini(&w->writer, NULL);
    archai_worker_drop_reports(w);
    free(w->reports);
    for (size_t i = 0; i < w->n_queue; i++)
        archai_trial_fini(&w->queue[i]);
    free(w->store);
    archai_worker_fetch_end(w);
    archai_offered_close(&w->offered);
    free(w->device);
    archai_output_log_fini(&w->log);
    archai_growing_clear(&w->growing);
    *w = (archai_worker){0};
}

/* -- the current candidate ----------------------------------------------------------------- */

int archai_worker_post(archai_worker *w, archai_message *m, archai_err *err)
{
    return archai_comm_post(w->comm, 0, m, err);
}

/* Forget the current candidate and be ready for the next. */
void archai_worker_next(archai_worker *w)
{
    archai_trial_fini(&w->queue[0]);
    w->n_queue--;
    w->queue++;
    archai_worker_fetch_end(w);
    archai_offered_close(&w->offered);
    w->row_is_begun = w->before_is_done = false;
    w->state = ARCHAI_WORKER_IDLE;
}

int archai_worker_give_back(archai_worker *w, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = w->queue[0].id};

    ARCHAI_TRY(archai_worker_post(w, &m, err));
    archai_worker_next(w);
    return ARCHAI_OK;
}

/* -- leaving ------------------------------------------------------------------------------- */

/* Take no more work: give back what is queued, close everything, say why. */
int archai_worker_retire(archai_worker *w, const char *why, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_RETIRED, .text = (char *)(uintptr_t)why};

    archai_worker_close(w);
    archai_worker_parts_close(w);
    ARCHAI_TRY(archai_worker_report(w, err));
    while (w->n_queue > 0)
        ARCHAI_TRY(archai_worker_give_back(w, err));
    ARCHAI_TRY(archai_writer_sync(&w->writer, err));
    w->state = ARCHAI_WORKER_RETIRED;
    return archai_worker_post(w, &m, err);
}

/* Report those of the gathered rows that are committed already: they were written when there were many, or
 * when a segment was full. */
static int report_committed(archai_worker *w, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_DONE, .reports = w->reports};

    if (w->n_reports <= w->writer.n_rows)
        return ARCHAI_OK;
    m.n_reports = w->n_reports - w->writer.n_rows;
    return archai_worker_post(w, &m, err);
}

/* Something failed that is not the candidate's fault: the results directory. Rank 0 is told and decides;
 * only if MPI itself failed nobody can be told. */
static int report_failure(archai_worker *w, int rc, const archai_err *cause, archai_err *err)
{
    archai_message m = {
        .type = ARCHAI_MSG_FAILED,
        .id = -1,
        .code = rc,
        .text = (char *)(uintptr_t)cause->text,
    };

    if (rc == ARCHAI_OK)
        return ARCHAI_OK;
    if (rc == ARCHAI_EMPI || w->state == ARCHAI_WORKER_RETIRED) {
        if (err != NULL)
            *err = *cause;
        return rc;
    }
    archai_worker_close(w);
    ARCHAI_TRY(report_committed(w, err));
    ARCHAI_TRY(archai_worker_post(w, &m, err));
    w->writer.dirty = false; /* what could not be written cannot be synced */
    archai_writer_drop(&w->writer); /* rank 0 does not know of it and gives it to another worker */
    archai_worker_drop_reports(w);
    return archai_worker_retire(w, cause->text, err);
}

/* -- the step ------------------------------------------------------------------------------ */

static int ask_for_grant(archai_worker *w, archai_err *err)
{
    archai_message need = {0};
    bool wanted;

    if (w->state == ARCHAI_WORKER_RETIRED)
        return ARCHAI_OK;
    archai_writer_need(&w->writer, &wanted, &need);
    return wanted ? archai_worker_post(w, &need, err) : ARCHAI_OK;
}

static int idle(archai_worker *w, bool *busy, archai_err *err)
{
    if (w->draining && w->asked_to_leave) {
        *busy = true;
        return archai_worker_retire(w, "", err);
    }
    if (w->n_queue == 0 || archai_clock_s() < w->open_after)
        return ARCHAI_OK;
    if (!w->before_is_done && w->n_parts > 0 && archai_worker_begin_stage(w, ARCHAI_BEFORE)) {
        *busy = true;
        return archai_worker_start_row(w, err);
    }
    if (w->is_open) {
        *busy = true;
        return archai_worker_prepare(w, err);
    }
    *busy = true;
    w->state = ARCHAI_WORKER_OPENING;
    return w->evaluator->ops->open(w->evaluator, err);
}

/* A step in which an evaluator may have been started: the guard or the program may be missing, or no process to be had. */
static int after_start(archai_worker *w, int rc, const archai_err *local, archai_err *err)
{
    if (rc == ARCHAI_ECHILD || rc == ARCHAI_ENOTFOUND)
        return archai_worker_not_started(w, local->text, err);
    if (rc != ARCHAI_OK && err != NULL)
        *err = *local;
    return rc;
}

static int one_step(archai_worker *w, bool *busy, archai_err *err)
{
    archai_err local = ARCHAI_ERR_INIT;
    int rc;

    switch (w->state) {
    case ARCHAI_WORKER_IDLE:
        rc = after_start(w, idle(w, busy, &local), &local, err);
        if (rc == ARCHAI_OK && w->is_open && w->state == ARCHAI_WORKER_IDLE)
            rc = archai_worker_poll(w, busy, err); /* it may die between candidates, too */
        return rc;
    case ARCHAI_WORKER_MEASURING:
        return archai_worker_measure(w, busy, err);
    case ARCHAI_WORKER_OPENING:
        return archai_worker_poll(w, busy, err);
    case ARCHAI_WORKER_FETCHING:
        return after_start(w, archai_worker_fetch(w, busy, &local), &local, err);
    case ARCHAI_WORKER_EVALUATING:
        return archai_worker_poll(w, busy, err);
    case ARCHAI_WORKER_DYING:
        if (archai_clock_s() < w->dying_until)
            return ARCHAI_OK;
        *busy = true;
        archai_worker_finish(w);
        return ARCHAI_OK;
    case ARCHAI_WORKER_OFFERING:
        return archai_worker_offer(w, busy, err);
    case ARCHAI_WORKER_WRITING:
        return archai_worker_write(w, busy, err);
    case ARCHAI_WORKER_COMMITTING:
        return archai_worker_commit(w, busy, err);
    case ARCHAI_WORKER_AWAITING:
    case ARCHAI_WORKER_RETIRED:
        return ARCHAI_OK;
    }
    return archai_fail(err, ARCHAI_EINTERNAL, "worker state %d", (int)w->state);
}

static int sync_now_and_then(archai_worker *w, archai_err *err)
{
    const double now = archai_clock_s();

    if (!w->writer.dirty || now < w->sync_at)
        return ARCHAI_OK;
    w->sync_at = now + sync_pause_s;
    return archai_writer_sync(&w->writer, err);
}

int archai_worker_step(archai_worker *w, bool *busy, archai_err *err)
{
    const double end = archai_clock_s() + step_s;
    archai_err local = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    for (bool more = true; rc == ARCHAI_OK && more;) {
        more = false;
        rc = one_step(w, &more, &local);
        if (rc == ARCHAI_OK)
            rc = archai_worker_check_limits(w, &local);
        *busy = *busy || more;
        if (rc == ARCHAI_OK)
            rc = ask_for_grant(w, &local);
        more = more && archai_clock_s() < end;
    }
    if (rc == ARCHAI_OK)
        rc = archai_worker_report(w, &local);
    if (rc == ARCHAI_OK)
        rc = sync_now_and_then(w, &local);
    return report_failure(w, rc, &local, err);
}

/* -- messages ------------------------------------------------------------------------------ */

/* Room for n candidates in all. What is in the queue goes to the front of its store. */
static void grow_queue(archai_worker *w, size_t n)
{
    if (w->n_queue > 0)
        memmove(w->store, w->queue, w->n_queue * sizeof *w->queue);
    ARCHAI_RESERVE(w->store, w->capacity, 2 * n);
    w->queue = w->store;
}

static int on_work(archai_worker *w, archai_message *m, archai_err *err)
{
    const size_t n = w->n_queue + m->n_candidates;

    if ((size_t)(w->queue - w->store) + n > w->capacity)
        grow_queue(w, n);
    memcpy(w->queue + w->n_queue, m->candidates, m->n_candidates * sizeof *w->queue);
    w->n_queue = n;
    free(m->candidates);
    m->candidates = NULL;
    m->n_candidates = 0;
    if (w->state == ARCHAI_WORKER_RETIRED)
        while (w->n_queue > 0) {
            ARCHAI_TRY(archai_worker_give_back(w, err));
            w->state = ARCHAI_WORKER_RETIRED;
        }
    return ARCHAI_OK;
}

static int on_drain(archai_worker *w, double seconds, archai_err *err)
{
    const double by = archai_clock_s() + seconds;

    w->drain_by = w->draining && w->drain_by < by ? w->drain_by : by;
    w->draining = w->asked_to_leave = true;
    if (w->state == ARCHAI_WORKER_DYING)
        ARCHAI_TRY(archai_worker_give_back(w, err));
    /* What has not begun goes back; the current one keeps its place at the front. */
    for (; w->n_queue > 1 || (w->n_queue == 1 && (w->state == ARCHAI_WORKER_IDLE ||
                                                  w->state == ARCHAI_WORKER_OPENING ||
                                                  w->state == ARCHAI_WORKER_FETCHING));
         w->n_queue--) {
        archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = w->queue[w->n_queue - 1].id};

        ARCHAI_TRY(archai_worker_post(w, &m, err));
        archai_trial_fini(&w->queue[w->n_queue - 1]);
    }
    if (w->n_queue == 0)
        w->row_is_begun = w->before_is_done = false;
    archai_worker_fetch_end(w);
    if (w->state == ARCHAI_WORKER_OPENING || w->state == ARCHAI_WORKER_FETCHING)
        w->state = ARCHAI_WORKER_IDLE;
    if (w->state == ARCHAI_WORKER_EVALUATING && w->evaluator->ops->interrupt != NULL)
        return w->evaluator->ops->interrupt(w->evaluator, err);
    return ARCHAI_OK;
}

int archai_worker_handle(archai_worker *w, archai_message *m, archai_err *err)
{
    archai_err local = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    switch (m->type) {
    case ARCHAI_MSG_WORK:
        rc = on_work(w, m, &local);
        break;
    case ARCHAI_MSG_GRANT:
        archai_writer_grant(&w->writer, m);
        break;
    case ARCHAI_MSG_VERDICT:
        rc = archai_worker_on_verdict(w, m, &local);
        break;
    case ARCHAI_MSG_PRUNE:
        rc = archai_worker_on_prune(w, m->id, &local);
        break;
    case ARCHAI_MSG_DRAIN:
        rc = w->state != ARCHAI_WORKER_RETIRED ? on_drain(w, m->seconds, &local) : ARCHAI_OK;
        break;
    default:
        rc = archai_fail(&local, ARCHAI_EFORMAT, "a worker was sent a '%s'",
                         archai_message_name(m->type));
        break;
    }
    return report_failure(w, rc, &local, err);
}

/* -- sleeping ------------------------------------------------------------------------------ */

size_t archai_worker_wake(archai_worker *w, struct pollfd *out, size_t max, double *due)
{
    const bool measuring = w->state == ARCHAI_WORKER_MEASURING;
    archai_evaluator *e = measuring ? w->parts[w->part].evaluator : w->evaluator;
    const archai_evaluator_ops *ops = e->ops;

    if (w->state == ARCHAI_WORKER_FETCHING && w->fetch_at < *due)
        *due = w->fetch_at;
    if (w->state == ARCHAI_WORKER_WRITING && w->write_at < *due)
        *due = w->write_at;
    if (ops->due != NULL && w->state == ARCHAI_WORKER_EVALUATING) {
        const double at = ops->due(e);

        if (at > 0 && at < *due)
            *due = at;
    }
    return ops->wake != NULL ? ops->wake(e, out, max) : 0;
}
