/* Ranks that die: noticed by their silence, done without. */
#include <stdio.h>
#include <string.h>

#include "runner/coordinator.h"
#include "runner/pulse.h"

/* "candidate 17 goes", "candidates 17, 18 and 12 more go" */
static void name_candidates(const archai_slot *s, char *text, size_t size)
{
    enum { NAMED = 3 };
    size_t n = 0;

    n += (size_t)snprintf(text, size, "candidate%s", s->n > 1 ? "s" : "");
    for (int i = 0; i < s->n && i < NAMED && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s %lld", i > 0 ? "," : "",
                              (long long)s->ids[i]);
    if (s->n > NAMED && n < size)
        n += (size_t)snprintf(text + n, size - n, " and %d more", s->n - NAMED);
    if (n < size)
        (void)snprintf(text + n, size - n, " %s", s->n > 1 ? "go" : "goes");
}

/* Rows that it committed and did not report are in its segment: the index takes them, and of two rows
 * with one id only the first. */
static int lose(archai_coordinator *c, int rank, archai_err *err)
{
    archai_slot *s = &c->slots.at[rank];
    const double silence = archai_pulse_silence(rank);
    const char *where =
        c->phase == ARCHAI_PHASE_RUNNING ? " to another worker" : " back to the search";
    char what[160];

    s->lost = s->retired = s->leaving = true;
    c->n_lost++;
    c->changed = true;
    archai_comm_forget(c->comm, rank);
    archai_progress_clear(&c->progress);
    name_candidates(s, what, sizeof what);
    archai_runlog_say(c->log, 0, "rank %d%s%s was lost: no sign of life for %.1f s%s%s%s", rank,
                      s->host != NULL ? " on " : "", s->host != NULL ? s->host : "", silence,
                      s->n > 0 ? "; " : "", s->n > 0 ? what : "", s->n > 0 ? where : "");
    while (s->n > 0)
        ARCHAI_TRY(archai_coordinator_take_back(c, rank, s->ids[0], err));
    return ARCHAI_OK;
}

/* What it has in hand went to others; it may not go on with it, nor with anything new. */
static int come_back(archai_coordinator *c, int rank, archai_err *err)
{
    const archai_message drain = {.type = ARCHAI_MSG_DRAIN};

    c->slots.at[rank].lost = false;
    c->n_lost--;
    archai_comm_remember(c->comm, rank);
    archai_progress_clear(&c->progress);
    archai_runlog_say(c->log, 0,
                      "rank %d gives signs of life again; others have its work, so it gets no more",
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
