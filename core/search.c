#include "core/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search_private.h"

/* -- queues ---------------------------------------------------------------------------------- */

int archai_search_fifo_push(struct archai_search_fifo *f, size_t record, archai_err *err)
{
    if (f->head + f->n == f->capacity && f->head >= f->n) { /* half of it is behind us */
        if (f->n > 0)
            memcpy(f->at, &f->at[f->head], f->n * sizeof *f->at);
        f->head = 0;
    }
    if (f->head + f->n == f->capacity) {
        const size_t capacity = f->capacity == 0 ? 16 : 2 * f->capacity;
        size_t *grown = realloc(f->at, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for a queue of %zu", capacity);
        f->at = grown;
        f->capacity = capacity;
    }
    f->at[f->head + f->n++] = record;
    return ARCHAI_OK;
}

bool archai_search_fifo_pop(struct archai_search_fifo *f, size_t *record)
{
    if (f->n == 0)
        return false;
    *record = f->at[f->head++];
    f->n--;
    return true;
}

void archai_search_fifo_remove(struct archai_search_fifo *f, size_t record)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (f->at[f->head + i] != record)
            f->at[f->head + kept++] = f->at[f->head + i];
    f->n = kept;
}

/* -- records --------------------------------------------------------------------------------- */

static void flight_destroy(struct archai_flight *f)
{
    if (f == NULL)
        return;
    archai_model_fini(&f->model);
    free(f->parents);
    json_decref(f->metadata);
    free(f);
}

void archai_record_fini(archai_record *r)
{
    free(r->archid);
    free(r->arch);
    free(r->values);
    free(r->encoding);
    flight_destroy(r->flight);
    *r = (archai_record){.id = -1};
}

bool archai_record_counts(const archai_record *r)
{
    return r->status == ARCHAI_STATUS_OK || r->status == ARCHAI_STATUS_CACHED;
}

int archai_search_reserve(archai_search *s, archai_err *err)
{
    if (s->n_records == s->capacity) {
        const size_t capacity = s->capacity == 0 ? 64 : s->capacity + s->capacity / 2;
        archai_record *grown = realloc(s->records, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", capacity);
        s->records = grown;
        s->capacity = capacity;
    }
    s->records[s->n_records] = (archai_record){.status = ARCHAI_STATUS_RUNNING};
    return ARCHAI_OK;
}

/* Ids ascend, but rows that a killed start lost leave gaps. */
static size_t find_id(const archai_search *s, int64_t id)
{
    size_t low = 0, high = s->n_records;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (s->records[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->n_records && s->records[low].id == id ? low : SIZE_MAX;
}

static int find_running(const archai_search *s, int64_t id, size_t *at, archai_err *err)
{
    *at = find_id(s, id);
    if (*at == SIZE_MAX)
        return archai_fail(err, ARCHAI_ENOTFOUND, "candidate %lld was never handed out",
                           (long long)id);
    if (s->records[*at].status != ARCHAI_STATUS_RUNNING ||
        s->records[*at].flight->first != SIZE_MAX)
        return archai_fail(err, ARCHAI_ENOTFOUND, "candidate %lld is finished already",
                           (long long)id);
    return ARCHAI_OK;
}

const archai_record *archai_search_find(const archai_search *s, const char *archid, double budget)
{
    const size_t at = archai_search_index_find(s->by_archid, s->records, archid,
                                               budget > 0.0 ? budget : s->default_budget);

    return at != SIZE_MAX ? &s->records[at] : NULL;
}

bool archai_search_seen(const archai_search *s, const char *archid)
{
    return archai_search_index_any(s->by_archid, s->records, archid) != SIZE_MAX;
}

int archai_search_model(archai_search *s, size_t record, archai_model *out, archai_err *err)
{
    const archai_record *r = &s->records[record];

    if (r->arch == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "the architecture of candidate %lld is gone",
                           (long long)r->id);
    return archai_err_wrap(err,
                           archai_space_load_arch(s->space, r->arch, strlen(r->arch), out, err),
                           "candidate %lld: ", (long long)r->id);
}

static void release_unneeded(archai_record *r)
{
    if (r->status == ARCHAI_STATUS_RUNNING || r->on_front || r->keep || r->flight != NULL)
        return;
    free(r->arch);
    r->arch = NULL;
}

void archai_search_release_unneeded(archai_search *s, size_t at)
{
    release_unneeded(&s->records[at]);
}

void archai_search_release(archai_search *s, size_t record)
{
    s->records[record].keep = false;
    release_unneeded(&s->records[record]);
}

/* -- values ---------------------------------------------------------------------------------- */

static bool is_source(const archai_objectives *o, const char *name)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->at[i].source, name) == 0)
            return true;
    return false;
}

static int metric_number(archai_search *s, const char *name, size_t *out, archai_err *err)
{
    char **grown;

    for (size_t i = 0; i < s->n_metrics; i++)
        if (strcmp(s->metrics[i], name) == 0) {
            *out = i;
            return ARCHAI_OK;
        }
    if (s->n_metrics == UINT16_MAX)
        return archai_fail(err, ARCHAI_EINVAL, "more than %u different measures", UINT16_MAX);
    grown = realloc(s->metrics, (s->n_metrics + 1) * sizeof *grown);
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    s->metrics = grown;
    s->metrics[s->n_metrics] = strdup(name);
    if (s->metrics[s->n_metrics] == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for measure '%s'", name);
    *out = s->n_metrics++;
    return ARCHAI_OK;
}

int archai_search_values(archai_search *s, const archai_evaluation *e, double **values,
                         uint16_t *n_metrics, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    size_t n = 0, k;
    double *v;

    if (s->schedule == ARCHAI_GENERATIONAL) { /* cached rows will repeat every measure */
        for (size_t i = 0; i < e->n_measures; i++)
            if (!is_source(o, e->measures[i].name))
                ARCHAI_TRY(metric_number(s, e->measures[i].name, &k, err));
        n = s->n_metrics;
    }
    v = malloc((o->n + n) * sizeof *v);
    if (v == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the values of %s", e->archid);
    archai_objectives_values(o, e->measures, e->n_measures, v);
    for (size_t i = 0; i < n; i++)
        v[o->n + i] = archai_measure_get(e->measures, e->n_measures, s->metrics[i]);
    *values = v;
    *n_metrics = (uint16_t)n;
    return ARCHAI_OK;
}

static bool any_cheap(const archai_objectives *o, bool constrained)
{
    for (size_t i = 0; i < o->n; i++)
        if (!o->at[i].expensive && (!constrained || o->at[i].constraint.n == 2))
            return true;
    return false;
}

/* Values of the cheap measures of a model and the objective whose constraint they violate, or -1.
 * Without constraints the model is not looked at. */
static int violation(archai_search *s, const archai_model *m, int *which, double *values,
                     archai_err *err)
{
    archai_measure *measures = NULL;
    size_t n = 0;

    *which = -1;
    if (!any_cheap(s->objectives, true))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_measures_cheap(s->space, m, &measures, &n, err));
    archai_objectives_values(s->objectives, measures, n, values);
    archai_measures_free(measures, n);
    *which = archai_objectives_violated(s->objectives, values, 0);
    return ARCHAI_OK;
}

int archai_search_valid(archai_search *s, const archai_model *m, bool *valid, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    ARCHAI_TRY(violation(s, m, &which, values, err));
    *valid = which < 0;
    s->rejected += which >= 0;
    return ARCHAI_OK;
}

static int set_text(char **field, archai_err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int set_text(char **field, archai_err *err, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a message");
    free(*field);
    *field = text;
    return ARCHAI_OK;
}

static int explain_violation(const archai_objective *o, double value, char **text, archai_err *err)
{
    return set_text(text, err, "%s = %g is outside the constraint [%g, %g] of objective %s",
                    o->source, value, o->constraint.at[0], o->constraint.at[1], o->name);
}

/* A cheap measure that the evaluator did not send is computed here. */
static int complete_measures(archai_search *s, size_t at, archai_evaluation *e, archai_err *err)
{
    archai_measure *measures = NULL;
    archai_model model = {.arch = NULL};
    bool missing = false;
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < s->objectives->n; i++)
        missing = missing || (!s->objectives->at[i].expensive &&
                              isnan(archai_measure_get(e->measures, e->n_measures,
                                                       s->objectives->at[i].source)));
    if (!missing || !archai_space_can(s->space, "describe"))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_model(s, at, &model, err));
    ARCHAI_TRY_GOTO(rc, archai_measures_cheap(s->space, &model, &measures, &n, err), out);
    for (size_t i = 0; i < n; i++)
        if (isnan(archai_measure_get(e->measures, e->n_measures, measures[i].name)))
            ARCHAI_TRY_GOTO(
                rc, archai_evaluation_set_measure(e, measures[i].name, measures[i].value, err), out);
out:
    archai_measures_free(measures, n);
    archai_model_fini(&model);
    return rc;
}

/* An ok evaluation is one whose objectives are numbers and whose constraints hold. */
static int judge(archai_search *s, size_t at, archai_evaluation *e, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    if (e->status != ARCHAI_STATUS_OK)
        return ARCHAI_OK;
    ARCHAI_TRY(complete_measures(s, at, e, err));
    archai_objectives_values(o, e->measures, e->n_measures, values);
    for (size_t i = 0; i < o->n; i++)
        if (o->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(values[i])) {
            e->status = ARCHAI_STATUS_FAILED;
            return set_text(&e->error, err, "%s is %s", o->at[i].source,
                            isinf(values[i]) ? "infinite" : "NaN or missing");
        }
    for (int expensive = 0; expensive < 2; expensive++) {
        which = archai_objectives_violated(o, values, expensive);
        if (which >= 0) {
            e->status = ARCHAI_STATUS_INFEASIBLE;
            return explain_violation(&o->at[which], values[which], &e->error, err);
        }
    }
    return ARCHAI_OK;
}

int archai_search_judge(archai_search *s, archai_evaluation *e, bool *joins, archai_err *err)
{
    double values[ARCHAI_MAX_OBJECTIVES], point[ARCHAI_MAX_OBJECTIVES];
    size_t at;

    ARCHAI_TRY(find_running(s, e->id, &at, err));
    ARCHAI_TRY(judge(s, at, e, err));
    archai_objectives_values(s->objectives, e->measures, e->n_measures, values);
    archai_pareto_minimised(s->objectives, values, point);
    *joins = e->status == ARCHAI_STATUS_OK && archai_front_would_join(&s->front, point);
    return ARCHAI_OK;
}

/* -- finishing ------------------------------------------------------------------------------- */

static int join_front(archai_search *s, size_t at, archai_err *err)
{
    archai_record *r = &s->records[at];
    double point[ARCHAI_MAX_OBJECTIVES];

    archai_pareto_minimised(s->objectives, r->values, point);
    ARCHAI_TRY(archai_front_insert(&s->front, point, (int64_t)at, &r->on_front, err));
    for (size_t i = 0; i < s->front.n_left; i++) {
        archai_record *left = &s->records[s->front.left[i]];

        left->on_front = false;
        release_unneeded(left);
    }
    return ARCHAI_OK;
}

static int repeat_first(archai_search *s, size_t at, archai_err *err);

/* Rows that repeat record `at` were waiting for it. */
static int settle_waiting(archai_search *s, size_t at, archai_err *err)
{
    struct archai_search_fifo *waiting = &s->queues->waiting;

    for (size_t i = 0; i < waiting->n;) {
        const size_t w = waiting->at[waiting->head + i];

        if (s->records[w].flight->first != at) {
            i++;
            continue;
        }
        archai_search_fifo_remove(waiting, w);
        ARCHAI_TRY(repeat_first(s, w, err));
    }
    return ARCHAI_OK;
}

int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    archai_record *r = &s->records[at];

    r->status = (int8_t)status;
    if (status == ARCHAI_STATUS_OK)
        ARCHAI_TRY(join_front(s, at, err));
    if (ops->tell != NULL)
        ARCHAI_TRY(ops->tell(s->algorithm, at, err));
    if (r->flight != NULL && r->flight->first == SIZE_MAX)
        ARCHAI_TRY(settle_waiting(s, at, err));
    return ARCHAI_OK;
}

/* A finished record that nobody has heard of yet: keep its flight until it is reported, unless
 * an earlier start has written the row. */
static int report_later(archai_search *s, size_t at, archai_err *err)
{
    if (archai_search_restored(s, s->records[at].id) == NULL)
        return archai_search_fifo_push(&s->queues->report, at, err);
    flight_destroy(s->records[at].flight);
    s->records[at].flight = NULL;
    release_unneeded(&s->records[at]);
    return ARCHAI_OK;
}

/* Record `at` becomes what its first one has become. */
static int repeat_first(archai_search *s, size_t at, archai_err *err)
{
    archai_record *r = &s->records[at];
    const archai_record *first = &s->records[r->flight->first];
    const size_t n = s->objectives->n + first->n_metrics;

    r->values = malloc(n * sizeof *r->values);
    if (r->values == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the values of %s", r->archid);
    memcpy(r->values, first->values, n * sizeof *r->values);
    r->n_metrics = first->n_metrics;
    ARCHAI_TRY(archai_search_finish(
        s, at, first->status == ARCHAI_STATUS_OK ? ARCHAI_STATUS_CACHED : first->status, err));
    return report_later(s, at, err);
}

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
    ARCHAI_TRY(find_running(s, e->id, &at, err));
    ARCHAI_TRY(judge(s, at, e, err));
    ARCHAI_TRY(archai_search_values(s, e, &values, &n_metrics, err));
    r = &s->records[at];
    r->values = values;
    r->n_metrics = n_metrics;
    if (r->flight->queued) /* a late answer for one that was given up */
        archai_search_fifo_remove(&s->queues->hand_out, at);
    s->n_running--;
    s->n_finished++;
    ARCHAI_TRY(archai_search_finish(s, at, e->status, err));
    flight_destroy(r->flight);
    r->flight = NULL;
    release_unneeded(r);
    *on_front = r->on_front;
    return ARCHAI_OK;
}

static int queue_again(archai_search *s, size_t at, archai_err *err)
{
    struct archai_flight *f = s->records[at].flight;

    if (f->queued)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_fifo_push(&s->queues->hand_out, at, err));
    f->queued = true;
    return ARCHAI_OK;
}

int archai_search_requeue(archai_search *s, int64_t id, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(find_running(s, id, &at, err));
    return queue_again(s, at, err);
}

int archai_search_retry(archai_search *s, int64_t id, bool *again, archai_err *err)
{
    size_t at;

    ARCHAI_TRY(find_running(s, id, &at, err));
    *again = s->records[at].attempts < s->retries && s->records[at].attempts < UINT8_MAX;
    if (!*again)
        return ARCHAI_OK;
    s->records[at].attempts++;
    return queue_again(s, at, err);
}

/* -- entering -------------------------------------------------------------------------------- */

double archai_search_budget(const archai_search *s, const archai_proposal *p)
{
    return p->budget > 0.0 ? p->budget : s->default_budget;
}

static int fill_record(archai_search *s, archai_record *r, archai_proposal *p, archai_err *err)
{
    struct archai_flight *f = calloc(1, sizeof *f);

    r->flight = f;
    r->archid = strdup(p->model.archid);
    if (f == NULL || r->archid == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld", (long long)r->id);
    f->first = SIZE_MAX;
    f->operator_ = p->operator_;
    f->parents = p->parents != NULL ? json_dumps(p->parents, JSON_COMPACT) : strdup("[]");
    f->metadata = json_incref(p->model.metadata);
    if (f->parents == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld", (long long)r->id);
    ARCHAI_TRY(archai_space_save_arch(s->space, &p->model, &r->arch, err));
    if ((s->algorithm->ops->needs & ARCHAI_NEEDS_ENCODE) != 0) {
        r->encoding = malloc(s->space->encoding_size * sizeof *r->encoding);
        if (r->encoding == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for an encoding");
        ARCHAI_TRY(archai_space_encode(s->space, &p->model, r->encoding, err));
    }
    f->model = p->model;
    p->model = (archai_model){.arch = NULL};
    return ARCHAI_OK;
}

static int check_same(const archai_record *r, const archai_record *row, archai_err *err)
{
    if (strcmp(row->archid, r->archid) == 0 && row->budget == r->budget)
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EFORMAT,
                       "row %lld of the results is '%s' (budget %g), but the search comes to '%s' "
                       "(budget %g) there: the configuration or the program has changed since",
                       (long long)r->id, row->archid, row->budget, r->archid, r->budget);
}

/* A generational search that is resumed proposes what it proposed before. */
static int replay(archai_search *s, size_t at, archai_record *row, archai_err *err)
{
    archai_record *r = &s->records[at];

    r->values = row->values;
    row->values = NULL;
    r->n_metrics = row->n_metrics;
    ARCHAI_TRY(archai_search_finish(s, at, row->status, err));
    flight_destroy(r->flight);
    r->flight = NULL;
    release_unneeded(r);
    return ARCHAI_OK;
}

/* A given architecture is measured against the cheap constraints; it is a row in any case. */
static int enter_given(archai_search *s, size_t at, bool *feasible, archai_err *err)
{
    archai_record *r = &s->records[at];
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    ARCHAI_TRY(violation(s, &r->flight->model, &which, values, err));
    *feasible = which < 0;
    if (*feasible)
        return ARCHAI_OK;
    r->values = malloc(s->objectives->n * sizeof *r->values);
    if (r->values == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the values of %s", r->archid);
    memcpy(r->values, values, s->objectives->n * sizeof *values);
    s->n_finished++;
    ARCHAI_TRY(archai_search_finish(s, at, ARCHAI_STATUS_INFEASIBLE, err));
    return report_later(s, at, err);
}

int archai_search_enter(archai_search *s, archai_proposal *p, archai_err *err)
{
    const size_t at = s->n_records;
    archai_record *r, *row;
    bool feasible = true;
    size_t first;
    int rc;

    ARCHAI_TRY(archai_search_reserve(s, err));
    r = &s->records[at];
    r->id = s->next_id;
    r->budget = archai_search_budget(s, p);
    r->generation = p->generation;
    ARCHAI_TRY_GOTO(rc, fill_record(s, r, p, err), undo);
    first = archai_search_index_find(s->by_archid, s->records, r->archid, r->budget);
    if (first == SIZE_MAX)
        ARCHAI_TRY_GOTO(rc, archai_search_index_add(s->by_archid, s->records, at, err), undo);
    s->n_records++;
    s->next_id++;
    r->flight->first = first;

    row = archai_search_restored(s, r->id);
    if (row != NULL)
        ARCHAI_TRY(check_same(r, row, err));
    if (row != NULL && row->status != ARCHAI_STATUS_CACHED)
        return replay(s, at, row, err);
    if (first != SIZE_MAX && s->records[first].status != ARCHAI_STATUS_RUNNING)
        return repeat_first(s, at, err);
    if (first != SIZE_MAX)
        return archai_search_fifo_push(&s->queues->waiting, at, err);
    if (strcmp(p->operator_, ARCHAI_OPERATOR_INITIAL) == 0)
        ARCHAI_TRY(enter_given(s, at, &feasible, err));
    if (!feasible)
        return ARCHAI_OK;
    s->n_running++;
    return queue_again(s, at, err);
undo:
    archai_record_fini(r);
    return rc;
}

/* -- handing out ----------------------------------------------------------------------------- */

static int encode(archai_search *s, const archai_model *m, float **out, size_t *n, archai_err *err)
{
    float *encoding;
    int rc;

    if (!archai_space_can(s->space, "encode"))
        return ARCHAI_OK;
    encoding = malloc(s->space->encoding_size * sizeof *encoding);
    if (encoding == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for an encoding");
    rc = archai_space_encode(s->space, m, encoding, err);
    if (rc != ARCHAI_OK) {
        free(encoding);
        return rc;
    }
    *out = encoding;
    *n = s->space->encoding_size;
    return ARCHAI_OK;
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

static int hand_out(archai_search *s, size_t at, archai_candidate *out, archai_err *err)
{
    const archai_record *r = &s->records[at];
    archai_candidate c = {.id = r->id, .generation = r->generation, .budget = r->budget};
    int rc;

    (void)snprintf(c.operator_, sizeof c.operator_, "%s", r->flight->operator_);
    c.seed = archai_rng_derive(s->seed, (uint64_t)r->id);
    ARCHAI_TRY(take_model(s, at, &c.model, err));
    c.arch = strdup(r->arch);
    c.parents = strdup(r->flight->parents);
    if (c.arch == NULL || c.parents == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld", (long long)r->id);
        goto out;
    }
    if (any_cheap(s->objectives, false))
        ARCHAI_TRY_GOTO(
            rc, archai_measures_cheap(s->space, &c.model, &c.measures, &c.n_measures, err), out);
    ARCHAI_TRY_GOTO(rc, encode(s, &c.model, &c.encoding, &c.n_encoding, err), out);
    r->flight->queued = false;
    *out = c;
    return ARCHAI_OK;
out:
    archai_candidate_fini(&c);
    return rc;
}

/* The row of a record that finished without an evaluation. */
static int build_row(archai_search *s, size_t at, archai_evaluation *out, archai_err *err)
{
    const archai_objectives *o = s->objectives;
    archai_record *r = &s->records[at];
    archai_evaluation e = {.id = r->id, .status = r->status, .generation = r->generation,
                           .budget = r->budget};
    archai_model model = {.arch = NULL};
    int rc = ARCHAI_OK, which;

    ARCHAI_TRY(take_model(s, at, &model, err));
    e.archid = strdup(r->archid);
    e.arch = strdup(r->arch);
    e.error = strdup("");
    e.operator_ = strdup(r->flight->operator_);
    e.parents = strdup(r->flight->parents);
    e.metadata = json_dumps(r->flight->metadata, JSON_COMPACT | JSON_SORT_KEYS);
    e.device = strdup("");
    if (e.archid == NULL || e.arch == NULL || e.error == NULL || e.operator_ == NULL ||
        e.parents == NULL || e.metadata == NULL || e.device == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)r->id);
        goto out;
    }
    ARCHAI_TRY_GOTO(rc, encode(s, &model, &e.encoding, &e.n_encoding, err), out);
    for (size_t i = 0; i < o->n + r->n_metrics; i++)
        if (!isnan(r->values[i]))
            ARCHAI_TRY_GOTO(rc,
                            archai_evaluation_set_measure(
                                &e, i < o->n ? o->at[i].source : s->metrics[i - o->n],
                                r->values[i], err),
                            out);
    which = archai_objectives_violated(o, r->values, 0);
    if (r->flight->first != SIZE_MAX && r->status != ARCHAI_STATUS_CACHED)
        rc = set_text(&e.error, err, "the same architecture was candidate %lld: %s",
                      (long long)s->records[r->flight->first].id, archai_status_name(r->status));
    else if (r->status == ARCHAI_STATUS_INFEASIBLE && which >= 0)
        rc = explain_violation(&o->at[which], r->values[which], &e.error, err);
out:
    archai_model_fini(&model);
    if (rc != ARCHAI_OK) {
        archai_evaluation_fini(&e);
        return rc;
    }
    flight_destroy(r->flight);
    r->flight = NULL;
    release_unneeded(r);
    *out = e;
    return ARCHAI_OK;
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

/* -- beginning and end ----------------------------------------------------------------------- */

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
        at = archai_ini_find(ini, section, "constraint");
        return archai_fail(err, ARCHAI_EINVAL,
                           "%s:%d: %s.constraint: space '%s' has no networks to compute '%s' from; "
                           "with expensive = yes the value comes from the evaluator",
                           at != NULL ? at->file : "", at != NULL ? at->line : 0, section,
                           s->space->ops->name, o->source);
    }
    return ARCHAI_OK;
}

int archai_search_init(archai_search *s, archai_space *space, const archai_objectives *objectives,
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
    };
    archai_front_init(&s->front, objectives->n_optimised);
    s->by_archid = calloc(1, sizeof *s->by_archid);
    s->queues = calloc(1, sizeof *s->queues);
    if (s->by_archid == NULL || s->queues == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for a search");
    else
        rc = check_constraints(s, ini, err);
    if (rc == ARCHAI_OK)
        rc = archai_algorithm_create(&s->algorithm, s, settings->algorithm, ini, err);
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
