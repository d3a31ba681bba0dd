/* Candidates go out: as long as a worker has room and the budget allows. */
#include <stdlib.h>
#include <string.h>

#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

enum { REPETITIONS_MAX = 256 }; /* each is a row that is written: a few milliseconds in all */

/* A repetition, a given architecture outside its constraints, a candidate that was lost with its rank
 * too often: rank 0 writes it itself. */
static int commit(archai_coordinator *c, archai_evaluation *e, archai_err *err)
{
    archai_message grant = {0};
    bool done = false;
    int rc = ARCHAI_OK;

    e->started = e->started > 0 ? e->started : archai_clock_unix();
    ARCHAI_TRY(archai_writer_commit(&c->pen, e, &done, err));
    if (!done) {
        rc = archai_grants_rows(&c->grants, c->grants.n_owners - 1, ARCHAI_SEGMENT_BLOCK_ROWS,
                                2 * (int64_t)c->pen.packed.size, &grant, err);
        if (rc == ARCHAI_OK)
            rc = archai_writer_grant(&c->pen, &grant, err);
        archai_message_fini(&grant);
        if (rc == ARCHAI_OK)
            rc = archai_writer_commit(&c->pen, e, &done, err);
        if (rc == ARCHAI_OK && !done)
            rc = archai_fail(err, ARCHAI_EINTERNAL, "no place for the row of candidate %lld",
                             (long long)e->id);
    }
    c->changed = true;
    return rc;
}

int archai_coordinator_record(archai_coordinator *c, archai_evaluation *e, archai_err *err)
{
    const int rc = commit(c, e, err);

    archai_evaluation_fini(e);
    return rc;
}

/* How many more candidates may be handed out. */
static int64_t budget(const archai_coordinator *c)
{
    return c->plan->config.search.max_evaluations - (int64_t)c->plan->search.n_finished -
           c->slots.under_way;
}

/* Room of a worker. Towards the end of the budget what is left is shared evenly. */
static int room(const archai_coordinator *c, const archai_slot *s, int alive)
{
    const int depth = archai_search_learns(&c->plan->search) ? 1 : archai_slot_depth(s);
    int64_t wanted = depth;

    if (depth > 1) {
        const int64_t left = budget(c);
        const int64_t share = left / alive + (left % alive > 0); /* a budget may be INT64_MAX */

        wanted = share < depth ? share : depth;
    }
    return wanted > s->n ? (int)(wanted - s->n) : 0;
}

/* Ask the search for up to `n` candidates. *dry: it has none now. Of repetitions so many are taken that
 * messages and signals need not wait for long; then *busy, and there may be more. */
static int gather(archai_coordinator *c, int n, archai_candidate *out, size_t *n_out, bool *dry,
                  bool *busy, archai_err *err)
{
    int repetitions = 0;

    *n_out = 0;
    while ((int)*n_out < n && budget(c) - (int64_t)*n_out > 0) {
        archai_evaluation cached = {0};
        archai_ask what;

        ARCHAI_TRY(archai_search_ask(&c->plan->search, &what, &out[*n_out], &cached, err));
        switch (what) {
        case ARCHAI_ASK_CANDIDATE:
            (*n_out)++;
            break;
        case ARCHAI_ASK_CACHED:
            ARCHAI_TRY(archai_coordinator_record(c, &cached, err));
            if (++repetitions < REPETITIONS_MAX)
                break;
            *busy = *dry = true;
            return ARCHAI_OK;
        case ARCHAI_ASK_WAIT:
            *dry = true;
            return ARCHAI_OK;
        case ARCHAI_ASK_DONE:
            c->search_is_done = *dry = true;
            return ARCHAI_OK;
        }
    }
    *dry = budget(c) - (int64_t)*n_out <= 0;
    return ARCHAI_OK;
}

static int send_work(archai_coordinator *c, int rank, int n, bool *dry, bool *busy,
                     archai_err *err)
{
    archai_candidate one, *candidates = n > 1 ? malloc((size_t)n * sizeof *candidates) : &one;
    archai_message work = {.type = ARCHAI_MSG_WORK, .candidates = candidates};
    const double now = archai_clock_s();
    int rc;

    if (candidates == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for %d candidates", n);
    rc = gather(c, n, candidates, &work.n_candidates, dry, busy, err);
    if (work.n_candidates > 0 && rc == ARCHAI_OK) {
        rc = archai_comm_post(c->comm, rank, &work, err);
        *busy = true;
    }
    for (size_t i = 0; i < work.n_candidates; i++) {
        if (rc == ARCHAI_OK)
            rc = archai_slots_add(&c->slots, rank, candidates[i].id, now, err);
        archai_candidate_fini(&candidates[i]);
    }
    if (candidates != &one)
        free(candidates);
    return rc;
}

/* What learns from results is proposed for a free worker, and one at a time: a proposal may take a while, it
 * goes out before the next one is made, and that one knows what came in meanwhile. Nothing waits at a
 * worker then, not even the random beginning of a search: whatever was behind a long evaluation would
 * be missed by all that is proposed after it. */
int archai_coordinator_dispatch(archai_coordinator *c, bool *busy, archai_err *err)
{
    archai_search *s = &c->plan->search;
    bool dry = false;
    int alive = 1;

    if (c->slots.n_line == 0)
        return ARCHAI_OK;
    if (archai_search_has_jobs(s)) /* a look at all of them: only for who wants to know */
        s->slots = (size_t)archai_slots_alive(&c->slots);
    if (!archai_search_learns(s))
        alive = archai_slots_alive(&c->slots);
    /* Each has one turn: with nothing under way it stays in the line until it has got something. */
    for (int left = c->slots.n_line; left > 0 && !dry && budget(c) > 0; left--) {
        const int rank = archai_slots_next(&c->slots);
        int n;

        if (rank < 0)
            break;
        n = room(c, &c->slots.at[rank], alive);
        if (n > 0)
            ARCHAI_TRY(send_work(c, rank, n, &dry, busy, err));
        if (c->slots.at[rank].n > 0)
            archai_slots_served(&c->slots);
        if (n > 0 && archai_search_learns(s))
            break;
    }
    return ARCHAI_OK;
}
