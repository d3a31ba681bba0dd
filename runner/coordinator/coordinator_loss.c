/* Ranks that die: they are noticed by their silence, and the run goes on without them. */
#include <stdio.h>
#include <string.h>

#include "io/file/checkpoint.h"
#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"
#include "runner/rank/pulse.h"

/* "candidate 17 goes", "candidates 17, 18, 19 and 12 more go" */
static void name_candidates(const int64_t *ids, int n_ids, char *text, size_t size)
{
    enum { NAMED = 3 };
    size_t n = 0;

    n += (size_t)snprintf(text, size, "candidate%s", n_ids > 1 ? "s" : "");
    for (int i = 0; i < n_ids && i < NAMED && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s %lld", i > 0 ? "," : "",
                              (long long)ids[i]);
    if (n_ids > NAMED && n < size)
        n += (size_t)snprintf(text + n, size - n, " and %d more", n_ids - NAMED);
    if (n < size)
        (void)snprintf(text + n, size - n, " %s", n_ids > 1 ? "go" : "goes");
}

/* -- what it had committed ----------------------------------------------------------------- */

typedef struct salvage {
    archai_coordinator *c;
    int rank, n;
} salvage;

/* A row without its report. */
static int on_row(void *payload, archai_trial *e, archai_err *err)
{
    salvage *x = payload;
    archai_message done = {.type = ARCHAI_MSG_DONE, .reports = e, .n_reports = 1};
    int rc = ARCHAI_OK;

    if (archai_slots_has(&x->c->slots, x->rank, e->id) && e->is_test == x->c->tests.begun) {
        x->n++;
        archai_runlog_note(x->c->log, x->rank,
                           "candidate %lld is in its segment, but was not reported",
                           (long long)e->id);
        if (x->c->plan->config.train.checkpoint != ARCHAI_CHECKPOINT_NONE)
            archai_checkpoint_remove(x->c->dir->path, e->id);
        rc = archai_coordinator_handle(x->c, x->rank, &done, err);
    }
    archai_trial_fini(e);
    return rc;
}

/* Nothing that is committed may be evaluated twice. If it cannot be read it is evaluated again: of two rows
 * with one id the index takes the first. */
static int take_committed(archai_coordinator *c, int rank, int *n, archai_err *err)
{
    salvage x = {.c = c, .rank = rank};
    archai_err why = ARCHAI_ERR_INIT;
    int rc;

    if (c->slots.at[rank].n == 0)
        return ARCHAI_OK;
    rc = archai_grants_committed(&c->grants, rank, on_row, &x, &why);
    *n = x.n;
    if (rc == ARCHAI_EIO || rc == ARCHAI_EFORMAT || rc == ARCHAI_ENOTFOUND) {
        archai_runlog_note(c->log, rank, "what it had committed cannot be read: %s", why.text);
        return ARCHAI_OK;
    }
    if (rc != ARCHAI_OK && err != NULL)
        *err = why;
    return rc;
}

/* -- what was under way -------------------------------------------------------------------- */

/* The candidate was under way and may have killed the rank. *again: it is handed out again. Otherwise *row
 * must be recorded; it is empty if another rank, thought to be lost, has finished the candidate. */
static int suspect(archai_coordinator *c, int64_t id, bool *again, archai_trial *row,
                   archai_err *err)
{
    int rc;

    if (c->tests.begun) {
        *again = archai_coordinator_requeue_test(c, id, true);
        return ARCHAI_OK;
    }
    rc = archai_search_lost(&c->plan->search, id, again, row, err);
    if (rc == ARCHAI_ENOTFOUND) {
        *again = false;
        return ARCHAI_OK;
    }
    c->search_is_done = false; /* it has something to hand out again */
    return rc;
}

/* The first candidate is queued already, or `failed` is its row, which is taken over. */
static int give_back(archai_coordinator *c, int rank, archai_trial *failed,
                     archai_err *err)
{
    archai_slot *s = &c->slots.at[rank];

    if (s->n > 0)
        (void)archai_slots_remove(&c->slots, rank, s->ids[0], archai_clock_s());
    if (failed->model.archid != NULL) {
        failed->rank = rank;
        c->n_failed++;
        archai_runlog_say(c->log, rank, "candidate %lld (%s) failed: %s", (long long)failed->id,
                          failed->model.archid, failed->error);
        ARCHAI_TRY(archai_coordinator_record(c, failed, err));
    }
    while (s->n > 0)
        ARCHAI_TRY(archai_coordinator_take_back(c, rank, s->ids[0], err));
    return ARCHAI_OK;
}

static int lose(archai_coordinator *c, int rank, archai_err *err)
{
    archai_slot *s = &c->slots.at[rank];
    const char *where =
        c->phase == ARCHAI_PHASE_RUNNING ? " to another worker" : " back to the search";
    char what[160] = "", kept[64] = "", why[64];
    archai_trial failed = {0};
    bool again = true;
    int n_kept = 0, n_go;

    archai_pulse_why(rank, why, sizeof why);
    s->lost = s->retired = s->leaving = true;
    c->n_lost++;
    c->changed = true;
    archai_comm_forget(c->comm, rank);
    archai_progress_clear(&c->progress);
    ARCHAI_TRY(take_committed(c, rank, &n_kept, err));
    if (n_kept > 0)
        (void)snprintf(kept, sizeof kept, "; %d unreported row%s found", n_kept,
                       n_kept == 1 ? " was" : "s were");
    if (s->n > 0)
        ARCHAI_TRY(suspect(c, s->ids[0], &again, &failed, err));
    n_go = again ? s->n : s->n - 1;
    if (n_go > 0)
        name_candidates(&s->ids[s->n - n_go], n_go, what, sizeof what);
    archai_runlog_say(c->log, 0, "rank %d%s%s was lost: %s%s%s%s%s", rank,
                      s->host != NULL ? " on " : "", s->host != NULL ? s->host : "", why, kept,
                      n_go > 0 ? "; " : "", what, n_go > 0 ? where : "");
    return give_back(c, rank, &failed, err);
}

/* Its candidates went to other workers; it may finish none of them and gets no new ones. */
static int come_back(archai_coordinator *c, int rank, archai_err *err)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};

    c->slots.at[rank].lost = false;
    c->n_lost--;
    archai_comm_remember(c->comm, rank);
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0,
                      "rank %d is alive again; its work went to other workers, so it gets no more",
                      rank);
    return archai_comm_post(c->comm, rank, &drain, err);
}

int archai_coordinator_watch(archai_coordinator *c, archai_err *err)
{
    const int first = archai_pulse_first_lost();

    if (first < 0 && c->n_lost == 0)
        return ARCHAI_OK;
    for (int i = 1; i < c->comm->size; i++) {
        archai_slot *s = &c->slots.at[i];

        if (!s->lost && archai_pulse_is_lost(i))
            ARCHAI_TRY(lose(c, i, err));
        else if (s->lost && !archai_pulse_is_lost(i))
            ARCHAI_TRY(come_back(c, i, err));
    }
    return ARCHAI_OK;
}
