/* core/algorithm/mo_bananas/bananas_generational.c - Archai's MoBananasSearch, draw by draw.
 *
 * Parents are the first num_parents of all evaluated models, front by front (values as float32); of each
 * mutations_per_parent new mutants are made; the surrogate learns all models anew and predicts the
 * mutants (core/search/surrogate.h); num_candidates of them, in the order of
 * core/algorithm/mo_bananas/bananas.h, are the next iteration. Where Archai breaks, this does what its
 * author meant: failed models are neither parents nor learned from; when none is ok it begins again at
 * random; a mutant that the space cannot make costs one try. The networks' numbers are not Archai's,
 * which does not seed them.
 */
#include <stdlib.h>

#include "core/algorithm/mo_bananas/bananas_private.h"
#include "core/base/alloc.h"

enum { PATIENCE = 30 }; /* tries of each parent */

/* The first num_parents models, front by front. Caller frees. */
static size_t *best_rows(const archai_search *s, int64_t most, size_t *n_out)
{
    size_t n, n_order, *rows = archai_ranking_rows(s, &n);
    size_t *order = archai_malloc(n * sizeof *order), *front = archai_malloc(n * sizeof *front);
    double *points = archai_ranking_points_float(s, rows, n);

    n_order = archai_pareto_sort_archai(points, n, s->objectives->n_optimised, order, front);
    *n_out = n_order < (size_t)most ? n_order : (size_t)most;
    for (size_t i = 0; i < *n_out; i++)
        order[i] = rows[order[i]];
    free(rows);
    free(front);
    free(points);
    return order;
}

/* Mutants of the best, as the pool of a job; without any the next iteration needs no prediction. */
static int prepare(archai_bananas *a, archai_err *err)
{
    archai_search *s = a->population.base.search;
    archai_proposals mutants = {.at = NULL};
    size_t *parents, n;
    int rc;

    archai_bananas_pool_fini(&a->pool);
    for (; a->n_synced < s->n_records; a->n_synced++)
        archai_bananas_learn(a, a->n_synced);
    parents = best_rows(s, a->num_parents, &n);
    rc = archai_generation_mutate(s, parents, n, a->mutations_per_parent, PATIENCE, false, &mutants,
                                  err);
    for (size_t i = 0; rc == ARCHAI_OK && i < mutants.n; i++)
        rc = archai_bananas_pool_add(&a->pool, s, &mutants.at[i], err);
    if (rc == ARCHAI_OK && a->pool.proposals.n > 0 && a->n_rows > 0)
        archai_bananas_open_job(a);
    archai_proposals_fini(&mutants);
    free(parents);
    return rc;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    archai_bananas *a = (archai_bananas *)self;
    int rc;

    if (iteration == 0 || archai_ranking_is_empty(self->search))
        return archai_population_begin(&a->population, iteration, ARCHAI_MAX_ROUNDS, batch, err);
    if (a->pool.proposals.n == 0)
        return ARCHAI_OK;
    rc = archai_bananas_take_best(a, &a->answer, (size_t)a->num_candidates, batch, err);
    archai_surrogate_answer_fini(&a->answer);
    archai_bananas_pool_fini(&a->pool);
    return rc;
}

int archai_bananas_generational_propose(archai_bananas *a, archai_propose *what,
                                        archai_trial *out, archai_err *err)
{
    archai_search *s = a->population.base.search;

    if (s->job == 0 && a->answer.id == 0 && archai_generation_is_over(&a->population.generation, s) &&
        a->population.generation.iteration + 1 < a->population.num_iters)
        ARCHAI_TRY(prepare(a, err));
    if (s->job != 0) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    return archai_population_propose(&a->population.base, breed, NULL, what, out, err);
}

void archai_bananas_generational_answer(archai_bananas *a, const archai_surrogate_answer *answer)
{
    const size_t n = answer->n_mean;

    a->answer = (archai_surrogate_answer){
        .id = answer->id,
        .mean = archai_memdup(answer->mean, n * sizeof *answer->mean),
        .var = archai_memdup(answer->var, n * sizeof *answer->var),
        .n_mean = n,
        .n_var = n,
    };
}
