#include "runner/worker/worker_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/search/search.h"
#include "io/file/checkpoint.h"
#include "runner/process/clock.h"

/* -- a row in the making ------------------------------------------------------------------- */

/* Everything of a row that does not come from the evaluator. */
int archai_worker_begin_result(archai_worker *w, archai_err *err)
{
    archai_candidate *c = &w->queue[0];
    archai_evaluation *e = &w->result;
    char *metadata = json_object_size(c->model.metadata) > 0
                         ? json_dumps(c->model.metadata, JSON_SORT_KEYS)
                         : strdup("{}");

    archai_evaluation_fini(e);
    e->id = c->id;
    e->generation = c->generation;
    e->rank = w->comm->rank;
    e->budget = c->budget;
    e->started = archai_clock_unix();
    e->metadata = metadata;
    if (metadata == NULL || !archai_worker_take_text(&e->archid, c->model.archid) ||
        !archai_worker_take_text(&e->arch, c->arch) ||
        !archai_worker_take_text(&e->error, "") ||
        !archai_worker_take_text(&e->operator_, c->operator_) ||
        !archai_worker_take_text(&e->parents, c->parents[0] != '\0' ? c->parents : "[]") ||
        !archai_worker_take_text(&e->device, w->device))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
    ARCHAI_TRY(archai_search_know(c, w->space, w->objectives, err));
    e->encoding = c->encoding;
    e->n_encoding = c->n_encoding;
    e->measures = c->measures;
    e->n_measures = c->n_measures;
    c->encoding = NULL;
    c->measures = NULL;
    c->n_encoding = c->n_measures = 0;
    return ARCHAI_OK;
}

void archai_worker_forget(archai_worker *w)
{
    if (w->config->train.checkpoint != ARCHAI_CHECKPOINT_NONE)
        archai_checkpoint_remove(w->writer.directory, w->queue[0].id);
}

int archai_worker_set_error(archai_worker *w, const char *text, archai_err *err)
{
    w->result.status = ARCHAI_STATUS_FAILED;
    return archai_worker_take_text(&w->result.error, text)
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_ENOMEM, "out of memory for an error text");
}

/* The evaluation is over, well or not. Rank 0 is asked where it may keep weights or try again.
 */
int archai_worker_finish(archai_worker *w, archai_err *err)
{
    archai_evaluation *e = &w->result;
    bool ask;

    e->seconds = archai_clock_s() - w->began;
    ARCHAI_TRY(archai_evaluation_judge(e, w->objectives, err));
    ask = e->status == ARCHAI_STATUS_FAILED
              ? w->config->evaluator.retries > 0
              : e->n_tensors > 0 &&
                    (w->queue[0].keep || w->config->output.weights != ARCHAI_WEIGHTS_NONE);
    if (!ask || e->status == ARCHAI_STATUS_FAILED) {
        for (size_t i = 0; i < e->n_tensors; i++)
            free(e->tensors[i].name);
        e->n_tensors = 0;
    }
    w->state = ask ? ARCHAI_WORKER_OFFERING : ARCHAI_WORKER_COMMITTING;
    return ARCHAI_OK;
}

int archai_worker_fail(archai_worker *w, const char *text, archai_err *err)
{
    ARCHAI_TRY(archai_worker_set_error(w, text, err));
    return archai_worker_finish(w, err);
}

/* -- offering and committing --------------------------------------------------------------- */

int archai_worker_offer(archai_worker *w, bool *busy, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_OFFER, .evaluation = &w->result};
    bool ready;

    ARCHAI_TRY(archai_writer_reserve(&w->writer, &w->result, &ready, err));
    if (!ready)
        return ARCHAI_OK;
    m.text_bytes = (int64_t)w->writer.packed.size;
    ARCHAI_TRY(archai_worker_report(w, err)); /* what was finished before is heard of before */
    w->state = ARCHAI_WORKER_AWAITING;
    *busy = true;
    return archai_worker_post(w, &m, err);
}

/* What rank 0 lacks moves from the result, whose row has it. */
static int gather_report(archai_worker *w, archai_err *err)
{
    archai_evaluation *e = &w->result;

    if (w->n_reports == w->reports_capacity) {
        const size_t capacity = w->n_reports == 0 ? 8 : 2 * w->n_reports;
        archai_evaluation *grown = realloc(w->reports, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu reports", capacity);
        w->reports = grown;
        w->reports_capacity = capacity;
    }
    w->reports[w->n_reports++] = (archai_evaluation){
        .id = e->id,
        .status = e->status,
        .error = e->error,
        .seconds = e->seconds,
        .measures = e->measures,
        .n_measures = e->n_measures,
        .stored = e->n_tensors > 0
                      ? archai_segment_place(w->writer.now.name, w->writer.now.row - 1)
                      : 0,
    };
    e->error = NULL;
    e->measures = NULL;
    e->n_measures = 0;
    return ARCHAI_OK;
}

int archai_worker_commit(archai_worker *w, bool *busy, archai_err *err)
{
    bool done;

    ARCHAI_TRY(archai_writer_add(&w->writer, &w->result, &done, err));
    if (!done)
        return ARCHAI_OK;
    *busy = true;
    ARCHAI_TRY(gather_report(w, err));
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
        archai_evaluation_fini(&w->reports[i]);
    w->n_reports = 0;
}

/* As rank 0 judged it. */
static void take_verdict(archai_evaluation *e, archai_evaluation *verdict)
{
    const archai_evaluation before = *e;

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
    if (w->state != ARCHAI_WORKER_AWAITING || m->id != w->result.id)
        return ARCHAI_OK;       /* for a candidate that was given back since */
    if (m->code != ARCHAI_OK) { /* to be tried again: this attempt is no row */
        archai_worker_next(w);
        return ARCHAI_OK;
    }
    if (m->evaluation != NULL)
        take_verdict(&w->result, m->evaluation);
    w->state = ARCHAI_WORKER_COMMITTING;
    return m->keep ? archai_worker_begin_write(w, m->segment, err) : ARCHAI_OK;
}
