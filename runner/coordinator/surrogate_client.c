#include "runner/coordinator/surrogate_client.h"

#include <math.h>
#include <stdio.h>

#include "runner/process/clock.h"

enum { FAILURES_MAX = 3 /* in a row */ };
static const double handshake_s = 300, pause_s = 1;
/* Workers may be waiting for a fit. After the first one of a process it is known how long one
 * takes. */
static const double first_answer_s = 600, answer_s = 60, answer_factor = 20;

void archai_surrogate_client_init(archai_surrogate_client *c, archai_search *search,
                                  int64_t memory_limit)
{
    *c = (archai_surrogate_client){
        .search = archai_search_has_jobs(search) ? search : NULL,
        .memory_limit = memory_limit,
        .child = ARCHAI_EVALUATOR_CLIENT_INIT,
    };
}

/* The process is gone, or is ended here, and with it the rows that it knew. */
static void stop(archai_surrogate_client *c)
{
    if (c->running)
        archai_evaluator_client_close(&c->child);
    c->running = c->ready = false;
    c->job = 0;
    c->held = 0;
}

void archai_surrogate_client_close(archai_surrogate_client *c)
{
    stop(c);
    c->search = NULL;
}

static int start(archai_surrogate_client *c, archai_err *err)
{
    /* It takes one core and leaves GPUs to the evaluators that train. */
    static const char *const environment[] = {"OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1",
                                              "OPENBLAS_NUM_THREADS=1", "CUDA_VISIBLE_DEVICES=",
                                              NULL};
    char nothing[] = "", cpu[] = "cpu";
    const archai_message open = {
        .type = ARCHAI_MSG_OPEN, .text = nothing, .device = cpu, .threads = 1};

    ARCHAI_TRY(archai_evaluator_client_start(&c->child, &open, -1, false, environment,
                                             c->memory_limit, err));
    c->running = true;
    c->due = archai_clock_s() + handshake_s;
    return ARCHAI_OK;
}

/* `error`: of the search itself, which a new process would not mend; `why`: of the process. */
static int send_job(archai_surrogate_client *c, bool *busy, archai_err *why, archai_err *error)
{
    archai_surrogate_job job;
    const archai_message fit = {.type = ARCHAI_MSG_FIT, .job = &job};
    bool got = false;
    int rc;

    ARCHAI_TRY(archai_search_job(c->search, c->held, &job, &got, busy, error));
    if (!got)
        return ARCHAI_OK;
    *busy = true;
    c->job = job.id;
    c->held = (size_t)job.held + job.n_y / (size_t)job.n_targets;
    c->sent_at = archai_clock_s();
    c->limit_s = job.held > 0 ? fmax(answer_s, answer_factor * c->longest_s) : first_answer_s;
    c->due = c->sent_at + c->limit_s;
    rc = archai_peer_send(&c->child.peer, &fit, why);
    archai_surrogate_job_fini(&job);
    return rc;
}

static int on_message(archai_surrogate_client *c, archai_message *m, archai_err *why)
{
    archai_surrogate_answer answer;

    if (m->type == ARCHAI_MSG_FAILED)
        return archai_fail(why, ARCHAI_ECHILD, "%s", m->text);
    if (m->type == ARCHAI_MSG_READY && !c->ready) {
        c->ready = true;
        return ARCHAI_OK;
    }
    if (m->type != ARCHAI_MSG_FITTED || c->job == 0)
        return archai_fail(why, ARCHAI_EFORMAT, "archai-evaluator sent a '%s' out of turn",
                           archai_message_name(m->type));
    answer = *m->answer;
    *m->answer = (archai_surrogate_answer){.id = 0};
    c->job = 0;
    c->longest_s = fmax(c->longest_s, archai_clock_s() - c->sent_at);
    ARCHAI_TRY(archai_search_answer(c->search, &answer, why));
    c->failures = 0;
    return ARCHAI_OK;
}

static int poll_child(archai_surrogate_client *c, bool *busy, archai_err *why)
{
    archai_message m = {0};
    bool got;
    int rc = archai_peer_poll(&c->child.peer, &m, &got, why);

    ARCHAI_TRY(archai_err_wrap(why, rc, "archai-evaluator "));
    if (got) {
        *busy = true;
        rc = on_message(c, &m, why);
        archai_message_fini(&m);
        return rc;
    }
    if ((!c->ready || c->job != 0) && archai_clock_s() > c->due)
        return archai_fail(why, ARCHAI_ETIMEOUT, "archai-evaluator gave no answer in %.0f s",
                           c->ready ? c->limit_s : handshake_s);
    return ARCHAI_OK;
}

int archai_surrogate_client_step(archai_surrogate_client *c, bool *busy, bool *gave_up, char *why,
                                 size_t size, archai_err *err)
{
    archai_err problem = ARCHAI_ERR_INIT, own = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    *gave_up = false;
    if (c->search == NULL || (!c->running && archai_clock_s() < c->due))
        return ARCHAI_OK;
    rc = c->running ? poll_child(c, busy, &problem) : start(c, &problem);
    if (rc == ARCHAI_OK && c->ready && c->job == 0)
        rc = send_job(c, busy, &problem, &own);
    if (own.code != ARCHAI_OK) {
        if (err != NULL)
            *err = own;
        return rc;
    }
    if (rc == ARCHAI_OK)
        return ARCHAI_OK;
    stop(c);
    c->due = archai_clock_s() + pause_s;
    *busy = true;
    if (++c->failures < FAILURES_MAX)
        return ARCHAI_OK;
    (void)snprintf(why, size, "%s", problem.text);
    *gave_up = true;
    rc = archai_search_abandon_jobs(c->search, problem.text, err);
    c->search = NULL;
    return rc;
}

size_t archai_surrogate_client_wake(const archai_surrogate_client *c, struct pollfd *out,
                                    size_t max)
{
    return c->running ? archai_peer_wake(&c->child.peer, out, max) : 0;
}
