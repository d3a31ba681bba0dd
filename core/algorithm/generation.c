#include "core/algorithm/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

static bool has_archid(const void *items, size_t index, const void *key)
{
    const char *archid = ((const archai_trial *)items)[index].model.archid;

    return archid != NULL && strcmp(archid, key) == 0;
}

void archai_proposals_push(archai_proposals *l, archai_trial *p)
{
    ARCHAI_RESERVE(l->at, l->capacity, l->n + 1);
    archai_hash_add(&l->by_archid, archai_hash(p->model.archid), l->n);
    l->at[l->n++] = *p;
    *p = (archai_trial){.operator_ = NULL};
}

archai_trial *archai_proposals_find(const archai_proposals *l, const char *archid)
{
    const size_t at = archai_hash_find(&l->by_archid, archai_hash(archid), has_archid, l->at, archid);

    return at != SIZE_MAX ? &l->at[at] : NULL;
}

void archai_proposals_fini(archai_proposals *l)
{
    for (size_t i = 0; i < l->n; i++)
        archai_trial_fini(&l->at[i]);
    free(l->at);
    archai_hash_clear(&l->by_archid);
    *l = (archai_proposals){.at = NULL};
}

void archai_generation_fini(archai_generation *g)
{
    archai_proposals_fini(&g->batch);
}

static const char *why_none(const archai_search *s)
{
    if (s->n_records > 0 && archai_ranking_is_empty(s))
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
        (void)snprintf(s->done, sizeof s->done, "iteration %d found no new architecture%s",
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
                archai_proposals_push(batch, &p);
            else
                archai_trial_fini(&p);
            ARCHAI_TRY(rc);
        }
    return ARCHAI_OK;
}

/* Put a mutant into a list; one of the same architecture makes way for it. */
static void put(archai_proposals *l, archai_trial *p)
{
    archai_trial *old = archai_proposals_find(l, p->model.archid);

    if (old == NULL) {
        archai_proposals_push(l, p);
        return;
    }
    archai_trial_fini(old);
    *old = *p;
    *p = (archai_trial){.operator_ = NULL};
}

/* One try; the mutant is kept if it is valid and new. */
static int try_mutant(archai_search *s, size_t parent, archai_proposals *mutants, bool *valid,
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
        put(mutants, &p);
    else
        archai_trial_fini(&p);
    return rc;
}

int archai_generation_mutate(archai_search *s, const size_t *parents, size_t n,
                             int64_t per_parent, int patience, bool count_invalid,
                             archai_proposals *batch, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++) {
        archai_proposals mutants = {.at = NULL}; /* of this parent */
        int tries = 0;

        for (int all = 0; rc == ARCHAI_OK && (int64_t)mutants.n < per_parent && tries < patience &&
                          all < patience * ARCHAI_MAX_ROUNDS;
             all++) {
            bool valid;

            rc = try_mutant(s, parents[i], &mutants, &valid, err);
            tries += rc == ARCHAI_OK && (valid || count_invalid);
        }
        for (size_t k = 0; rc == ARCHAI_OK && k < mutants.n; k++)
            put(batch, &mutants.at[k]);
        archai_proposals_fini(&mutants);
    }
    return rc;
}
