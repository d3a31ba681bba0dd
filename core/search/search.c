#include "core/search/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search_private.h"

/* -- telling ----------------------------------------------------------------------------- */

int archai_search_tell(archai_search *s, archai_evaluation *e, bool *on_front, archai_err *err)
{
    archai_record *r;
    double *values;
    uint16_t n_metrics;
    size_t at;

    if (e->status != ARCHAI_STATUS_OK && e->status != ARCHAI_STATUS_FAILED &&
        e->status != ARCHAI_STATUS_INFEASIBLE && e->status != ARCHAI_STATUS_PRUNED)
        return archai_fail(err, ARCHAI_EINVAL, "candidate %lld came back with status %d",
                           (long long)e->id, e->status);
    ARCHAI_TRY(archai_search_running(s, e->id, &at, err));
    ARCHAI_TRY(archai_search_judge_at(s, at, e, err));
    ARCHAI_TRY(archai_search_values(s, e, &values, &n_metrics, err));
    r = &s->records[at];
    r->values = values;
    r->n_metrics = n_metrics;
    r->stored = e->stored;
    if (r->flight->queued) /* a late answer for one that was given up */
        archai_search_fifo_remove(&s->queues->hand_out, at);
    s->n_running--;
    s->n_finished++;
    ARCHAI_TRY(archai_search_finish(s, at, e->status, err));
    archai_search_land(s, at);
    *on_front = r->on_front;
    return ARCHAI_OK;
}
int archai_search_requeue(archai_search *s, int64_t id, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    return archai_search_queue(s, at, err);
}

int archai_search_retry(archai_search *s, int64_t id, bool *again, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    *again = s->records[at].attempts < s->retries && s->records[at].attempts < UINT8_MAX;
    if (!*again)
        return ARCHAI_OK;
    s->records[at].attempts++;
    return archai_search_queue(s, at, err);
}

/* -- handing out --------------------------------------------------------------------------- */

static int encode(archai_space *space, const archai_model *m, float **out, size_t *n,
                  archai_err *err)
{
    float *encoding;
    int rc;

    if (!archai_space_can(space, "encode"))
        return ARCHAI_OK;
    encoding = malloc((space->encoding_size + 1) * sizeof *encoding);
    if (encoding == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for an encoding");
    rc = archai_space_encode(space, m, encoding, err);
    if (rc != ARCHAI_OK) {
        free(encoding);
        return rc;
    }
    *out = encoding;
    *n = space->encoding_size;
    return ARCHAI_OK;
}

int archai_search_know(archai_candidate *c, archai_space *space, const archai_objectives *o,
                       archai_err *err)
{
    archai_model read = {.arch = NULL};
    const archai_model *m = &c->model;
    const bool measures = c->n_measures == 0 && archai_search_any_cheap(o, false) &&
                          archai_space_can(space, "describe");
    const bool encoding = c->n_encoding == 0 && archai_space_can(space, "encode");
    int rc = ARCHAI_OK;

    if (!measures && !encoding)
        return ARCHAI_OK;
    if (m->arch == NULL) {
        ARCHAI_TRY(archai_space_load_arch(space, c->arch, strlen(c->arch), &read, err));
        m = &read;
    }
    if (measures)
        rc = archai_search_measure(space, m, &c->measures, &c->n_measures, err);
    if (rc == ARCHAI_OK && encoding)
        rc = encode(space, m, &c->encoding, &c->n_encoding, err);
    archai_model_fini(&read);
    return rc;
}

/* The model that was proposed, or, the second time, one read from the text. */
static int take_model(archai_search *s, size_t at, archai_model *out, archai_err *err)
{
    struct archai_flight *f = s->records[at].flight;

    if (f->model.archid != NULL) {
        *out = f->model;
        f->model = (archai_model){.arch = NULL};
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_search_model(s, at, out, err));
    json_decref(out->metadata);
    out->metadata = json_incref(f->metadata);
    return ARCHAI_OK;
}

/* May others begin from the weights of an evaluation with this budget? */
static bool is_beginning(const archai_search *s, double budget)
{
    return s->inherit || budget < s->max_budget;
}

bool archai_search_keeps(const archai_search *s, const archai_evaluation *e)
{
    /* what violates a constraint is never promoted, but may be a parent */
    return (e->status == ARCHAI_STATUS_OK ||
            (e->status == ARCHAI_STATUS_INFEASIBLE && s->inherit)) &&
           is_beginning(s, e->budget);
}

/* A promoted model goes on with the seed of its first evaluation. */
static uint64_t seed_of(const archai_search *s, const archai_record *r)
{
    int64_t id = r->id;

    if (strcmp(r->flight->operator_, ARCHAI_OPERATOR_PROMOTION) == 0)
        id = s->records[archai_search_index_any(s->by_archid, s->records, r->archid)].id;
    return archai_rng_derive(s->seed, (uint64_t)id);
}

static int hand_out(archai_search *s, size_t at, archai_candidate *out, archai_err *err)
{
    const archai_record *r = &s->records[at];
    archai_candidate c = {.id = r->id,
                          .generation = r->generation,
                          .budget = r->budget,
                          .begin_at = r->flight->begin_at,
                          .max_budget = s->max_budget,
                          .keep = is_beginning(s, r->budget)};
    int rc;

    (void)snprintf(c.operator_, sizeof c.operator_, "%s", r->flight->operator_);
    c.seed = seed_of(s, r);
    ARCHAI_TRY(take_model(s, at, &c.model, err));
    c.arch = strdup(r->arch);
    c.parents = strdup(r->flight->parents);
    if (c.arch == NULL || c.parents == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld", (long long)r->id);
        goto out;
    }
    r->flight->queued = false;
    /* Where a space counts without a network, reading the text anew would cost the worker more. */
    if (s->space->ops->count != NULL && c.model.arch != NULL)
        ARCHAI_TRY_GOTO(rc, archai_search_know(&c, s->space, s->objectives, err), out);
    *out = c;
    return ARCHAI_OK;
out:
    archai_candidate_fini(&c);
    return rc;
}

/* The error of a record that finished without an evaluation; "": none. */
static int say_why(const archai_search *s, const archai_record *r, char **text, archai_err *err)
{
    const int which = archai_objectives_violated(s->objectives, r->values, 0);
    int n;

    if (r->losses == ARCHAI_LOSSES_MAX)
        n = asprintf(text, "lost with the rank that evaluated it, %d times", ARCHAI_LOSSES_MAX);
    else if (r->flight->first != SIZE_MAX && r->status != ARCHAI_STATUS_CACHED)
        n = asprintf(text, "the same architecture was candidate %lld: %s",
                     (long long)s->records[r->flight->first].id, archai_status_name(r->status));
    else if (r->status == ARCHAI_STATUS_INFEASIBLE && which >= 0)
        return archai_objective_explain(&s->objectives->at[which], r->values[which], text, err);
    else
        n = asprintf(text, "%s", "");
    if (n >= 0)
        return ARCHAI_OK;
    *text = NULL;
    return archai_fail(err, ARCHAI_ENOMEM, "no memory for a message");
}

/* The row of a record that finished without an evaluation. */
static int build_row(archai_search *s, size_t at, archai_evaluation *out, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    archai_record *r = &s->records[at];
    archai_evaluation e = {
        .id = r->id, .status = r->status, .generation = r->generation, .budget = r->budget};
    archai_model model = {.arch = NULL};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(take_model(s, at, &model, err));
    e.archid = strdup(r->archid);
    e.arch = strdup(r->arch);
    e.operator_ = strdup(r->flight->operator_);
    e.parents = strdup(r->flight->parents);
    e.metadata = json_dumps(r->flight->metadata, JSON_COMPACT | JSON_SORT_KEYS);
    e.device = strdup("");
    if (e.archid == NULL || e.arch == NULL || e.operator_ == NULL || e.parents == NULL ||
        e.metadata == NULL || e.device == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)r->id);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, encode(s->space, &model, &e.encoding, &e.n_encoding, err), out);
    for (size_t i = 0; i < o->n + r->n_metrics; i++)
        if (!isnan(r->values[i]))
            ARCHAI_TRY_GOTO(
                rc,
                archai_evaluation_set_measure(
                    &e, i < o->n ? o->at[i].source : s->metrics[i - o->n], r->values[i], err),
                out);
    rc = say_why(s, r, &e.error, err);
out:
    archai_model_fini(&model);
    if (rc != ARCHAI_OK) {
        archai_evaluation_fini(&e);
        return rc;
    }
    archai_search_land(s, at);
    *out = e;
    return ARCHAI_OK;
}

/* Measures that need no evaluation are known of a failed candidate, too. */
static int fail_unevaluated(archai_search *s, size_t at, archai_evaluation *cheap,
                            archai_err *err)
{
    archai_record *r = &s->records[at];
    archai_model model = {.arch = NULL};
    int rc = ARCHAI_OK;

    ARCHAI_TRY(archai_search_model(s, at, &model, err));
    if (archai_search_any_cheap(s->objectives, false))
        rc = archai_search_measure(s->space, &model, &cheap->measures, &cheap->n_measures, err);
    archai_model_fini(&model);
    ARCHAI_TRY(rc);
    ARCHAI_TRY(archai_search_values(s, cheap, &r->values, &r->n_metrics, err));
    if (r->flight->queued)
        archai_search_fifo_remove(&s->queues->hand_out, at);
    s->n_running--;
    s->n_finished++;
    return archai_search_finish(s, at, ARCHAI_STATUS_FAILED, err);
}

int archai_search_lost(archai_search *s, int64_t id, bool *again, archai_evaluation *row,
                       archai_err *err)
{
    archai_evaluation cheap = {.id = id}, e = {0};
    size_t at;
    int rc;

    ARCHAI_TRY(archai_search_running(s, id, &at, err));
    *again = ++s->records[at].losses < ARCHAI_LOSSES_MAX;
    if (*again)
        return archai_search_queue(s, at, err);
    ARCHAI_TRY_GOTO(rc, fail_unevaluated(s, at, &cheap, err), out);
    ARCHAI_TRY_GOTO(rc, build_row(s, at, &e, err), out);
    archai_measures_free(e.measures, e.n_measures);
    e.measures = cheap.measures;
    e.n_measures = cheap.n_measures;
    cheap = (archai_evaluation){0};
    *row = e;
out:
    archai_evaluation_fini(&cheap);
    return rc;
}

bool archai_search_learns(const archai_search *s)
{
    return s->schedule == ARCHAI_ASYNC && !s->algorithm->ops->independent;
}

int archai_search_ask(archai_search *s, archai_ask *what, archai_candidate *out,
                      archai_evaluation *cached, archai_err *err)
{
    struct archai_search_queues *q = s->queues;
    archai_propose step = ARCHAI_PROPOSED;
    size_t at;

    if (!q->restore_ended)
        ARCHAI_TRY(archai_search_restore_end(s, err));
    for (;;) {
        if (archai_search_fifo_pop(&q->report, &at)) {
            *what = ARCHAI_ASK_CACHED;
            return build_row(s, at, cached, err);
        }
        if (archai_search_fifo_pop(&q->hand_out, &at)) {
            *what = ARCHAI_ASK_CANDIDATE;
            return hand_out(s, at, out, err);
        }
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

/* Promises that cannot be kept are not accepted in silence. */
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
        .slots = 1,
    };
    archai_front_init(&s->front, objectives->n_optimised);
    s->by_archid = calloc(1, sizeof *s->by_archid);
    s->queues = calloc(1, sizeof *s->queues);
    if (s->by_archid == NULL || s->queues == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a search");
    else
        rc = check_constraints(s, ini, err);
    if (rc == ARCHAI_OK)
        s->queues->cardinality = archai_space_cardinality(space);
    if (rc == ARCHAI_OK)
        rc = archai_algorithm_create(&s->algorithm, s, settings->algorithm, ini, err);
    if (rc == ARCHAI_OK)
        rc = check_inheritance(s, ini, err);
    if (rc != ARCHAI_OK)
        archai_search_fini(s);
    return rc;
}

void archai_search_fini(archai_search *s)
{
    archai_algorithm_destroy(s->algorithm);
    for (size_t i = 0; i < s->n_records; i++)
        archai_record_fini(&s->records[i]);
    free(s->records);
    for (size_t i = 0; i < s->n_metrics; i++)
        free(s->metrics[i]);
    free(s->metrics);
    archai_front_fini(&s->front);
    if (s->by_archid != NULL)
        archai_search_index_fini(s->by_archid);
    free(s->by_archid);
    if (s->queues != NULL) {
        for (size_t i = 0; i < s->queues->n_restored; i++)
            archai_record_fini(&s->queues->restored[i]);
        free(s->queues->restored);
        free(s->queues->hand_out.at);
        free(s->queues->report.at);
        free(s->queues->waiting.at);
    }
    free(s->queues);
    *s = (archai_search){.space = NULL};
}
