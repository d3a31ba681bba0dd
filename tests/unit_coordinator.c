/* Rank 0: who gets what, what is kept, and what becomes of what a lost rank had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commit_row.h"
#include "root.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static const char *const nothing_more[] = {NULL};

/* -- turns --------------------------------------------------------------------------------- */

static void whoever_is_free_first_is_served_first(void **state)
{
    const char *const more[] = {"search.max_evaluations=7", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.n_ids[i], 1);
        assert_int_equal(r.ids[i][0], i);
    }
    root_dispatch(&r);
    assert_int_equal(r.c.slots.under_way, RANKS);
    root_hear_done(&r, 3, 3);
    root_hear_done(&r, 1, 1);
    root_hear_done(&r, 2, 2);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 4);
    assert_int_equal(root_last_of(&r, 1), 5);
    assert_int_equal(root_last_of(&r, 2), 6);
    root_hear_done(&r, 2, 6);
    root_dispatch(&r); /* of 7 evaluations 4 are done and 3 under way */
    assert_int_equal(r.n_ids[2], 2);
    root_hear_returned(&r, 0, 0);
    root_dispatch(&r); /* one is left over: for the one that has waited longer */
    assert_int_equal(r.n_ids[0], 1);
    assert_int_equal(root_last_of(&r, 2), 0);
    root_close(&r);
}

/* What learns from results is proposed for a worker with nothing to do, one in a turn, however quick
 * evaluations are: from the random beginning on, since a result that waits behind another one would
 * be missed. */
static void what_learns_is_proposed_when_somebody_is_free(void **state)
{
    const char *const more[] = {"search.algorithm=regularized_evolution",
                                "search.init_num_models=8", NULL};
    struct root r;

    root_open(&r, *state, more);
    for (int i = 0; i < RANKS; i++) {
        assert_int_equal(r.c.slots.under_way, i);
        root_dispatch_once(&r);
    }
    root_dispatch_once(&r);
    assert_int_equal(r.c.slots.under_way, RANKS);
    root_hear_done(&r, 1, 1);
    root_hear_done(&r, 2, 2);
    for (int i = 0; i < 40; i++)
        archai_slots_note(&r.c.slots, 1, false, 0.002);
    root_dispatch_once(&r);
    assert_int_equal(r.c.slots.at[1].n, 1);
    assert_int_equal(r.c.slots.at[2].n, 0); /* in the next turn */
    root_dispatch_once(&r);
    assert_int_equal(r.c.slots.at[2].n, 1);
    root_dispatch_once(&r);
    assert_int_equal(r.c.slots.under_way, RANKS);
    root_close(&r);
}

/* However quick one is: 8 are left, for four. */
static void the_rest_of_a_budget_is_shared(void **state)
{
    const char *const more[] = {"search.max_evaluations=12", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    root_hear_done(&r, 1, 1);
    for (int i = 0; i < 40; i++)
        archai_slots_note(&r.c.slots, 1, false, 0.002);
    root_dispatch(&r);
    assert_int_equal(r.c.slots.at[1].n, 2);
    assert_int_equal(r.c.slots.under_way, RANKS + 1);
    root_close(&r);
}

static void what_comes_back_unevaluated_goes_out_again(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_hear_returned(&r, 2, 1); /* it never had that one */
    assert_int_equal(r.c.slots.under_way, RANKS);
    root_hear_returned(&r, 2, 2);
    root_hear_returned(&r, 2, 2);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(root_record(&r, 2)->attempts, 0);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 2), 2);
    root_hear_text(&r, 2, ARCHAI_MSG_RETIRED, 0, "its evaluator cannot be started");
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(
        root_logged(&r, "rank 2 takes no more work: its evaluator cannot be started"), 1);
    root_hear_done(&r, 1, 1);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 1), 2);
    assert_int_equal(r.n_ids[2], 2); /* retired: nothing more */
    root_close(&r);
}

/* -- verdicts ------------------------------------------------------------------------------ */

static void a_failure_is_tried_again_as_often_as_is_allowed(void **state)
{
    const char *const more[] = {"evaluator.retries=1", NULL};
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    root_hear_of(&r, 1, ARCHAI_MSG_OFFER, 1, ARCHAI_STATUS_FAILED);
    assert_int_equal(r.verdict[1].code, ARCHAI_ENONE); /* no row */
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(r.c.slots.at[1].quick_failures, 1);
    assert_int_equal(r.c.n_failed, 0);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 1), 1);
    root_hear_of(&r, 1, ARCHAI_MSG_OFFER, 1, ARCHAI_STATUS_FAILED);
    assert_int_equal(r.verdict[1].code, ARCHAI_OK);
    assert_false(r.verdict[1].keep);
    assert_int_equal(r.c.slots.under_way, RANKS); /* until the row is there */
    root_hear_of(&r, 1, ARCHAI_MSG_DONE, 1, ARCHAI_STATUS_FAILED);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(r.c.slots.at[1].quick_failures, 1); /* it failed before: no news of its worker */
    assert_int_equal(r.c.n_failed, 1);
    assert_int_equal(r.plan.search.n_finished, 1);
    assert_int_equal(root_logged(&r, "candidate 1 is tried again: it broke"), 1);
    root_close(&r);
}

static void only_who_has_a_candidate_writes_its_row(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_hear_of(&r, 2, ARCHAI_MSG_OFFER, 1, ARCHAI_STATUS_OK);
    assert_int_equal(r.verdict[2].code, ARCHAI_ENONE);
    assert_int_equal(r.c.slots.under_way, RANKS);
    assert_int_equal(root_logged(&r, "candidate 1 went to another worker"), 1);
    root_hear_of(&r, 1, ARCHAI_MSG_OFFER, 1, ARCHAI_STATUS_OK);
    assert_int_equal(r.verdict[1].code, ARCHAI_OK);
    root_hear_done(&r, 1, 1);
    root_hear_done(&r, 1, 1); /* what is said twice counts once */
    assert_int_equal(r.plan.search.n_finished, 1);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    root_close(&r);
}

/* Is the model of candidate `id` kept, by what output.weights says? */
static bool is_kept(struct root *r, int rank, int64_t id, int status)
{
    archai_trial e = root_evaluation(r, id, status);
    archai_message m = {.type = ARCHAI_MSG_OFFER, .text_bytes = 4096, .evaluation = &e};
    bool kept;

    e.tensors = calloc(1, sizeof *e.tensors);
    assert_non_null(e.tensors);
    e.n_tensors = 1;
    e.tensors[0] = (archai_tensor_place){.name = strdup("w"), .dtype = ARCHAI_F32, .ndim = 1};
    e.tensors[0].shape[0] = 3;
    root_hear(r, rank, &m);
    assert_int_equal(r->verdict[rank].code, ARCHAI_OK);
    kept = r->verdict[rank].keep;
    assert_int_equal(r->verdict[rank].evaluation->n_tensors, kept);
    assert_int_equal(r->verdict[rank].segment != NULL && *r->verdict[rank].segment != '\0',
                     kept);
    if (kept) { /* the first of this rank: it is told of its segment before */
        assert_non_null(r->grant[rank].segment);
        assert_string_equal(r->verdict[rank].segment, r->grant[rank].segment);
    }
    archai_trial_fini(&e);
    return kept;
}

/* Four models, the deeper the better: say the second is measured first, then the best, then the
 * others. */
static void weights_are_kept_by_their_policy(void **state)
{
    static const struct {
        const char *set;
        bool second, best, third, worst;
    } cases[] = {
        {"output.weights=all", true, true, true, true},
        {"output.weights=pareto", true, true, false, false},
        {"output.weights=best", true, true, false, false},
        {"output.weights=none", false, false, false, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const more[] = {
            cases[i].set,          "objective.params.direction=maximize",
            "space.kernel_list=1", "space.hidden_list=8",
            "space.max_layers=4",  NULL};
        char directory[TMPDIR_PATH_MAX];
        int64_t of[RANKS]; /* by depth */
        struct root r;

        (void)snprintf(directory, sizeof directory, "%s/%zu", (const char *)*state, i);
        root_open(&r, directory, more);
        root_dispatch(&r);
        for (int64_t id = 0; id < RANKS; id++)
            of[root_record(&r, id)->archid[2] - '1'] = id; /* L=1, ... */
        root_hear_of(&r, (int)of[1], ARCHAI_MSG_OFFER, of[1], ARCHAI_STATUS_OK);
        assert_false(r.verdict[of[1]].keep); /* there are none */
        assert_int_equal(is_kept(&r, (int)of[1], of[1], ARCHAI_STATUS_OK), cases[i].second);
        root_hear_done(&r, (int)of[1], of[1]);
        assert_false(is_kept(&r, (int)of[3], of[3], ARCHAI_STATUS_FAILED));
        assert_int_equal(is_kept(&r, (int)of[3], of[3], ARCHAI_STATUS_OK), cases[i].best);
        root_hear_done(&r, (int)of[3], of[3]);
        assert_int_equal(is_kept(&r, (int)of[2], of[2], ARCHAI_STATUS_OK), cases[i].third);
        assert_int_equal(is_kept(&r, (int)of[0], of[0], ARCHAI_STATUS_OK), cases[i].worst);
        root_close(&r);
    }
}

/* Children may begin from them, whatever the policy. */
static void weights_to_inherit_are_kept_in_any_case(void **state)
{
    const char *const more[] = {
        "evaluator.kind=command",    "evaluator.command=/bin/true",
        "train.inherit_weights=yes", "search.algorithm=evolution_pareto",
        "output.weights=none",       NULL};
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    assert_true(is_kept(&r, 0, 0, ARCHAI_STATUS_OK));
    assert_false(is_kept(&r, 1, 1, ARCHAI_STATUS_FAILED));
    root_close(&r);
}

/* One that violates a constraint is not the best, however good: the fourth has 386 weights, the
 * second 210. */
static void the_best_is_one_that_may_be(void **state)
{
    const char *const more[] = {"output.weights=best",
                                "objective.params.direction=maximize",
                                "objective.params.expensive=yes",
                                "objective.params.constraint=0 300",
                                "space.kernel_list=1",
                                "space.hidden_list=8",
                                "space.max_layers=4",
                                NULL};
    int64_t of[RANKS];
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    for (int64_t id = 0; id < RANKS; id++)
        of[root_record(&r, id)->archid[2] - '1'] = id;
    assert_false(is_kept(&r, (int)of[3], of[3], ARCHAI_STATUS_OK));
    root_hear_done(&r, (int)of[3], of[3]);
    assert_int_equal(root_record(&r, of[3])->status, ARCHAI_STATUS_INFEASIBLE);
    assert_true(is_kept(&r, (int)of[1], of[1], ARCHAI_STATUS_OK));
    root_close(&r);
}

/* Where a worker put the weights is where others find them. */
static void the_place_of_weights_is_noted(void **state)
{
    archai_message m = {.type = ARCHAI_MSG_DONE, .n_reports = 1};
    archai_trial e;
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    e = root_evaluation(&r, 1, ARCHAI_STATUS_OK);
    e.stored = 77;
    m.reports = &e;
    root_hear(&r, 1, &m);
    assert_true(root_record(&r, 1)->stored == 77);
    archai_trial_fini(&e);
    root_close(&r);
}

/* -- losses -------------------------------------------------------------------------------- */

static void what_a_lost_rank_had_goes_to_others(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_hear_text(&r, 1, ARCHAI_MSG_HELLO, 0, "node7");
    root_dispatch(&r);
    root_lose(&r, 1);
    assert_int_equal(r.c.n_lost, 1);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(archai_slots_alive(&r.c.slots), RANKS - 1);
    assert_int_equal(root_record(&r, 1)->losses, 1);
    assert_int_equal(
        root_logged(
            &r,
            "rank 1 on node7 was lost: rank 1 is silent; candidate 1 goes to another worker"),
        1);
    root_watch(&r); /* once is enough */
    assert_int_equal(r.c.n_lost, 1);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 1);
    assert_int_equal(r.n_ids[1], 1); /* and it gets nothing */
    root_hear_done(&r, 3, 1);
    assert_int_equal(r.plan.search.n_finished, 2);
    root_close(&r);
}

/* Only the first one in its queue was under way, and may be what killed it. */
static void what_waited_at_a_lost_rank_is_above_suspicion(void **state)
{
    int64_t held[HELD_MAX];
    struct root r;
    int n;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_hear_done(&r, 1, 1);
    for (int i = 0; i < 40; i++)
        archai_slots_note(&r.c.slots, 1, false, 0.005); /* so quick that some wait there */
    root_dispatch(&r);
    n = r.c.slots.at[1].n;
    assert_true(n > 3);
    memcpy(held, r.c.slots.at[1].ids, (size_t)n * sizeof *held);
    root_lose(&r, 1);
    assert_int_equal(r.c.slots.at[1].n, 0);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    for (int i = 0; i < n; i++) {
        assert_int_equal(root_record(&r, held[i])->losses, i == 0);
        root_hear_done(&r, 2, root_last_of(&r, 2));
        root_dispatch(&r);
        assert_int_equal(root_last_of(&r, 2), held[i]);
    }
    root_close(&r);
}

static void what_is_lost_with_three_ranks_has_failed(void **state)
{
    struct root r;
    struct root_rows rows;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_lose(&r, 1);
    root_hear_done(&r, 2, 2);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 2), 1);
    root_lose(&r, 2);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 1);
    assert_int_equal(root_own_rows(&r).n, 0);
    root_lose(&r, 3);
    rows = root_own_rows(&r);
    assert_int_equal(rows.n, 1);
    assert_int_equal(rows.last_id, 1);
    assert_int_equal(rows.last_status, ARCHAI_STATUS_FAILED);
    assert_int_equal(rows.last_rank, 3);
    assert_true(rows.last_started > 0);
    assert_int_equal(r.c.n_failed, 1);
    assert_int_equal(r.plan.search.n_finished, 3);
    assert_int_equal(r.c.slots.under_way, 1);
    assert_int_equal(root_logged(&r, "failed: lost with the rank that evaluated it, 3 times"),
                     1);
    assert_int_equal(root_logged(&r, "candidate 1 goes to another worker"),
                     2); /* not from rank 3 */
    root_hear_done(&r, 0, 0);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 0), RANKS); /* a new one */
    root_close(&r);
}

/* Commit a row as rank `rank` would, places asked for as it would. */
static void commit_as(struct root *r, archai_writer *w, int rank, int64_t id, int status)
{
    archai_trial e = root_evaluation(r, id, status);
    archai_err err = ARCHAI_ERR_INIT;
    bool done = false, wanted;

    while (!done) {
        archai_message need = {.type = ARCHAI_MSG_NEED};

        OK(archai_writer_commit(w, &e, &done, &err));
        archai_writer_need(w, &wanted, &need);
        if (!wanted)
            continue;
        need.type = ARCHAI_MSG_NEED;
        root_hear(r, rank, &need);
        assert_int_equal(r->grant[rank].type, ARCHAI_MSG_GRANT);
        archai_writer_grant(w, &r->grant[rank]);
    }
    archai_trial_fini(&e);
}

static void what_a_lost_rank_had_committed_counts(void **state)
{
    const char *const more[] = {"evaluator.kind=command", "evaluator.command=/bin/true",
                                "train.checkpoint=epoch", NULL};
    char checkpoint[2][TMPDIR_PATH_MAX + 64];
    archai_writer w;
    struct root r;

    root_open(&r, *state, more);
    for (int i = 0; i < 2; i++) {
        FILE *f;

        (void)snprintf(checkpoint[i], sizeof checkpoint[i], "%s/checkpoint-%d.safetensors",
                       r.output, i == 0 ? RANKS : 2);
        f = fopen(checkpoint[i], "w");
        assert_non_null(f);
        assert_int_equal(fclose(f), 0);
    }
    archai_writer_init(&w, r.output);
    root_dispatch(&r);
    commit_as(&r, &w, 1, 1, ARCHAI_STATUS_OK);
    root_hear_done(&r, 1, 1);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 1), RANKS);
    commit_as(&r, &w, 1, RANKS, ARCHAI_STATUS_OK); /* its last act */
    commit_as(&r, &w, 1, 2,
              ARCHAI_STATUS_OK); /* and what is another's: no business of its own */
    root_lose(&r, 1);
    assert_int_equal(r.plan.search.n_finished, 2);
    assert_int_equal(r.c.slots.under_way, RANKS - 1);
    assert_int_equal(root_record(&r, RANKS)->status, ARCHAI_STATUS_OK);
    assert_int_equal(root_record(&r, RANKS)->losses, 0);
    assert_int_equal(root_record(&r, 2)->status, ARCHAI_STATUS_RUNNING);
    assert_int_equal(root_logged(&r, "is in its segment, but was not reported"), 1);
    assert_int_not_equal(access(checkpoint[0], F_OK), 0); /* of no use any more */
    assert_int_equal(access(checkpoint[1], F_OK), 0);
    assert_int_equal(root_logged(&r, "is silent; 1 unreported row was found"), 1);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), RANKS + 1);
    (void)archai_writer_fini(&w, NULL);
    root_close(&r);
}

/* Weights that it had stored, too: a row that nobody reported names their place. */
static void weights_of_a_lost_rank_are_found(void **state)
{
    const char *const more[] = {"evaluator.kind=command", "evaluator.command=/bin/true",
                                "train.inherit_weights=yes",
                                "search.algorithm=evolution_pareto", NULL};
    archai_segment segment = ARCHAI_SEGMENT_INIT;
    archai_err err = ARCHAI_ERR_INIT;
    archai_buffer detail = {0};
    archai_trial e;
    struct root r;

    root_open(&r, *state, more);
    root_dispatch(&r);
    assert_true(is_kept(&r, 1, 1, ARCHAI_STATUS_OK));
    e = root_evaluation(&r, 1, ARCHAI_STATUS_OK);
    e.tensors = r.verdict[1].evaluation->tensors; /* with their places */
    e.n_tensors = r.verdict[1].evaluation->n_tensors;
    OK(archai_trial_pack(&e, &detail, &err));
    OK(archai_segment_open(&segment, r.output, r.verdict[1].segment, true, &err));
    OK(commit_row(&segment, r.grant[1].row, r.grant[1].text_offset, detail.data, detail.size, &e, &err));
    archai_segment_close(&segment);
    root_lose(&r, 1);
    assert_int_equal(root_record(&r, 1)->status, ARCHAI_STATUS_OK);
    assert_true(root_record(&r, 1)->stored ==
                archai_segment_place(r.verdict[1].segment, r.grant[1].row));
    e.tensors = NULL;
    e.n_tensors = 0;
    archai_trial_fini(&e);
    archai_buffer_free(&detail);
    root_close(&r);
}

/* What it had is evaluated once more where its segment cannot be read. */
static void what_cannot_be_read_goes_to_others(void **state)
{
    char path[2 * TMPDIR_PATH_MAX];
    archai_writer w;
    struct root r;

    root_open(&r, *state, nothing_more);
    archai_writer_init(&w, r.output);
    root_dispatch(&r);
    commit_as(&r, &w, 1, 1, ARCHAI_STATUS_OK);
    (void)archai_writer_fini(&w, NULL);
    (void)snprintf(path, sizeof path, "%s/%s", r.output, r.grant[1].segment);
    assert_int_equal(unlink(path), 0);
    root_lose(&r, 1);
    assert_int_equal(root_logged(&r, "what it had committed cannot be read"), 1);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 1);
    root_close(&r);
}

static void one_that_speaks_again_gets_no_more(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_lose(&r, 1);
    root_find_again(&r, 1);
    assert_int_equal(r.c.n_lost, 0);
    assert_false(r.c.slots.at[1].lost);
    assert_int_equal(r.drains[1], 1);
    assert_int_equal(root_logged(&r, "rank 1 is alive again"), 1);
    root_find_again(&r, 1);
    assert_int_equal(r.drains[1], 1);
    root_hear_of(&r, 1, ARCHAI_MSG_OFFER, 1, ARCHAI_STATUS_OK); /* it is not up to date */
    assert_int_equal(r.verdict[1].code, ARCHAI_ENONE);
    root_dispatch(&r);
    assert_int_equal(r.n_ids[1], 1);
    assert_int_equal(archai_slots_alive(&r.c.slots), RANKS - 1);
    root_close(&r);
}

/* It had committed its row and was only slow to say so: nobody does it again. */
static void a_late_word_of_one_that_was_lost_counts(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_lose(&r, 1);
    root_lose(&r, 2);
    root_find_again(&r, 1);
    root_find_again(&r, 2);
    root_hear_done(&r, 1, 1); /* nobody has it yet */
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 2);
    root_hear_done(&r, 2, 2); /* this one another has */
    assert_int_equal(r.plan.search.n_finished, 3);
    root_hear_of(&r, 3, ARCHAI_MSG_OFFER, 2, ARCHAI_STATUS_OK);
    assert_int_equal(r.verdict[3].code, ARCHAI_ENONE);
    assert_int_equal(r.c.slots.under_way, 1);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), RANKS);
    assert_int_equal(r.c.slots.under_way, 2);
    assert_int_equal(root_logged(&r, "was not expected from here"), 2);
    root_close(&r);
}

/* Given back by whoever had got it meanwhile. */
static void what_is_finished_cannot_be_given_back(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_lose(&r, 1);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 1);
    root_find_again(&r, 1);
    root_hear_done(&r, 1, 1);
    root_hear_returned(&r, 3, 1);
    assert_int_equal(r.c.slots.under_way, 2);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), RANKS);
    root_hear_text(&r, 3, ARCHAI_MSG_RETIRED, 0, "");
    assert_int_equal(r.plan.search.n_finished, 2);
    root_close(&r);
}

/* Two that were taken for lost have the same one: the second loss finds it finished. */
static void a_loss_of_what_is_finished_is_none(void **state)
{
    struct root r;

    root_open(&r, *state, nothing_more);
    root_dispatch(&r);
    root_lose(&r, 1);
    root_hear_done(&r, 3, 3);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 3), 1);
    root_hear_done(&r, 1, 1);
    root_lose(&r, 3);
    assert_int_equal(root_logged(&r, "candidate 1 goes to another worker"),
                     1); /* from rank 1 */
    assert_int_equal(r.plan.search.n_finished, 2);
    assert_int_equal(root_own_rows(&r).n, 0);
    assert_int_equal(r.c.slots.under_way, 2);
    root_hear_text(&r, 2, ARCHAI_MSG_RETIRED, 0, "");
    root_hear_done(&r, 0, 0);
    root_dispatch(&r);
    assert_int_equal(root_last_of(&r, 0), 2); /* what rank 2 gave back */
    root_close(&r);
}

/* -- the next start ------------------------------------------------------------------------ */

/* What was found and what failed before counts as if it had been found now. */
static void a_start_knows_what_those_before_it_found(void **state)
{
    const char *const more[] = {"output.weights=best",
                                "objective.macs.direction=minimize",
                                "objective.params.direction=minimize",
                                "space.kernel_list=1",
                                "space.hidden_list=8",
                                "space.max_layers=4",
                                NULL};
    int64_t of[RANKS]; /* by depth; the shallowest is the best */
    archai_writer w;
    struct root r;

    root_open(&r, *state, more);
    archai_writer_init(&w, r.output);
    root_dispatch(&r);
    for (int64_t id = 0; id < RANKS; id++)
        of[root_record(&r, id)->archid[2] - '1'] = id;
    assert_true(of[0] < of[3]); /* else the last one would be the best as well */
    for (int depth = 0; depth < RANKS; depth++)
        if (depth != 1) {
            const int status = depth == 2 ? ARCHAI_STATUS_FAILED : ARCHAI_STATUS_OK;

            commit_as(&r, &w, 1, of[depth], status);
            root_hear_of(&r, (int)of[depth], ARCHAI_MSG_DONE, of[depth], status);
        }
    (void)archai_writer_fini(&w, NULL);
    root_close(&r);

    root_resume(&r, *state, more);
    assert_int_equal(r.c.n_before, 3);
    assert_int_equal(r.c.n_failed, 1);
    assert_int_equal(r.plan.search.n_finished, 3);
    root_dispatch(&r);
    assert_int_equal(r.n_ids[0], 1); /* the fourth; there are no more */
    assert_int_equal(r.c.slots.under_way, 1);
    assert_int_equal(root_record(&r, root_last_of(&r, 0))->archid[2], '2');
    assert_false(
        is_kept(&r, 0, root_last_of(&r, 0), ARCHAI_STATUS_OK)); /* there was a better one */
    root_close(&r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(whoever_is_free_first_is_served_first),
        TEST(what_learns_is_proposed_when_somebody_is_free),
        TEST(the_rest_of_a_budget_is_shared),
        TEST(what_comes_back_unevaluated_goes_out_again),
        TEST(a_failure_is_tried_again_as_often_as_is_allowed),
        TEST(only_who_has_a_candidate_writes_its_row),
        TEST(weights_are_kept_by_their_policy),
        TEST(weights_to_inherit_are_kept_in_any_case),
        TEST(the_best_is_one_that_may_be),
        TEST(the_place_of_weights_is_noted),
        TEST(what_a_lost_rank_had_goes_to_others),
        TEST(what_waited_at_a_lost_rank_is_above_suspicion),
        TEST(what_is_lost_with_three_ranks_has_failed),
        TEST(what_a_lost_rank_had_committed_counts),
        TEST(weights_of_a_lost_rank_are_found),
        TEST(what_cannot_be_read_goes_to_others),
        TEST(one_that_speaks_again_gets_no_more),
        TEST(a_late_word_of_one_that_was_lost_counts),
        TEST(what_is_finished_cannot_be_given_back),
        TEST(a_loss_of_what_is_finished_is_none),
        TEST(a_start_knows_what_those_before_it_found),
    };

    return cmocka_run_group_tests_name("coordinator", tests, NULL, NULL);
}
