/* A worker asks: may this model's weights be kept, and where? Or: may this failure be tried
 * again? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

/* First optimised objective, as something to be made small. */
static double first_point(const archai_coordinator *c, const archai_evaluation *e)
{
    const archai_objectives *o = &c->plan->objectives;
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(o, e->measures, e->n_measures, values);
    archai_objectives_minimised(o, values, point);
    return point[0];
}

static bool wants_weights(const archai_coordinator *c, const archai_evaluation *e, bool joins)
{
    if (e->n_tensors == 0)
        return false;
    if (archai_search_keeps(&c->plan->search, e))
        return true;
    if (e->status != ARCHAI_STATUS_OK)
        return false;
    switch (c->plan->config.output.weights) {
    case ARCHAI_WEIGHTS_ALL:
        return true;
    case ARCHAI_WEIGHTS_PARETO:
        return joins;
    case ARCHAI_WEIGHTS_BEST:
        return isnan(c->best) || first_point(c, e) <= c->best;
    default:
        return false;
    }
}

static void drop_tensors(archai_evaluation *e)
{
    for (size_t i = 0; i < e->n_tensors; i++)
        free(e->tensors[i].name);
    free(e->tensors);
    e->tensors = NULL;
    e->n_tensors = 0;
}

static int send_verdict(archai_coordinator *c, int rank, archai_message *verdict,
                        int64_t text_bytes, bool keep, archai_err *err)
{
    archai_message grant = {0};
    int rc = ARCHAI_OK;

    if (keep) {
        rc = archai_grants_tensors(&c->grants, rank, verdict->evaluation, text_bytes,
                                   &verdict->segment, &grant, err);
        if (rc == ARCHAI_OK && grant.segment != NULL)
            rc = archai_comm_post(c->comm, rank, &grant, err);
        archai_message_fini(&grant);
    } else {
        drop_tensors(verdict->evaluation);
    }
    verdict->keep = keep;
    if (rc == ARCHAI_OK) {
        const archai_evaluation *e = verdict->evaluation;
        archai_evaluation answer = {.id = e->id, /* what the worker measured it has */
                                    .status = e->status,
                                    .error = e->error,
                                    .tensors = e->tensors,
                                    .n_tensors = e->n_tensors};
        archai_message m = *verdict;

        m.evaluation = &answer;
        rc = archai_comm_post(c->comm, rank, &m, err);
    }
    return rc;
}

/* A worker that asks about a candidate which is not running (any more) writes no row. */
static int refuse(archai_coordinator *c, int source, int64_t id, const char *why,
                  archai_err *err)
{
    const archai_message verdict = {
        .type = ARCHAI_MSG_VERDICT,
        .id = id,
        .code = ARCHAI_ENONE,
    };

    archai_runlog_candidate(c->log, source, "%s", why);
    (void)archai_slots_remove(&c->slots, source, id, archai_clock_s());
    return archai_comm_post(c->comm, source, &verdict, err);
}

int archai_coordinator_judge(archai_coordinator *c, int source, archai_message *m,
                             archai_err *err)
{
    archai_message verdict = {.type = ARCHAI_MSG_VERDICT, .id = m->evaluation->id};
    archai_evaluation *e = m->evaluation;
    archai_err why = ARCHAI_ERR_INIT;
    bool joins = false, again = false;
    int rc;

    if (!archai_slots_has(&c->slots, source, e->id)) {
        (void)snprintf(why.text, sizeof why.text, "candidate %lld went to another worker",
                       (long long)e->id);
        return refuse(c, source, e->id, why.text, err);
    }
    if (e->status == ARCHAI_STATUS_FAILED)
        rc = archai_search_retry(&c->plan->search, e->id, &again, &why);
    else
        rc = archai_search_judge(&c->plan->search, e, &joins, &why);
    if (again)
        (void)snprintf(why.text, sizeof why.text, "candidate %lld is tried again: %.900s",
                       (long long)e->id, e->error);
    if (again || rc == ARCHAI_ENOTFOUND) {
        ARCHAI_TRY(refuse(c, source, e->id, why.text, err));
        return again ? archai_coordinator_trust(c, source, e->id, true, e->seconds, err) : ARCHAI_OK;
    }
    if (rc != ARCHAI_OK) {
        if (err != NULL)
            *err = why;
        return rc;
    }
    verdict.evaluation = e;
    rc = send_verdict(c, source, &verdict, m->text_bytes, wants_weights(c, e, joins), err);
    free(verdict.segment);
    return rc;
}
