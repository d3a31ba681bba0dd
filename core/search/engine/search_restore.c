/* core/search/engine/search_restore.c - going on where an earlier start stopped.
 *
 * The rows of the results are the truth; no other file is needed. async enters them as records,
 * tells the algorithm, and seeds both generators from the seed and the number of rows, so that
 * the new start does not draw what the first one drew. generational keeps them aside and
 * proposes everything again (search_enter.c: replay), which costs no evaluation and ends in exactly
 * the state in which the search was.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/search/engine/search_private.h"

struct archai_search_row *archai_search_row_of(const archai_search *s, int64_t id)
{
    const struct archai_search_inner *q = s->inner;
    const size_t at = archai_search_find_id(q->rows, q->n_rows, sizeof *q->rows, id);

    return at != SIZE_MAX ? &q->rows[at] : NULL;
}

void archai_search_rows_free(struct archai_search_inner *q)
{
    for (size_t i = 0; i < q->n_rows; i++) {
        free(q->rows[i].archid);
        free(q->rows[i].values);
    }
    free(q->rows);
}

static int keep_for_replay(archai_search *s, archai_trial *e, archai_err *err)
{
    struct archai_search_inner *q = s->inner;
    struct archai_search_row r = {
        .id = e->id,
        .budget = e->budget,
        .status = (int8_t)e->status,
        .stored = e->stored,
        .tested = archai_trial_is_tested(e)};

    if (e->status == ARCHAI_STATUS_RUNNING) /* will be proposed again, under the same id */
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_values(s, e, &r.values, &r.n_metrics, err));
    r.archid = e->model.archid;
    e->model.archid = NULL;
    ARCHAI_RESERVE(q->rows, q->rows_capacity, q->n_rows + 1);
    q->rows[q->n_rows++] = r;
    return ARCHAI_OK;
}

static bool is_same(const void *rows, size_t at, const void *key)
{
    const struct archai_search_row *r = (const struct archai_search_row *)rows + at, *wanted = key;

    return r->budget == wanted->budget && strcmp(r->archid, wanted->archid) == 0;
}

/* Count the evaluations among the rows to be replayed. A row that repeats one that failed is `failed` as
 * well, but is not an evaluation. */
static void count_rows(archai_search *s)
{
    struct archai_search_inner *q = s->inner;
    archai_hash_table seen = {.slots = NULL};

    for (size_t i = 0; i < q->n_rows; i++) {
        struct archai_search_row *r = &q->rows[i];
        const uint64_t hash = archai_hash(r->archid);

        if (archai_hash_find(&seen, hash, is_same, q->rows, r) != SIZE_MAX)
            continue;
        archai_hash_add(&seen, hash, i);
        r->evaluated = archai_search_counts(s, r->status, r->values);
        archai_search_count(s, r->status, r->values);
    }
    archai_hash_clear(&seen);
}

static int fill_encoding(archai_search *s, size_t at, const archai_trial *e, archai_err *err)
{
    const size_t n = s->space->encoding_size;
    archai_record *r = &s->records[at];
    archai_model model = {.arch = NULL};
    int rc = ARCHAI_OK;

    if ((s->algorithm->ops->needs & ARCHAI_NEEDS_ENCODE) == 0)
        return ARCHAI_OK;
    if (e->encoding != NULL && e->n_encoding == n) {
        r->encoding = archai_memdup(e->encoding, n * sizeof *r->encoding);
        return ARCHAI_OK;
    }
    r->encoding = archai_malloc(n * sizeof *r->encoding);
    ARCHAI_TRY(archai_search_model(s, at, &model, err));
    rc = archai_space_encode(s->space, &model, r->encoding, err);
    archai_model_fini(&model);
    return rc;
}

/* The record that a row becomes, or its candidate where it was under way. */
static int fill_record(archai_search *s, size_t at, archai_trial *e, archai_err *err)
{
    archai_record *r = &s->records[at];

    r->id = e->id;
    r->budget = e->budget;
    r->generation = e->generation;
    r->archid = e->model.archid;
    r->arch = e->arch;
    e->model.archid = e->arch = NULL;
    ARCHAI_TRY(fill_encoding(s, at, e, err));
    if (e->status != ARCHAI_STATUS_RUNNING) {
        if (s->max_budget > 0 && e->metadata != NULL)
            r->metadata = archai_strdup(e->metadata);
        r->stored = e->stored;
        r->tested = archai_trial_is_tested(e);
        return archai_search_values(s, e, &r->values, &r->n_metrics, err);
    }
    e->status = ARCHAI_STATUS_OK; /* unknown yet */
    r->trial = archai_memdup(e, sizeof *e);
    *e = (archai_trial){.id = r->id};
    archai_trial_fill_texts(r->trial);
    return ARCHAI_OK;
}

static int enter_row(archai_search *s, archai_trial *e, archai_err *err)
{
    const size_t at = s->n_records;
    const int status = e->status;
    archai_record *r;
    int rc;

    ARCHAI_TRY(archai_search_reserve(s, err));
    r = &s->records[at];
    rc = fill_record(s, at, e, err);
    if (rc != ARCHAI_OK) {
        archai_record_fini(r);
        return rc;
    }
    archai_search_add(s);
    s->next_id = r->id + 1;
    if (status == ARCHAI_STATUS_RUNNING) {
        archai_search_complete(s, r);
        s->n_running++;
        archai_search_queue(s, at);
        return ARCHAI_OK;
    }
    archai_search_count(s, status, r->values);
    ARCHAI_TRY(archai_search_finish(s, at, status, err));
    archai_search_drop_trial(s, at);
    return ARCHAI_OK;
}

int archai_search_restore(archai_search *s, archai_trial *e, archai_err *err)
{
    const struct archai_search_inner *q = s->inner;
    const int64_t id = e->id, last = q->n_restored > 0 ? q->last_row : -1;

    if (q->restore_ended)
        return archai_fail(err, ARCHAI_EINTERNAL, "row %lld comes after the search began",
                           (long long)e->id);
    if (e->id <= last || e->model.archid == NULL || e->arch == NULL)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "row %lld of the results is out of order or incomplete",
                           (long long)e->id);
    if (!archai_is_utf8(e->model.archid)) /* its children's `parents` are JSON */
        return archai_fail(err, ARCHAI_EFORMAT, "row %lld of the results: its archid is not UTF-8",
                           (long long)e->id);
    if (e->status < ARCHAI_STATUS_RUNNING || e->status >= ARCHAI_STATUS_COUNT)
        return archai_fail(err, ARCHAI_EFORMAT, "row %lld of the results has status %d",
                           (long long)e->id, e->status);
    archai_search_restore_pruning(s, e);
    if (s->schedule == ARCHAI_GENERATIONAL)
        ARCHAI_TRY(keep_for_replay(s, e, err));
    else
        ARCHAI_TRY(enter_row(s, e, err));
    s->inner->n_restored++;
    s->inner->last_row = id;
    return ARCHAI_OK;
}

int archai_search_restore_end(archai_search *s, archai_err *err)
{
    struct archai_search_inner *q = s->inner;
    archai_propose what = ARCHAI_PROPOSED;

    if (q->restore_ended)
        return ARCHAI_OK;
    q->restore_ended = true;
    if (q->n_restored == 0)
        return ARCHAI_OK;
    if (s->schedule == ARCHAI_ASYNC) {
        archai_rng_seed(&s->algorithm->rng, archai_rng_derive(s->seed, q->n_restored));
        archai_rng_seed(&s->space->rng, archai_rng_derive((uint64_t)s->space->seed, q->n_restored));
        return ARCHAI_OK;
    }
    count_rows(s);
    while (what == ARCHAI_PROPOSED && q->hand_out.n == 0 && s->done[0] == '\0')
        ARCHAI_TRY(archai_search_step(s, &what, err));
    return ARCHAI_OK;
}
