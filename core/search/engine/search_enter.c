/* core/search/engine/search_enter.c - a proposal becomes a record, and on a resume a row that is replayed. */
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/engine/search_private.h"

double archai_search_budget(const archai_search *s, const archai_trial *p)
{
    return p->budget > 0.0 ? p->budget : s->default_budget;
}

bool archai_search_is_given(const archai_trial *p)
{
    return strcmp(p->operator_, ARCHAI_OPERATOR_INITIAL) == 0 || strcmp(p->operator_, ARCHAI_OPERATOR_RETRAIN) == 0;
}

static bool is_promoted(const archai_record *r)
{
    return strcmp(r->trial->operator_, ARCHAI_OPERATOR_PROMOTION) == 0;
}

/* A promoted model goes on with the seed of its first evaluation. */
static uint64_t seed_of(const archai_search *s, const archai_record *r)
{
    int64_t id = r->id;

    if (is_promoted(r))
        id = s->records[archai_search_first_any(s, r->archid)].id;
    return archai_rng_derive(s->seed, (uint64_t)id);
}

void archai_search_complete(const archai_search *s, const archai_record *r)
{
    archai_trial *t = r->trial;
    const archai_record *first;

    t->id = r->id;
    t->model.archid = r->archid;
    t->arch = r->arch;
    t->generation = r->generation;
    t->budget = r->budget;
    t->max_budget = s->max_budget;
    t->seed = seed_of(s, r);
    t->keep = archai_search_is_beginning(s, r->budget);
    if (t->metadata == NULL && is_promoted(r)) {
        first = &s->records[archai_search_first_any(s, r->archid)];
        if (first->metadata != NULL)
            t->metadata = archai_strdup(first->metadata);
    }
    if (t->metadata == NULL && json_object_size(t->model.metadata) > 0)
        t->metadata = archai_there(json_dumps(t->model.metadata, JSON_SORT_KEYS));
}

/* What may fail comes before the trial is taken over. */
static int fill_record(archai_search *s, archai_record *r, archai_trial *p, archai_err *err)
{
    ARCHAI_TRY(archai_space_save_arch(s->space, &p->model, &r->arch, err));
    if ((s->algorithm->ops->needs & ARCHAI_NEEDS_ENCODE) != 0) {
        r->encoding = archai_malloc(s->space->encoding_size * sizeof *r->encoding);
        ARCHAI_TRY(archai_space_encode(s->space, &p->model, r->encoding, err));
    }
    r->archid = p->model.archid;
    r->trial = archai_memdup(p, sizeof *p);
    *p = (archai_trial){.id = 0};
    return ARCHAI_OK;
}

static int check_same(const archai_record *r, const struct archai_search_row *row,
                      archai_err *err)
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
static int replay(archai_search *s, size_t at, struct archai_search_row *row, archai_err *err)
{
    archai_record *r = &s->records[at];

    r->values = row->values;
    row->values = NULL;
    r->n_metrics = row->n_metrics;
    r->stored = row->stored;
    r->tested = row->tested;
    if (row->evaluated && r->repeats != 0) /* its first one's row is missing */
        s->n_finished--;
    ARCHAI_TRY(archai_search_finish(s, at, row->status, err));
    archai_search_drop_trial(s, at);
    return ARCHAI_OK;
}

/* A given architecture is measured against the cheap constraints; it is a row in any case. */
static int enter_given(archai_search *s, size_t at, bool *feasible, archai_err *err)
{
    archai_record *r = &s->records[at];
    double values[ARCHAI_MAX_OBJECTIVES];
    int which;

    ARCHAI_TRY(archai_search_violation(s, &r->trial->model, &which, values, err));
    *feasible = which < 0;
    if (*feasible)
        return ARCHAI_OK;
    r->values = archai_memdup(values, s->objectives->n * sizeof *values);
    archai_search_count(s, ARCHAI_STATUS_INFEASIBLE, r->values);
    ARCHAI_TRY(archai_search_finish(s, at, ARCHAI_STATUS_INFEASIBLE, err));
    archai_search_report(s, at);
    return ARCHAI_OK;
}

int archai_search_enter(archai_search *s, archai_trial *p, archai_err *err)
{
    const size_t at = s->n_records;
    struct archai_search_row *row;
    archai_record *r;
    bool feasible = true;
    size_t first;
    int rc;

    ARCHAI_TRY(archai_search_reserve(s, err));
    r = &s->records[at];
    r->id = s->next_id;
    r->budget = archai_search_budget(s, p);
    r->generation = p->generation;
    rc = fill_record(s, r, p, err);
    if (rc != ARCHAI_OK) {
        archai_record_fini(r);
        return rc;
    }
    first = archai_search_first(s, r->archid, r->budget);
    r->repeats = first != SIZE_MAX ? (uint32_t)first + 1 : 0;
    archai_search_add(s);
    archai_search_complete(s, r);
    s->next_id++;

    row = archai_search_row_of(s, r->id);
    if (row != NULL)
        ARCHAI_TRY(check_same(r, row, err));
    if (row != NULL && row->status != ARCHAI_STATUS_CACHED)
        return replay(s, at, row, err);
    if (first != SIZE_MAX && s->records[first].status != ARCHAI_STATUS_RUNNING)
        return archai_search_repeat(s, at, err);
    if (first != SIZE_MAX) {
        archai_search_fifo_push(&s->inner->waiting, at);
        return ARCHAI_OK;
    }
    if (archai_search_is_given(r->trial))
        ARCHAI_TRY(enter_given(s, at, &feasible, err));
    if (!feasible)
        return ARCHAI_OK;
    s->n_running++;
    archai_search_queue(s, at);
    return ARCHAI_OK;
}
