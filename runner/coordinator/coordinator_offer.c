/* A worker's offer: may this model's weights be kept, and where? Or may this failure be tried again? */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "runner/process/clock.h"
#include "runner/coordinator/coordinator.h"

/* First optimised objective, as something to be made small. */
static double first_point(const archai_coordinator *c, const archai_trial *e)
{
    const archai_objectives *o = &c->plan->objectives;
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_values(o, e->measures, e->n_measures, values);
    archai_objectives_minimised(o, values, point);
    return point[0];
}

static bool wants_weights(const archai_coordinator *c, const archai_trial *e, bool joins)
{
    double best;

    if (e->n_tensors == 0)
        return false;
    if (archai_search_keeps(&c->plan->search, e))
        return true;
    if (e->status != ARCHAI_STATUS_OK)
        return false;
    if (c->plan->search.max_budget > 0) /* the front may fall back on any of them */
        return c->plan->config.output.weights != ARCHAI_WEIGHTS_NONE;
    switch (c->plan->config.output.weights) {
    case ARCHAI_WEIGHTS_ALL:
        return true;
    case ARCHAI_WEIGHTS_PARETO:
        return joins;
    case ARCHAI_WEIGHTS_BEST:
        best = archai_search_best(&c->plan->search);
        return isnan(best) || first_point(c, e) <= best;
    default:
        return false;
    }
}

/* Sends back the status, the error and the places of the tensors; the rest the worker has. */
static int send_verdict(archai_coordinator *c, int rank, archai_message *verdict,
                        int64_t text_bytes, archai_err *err)
{
    archai_trial *e = verdict->evaluation;
    archai_message grant = {0};
    int rc = ARCHAI_OK;

    archai_measures_free(e->measures, e->n_measures);
    e->measures = NULL;
    e->n_measures = 0;
    if (verdict->keep) {
        rc = archai_grants_tensors(&c->grants, rank, e, text_bytes, &verdict->segment, &grant, err);
        if (rc == ARCHAI_OK && grant.segment != NULL)
            rc = archai_comm_post(c->comm, rank, &grant, err);
        archai_message_fini(&grant);
    } else {
        archai_trial_drop_tensors(e);
    }
    if (rc == ARCHAI_OK)
        rc = archai_comm_post(c->comm, rank, verdict, err);
    free(verdict->segment);
    return rc;
}

/* A worker that offers a candidate which is no longer running must not write a row. */
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

int archai_coordinator_on_offer(archai_coordinator *c, int source, archai_message *m,
                                archai_err *err)
{
    archai_message verdict = {.type = ARCHAI_MSG_VERDICT, .id = m->evaluation->id};
    archai_trial *e = m->evaluation;
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
        rc = archai_search_assess(&c->plan->search, e, &joins, &why);
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
    verdict.keep = wants_weights(c, e, joins);
    return send_verdict(c, source, &verdict, m->text_bytes, err);
}
