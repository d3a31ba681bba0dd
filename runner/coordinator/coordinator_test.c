/* train.test = front: when the search is over, workers measure the models of the front on the test data, from
 * their stored weights. What they measure is committed as a row that adds to the model's own. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/coordinator/coordinator.h"
#include "runner/process/clock.h"

static const archai_record *record_of(const archai_coordinator *c, const archai_test *t)
{
    return &c->plan->search.records[t->record];
}

/* NULL: no such one was handed out. */
static archai_test *find(archai_coordinator *c, int64_t id)
{
    for (size_t i = 0; i < c->tests.next; i++)
        if (record_of(c, &c->tests.at[i])->id == id)
            return &c->tests.at[i];
    return NULL;
}

/* Measured, or given up: whoever still has it counts no more. */
static bool is_over(const archai_coordinator *c, const archai_test *t)
{
    return record_of(c, t)->tested || t->losses >= ARCHAI_LOSSES_MAX;
}

static void begin(archai_coordinator *c)
{
    const archai_search *s = &c->plan->search;
    archai_tests *t = &c->tests;
    size_t *front, n;

    archai_search_front(s, &front, &n);
    t->at = archai_calloc(n + 1, sizeof *t->at);
    for (size_t i = 0; i < n; i++) {
        const archai_record *r = &s->records[front[i]];

        if (!r->tested && r->stored != 0)
            t->at[t->n++].record = front[i];
        else if (!r->tested)
            archai_runlog_say(c->log, 0,
                              "candidate %lld (%s) is not measured on the test data: its weights are "
                              "not stored",
                              (long long)r->id, r->archid);
    }
    free(front);
    t->left = t->n;
    t->begun = true;
    if (t->n > 0)
        archai_runlog_note(c->log, 0, "%zu model%s of the front to measure on the test data", t->n,
                           t->n == 1 ? "" : "s");
}

size_t archai_coordinator_tests_left(archai_coordinator *c)
{
    if (c->plan->config.train.test != ARCHAI_TEST_FRONT || !c->plan->evaluator->tests)
        return 0;
    if (!c->tests.begun)
        begin(c);
    return c->tests.left;
}

int archai_coordinator_dispatch_tests(archai_coordinator *c, bool *busy, archai_err *err)
{
    while (c->tests.next < c->tests.n) {
        const archai_record *r = record_of(c, &c->tests.at[c->tests.next]);
        archai_trial t = {.id = r->id,
                          .model.archid = r->archid,
                          .arch = r->arch, /* NULL: the worker finds it beside the weights */
                          .budget = r->budget,
                          .begin_at = r->stored,
                          .is_test = true};
        const archai_message work = {
            .type = ARCHAI_MSG_WORK, .candidates = &t, .n_candidates = 1};
        const int rank = archai_slots_next(&c->slots);

        if (rank < 0)
            return ARCHAI_OK;
        ARCHAI_TRY(archai_comm_post(c->comm, rank, &work, err));
        archai_slots_add(&c->slots, rank, t.id, archai_clock_s());
        archai_slots_served(&c->slots);
        c->tests.next++;
        *busy = true;
    }
    return ARCHAI_OK;
}

/* To the end of those that were handed out, and from there back. */
static void hand_out_again(archai_coordinator *c, archai_test *t)
{
    archai_test *last = &c->tests.at[--c->tests.next];
    const archai_test again = *t;

    *t = *last;
    *last = again;
}

bool archai_coordinator_requeue_test(archai_coordinator *c, int64_t id, bool lost)
{
    archai_test *t = find(c, id);

    if (t == NULL)
        return true;
    if (is_over(c, t))
        return false;
    t->losses += lost;
    if (t->losses < ARCHAI_LOSSES_MAX) {
        hand_out_again(c, t);
        return true;
    }
    c->tests.left--;
    archai_runlog_say(c->log, 0,
                      "candidate %lld (%s) is not measured on the test data: %d ranks were lost over it",
                      (long long)id, record_of(c, t)->archid, t->losses);
    return false;
}

int archai_coordinator_on_test(archai_coordinator *c, int source, const archai_trial *e)
{
    archai_test *t = find(c, e->id);

    if (t == NULL || is_over(c, t))
        return ARCHAI_OK;
    if (e->status == ARCHAI_STATUS_FAILED && t->failures++ < c->plan->search.retries) {
        hand_out_again(c, t);
        return ARCHAI_OK;
    }
    c->tests.left--;
    c->plan->search.records[t->record].tested = true;
    if (e->status == ARCHAI_STATUS_FAILED) {
        archai_progress_clear(&c->progress);
        archai_runlog_say(c->log, source, "candidate %lld (%s) is not measured on the test data: %s",
                          (long long)e->id, record_of(c, t)->archid, e->error);
    }
    return ARCHAI_OK;
}
