/* core/search/engine/search_record.c - a record: looked up, queued, finished, its trial released. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/engine/search_private.h"

/* -- queues -------------------------------------------------------------------------------- */

void archai_search_fifo_push(struct archai_search_fifo *f, size_t record)
{
    if (f->head + f->n == f->capacity && f->head >= f->n) { /* half of it is behind us */
        if (f->n > 0)
            memcpy(f->at, &f->at[f->head], f->n * sizeof *f->at);
        f->head = 0;
    }
    ARCHAI_RESERVE(f->at, f->capacity, f->head + f->n + 1);
    f->at[f->head + f->n++] = record;
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

static void drop_trial(archai_record *r)
{
    if (r->trial == NULL)
        return;
    r->trial->model.archid = r->trial->arch = NULL; /* the record's */
    archai_trial_fini(r->trial);
    free(r->trial);
    r->trial = NULL;
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
    drop_trial(r);
    free(r->archid);
    forget_arch(r);
    free(r->values);
    free(r->metadata);
    free(r->encoding);
    *r = (archai_record){.id = -1};
}

bool archai_record_counts(const archai_record *r)
{
    return r->status == ARCHAI_STATUS_OK || r->status == ARCHAI_STATUS_CACHED;
}

int archai_search_reserve(archai_search *s, archai_err *err)
{
    if (s->n_records >= UINT32_MAX - 1)
        return archai_fail(err, ARCHAI_EINVAL, "more than %u candidates", UINT32_MAX - 1);
    ARCHAI_RESERVE(s->records, s->capacity, s->n_records + 1);
    s->records[s->n_records] = (archai_record){.status = ARCHAI_STATUS_RUNNING};
    return ARCHAI_OK;
}

static bool is_at_budget(const void *records, size_t at, const void *key)
{
    const archai_record *r = (const archai_record *)records + at, *wanted = key;

    return r->budget == wanted->budget && strcmp(r->archid, wanted->archid) == 0;
}

static bool has_archid(const void *records, size_t at, const void *archid)
{
    return strcmp(((const archai_record *)records)[at].archid, archid) == 0;
}

size_t archai_search_first(const archai_search *s, const char *archid, double budget)
{
    const archai_record key = {.archid = (char *)(uintptr_t)archid, .budget = budget};

    return archai_hash_find(&s->by_archid, archai_hash(archid), is_at_budget, s->records, &key);
}

size_t archai_search_first_any(const archai_search *s, const char *archid)
{
    return archai_hash_find(&s->by_archid, archai_hash(archid), has_archid, s->records, archid);
}

void archai_search_add(archai_search *s)
{
    const size_t at = s->n_records++;
    const archai_record *r = &s->records[at];
    const uint64_t hash = archai_hash(r->archid);

    s->many_budgets = s->many_budgets || r->budget != s->default_budget;
    if (archai_hash_find(&s->by_archid, hash, is_at_budget, s->records, r) != SIZE_MAX)
        return;
    s->n_archids += archai_hash_find(&s->by_archid, hash, has_archid, s->records, r->archid) ==
                    SIZE_MAX;
    archai_hash_add(&s->by_archid, hash, at);
}

size_t archai_search_find_id(const void *items, size_t n, size_t size, int64_t id)
{
    const char *at = items;
    size_t low = 0, high = n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (*(const int64_t *)(const void *)(at + mid * size) < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && *(const int64_t *)(const void *)(at + low * size) == id ? low : SIZE_MAX;
}

static size_t find_id(const archai_search *s, int64_t id)
{
    return archai_search_find_id(s->records, s->n_records, sizeof *s->records, id);
}

int archai_search_running(const archai_search *s, int64_t id, size_t *at, archai_err *err)
{
    *at = find_id(s, id);
    if (*at == SIZE_MAX)
        return archai_fail(err, ARCHAI_ENOTFOUND, "candidate %lld was never handed out",
                           (long long)id);
    if (s->records[*at].status != ARCHAI_STATUS_RUNNING || s->records[*at].repeats != 0)
        return archai_fail(err, ARCHAI_ENOTFOUND, "candidate %lld is already finished",
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
    const size_t at = archai_search_first(s, archid, budget > 0.0 ? budget : s->default_budget);

    return at != SIZE_MAX ? &s->records[at] : NULL;
}

bool archai_search_seen(const archai_search *s, const char *archid)
{
    return archai_search_first_any(s, archid) != SIZE_MAX;
}

int archai_search_model(archai_search *s, size_t record, archai_model *out, archai_err *err)
{
    archai_record *r = &s->records[record];
    archai_model read = {.arch = NULL};

    if (r->arch == NULL)
        return archai_fail(err, ARCHAI_EINTERNAL, "the architecture of candidate %lld is gone",
                           (long long)r->id);
    if (r->model == NULL) {
        ARCHAI_TRY(archai_err_wrap(
            err, archai_space_load_arch(s->space, r->arch, strlen(r->arch), &read, err),
            "candidate %lld: ", (long long)r->id));
        r->model = archai_memdup(&read, sizeof read);
    }
    archai_model_copy(out, r->model);
    return ARCHAI_OK;
}

/* Does the front or the algorithm need the architecture of a finished record? The front may need it again
 * where results at a higher budget can remove a member. */
static bool needs_arch(const archai_search *s, const archai_record *r)
{
    return r->on_front || r->keep || (s->many_budgets && r->stands);
}

static void release_unneeded(const archai_search *s, archai_record *r)
{
    if (r->status != ARCHAI_STATUS_RUNNING && r->trial == NULL && !needs_arch(s, r))
        forget_arch(r);
}

/* A promotion reads its model from the text again. */
static void keep_metadata(const archai_search *s, archai_record *r)
{
    if (s->max_budget <= 0 || r->metadata != NULL || r->trial == NULL || r->trial->metadata == NULL)
        return;
    r->metadata = archai_strdup(r->trial->metadata);
}

void archai_search_drop_trial(archai_search *s, size_t at)
{
    keep_metadata(s, &s->records[at]);
    drop_trial(&s->records[at]);
    release_unneeded(s, &s->records[at]);
}

void archai_search_take_trial(archai_search *s, size_t at, archai_trial *out)
{
    archai_record *r = &s->records[at];

    *out = *r->trial;
    free(r->trial);
    r->trial = NULL;
    out->status = r->status;
    out->model.archid = archai_strdup(r->archid);
    if (needs_arch(s, r))
        out->arch = archai_strdup(r->arch);
    else
        r->arch = NULL;
    release_unneeded(s, r);
}

void archai_search_release(archai_search *s, size_t record)
{
    s->records[record].keep = false;
    release_unneeded(s, &s->records[record]);
}

/* -- finishing ----------------------------------------------------------------------------- */

static void point_of(const archai_search *s, size_t at, double *point)
{
    archai_objectives_minimised(s->objectives, s->records[at].values, point);
}

static void join_front(archai_search *s, size_t at)
{
    double point[ARCHAI_MAX_OBJECTIVES];

    point_of(s, at, point);
    s->records[at].on_front = archai_front_insert(&s->front, point, (int64_t)at);
    for (size_t i = 0; i < s->front.n_left; i++) {
        archai_record *left = &s->records[s->front.left[i]];

        left->on_front = false;
        release_unneeded(s, left);
    }
}

static bool stands_for(const void *records, size_t at, const void *archid)
{
    const archai_record *r = (const archai_record *)records + at;

    return r->stands && strcmp(r->archid, archid) == 0;
}

/* What only the point that left had dominated comes back. */
static void let_back(archai_search *s, const double *left)
{
    double point[ARCHAI_MAX_OBJECTIVES];

    for (size_t i = 0; i < s->n_records; i++) {
        if (!s->records[i].stands || s->records[i].on_front || s->records[i].arch == NULL)
            continue; /* (no text: results at another budget came after it was released) */
        point_of(s, i, point);
        if (archai_pareto_dominates(left, point, s->front.n_objectives))
            join_front(s, i);
    }
}

/* An ok record stands for its architecture, unless one of a higher budget, or an earlier one, does. */
static void stand(archai_search *s, size_t at)
{
    archai_record *r = &s->records[at];
    const uint64_t hash = archai_hash(r->archid);
    const size_t before = archai_hash_find(&s->by_archid, hash, stands_for, s->records, r->archid);
    double left[ARCHAI_MAX_OBJECTIVES];
    archai_record *other;
    bool was_on_front;

    if (before != SIZE_MAX && s->records[before].budget >= r->budget)
        return;
    if (archai_search_first(s, r->archid, r->budget) != at) /* a file of someone else's */
        archai_hash_add(&s->by_archid, hash, at);
    r->stands = true;
    if (before == SIZE_MAX) {
        join_front(s, at);
        return;
    }
    other = &s->records[before];
    was_on_front = other->on_front;
    if (was_on_front) {
        point_of(s, before, left);
        (void)archai_front_remove(&s->front, (int64_t)before);
    }
    other->stands = other->on_front = false;
    release_unneeded(s, other);
    join_front(s, at);
    if (was_on_front)
        let_back(s, left);
}

/* Rows that repeat record `at` were waiting for it. */
static int finish_waiting(archai_search *s, size_t at, archai_err *err)
{
    struct archai_search_fifo *waiting = &s->inner->waiting;
    size_t kept = 0;
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < waiting->n; i++) {
        const size_t w = waiting->at[waiting->head + i];

        if (rc != ARCHAI_OK || s->records[w].repeats != at + 1)
            waiting->at[waiting->head + kept++] = w;
        else
            rc = archai_search_repeat(s, w, err);
    }
    waiting->n = kept;
    return rc;
}

int archai_search_finish(archai_search *s, size_t at, int status, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    archai_record *r = &s->records[at];

    r->status = (int8_t)status;
    s->n_judged += status != ARCHAI_STATUS_FAILED;
    if (status == ARCHAI_STATUS_OK)
        stand(s, at);
    if (ops->tell != NULL)
        ARCHAI_TRY(ops->tell(s->algorithm, at, err));
    return r->repeats == 0 ? finish_waiting(s, at, err) : ARCHAI_OK;
}

void archai_search_report(archai_search *s, size_t at)
{
    if (archai_search_row_of(s, s->records[at].id) == NULL)
        archai_search_fifo_push(&s->inner->report, at);
    else
        archai_search_drop_trial(s, at);
}

int archai_search_repeat(archai_search *s, size_t at, archai_err *err)
{
    archai_record *r = &s->records[at];
    const archai_record *first = &s->records[r->repeats - 1];

    r->values = archai_memdup(first->values,
                              (s->objectives->n + first->n_metrics) * sizeof *r->values);
    r->n_metrics = first->n_metrics;
    r->stored = first->stored;
    ARCHAI_TRY(archai_search_finish(
        s, at, first->status == ARCHAI_STATUS_OK ? ARCHAI_STATUS_CACHED : first->status, err));
    archai_search_report(s, at);
    return ARCHAI_OK;
}

void archai_search_queue(archai_search *s, size_t at)
{
    if (s->records[at].queued)
        return;
    archai_search_fifo_push(&s->inner->hand_out, at);
    s->records[at].queued = true;
}
