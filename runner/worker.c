#include "runner/worker.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/clock.h"

/* How often in a row an evaluator may fail to start before its worker retires, and the pause.
 */
enum { MAX_FAILED_STARTS = 4 };
static const double restart_pause_s = 0.25;
/* scancel reaches every process of a job, in any order: after a death by one of its signals the
 * stop request itself may be a moment away, and then this was no failure. */
static const double dying_s = 1;
/* In a drain, a row whose place or verdict does not come by then is given up. */
static const double stuck_s = 5;
static const double sync_pause_s = 1;
static const double step_s = 1e-3; /* of instant evaluations, before messages are looked at */

static int post(archai_worker *w, archai_message *m, archai_err *err)
{
    return archai_comm_post(w->comm, 0, m, err);
}

int archai_worker_init(archai_worker *w, archai_comm *comm, const archai_evaluator_ops *ops,
                       const archai_evaluator_setup *setup, const archai_objectives *objectives,
                       const char *directory, archai_err *err)
{
    *w = (archai_worker){
        .comm = comm,
        .config = setup->config,
        .objectives = objectives,
        .setup = *setup,
    };
    archai_writer_init(&w->writer, directory);
    if (gethostname(w->host, sizeof w->host - 1) != 0)
        (void)snprintf(w->host, sizeof w->host, "unknown");
    w->device = strdup(setup->device);
    if (w->device == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a worker");
    return archai_evaluator_create(&w->evaluator, ops, &w->setup, err);
}

void archai_worker_fini(archai_worker *w)
{
    if (w->comm == NULL)
        return;
    archai_evaluator_destroy(w->evaluator);
    (void)archai_writer_fini(&w->writer, NULL);
    for (size_t i = 0; i < w->n_queue; i++)
        archai_candidate_fini(&w->queue[i]);
    free(w->queue);
    archai_evaluation_fini(&w->result);
    free(w->segment);
    free(w->device);
    *w = (archai_worker){0};
}

/* -- the current candidate ----------------------------------------------------------------- */

/* Forget the current candidate and be ready for the next. */
static void next_candidate(archai_worker *w)
{
    archai_candidate_fini(&w->queue[0]);
    w->n_queue--;
    memmove(w->queue, w->queue + 1, w->n_queue * sizeof *w->queue);
    archai_evaluation_fini(&w->result);
    free(w->segment);
    w->segment = NULL;
    w->state = ARCHAI_WORKER_IDLE;
}

static int give_back(archai_worker *w, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = w->queue[0].id};

    ARCHAI_TRY(post(w, &m, err));
    next_candidate(w);
    return ARCHAI_OK;
}

static bool take_text(char **to, const char *from)
{
    free(*to);
    *to = strdup(from != NULL ? from : "");
    return *to != NULL;
}

/* Everything of a row that does not come from the evaluator. */
static int begin_result(archai_worker *w, archai_err *err)
{
    const archai_candidate *c = &w->queue[0];
    archai_evaluation *e = &w->result;
    char *metadata = json_dumps(c->model.metadata, JSON_SORT_KEYS);

    archai_evaluation_fini(e);
    e->id = c->id;
    e->generation = c->generation;
    e->rank = w->comm->rank;
    e->budget = c->budget;
    e->started = archai_clock_unix();
    e->metadata = metadata;
    if (metadata == NULL || !take_text(&e->archid, c->model.archid) ||
        !take_text(&e->arch, c->arch) || !take_text(&e->error, "") ||
        !take_text(&e->operator_, c->operator_) || !take_text(&e->parents, c->parents) ||
        !take_text(&e->device, w->device))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluation");
    if (c->n_encoding > 0) {
        e->encoding = malloc(c->n_encoding * sizeof *e->encoding);
        if (e->encoding == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an encoding");
        memcpy(e->encoding, c->encoding, c->n_encoding * sizeof *e->encoding);
        e->n_encoding = c->n_encoding;
    }
    for (size_t i = 0; i < c->n_measures; i++)
        ARCHAI_TRY(
            archai_evaluation_set_measure(e, c->measures[i].name, c->measures[i].value, err));
    return ARCHAI_OK;
}

static int set_error(archai_worker *w, const char *text, archai_err *err)
{
    w->result.status = ARCHAI_STATUS_FAILED;
    return take_text(&w->result.error, text)
               ? ARCHAI_OK
               : archai_fail(err, ARCHAI_ENOMEM, "out of memory for an error text");
}

/* The evaluation is over, well or not. Rank 0 is asked where it may keep weights or try again.
 */
static int finish(archai_worker *w, archai_err *err)
{
    archai_evaluation *e = &w->result;
    bool ask;

    e->seconds = archai_clock_s() - w->began;
    ARCHAI_TRY(archai_evaluation_judge(e, w->objectives, err));
    ask = e->status == ARCHAI_STATUS_FAILED
              ? w->config->evaluator.retries > 0
              : e->n_tensors > 0 && w->config->output.weights != ARCHAI_WEIGHTS_NONE;
    if (!ask || e->status == ARCHAI_STATUS_FAILED) {
        for (size_t i = 0; i < e->n_tensors; i++)
            free(e->tensors[i].name);
        e->n_tensors = 0;
    }
    w->state = ask ? ARCHAI_WORKER_OFFERING : ARCHAI_WORKER_COMMITTING;
    return ARCHAI_OK;
}

static int fail_candidate(archai_worker *w, const char *text, archai_err *err)
{
    ARCHAI_TRY(set_error(w, text, err));
    return finish(w, err);
}

static void close_evaluator(archai_worker *w)
{
    w->evaluator->ops->close(w->evaluator);
    w->is_open = false;
}

/* -- leaving ------------------------------------------------------------------------------- */

/* Take no more work: give back what is queued, close everything, say why. */
static int retire(archai_worker *w, const char *why, archai_err *err)
{
    archai_message m = {.type = ARCHAI_MSG_RETIRED, .text = (char *)(uintptr_t)why};

    close_evaluator(w);
    while (w->n_queue > 0)
        ARCHAI_TRY(give_back(w, err));
    ARCHAI_TRY(archai_writer_sync(&w->writer, err));
    w->state = ARCHAI_WORKER_RETIRED;
    return post(w, &m, err);
}

/* Something failed that is not the candidate's doing: the results directory, memory. Rank 0
 * hears of it and decides; only where MPI itself failed there is nobody to tell. */
static int settle(archai_worker *w, int rc, const archai_err *cause, archai_err *err)
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
    close_evaluator(w);
    ARCHAI_TRY(post(w, &m, err));
    w->writer.dirty = false; /* what could not be written cannot be synced */
    return retire(w, cause->text, err);
}

/* -- evaluating ---------------------------------------------------------------------------- */

static int not_started(archai_worker *w, const char *text, archai_err *err)
{
    char why[ARCHAI_ERR_TEXT_MAX + 64];

    close_evaluator(w);
    w->failed_starts++;
    if (w->failed_starts >= MAX_FAILED_STARTS) {
        (void)snprintf(why, sizeof why,
                       "the evaluator could not be started %d times in a row: %s",
                       w->failed_starts, text);
        return retire(w, why, err);
    }
    w->open_after = archai_clock_s() + restart_pause_s * (1 << w->failed_starts);
    w->state = ARCHAI_WORKER_IDLE;
    return ARCHAI_OK;
}

static int begin(archai_worker *w, archai_err *err)
{
    ARCHAI_TRY(begin_result(w, err));
    w->began = archai_clock_s();
    w->state = ARCHAI_WORKER_EVALUATING;
    return w->evaluator->ops->begin(w->evaluator, &w->queue[0], err);
}

/* Rank 0 hears of a worker's host and device once it can work, and when the device changes. */
static int on_ready(archai_worker *w, const char *device, archai_err *err)
{
    archai_message hello = {.type = ARCHAI_MSG_HELLO, .text = w->host};
    const bool changed = device[0] != '\0' && strcmp(device, w->device) != 0;

    w->is_open = true;
    w->failed_starts = 0;
    w->state = ARCHAI_WORKER_IDLE;
    if (changed && !take_text(&w->device, device))
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for a name");
    if (w->said_hello && !changed)
        return ARCHAI_OK;
    w->said_hello = true;
    hello.device = w->device;
    return post(w, &hello, err);
}

static int on_measured(archai_worker *w, archai_evaluation *r, archai_err *err)
{
    archai_evaluation *e = &w->result;

    for (size_t i = 0; i < r->n_measures; i++)
        ARCHAI_TRY(
            archai_evaluation_set_measure(e, r->measures[i].name, r->measures[i].value, err));
    e->curves = r->curves;
    e->n_curves = r->n_curves;
    e->tensors = r->tensors;
    e->n_tensors = r->n_tensors;
    r->curves = NULL;
    r->tensors = NULL;
    r->n_curves = r->n_tensors = 0;
    e->status = ARCHAI_STATUS_OK;
    return finish(w, err);
}

static bool is_stop_signal(int number)
{
    return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGUSR1;
}

static int on_gone(archai_worker *w, const archai_evaluator_event *event, archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];

    close_evaluator(w);
    if (w->state !=
        ARCHAI_WORKER_EVALUATING) { /* between candidates: the next one starts another */
        w->state = ARCHAI_WORKER_IDLE;
        return ARCHAI_OK;
    }
    (void)snprintf(text, sizeof text, "evaluator %.800s (after %.1f s)", event->text,
                   archai_clock_s() - w->began);
    if (event->signal != 0 && w->draining)
        return give_back(w, err);
    if (!is_stop_signal(event->signal))
        return fail_candidate(w, text, err);
    ARCHAI_TRY(set_error(w, text, err));
    w->dying_until = archai_clock_s() + dying_s;
    w->state = ARCHAI_WORKER_DYING;
    return ARCHAI_OK;
}

static int on_failed(archai_worker *w, const archai_evaluator_event *event, archai_err *err)
{
    /* After an error of the device its context may be poisoned: the next candidate gets a new
     * one. */
    if (event->code == ARCHAI_EDEVMEM || strstr(event->text, "CUDA") != NULL)
        close_evaluator(w);
    return fail_candidate(w, event->text, err);
}

static int on_progress(archai_worker *w, const archai_evaluator_event *event, archai_err *err)
{
    archai_message m = {
        .type = ARCHAI_MSG_PROGRESS,
        .id = w->queue[0].id,
        .epoch = event->epoch,
        .epochs = event->epochs,
    };

    return post(w, &m, err);
}

static int poll_evaluator(archai_worker *w, bool *busy, archai_err *err)
{
    archai_evaluator_event event = {.kind = ARCHAI_EVALUATOR_NOTHING};
    int rc;

    ARCHAI_TRY_GOTO(rc, w->evaluator->ops->poll(w->evaluator, &event, err), out);
    if (event.kind != ARCHAI_EVALUATOR_NOTHING)
        *busy = true;
    switch (event.kind) {
    case ARCHAI_EVALUATOR_READY:
        rc = on_ready(w, event.text, err);
        break;
    case ARCHAI_EVALUATOR_NOT_STARTED:
        rc = not_started(w, event.text, err);
        break;
    case ARCHAI_EVALUATOR_GONE:
        rc = on_gone(w, &event, err);
        break;
    case ARCHAI_EVALUATOR_MEASURED:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = on_measured(w, event.result, err);
        break;
    case ARCHAI_EVALUATOR_FAILED:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = on_failed(w, &event, err);
        break;
    case ARCHAI_EVALUATOR_PROGRESS:
        if (w->state == ARCHAI_WORKER_EVALUATING)
            rc = on_progress(w, &event, err);
        break;
    case ARCHAI_EVALUATOR_NOTHING:
        break;
    }
out:
    archai_evaluator_event_fini(&event);
    return rc;
}

/* What the clock says about the running candidate. */
static int check_limits(archai_worker *w, archai_err *err)
{
    const double now = archai_clock_s();
    const double timeout = w->config->evaluator.timeout_s;
    char text[128];

    if (w->draining && now > w->drain_by + stuck_s &&
        (w->state == ARCHAI_WORKER_OFFERING || w->state == ARCHAI_WORKER_AWAITING ||
         w->state == ARCHAI_WORKER_COMMITTING))
        return give_back(w, err);
    if (w->state != ARCHAI_WORKER_EVALUATING)
        return ARCHAI_OK;
    if (w->draining && now > w->drain_by) {
        close_evaluator(w);
        return give_back(w, err);
    }
    if (now - w->began > timeout) {
        close_evaluator(w);
        (void)snprintf(text, sizeof text, "timeout: no result after %.1f s (evaluator.timeout)",
                       now - w->began);
        return fail_candidate(w, text, err);
    }
    return ARCHAI_OK;
}

/* -- offering and committing --------------------------------------------------------------- */

static int offer(archai_worker *w, bool *busy, archai_err *err)
{
    archai_message m = {
        .type = ARCHAI_MSG_MEASURED,
        .id = w->result.id,
        .evaluation = &w->result,
    };
    bool ready;

    ARCHAI_TRY(archai_writer_reserve(&w->writer, &w->result, &ready, err));
    if (!ready)
        return ARCHAI_OK;
    w->state = ARCHAI_WORKER_AWAITING;
    *busy = true;
    return post(w, &m, err);
}

/* The tensors in the order of the verdict's places. */
static int write_weights(archai_worker *w, archai_err *err)
{
    archai_evaluation *e = &w->result;
    archai_tensors on_offer = {0};
    archai_tensor *chosen = calloc(e->n_tensors, sizeof *chosen);
    int rc;

    if (chosen == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu tensors", e->n_tensors);
    ARCHAI_TRY_GOTO(rc, w->evaluator->ops->weights(w->evaluator, &on_offer, err), out);
    for (size_t i = 0; i < e->n_tensors; i++) {
        const archai_tensor_place *p = &e->tensors[i];
        const archai_tensor *t = archai_tensors_find(&on_offer, p->name);

        if (t == NULL || t->dtype != p->dtype || t->ndim != p->ndim ||
            memcmp(t->shape, p->shape, (size_t)p->ndim * sizeof *p->shape) != 0) {
            rc = archai_fail(err, ARCHAI_EFORMAT,
                             "weights: tensor %s is not what was announced", p->name);
            goto out;
        }
        chosen[i] = *t;
    }
    rc = archai_writer_tensors(&w->writer, w->segment, chosen, e, err);
out:
    free(chosen);
    archai_tensors_close(&on_offer);
    return rc;
}

/* A model whose weights cannot be read is a failed candidate; a disk that cannot be written
 * ends the run. */
static int keep_weights(archai_worker *w, archai_err *err)
{
    archai_err local = ARCHAI_ERR_INIT;
    const int rc = write_weights(w, &local);

    if (rc == ARCHAI_EFORMAT) {
        close_evaluator(w);
        return fail_candidate(w, local.text, err);
    }
    if (rc != ARCHAI_OK && err != NULL)
        *err = local;
    return rc;
}

static int commit(archai_worker *w, bool *busy, archai_err *err)
{
    archai_message m = {
        .type = ARCHAI_MSG_DONE,
        .id = w->result.id,
        .evaluation = &w->result,
    };
    bool done;

    ARCHAI_TRY(archai_writer_commit(&w->writer, &w->result, &done, err));
    if (!done)
        return ARCHAI_OK;
    *busy = true;
    w->n_done++;
    ARCHAI_TRY(post(w, &m, err));
    next_candidate(w);
    return ARCHAI_OK;
}

static int on_verdict(archai_worker *w, archai_message *m, archai_err *err)
{
    archai_evaluation judged;

    if (w->state != ARCHAI_WORKER_AWAITING || m->id != w->result.id)
        return ARCHAI_OK;       /* for a candidate that was given back since */
    if (m->code != ARCHAI_OK) { /* to be tried again: this attempt is no row */
        next_candidate(w);
        return ARCHAI_OK;
    }
    if (m->evaluation != NULL) { /* as rank 0 judged it */
        judged = *m->evaluation;
        *m->evaluation = w->result;
        w->result = judged;
    }
    w->state = ARCHAI_WORKER_COMMITTING;
    if (!m->keep)
        return ARCHAI_OK;
    w->segment = m->segment;
    m->segment = NULL;
    return keep_weights(w, err);
}

/* -- the step ------------------------------------------------------------------------------ */

static int ask_for_grant(archai_worker *w, archai_err *err)
{
    archai_message need = {0};
    bool wanted;

    if (w->state == ARCHAI_WORKER_RETIRED)
        return ARCHAI_OK;
    archai_writer_need(&w->writer, &wanted, &need);
    return wanted ? post(w, &need, err) : ARCHAI_OK;
}

static int idle(archai_worker *w, bool *busy, archai_err *err)
{
    if (w->draining && w->asked_to_leave) {
        *busy = true;
        return retire(w, "", err);
    }
    if (w->n_queue == 0)
        return ARCHAI_OK;
    if (w->is_open) {
        *busy = true;
        return begin(w, err);
    }
    if (archai_clock_s() < w->open_after)
        return ARCHAI_OK;
    *busy = true;
    w->state = ARCHAI_WORKER_OPENING;
    return w->evaluator->ops->open(w->evaluator, err);
}

static int one_step(archai_worker *w, bool *busy, archai_err *err)
{
    archai_err local = ARCHAI_ERR_INIT;
    int rc;

    switch (w->state) {
    case ARCHAI_WORKER_IDLE:
        rc = idle(w, busy, &local);
        if (rc == ARCHAI_ECHILD ||
            rc == ARCHAI_ENOTFOUND) /* the guard or the program is missing */
            return not_started(w, local.text, err);
        if (rc != ARCHAI_OK && err != NULL)
            *err = local;
        if (rc == ARCHAI_OK && w->is_open && w->state == ARCHAI_WORKER_IDLE)
            rc = poll_evaluator(w, busy, err); /* it may die between candidates, too */
        return rc;
    case ARCHAI_WORKER_OPENING:
        return poll_evaluator(w, busy, err);
    case ARCHAI_WORKER_EVALUATING:
        return poll_evaluator(w, busy, err);
    case ARCHAI_WORKER_DYING:
        if (archai_clock_s() < w->dying_until)
            return ARCHAI_OK;
        *busy = true;
        return finish(w, err);
    case ARCHAI_WORKER_OFFERING:
        return offer(w, busy, err);
    case ARCHAI_WORKER_COMMITTING:
        return commit(w, busy, err);
    case ARCHAI_WORKER_AWAITING:
    case ARCHAI_WORKER_RETIRED:
        return ARCHAI_OK;
    }
    return archai_fail(err, ARCHAI_EINTERNAL, "worker state %d", (int)w->state);
}

static int sync_now_and_then(archai_worker *w, archai_err *err)
{
    const double now = archai_clock_s();

    /* Rank 0 must not wait for a disk; the index's writer syncs what this node wrote. */
    if (w->comm->rank == 0 || !w->writer.dirty || now < w->sync_at)
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
            rc = check_limits(w, &local);
        *busy = *busy || more;
        if (rc == ARCHAI_OK)
            rc = ask_for_grant(w, &local);
        more = more && archai_clock_s() < end;
    }
    if (rc == ARCHAI_OK)
        rc = sync_now_and_then(w, &local);
    return settle(w, rc, &local, err);
}

/* -- messages ------------------------------------------------------------------------------ */

static int on_work(archai_worker *w, archai_message *m, archai_err *err)
{
    const size_t n = w->n_queue + m->n_candidates;

    if (n > w->queue_capacity) {
        archai_candidate *grown = realloc(w->queue, 2 * n * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %zu candidates", n);
        w->queue = grown;
        w->queue_capacity = 2 * n;
    }
    memcpy(w->queue + w->n_queue, m->candidates, m->n_candidates * sizeof *w->queue);
    w->n_queue = n;
    free(m->candidates);
    m->candidates = NULL;
    m->n_candidates = 0;
    if (w->state == ARCHAI_WORKER_RETIRED)
        while (w->n_queue > 0) {
            ARCHAI_TRY(give_back(w, err));
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
        ARCHAI_TRY(give_back(w, err));
    /* What has not begun goes back; the current one keeps its place at the front. */
    for (; w->n_queue > 1 || (w->n_queue == 1 && (w->state == ARCHAI_WORKER_IDLE ||
                                                  w->state == ARCHAI_WORKER_OPENING));
         w->n_queue--) {
        archai_message m = {.type = ARCHAI_MSG_RETURNED, .id = w->queue[w->n_queue - 1].id};

        ARCHAI_TRY(post(w, &m, err));
        archai_candidate_fini(&w->queue[w->n_queue - 1]);
    }
    if (w->state == ARCHAI_WORKER_OPENING)
        w->state = ARCHAI_WORKER_IDLE;
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
        rc = archai_writer_grant(&w->writer, m, &local);
        break;
    case ARCHAI_MSG_VERDICT:
        rc = on_verdict(w, m, &local);
        break;
    case ARCHAI_MSG_DRAIN:
        rc = w->state != ARCHAI_WORKER_RETIRED ? on_drain(w, m->seconds, &local) : ARCHAI_OK;
        break;
    default:
        rc = archai_fail(&local, ARCHAI_EFORMAT, "a worker was sent a '%s'",
                         archai_message_name(m->type));
        break;
    }
    return settle(w, rc, &local, err);
}

/* -- sleeping ------------------------------------------------------------------------------ */

size_t archai_worker_wake(archai_worker *w, struct pollfd *out, size_t max, double *due)
{
    const archai_evaluator_ops *ops = w->evaluator->ops;

    if (ops->due != NULL && w->state == ARCHAI_WORKER_EVALUATING) {
        const double at = ops->due(w->evaluator);

        if (at > 0 && at < *due)
            *due = at;
    }
    return ops->wake != NULL ? ops->wake(w->evaluator, out, max) : 0;
}
