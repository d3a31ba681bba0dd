#include "core/search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/failure.h"
#include "core/search/engine/search_private.h"

/* -- telling ----------------------------------------------------------------------------- */

/* A running record is finished from here on. */
static void leave_running(archai_search *s, size_t at)
{
    if (s->records[at].queued) /* a late answer for one that was given up */
        archai_search_fifo_remove(&s->inner->hand_out, at);
    s->n_running--;
}

int archai_search_tell(archai_search *s, archai_trial *e, bool *on_front, archai_err *err)
{
    archai_record *r;
    size_t at;

    if (e->status != ARCHAI_STATUS_OK && e->status != ARCHAI_STATUS_FAILED &&
        e->status != ARCHAI_STATUS_INFEASIBLE && e->status != ARCHAI_STATUS_PRUNED)
        return archai_fail(err, ARCHAI_EINVAL, "candidate %lld came back with status %d",
                           (long long)e->id, e->status);
    ARCHAI_TRY(archai_search_running(s, e->id, &at, err));
    ARCHAI_TRY(archai_search_check(s, at, e, err));
    r = &s->records[at];
    ARCHAI_TRY(archai_search_values(s, e, &r->values, &r->n_metrics, err));
    r->stored = e->stored;
    leave_running(s, at);
    archai_search_count(s, e->status, r->values);
    archai_search_end_pruning(s, e->id, e->status, r->values);
    ARCHAI_TRY(archai_search_finish(s, at, e->status, err));
    archai_search_drop_trial(s, at);
    *on_front = r->on_front;
    return ARCHAI_OK;
}

int archai_search_requeue(archai_search *s, int64_t id, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    archai_search_end_pruning(s, id, 0, NULL);
    archai_search_queue(s, at);
    return ARCHAI_OK;
}

int archai_search_retry(archai_search *s, int64_t id, bool *again, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    *again = s->records[at].attempts < s->retries && s->records[at].attempts < UINT8_MAX;
    if (!*again)
        return ARCHAI_OK;
    s->records[at].attempts++;
    archai_search_end_pruning(s, id, 0, NULL);
    archai_search_queue(s, at);
    return ARCHAI_OK;
}

/* Measures that need no evaluation are known of a failed candidate, too. */
int archai_search_lost(archai_search *s, int64_t id, bool *again, archai_trial *row,
                       archai_err *err)
{
    archai_record *r;
    size_t at;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    archai_search_end_pruning(s, id, 0, NULL);
    r = &s->records[at];
    *again = ++r->losses < ARCHAI_LOSSES_MAX;
    if (*again) {
        archai_search_queue(s, at);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_search_know(r->trial, s->space, s->objectives, err));
    ARCHAI_TRY(archai_search_values(s, r->trial, &r->values, &r->n_metrics, err));
    leave_running(s, at);
    archai_search_count(s, ARCHAI_STATUS_FAILED, r->values);
    ARCHAI_TRY(archai_search_finish(s, at, ARCHAI_STATUS_FAILED, err));
    archai_search_take_trial(s, at, row);
    free(row->error); /* a candidate of an earlier start has one, which is empty */
    row->error = archai_printf("lost with the rank that evaluated it, %d times", ARCHAI_LOSSES_MAX);
    archai_trial_fill_texts(row);
    return ARCHAI_OK;
}

bool archai_search_is_beginning(const archai_search *s, double budget)
{
    return s->inherit || budget < s->max_budget;
}

bool archai_search_keeps(const archai_search *s, const archai_trial *e)
{
    /* what violates a constraint is never promoted, but may be a parent */
    return (e->status == ARCHAI_STATUS_OK ||
            (e->status == ARCHAI_STATUS_INFEASIBLE && s->inherit)) &&
           archai_search_is_beginning(s, e->budget);
}

/* -- handing out --------------------------------------------------------------------------- */

static int hand_out(archai_search *s, size_t at, archai_trial **out, archai_err *err)
{
    archai_record *r = &s->records[at];

    /* Where a space counts without a network, reading the text anew would cost the worker more. */
    if (s->space->ops->count != NULL && r->trial->model.arch != NULL)
        ARCHAI_TRY(archai_search_know(r->trial, s->space, s->objectives, err));
    r->queued = false;
    *out = r->trial;
    return ARCHAI_OK;
}

/* The error of a record that finished without an evaluation; "": none. */
static char *say_why(const archai_search *s, const archai_record *r)
{
    const int which = archai_objectives_violated(s->objectives, r->values, 0);

    if (r->repeats != 0 && r->status != ARCHAI_STATUS_CACHED)
        return archai_printf(ARCHAI_FAILURE_REPEATED "%lld: %s",
                             (long long)s->records[r->repeats - 1].id,
                             archai_status_name(r->status));
    if (r->status == ARCHAI_STATUS_INFEASIBLE && which >= 0)
        return archai_objective_explain(&s->objectives->at[which], r->values[which]);
    return archai_strdup("");
}

/* The row of a record that finished without an evaluation. */
static int take_row(archai_search *s, size_t at, archai_trial *out, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    const archai_record *r = &s->records[at];

    ARCHAI_TRY(archai_search_encode(r->trial, s->space, err));
    for (size_t i = 0; i < o->n + r->n_metrics; i++)
        if (!isnan(r->values[i]))
            archai_trial_set_measure(r->trial,
                                     i < o->n ? o->at[i].source : s->metrics[i - o->n],
                                     r->values[i]);
    archai_search_take_trial(s, at, out);
    out->error = say_why(s, r);
    archai_trial_fill_texts(out);
    return ARCHAI_OK;
}

bool archai_search_learns(const archai_search *s)
{
    return s->schedule == ARCHAI_ASYNC && !s->algorithm->ops->independent;
}

/* Not before everything that an earlier start came to was proposed again. */
static void end_if_infeasible(archai_search *s)
{
    const struct archai_search_inner *q = s->inner;

    if (s->max_infeasible <= 0 || s->n_infeasible < (uint64_t)s->max_infeasible ||
        s->done[0] != '\0' || (q->n_restored > 0 && s->next_id <= q->last_row))
        return;
    (void)snprintf(s->done, sizeof s->done,
                   "%zu candidates in a row violate a constraint (search.max_infeasible)",
                   s->n_infeasible);
}

int archai_search_ask(archai_search *s, archai_ask *what, archai_trial **out,
                      archai_trial *cached, archai_err *err)
{
    struct archai_search_inner *q = s->inner;
    archai_propose step = ARCHAI_PROPOSED;
    size_t at;

    if (!q->restore_ended)
        ARCHAI_TRY(archai_search_restore_end(s, err));
    for (;;) {
        if (archai_search_fifo_pop(&q->report, &at)) {
            *what = ARCHAI_ASK_CACHED;
            return take_row(s, at, cached, err);
        }
        if (archai_search_fifo_pop(&q->hand_out, &at)) {
            *what = ARCHAI_ASK_CANDIDATE;
            return hand_out(s, at, out, err);
        }
        end_if_infeasible(s);
        if (s->done[0] != '\0')
            step = q->waiting.n > 0 ? ARCHAI_PROPOSE_WAIT : ARCHAI_PROPOSE_DONE;
        else
            ARCHAI_TRY(archai_search_step(s, &step, err));
        if (step == ARCHAI_PROPOSED)
            continue;
        *what = step == ARCHAI_PROPOSE_WAIT ? ARCHAI_ASK_WAIT : ARCHAI_ASK_DONE;
        return ARCHAI_OK;
    }
}

/* -- beginning and end --------------------------------------------------------------------- */

/* What only rank 0 can check beforehand: a cheap constraint needs the network's description. */
static int check_constraints(const archai_search *s, const archai_ini *ini, archai_err *err)
{
    char section[256];

    for (size_t i = 0; i < s->objectives->n; i++) {
        const archai_objective *o = &s->objectives->at[i];
        const archai_ini_entry *at;

        if (o->expensive || o->constraint.n == 0 || archai_space_can(s->space, "describe"))
            continue;
        (void)snprintf(section, sizeof section, "objective.%s", o->name);
        (void)archai_fail(
            err, ARCHAI_EINVAL,
            "%s.constraint: space '%s' has no networks to compute '%s' from; with "
            "expensive = yes the value comes from the evaluator",
            section, s->space->ops->name, o->source);
        at = archai_ini_find(ini, section, "constraint");
        return at != NULL ? archai_ini_wrap(at, ARCHAI_EINVAL, err) : ARCHAI_EINVAL;
    }
    return ARCHAI_OK;
}

/* A setting that could have no effect is refused. */
static int check_inheritance(const archai_search *s, const archai_ini *ini, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    const archai_ini_entry *at = archai_ini_find(ini, "train", "inherit_weights");

    if (!s->inherit || ops->breeds)
        return ARCHAI_OK;
    (void)archai_fail(err, ARCHAI_EINVAL,
                      "train.inherit_weights: what %s proposes has no parents to inherit from",
                      ops->name);
    return at != NULL ? archai_ini_wrap(at, ARCHAI_EINVAL, err) : ARCHAI_EINVAL;
}

int archai_search_init(archai_search *s, archai_space *space,
                       const archai_objectives *objectives,
                       const archai_search_settings *settings, archai_ini *ini, archai_err *err)
{
    int rc;

    *s = (archai_search){
        .space = space,
        .objectives = objectives,
        .schedule = settings->schedule,
        .seed = settings->seed,
        .retries = settings->retries,
        .default_budget = settings->default_budget > 0.0 ? settings->default_budget : 1.0,
        .inherit = settings->inherit,
        .max_infeasible = settings->max_infeasible,
        .giver = settings->giver,
        .slots = 1,
    };
    archai_front_init(&s->front, objectives->n_optimised);
    s->inner = archai_calloc(1, sizeof *s->inner);
    rc = check_constraints(s, ini, err);
    if (rc == ARCHAI_OK) {
        s->inner->cardinality = archai_space_cardinality(space);
        rc = archai_algorithm_create(&s->algorithm, s, settings->algorithm, ini, err);
    }
    if (rc == ARCHAI_OK)
        rc = check_inheritance(s, ini, err);
    if (rc == ARCHAI_OK)
        rc = archai_search_init_pruner(s, settings, ini, err);
    if (rc != ARCHAI_OK)
        archai_search_fini(s);
    return rc;
}

void archai_search_fini(archai_search *s)
{
    archai_algorithm_destroy(s->algorithm);
    archai_pruner_destroy(s->pruner);
    for (size_t i = 0; i < s->n_records; i++)
        archai_record_fini(&s->records[i]);
    free(s->records);
    for (size_t i = 0; i < s->n_metrics; i++)
        free(s->metrics[i]);
    free(s->metrics);
    archai_front_fini(&s->front);
    archai_hash_clear(&s->by_archid);
    if (s->inner != NULL) {
        archai_search_rows_free(s->inner);
        free(s->inner->hand_out.at);
        free(s->inner->report.at);
        free(s->inner->waiting.at);
    }
    free(s->inner);
    *s = (archai_search){.space = NULL};
}
