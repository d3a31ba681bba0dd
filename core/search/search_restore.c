/* core/search/search_restore.c - going on where an earlier start stopped.
 *
 * The rows of the results are the truth; no other file is needed. async enters them as records,
 * tells the algorithm, and seeds both generators from the seed and the number of rows, so that
 * the new start does not draw what the first one drew. generational keeps them aside and
 * proposes everything anew (search.c: replay), which costs no evaluation and ends in the very
 * state in which the search was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/search/search_private.h"

archai_record *archai_search_restored(const archai_search *s, int64_t id)
{
    const struct archai_search_queues *q = s->queues;
    size_t low = 0, high = q->n_restored;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (q->restored[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < q->n_restored && q->restored[low].id == id ? &q->restored[low] : NULL;
}

static int keep_for_replay(archai_search *s, const archai_evaluation *e, archai_err *err)
{
    struct archai_search_queues *q = s->queues;
    archai_record r = {.id = e->id,
                       .budget = e->budget,
                       .status = (int8_t)e->status,
                       .stored = e->stored};
    int rc;

    if (e->status == ARCHAI_STATUS_RUNNING) /* will be proposed again, under the same id */
        return ARCHAI_OK;
    if (q->n_restored == q->restored_capacity) {
        const size_t capacity = q->restored_capacity == 0 ? 64 : 2 * q->restored_capacity;
        archai_record *grown = realloc(q->restored, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu rows", capacity);
        q->restored = grown;
        q->restored_capacity = capacity;
    }
    r.archid = strdup(e->archid);
    if (r.archid == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)e->id);
    rc = archai_search_values(s, e, &r.values, &r.n_metrics, err);
    if (rc != ARCHAI_OK) {
        archai_record_fini(&r);
        return rc;
    }
    q->restored[q->n_restored++] = r;
    return ARCHAI_OK;
}

/* Count the evaluations among the rows to be replayed, marking them with `keep`. A row that
 * repeats one that failed is `failed` as well, but none. */
static int count_restored(archai_search *s, archai_err *err)
{
    struct archai_search_queues *q = s->queues;
    struct archai_search_index seen = {.slots = NULL};
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < q->n_restored && rc == ARCHAI_OK; i++) {
        archai_record *r = &q->restored[i];

        if (archai_search_index_find(&seen, q->restored, r->archid, r->budget) != SIZE_MAX)
            continue;
        rc = archai_search_index_add(&seen, q->restored, i, err);
        r->keep = r->status != ARCHAI_STATUS_CACHED;
        s->n_finished += r->keep;
    }
    archai_search_index_fini(&seen);
    return rc;
}

/* What a candidate that was under way needs to be handed out again. */
static int fill_flight(archai_record *r, const archai_evaluation *e, archai_err *err)
{
    struct archai_flight *f = calloc(1, sizeof *f);

    r->flight = f;
    if (f == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)e->id);
    f->first = SIZE_MAX;
    (void)snprintf(f->restored_operator, sizeof f->restored_operator, "%s",
                   e->operator_ != NULL ? e->operator_ : "");
    f->operator_ = f->restored_operator;
    f->begin_at = e->stored;
    f->parents = strdup(e->parents != NULL && e->parents[0] != '\0' ? e->parents : "[]");
    f->metadata = e->metadata != NULL ? json_loads(e->metadata, 0, NULL) : NULL;
    if (f->metadata == NULL)
        f->metadata = json_object();
    if (f->parents == NULL || f->metadata == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)e->id);
    return ARCHAI_OK;
}

static int fill_encoding(archai_search *s, size_t at, const archai_evaluation *e,
                         archai_err *err)
{
    const size_t n = s->space->encoding_size;
    archai_record *r = &s->records[at];
    archai_model model = {.arch = NULL};
    int rc = ARCHAI_OK;

    if ((s->algorithm->ops->needs & ARCHAI_NEEDS_ENCODE) == 0)
        return ARCHAI_OK;
    r->encoding = malloc(n * sizeof *r->encoding);
    if (r->encoding == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for an encoding");
    if (e->encoding != NULL && e->n_encoding == n) {
        memcpy(r->encoding, e->encoding, n * sizeof *r->encoding);
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_search_model(s, at, &model, err));
    rc = archai_space_encode(s->space, &model, r->encoding, err);
    archai_model_fini(&model);
    return rc;
}

static int enter_row(archai_search *s, const archai_evaluation *e, archai_err *err)
{
    const size_t at = s->n_records;
    archai_record *r;
    int rc;

    ARCHAI_TRY(archai_search_reserve(s, err));
    r = &s->records[at];
    r->id = e->id;
    r->budget = e->budget;
    r->generation = e->generation;
    r->archid = strdup(e->archid);
    r->arch = strdup(e->arch);
    if (r->archid == NULL || r->arch == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for row %lld", (long long)e->id);
        goto undo;
    }
    ARCHAI_TRY_GOTO(rc, fill_encoding(s, at, e, err), undo);
    if (e->status == ARCHAI_STATUS_RUNNING)
        ARCHAI_TRY_GOTO(rc, fill_flight(r, e, err), undo);
    else
        ARCHAI_TRY_GOTO(rc, archai_search_values(s, e, &r->values, &r->n_metrics, err), undo);
    if (e->status != ARCHAI_STATUS_RUNNING)
        r->stored = e->stored;
    if (archai_search_index_find(s->by_archid, s->records, r->archid, r->budget) == SIZE_MAX)
        ARCHAI_TRY_GOTO(rc, archai_search_index_add(s->by_archid, s->records, at, err), undo);
    s->n_records++;
    s->next_id = e->id + 1;
    if (e->status == ARCHAI_STATUS_RUNNING) {
        s->n_running++;
        r->flight->queued = true;
        return archai_search_fifo_push(&s->queues->hand_out, at, err);
    }
    s->n_finished += e->status != ARCHAI_STATUS_CACHED;
    ARCHAI_TRY(archai_search_finish(s, at, e->status, err));
    archai_search_land(s, at);
    return ARCHAI_OK;
undo:
    archai_record_fini(r);
    return rc;
}

int archai_search_restore(archai_search *s, const archai_evaluation *e, archai_err *err)
{
    const struct archai_search_queues *q = s->queues;
    const int64_t last = q->n_rows > 0 ? q->last_row : -1;

    if (q->restore_ended)
        return archai_fail(err, ARCHAI_EINTERNAL, "row %lld comes after the search began",
                           (long long)e->id);
    if (e->id <= last || e->archid == NULL || e->arch == NULL)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "row %lld of the results is out of order or incomplete",
                           (long long)e->id);
    if (e->status < ARCHAI_STATUS_RUNNING || e->status >= ARCHAI_STATUS_COUNT)
        return archai_fail(err, ARCHAI_EFORMAT, "row %lld of the results has status %d",
                           (long long)e->id, e->status);
    if (s->schedule == ARCHAI_GENERATIONAL)
        ARCHAI_TRY(keep_for_replay(s, e, err));
    else
        ARCHAI_TRY(enter_row(s, e, err));
    s->queues->n_rows++;
    s->queues->last_row = e->id;
    return ARCHAI_OK;
}

int archai_search_restore_end(archai_search *s, archai_err *err)
{
    struct archai_search_queues *q = s->queues;
    archai_propose what = ARCHAI_PROPOSED;

    if (q->restore_ended)
        return ARCHAI_OK;
    q->restore_ended = true;
    if (q->n_rows == 0)
        return ARCHAI_OK;
    if (s->schedule == ARCHAI_ASYNC) {
        archai_rng_seed(&s->algorithm->rng, archai_rng_derive(s->seed, q->n_rows));
        archai_rng_seed(&s->space->rng, archai_rng_derive((uint64_t)s->space->seed, q->n_rows));
        return ARCHAI_OK;
    }
    ARCHAI_TRY(count_restored(s, err));
    while (what == ARCHAI_PROPOSED && q->hand_out.n == 0 && s->done[0] == '\0')
        ARCHAI_TRY(archai_search_step(s, &what, err));
    return ARCHAI_OK;
}

/* -- saved state --------------------------------------------------------------------------- */

static json_t *save_rng(const archai_rng *r)
{
    json_t *words = json_array();

    for (size_t i = 0; words != NULL && i < sizeof r->state / sizeof *r->state; i++)
        if (json_array_append_new(words, json_integer(r->state[i])) != 0) {
            json_decref(words);
            words = NULL;
        }
    return words == NULL
               ? NULL
               : json_pack("{s:o, s:i, s:b, s:f}", "state", words, "next", (int)r->next,
                           "has_gauss", r->has_gauss, "gauss", r->gauss);
}

static int load_rng(archai_rng *out, const json_t *state, const char *name, archai_err *err)
{
    enum { WORDS = sizeof out->state / sizeof *out->state };
    archai_rng r;
    json_t *words, *rng = json_object_get(state, name);
    int next;

    if (json_unpack(rng, "{s:o, s:i, s:b, s:F}", "state", &words, "next", &next, "has_gauss",
                    &r.has_gauss, "gauss", &r.gauss) != 0 ||
        json_array_size(words) != WORDS || next < 0 || next > WORDS)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "the saved state of the search: '%s' is damaged", name);
    for (size_t i = 0; i < WORDS; i++) {
        const json_int_t word = json_integer_value(json_array_get(words, i));

        if (word < 0 || word > UINT32_MAX)
            return archai_fail(err, ARCHAI_EFORMAT,
                               "the saved state of the search: '%s' is damaged", name);
        r.state[i] = (uint32_t)word;
    }
    r.next = (uint32_t)next;
    *out = r;
    return ARCHAI_OK;
}

int archai_search_save(archai_search *s, json_t **out, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    json_t *own = NULL, *state;

    if (ops->save != NULL)
        ARCHAI_TRY(ops->save(s->algorithm, &own, err));
    state = json_pack("{s:s, s:I, s:o, s:o, s:o}", "algorithm", ops->name, "rejected",
                      (json_int_t)s->rejected, "algorithm_rng", save_rng(&s->algorithm->rng),
                      "space_rng", save_rng(&s->space->rng), "state",
                      own != NULL ? own : json_object());
    if (state == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the state of the search");
    *out = state;
    return ARCHAI_OK;
}

int archai_search_load(archai_search *s, const json_t *state, archai_err *err)
{
    const archai_algorithm_ops *ops = s->algorithm->ops;
    const char *name = json_string_value(json_object_get(state, "algorithm"));
    archai_rng algorithm_rng, space_rng;

    if (s->schedule == ARCHAI_GENERATIONAL)
        return ARCHAI_OK;
    if (name == NULL || strcmp(name, ops->name) != 0)
        return archai_fail(
            err, ARCHAI_EFORMAT,
            "the saved state of the search belongs to the algorithm '%s', not '%s'",
            name != NULL ? name : "", ops->name);
    ARCHAI_TRY(load_rng(&algorithm_rng, state, "algorithm_rng", err));
    ARCHAI_TRY(load_rng(&space_rng, state, "space_rng", err));
    if (ops->load != NULL)
        ARCHAI_TRY(ops->load(s->algorithm, json_object_get(state, "state"), err));
    s->algorithm->rng = algorithm_rng;
    s->space->rng = space_rng;
    s->rejected = json_integer_value(json_object_get(state, "rejected"));
    return ARCHAI_OK;
}
