/* core/search/search_record.c - a record's way: entered, queued, finished, let go of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search_private.h"

/* -- queues -------------------------------------------------------------------------------- */

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

/* -- records ------------------------------------------------------------------------------- */

static void flight_destroy(struct archai_flight *f)
{
    if (f == NULL)
        return;
    archai_model_fini(&f->model);
    free(f->parents);
    json_decref(f->metadata);
    free(f);
}

static void forget_arch(archai_record *r)
{
    if (r->model != NULL)
        archai_model_fini(r->model);
    free(r->model);
    free(r->arch);
    r->model = NULL;
    r->arch = NULL;
}

void archai_record_fini(archai_record *r)
{
    free(r->archid);
    forget_arch(r);
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

int archai_search_running(const archai_search *s, int64_t id, size_t *at, archai_err *err)
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

const char *archai_search_archid(const archai_search *s, int64_t id)
{
    const size_t at = find_id(s, id);

    return at != SIZE_MAX ? s->records[at].archid : "";
}

int archai_search_failures(const archai_search *s, int64_t id)
{
    const size_t at = find_id(s, id);

    return at == SIZE_MAX ? 0
                          : s->records[at].attempts +
                                (s->records[at].status == ARCHAI_STATUS_FAILED);
}

const archai_record *archai_search_find(const archai_search *s, const char *archid,
                                        double budget)
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
    archai_record *r = &s->records[record];
    archai_model read = {.arch = NULL};

    if (r->arch == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "the architecture of candidate %lld is gone",
                           (long long)r->id);
    if (r->model != NULL)
        return archai_model_copy(out, r->model, err);
    ARCHAI_TRY(archai_err_wrap(
        err, archai_space_load_arch(s->space, r->arch, strlen(r->arch), &read, err),
        "candidate %lld: ", (long long)r->id));
    r->model = malloc(sizeof *r->model);
    if (r->model == NULL) {
        archai_model_fini(&read);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for an architecture");
    }
    *r->model = read;
    return archai_model_copy(out, r->model, err);
}

static void release_unneeded(archai_record *r)
{
    if (r->status == ARCHAI_STATUS_RUNNING || r->on_front || r->keep || r->flight != NULL)
        return;
    forget_arch(r);
}

void archai_search_land(archai_search *s, size_t at)
{
    flight_destroy(s->records[at].flight);
    s->records[at].flight = NULL;
    release_unneeded(&s->records[at]);
}

void archai_search_release(archai_search *s, size_t record)
{
    s->records[record].keep = false;
    release_unneeded(&s->records[record]);
}

/* -- finishing ----------------------------------------------------------------------------- */

static void join_front(archai_search *s, size_t at)
{
    archai_record *r = &s->records[at];
    double point[ARCHAI_MAX_OBJECTIVES];

    archai_objectives_minimised(s->objectives, r->values, point);
    r->on_front = archai_front_insert(&s->front, point, (int64_t)at);
    for (size_t i = 0; i < s->front.n_left; i++) {
        archai_record *left = &s->records[s->front.left[i]];

        left->on_front = false;
        release_unneeded(left);
    }
}

static int repeat_first(archai_search *s, size_t at, archai_err *err);

/* Rows that repeat record `at` were waiting for it. */
static int settle_waiting(archai_search *s, size_t at, archai_err *err)
{
    struct archai_search_fifo *waiting = &s->queues->waiting;
    size_t kept = 0;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < waiting->n; i++) {
        const size_t w = waiting->at[waiting->head + i];

        if (rc != ARCHAI_OK || s->records[w].flight->first != at)
            waiting->at[waiting->head + kept++] = w;
        else
            rc = repeat_first(s, w, err);
    }
    waiting->n = kept;
    return rc;
}

int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    archai_record *r = &s->records[at];

    r->status = (int8_t)status;
    if (status == ARCHAI_STATUS_OK)
        join_front(s, at);
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
    archai_search_land(s, at);
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
    r->stored = first->stored;
    ARCHAI_TRY(archai_search_finish(
        s, at, first->status == ARCHAI_STATUS_OK ? ARCHAI_STATUS_CACHED : first->status, err));
    return report_later(s, at, err);
}
int archai_search_queue(archai_search *s, size_t at, archai_err *err)
{
    struct archai_flight *f = s->records[at].flight;

    if (f->queued)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_fifo_push(&s->queues->hand_out, at, err));
    f->queued = true;
    return ARCHAI_OK;
}

/* -- entering ------------------------------------------------------------------------------ */

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
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld",
                           (long long)r->id);
    f->first = SIZE_MAX;
    f->operator_ = p->operator_;
    f->begin_at = p->begin_at;
    f->parents = p->parents != NULL ? json_dumps(p->parents, JSON_COMPACT) : strdup("[]");
    f->metadata = json_incref(p->model.metadata);
    if (f->parents == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for candidate %lld",
                           (long long)r->id);
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
    return archai_fail(
        err, ARCHAI_EFORMAT,
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
    r->stored = row->stored;
    if (row->keep && r->flight->first != SIZE_MAX) /* its first one's row is missing */
        s->n_finished--;
    ARCHAI_TRY(archai_search_finish(s, at, row->status, err));
    archai_search_land(s, at);
    return ARCHAI_OK;
}

/* A given architecture is measured against the cheap constraints; it is a row in any case. */
static int enter_given(archai_search *s, size_t at, bool *feasible, archai_err *err)
{
    archai_record *r = &s->records[at];
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    ARCHAI_TRY(archai_search_violation(s, &r->flight->model, &which, values, err));
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
    return archai_search_queue(s, at, err);
undo:
    archai_record_fini(r);
    return rc;
}
