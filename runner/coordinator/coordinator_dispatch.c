/* Candidates go out as long as a worker has room and the budget allows. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

enum { REPETITIONS_MAX = 256 }; /* each is a row that is written: a few milliseconds in all */

/* Rank 0 itself writes repetitions, given architectures outside the constraints, and candidates that were
 * lost with their ranks too often. */
static int commit(archai_coordinator *c, archai_trial *e, archai_err *err)
{
    archai_message grant = {0};
    bool done = false;
    int rc = ARCHAI_OK;

    e->started = e->started > 0 ? e->started : archai_clock_unix();
    ARCHAI_TRY(archai_writer_commit(&c->writer, e, &done, err));
    if (!done) {
        rc = archai_grants_rows(&c->grants, c->grants.n_owners - 1, ARCHAI_SEGMENT_BLOCK_ROWS,
                                2 * (int64_t)c->writer.packed.size, &grant, err);
        if (rc == ARCHAI_OK) {
            archai_writer_grant(&c->writer, &grant);
            rc = archai_writer_commit(&c->writer, e, &done, err);
        }
        archai_message_fini(&grant);
        if (rc == ARCHAI_OK && !done)
            rc = archai_fail(err, ARCHAI_EINTERNAL, "no place for the row of candidate %lld",
                             (long long)e->id);
    }
    c->changed = true;
    return rc;
}

int archai_coordinator_record(archai_coordinator *c, archai_trial *e, archai_err *err)
{
    const int rc = commit(c, e, err);

    archai_trial_fini(e);
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

/* Ask the search for up to `n` candidates. *dry: it has none now. After many repetitions it stops with
 * *busy, so that messages and signals need not wait; then there may be more. */
static int gather(archai_coordinator *c, int n, archai_trial *out, size_t *n_out, bool *dry,
                  bool *busy, archai_err *err)
{
    archai_trial *next = NULL;
    int repetitions = 0;

    *n_out = 0;
    while ((int)*n_out < n && budget(c) - (int64_t)*n_out > 0) {
        archai_trial cached = {0};
        archai_ask what;

        ARCHAI_TRY(archai_search_ask(&c->plan->search, &what, &next, &cached, err));
        switch (what) {
        case ARCHAI_ASK_CANDIDATE:
            archai_model_clear(&next->model); /* its text is sent */
            out[(*n_out)++] = *next;          /* the search's own: nothing to free */
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
    archai_trial one, *candidates = n > 1 ? archai_calloc((size_t)n, sizeof *candidates) : &one;
    archai_message work = {.type = ARCHAI_MSG_WORK, .candidates = candidates};
    const double now = archai_clock_s();
    int rc;

    rc = gather(c, n, candidates, &work.n_candidates, dry, busy, err);
    if (work.n_candidates > 0 && rc == ARCHAI_OK) {
        rc = archai_comm_post(c->comm, rank, &work, err);
        *busy = true;
    }
    for (size_t i = 0; i < work.n_candidates && rc == ARCHAI_OK; i++)
        archai_slots_add(&c->slots, rank, candidates[i].id, now);
    if (candidates != &one)
        free(candidates);
    return rc;
}

/* A proposal that learns from results is made for a free worker, one at a time: it may take a while, goes
 * out before the next one is made, and that one knows what came in meanwhile. Then nothing waits at a
 * worker, not even the random beginning of a search: a result behind a long evaluation would be
 * missing from everything that is proposed in the meantime. */
int archai_coordinator_dispatch(archai_coordinator *c, bool *busy, archai_err *err)
{
    archai_search *s = &c->plan->search;
    bool dry = false;
    int alive = 1;

    if (c->slots.n_line == 0)
        return ARCHAI_OK;
    if (c->tests.begun)
        return archai_coordinator_dispatch_tests(c, busy, err);
    if (archai_search_has_jobs(s)) /* costs a look at all of them */
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
