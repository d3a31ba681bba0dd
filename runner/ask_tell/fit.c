#include "runner/ask_tell/fit.h"

static const double start_limit_s = 300, answer_limit_s = 3600;

static int start(archai_fit *f, archai_err *err)
{
    static const char *const environment[] = {"OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
                                              "CUDA_VISIBLE_DEVICES=", NULL};
    char nothing[] = "", cpu[] = "cpu";
    const archai_message open = {.type = ARCHAI_MSG_OPEN, .text = nothing, .device = cpu, .threads = 1};
    archai_message m = {0};
    int rc;

    ARCHAI_TRY(archai_evaluator_client_start(&f->client, &open, -1, false, environment, 0, err));
    f->running = true;
    rc = archai_err_wrap(err, archai_peer_wait(&f->client.peer, &m, start_limit_s, err), "archai-evaluator ");
    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_FAILED)
        rc = archai_peer_failure(&m, err);
    archai_message_fini(&m);
    return rc;
}

/* `why`: what is wrong with the process, which another one may mend. */
static int do_job(archai_fit *f, archai_search *s, archai_surrogate_job *job, archai_err *why)
{
    const archai_message fit = {.type = ARCHAI_MSG_FIT, .job = job};
    archai_message m = {0};
    int rc = archai_peer_send(&f->client.peer, &fit, why);

    if (rc == ARCHAI_OK)
        rc = archai_peer_wait(&f->client.peer, &m, answer_limit_s, why);
    rc = archai_err_wrap(why, rc, "archai-evaluator ");
    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_FAILED)
        rc = archai_peer_failure(&m, why);
    else if (rc == ARCHAI_OK && m.type != ARCHAI_MSG_FITTED)
        rc = archai_fail(why, ARCHAI_EFORMAT, "archai-evaluator sent a '%s' out of turn", archai_message_name(m.type));
    if (rc == ARCHAI_OK) {
        archai_surrogate_answer answer = *m.answer;

        *m.answer = (archai_surrogate_answer){.id = 0};
        rc = archai_search_answer(s, &answer, why);
        f->held = (size_t)job->held + job->n_y / (size_t)job->n_targets;
    }
    archai_message_fini(&m);
    return rc;
}

int archai_fit_jobs(archai_fit *f, archai_search *s, bool *did, archai_err *err)
{
    bool got = true, busy = false;

    *did = false;
    while (archai_search_has_jobs(s) && (got || busy)) {
        archai_err why = ARCHAI_ERR_INIT;
        archai_surrogate_job job = {.id = 0};
        int rc;

        ARCHAI_TRY(archai_search_job(s, f->held, &job, &got, &busy, err));
        if (!got)
            continue;
        *did = true;
        rc = f->running ? ARCHAI_OK : start(f, &why);
        if (rc == ARCHAI_OK)
            rc = do_job(f, s, &job, &why);
        archai_surrogate_job_fini(&job);
        if (rc == ARCHAI_OK)
            continue;
        archai_fit_close(f);
        return archai_search_abandon_jobs(s, why.text, err);
    }
    return ARCHAI_OK;
}

void archai_fit_close(archai_fit *f)
{
    if (f->running)
        archai_evaluator_client_close(&f->client);
    f->running = false;
    f->held = 0;
}
