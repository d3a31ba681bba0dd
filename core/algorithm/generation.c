#include "core/algorithm/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

/* Where the first proposal of this architecture is entered, or would be. */
static uint32_t *slot_of(const archai_proposals *l, const char *archid)
{
    const size_t mask = 2 * l->capacity - 1;

    for (size_t i = (size_t)archai_hash(archid);; i++) {
        uint32_t *slot = &l->slots[i & mask];
        const char *there = *slot > 0 ? l->at[*slot - 1].model.archid : NULL;

        if (*slot == 0 || (there != NULL && strcmp(there, archid) == 0))
            return slot;
    }
}

static void enter(archai_proposals *l, size_t at)
{
    uint32_t *slot = slot_of(l, l->at[at].model.archid);

    if (*slot == 0)
        *slot = (uint32_t)at + 1;
}

static int grow(archai_proposals *l, archai_err *err)
{
    const size_t capacity = l->capacity == 0 ? 16 : 2 * l->capacity;
    archai_trial *at = realloc(l->at, capacity * sizeof *at);
    uint32_t *slots = NULL;

    if (at != NULL)
        l->at = at;
    if (at != NULL && capacity < UINT32_MAX)
        slots = calloc(2 * capacity, sizeof *slots);
    if (slots == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a batch of %zu", capacity);
    free(l->slots);
    l->slots = slots;
    l->capacity = capacity;
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].model.archid != NULL)
            enter(l, i);
    return ARCHAI_OK;
}

int archai_proposals_push(archai_proposals *l, archai_trial *p, archai_err *err)
{
    const int rc = l->n == l->capacity ? grow(l, err) : ARCHAI_OK;

    if (rc != ARCHAI_OK) {
        archai_trial_fini(p);
        return rc;
    }
    l->at[l->n] = *p;
    enter(l, l->n++);
    *p = (archai_trial){.operator_ = NULL};
    return ARCHAI_OK;
}

archai_trial *archai_proposals_find(const archai_proposals *l, const char *archid)
{
    const uint32_t at = l->n > 0 ? *slot_of(l, archid) : 0;

    return at > 0 ? &l->at[at - 1] : NULL;
}

void archai_proposals_fini(archai_proposals *l)
{
    for (size_t i = 0; i < l->n; i++)
        archai_trial_fini(&l->at[i]);
    free(l->at);
    free(l->slots);
    *l = (archai_proposals){.at = NULL};
}

void archai_generation_fini(archai_generation *g)
{
    archai_proposals_fini(&g->batch);
}

bool archai_generation_is_barren(const archai_search *s)
{
    for (size_t i = s->n_records; i-- > 0;)
        if (archai_record_counts(&s->records[i]))
            return false;
    return true;
}

static const char *why_none(const archai_search *s)
{
    if (s->n_records > 0 && archai_generation_is_barren(s))
        return ", and none of the earlier ones is ok";
    for (size_t i = 0; i < s->objectives->n; i++)
        if (!s->objectives->at[i].expensive && s->objectives->at[i].constraint.n == 2)
            return " that satisfies the constraints";
    return "";
}

int archai_generation_propose(archai_generation *g, archai_algorithm *self, int64_t num_iters,
                              archai_breed *breed, archai_propose *what, archai_trial *out,
                              archai_err *err)
{
    archai_search *s = self->search;

    if (g->next == g->batch.n && g->begun && s->n_running > 0) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    if (g->next == g->batch.n) {
        const int32_t iteration = g->begun ? g->iteration + 1 : 0;

        if (iteration >= num_iters) {
            (void)snprintf(s->done, sizeof s->done, "all %lld iterations are done",
                           (long long)num_iters);
            *what = ARCHAI_PROPOSE_DONE;
            return ARCHAI_OK;
        }
        archai_proposals_fini(&g->batch);
        g->next = 0;
        ARCHAI_TRY(breed(self, iteration, &g->batch, err));
        g->iteration = iteration;
        g->begun = true;
    }
    if (g->batch.n == 0 && s->done[0] == '\0')
        (void)snprintf(s->done, sizeof s->done, "iteration %d came up with no new architecture%s",
                       g->iteration, why_none(s));
    if (g->batch.n == 0) {
        *what = ARCHAI_PROPOSE_DONE;
        return ARCHAI_OK;
    }
    *out = g->batch.at[g->next];
    out->generation = g->iteration;
    g->batch.at[g->next++] = (archai_trial){.operator_ = NULL};
    *what = ARCHAI_PROPOSED;
    return ARCHAI_OK;
}

bool archai_generation_is_over(const archai_generation *g, const archai_search *s)
{
    return g->begun && g->next == g->batch.n && s->n_running == 0;
}

/* -- breeding ---------------------------------------------------------------------------- */

int archai_generation_sample(archai_search *s, int64_t n, int rounds, bool fresh,
                             archai_proposals *batch, archai_err *err)
{
    const size_t before = batch->n;
    int vain = 0;

    for (int round = 0;
         round < rounds && vain < ARCHAI_MAX_VAIN && (int64_t)(batch->n - before) < n; round++)
        for (int64_t i = 0; i < n && vain < ARCHAI_MAX_VAIN; i++) {
            archai_trial p;
            bool keep = true;
            int rc = archai_vary_random(s, &p, err);

            vain++;
            if (rc == ARCHAI_ENONE)
                continue;
            ARCHAI_TRY(rc);
            rc = archai_search_valid(s, &p.model, &keep, err);
            keep = keep && !(fresh && archai_search_seen(s, p.model.archid));
            if (rc == ARCHAI_OK && keep)
                vain = 0;
            if (rc == ARCHAI_OK && keep && (int64_t)(batch->n - before) < n)
                rc = archai_proposals_push(batch, &p, err);
            else
                archai_trial_fini(&p);
            ARCHAI_TRY(rc);
        }
    return ARCHAI_OK;
}

int archai_generation_initial(archai_search *s, archai_given *g, int64_t n, int rounds,
                              archai_proposals *batch, archai_err *err)
{
    if (g->n == 0)
        return archai_generation_sample(s, n, rounds, false, batch, err);
    for (size_t i = 0; i < g->n; i++) {
        archai_trial p;

        ARCHAI_TRY(archai_given_next(g, &p));
        ARCHAI_TRY(archai_proposals_push(batch, &p, err));
    }
    return ARCHAI_OK;
}

/* Put a mutant into a list that is a map by archid: a later one takes the earlier one's place.
 */
static int put(archai_proposals *l, archai_trial *p, archai_err *err)
{
    archai_trial *old = archai_proposals_find(l, p->model.archid);

    if (old == NULL)
        return archai_proposals_push(l, p, err);
    archai_trial_fini(old);
    *old = *p;
    *p = (archai_trial){.operator_ = NULL};
    return ARCHAI_OK;
}

/* One try; *valid and *fresh tell what it was, and only a mutant that is both is kept. */
static int try_mutant(archai_search *s, size_t parent, archai_proposals *own, bool *valid,
                      archai_err *err)
{
    archai_trial p;
    int rc = archai_vary_mutate(s, parent, &p, err);

    *valid = true;
    if (rc == ARCHAI_ENONE)
        return ARCHAI_OK;
    ARCHAI_TRY(rc);
    rc = archai_search_valid(s, &p.model, valid, err);
    if (rc == ARCHAI_OK && *valid && !archai_search_seen(s, p.model.archid))
        return put(own, &p, err);
    archai_trial_fini(&p);
    return rc;
}

int archai_generation_mutate(archai_search *s, const size_t *parents, size_t n,
                             int64_t per_parent, int patience, bool count_invalid,
                             archai_proposals *batch, archai_err *err)
{
    for (size_t i = 0; i < n; i++) {
        archai_proposals own = {.at = NULL}; /* of this parent */
        int tries = 0, rc = ARCHAI_OK;

        for (int all = 0; rc == ARCHAI_OK && (int64_t)own.n < per_parent && tries < patience &&
                          all < patience * ARCHAI_MAX_ROUNDS;
             all++) {
            bool valid;

            rc = try_mutant(s, parents[i], &own, &valid, err);
            tries += rc == ARCHAI_OK && (valid || count_invalid);
        }
        for (size_t k = 0; rc == ARCHAI_OK && k < own.n; k++)
            rc = put(batch, &own.at[k], err);
        archai_proposals_fini(&own);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* -- what is bred from ------------------------------------------------------------------- */

int archai_generation_rows(archai_search *s, size_t limit, size_t **out, size_t *n,
                           archai_err *err)
{
    size_t *rows = malloc((s->n_records + 1) * sizeof *rows), count = 0;

    if (rows == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu rows", s->n_records);
    for (size_t i = 0; i < s->n_records; i++)
        if (archai_record_counts(&s->records[i]))
            rows[count++] = i;
    if (limit > 0 && count > limit) {
        memmove(rows, &rows[count - limit], limit * sizeof *rows);
        count = limit;
    }
    *out = rows;
    *n = count;
    return ARCHAI_OK;
}

static int compare_rows(const void *a, const void *b)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;

    return i < j ? -1 : i > j;
}

/* Cached rows are missing from the search's front: each has the point of an earlier one. */
int archai_generation_best(archai_search *s, size_t **out, size_t *n, archai_err *err)
{
    size_t *rows = malloc((s->front.n + 1) * sizeof *rows);
    int rc;

    if (rows == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a front of %zu", s->front.n);
    for (size_t i = 0; i < s->front.n; i++)
        rows[i] = (size_t)s->front.tags[i];
    qsort(rows, s->front.n, sizeof *rows, compare_rows);
    *n = s->front.n;
    rc = archai_generation_front(s, rows, n, false, err);
    if (rc == ARCHAI_OK)
        *out = rows;
    else
        free(rows);
    return rc;
}

int archai_generation_front(archai_search *s, size_t *rows, size_t *n, bool as_float,
                            archai_err *err)
{
    const size_t m = s->objectives->n_optimised, n_points = *n;
    double *points = malloc((n_points + 1) * m * sizeof *points);
    size_t *front = malloc((n_points + 1) * sizeof *front);
    int rc;

    if (points == NULL || front == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for the front of %zu rows", n_points);
        goto out;
    }
    for (size_t i = 0; i < n_points; i++)
        archai_objectives_minimised(s->objectives, s->records[rows[i]].values, &points[i * m]);
    for (size_t i = 0; as_float && i < n_points * m; i++)
        points[i] = (double)(float)points[i];
    ARCHAI_TRY_GOTO(rc, archai_pareto_front_archai(points, n_points, m, front, n, err), out);
    for (size_t i = 0; i < *n; i++)
        front[i] = rows[front[i]];
    memcpy(rows, front, *n * sizeof *rows);
out:
    free(points);
    free(front);
    return rc;
}
