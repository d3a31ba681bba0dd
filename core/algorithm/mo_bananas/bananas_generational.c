/* core/algorithm/mo_bananas/bananas_generational.c - Archai's MoBananasSearch, draw by draw: parents are the first
 * num_parents of all evaluated models, front by front (values as float32); of each
 * mutations_per_parent new mutants; the surrogate learns all models anew and predicts the
 * mutants (core/search/surrogate.h); num_candidates of them, in the order of core/algorithm/mo_bananas/bananas.h, are the
 * next iteration. Where Archai breaks, this does what its author meant: failed models are
 * neither parents nor learned from; when none is ok it begins again at random; a mutant
 * that the space cannot make costs one try. The networks' numbers are not Archai's, which does
 * not seed them.
 */
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/mo_bananas/bananas_private.h"

enum { PATIENCE = 30 }; /* tries of each parent */

/* The first num_parents models, front by front. Caller frees. */
static int best_rows(const archai_bananas *a, size_t **out, size_t *n_out, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t m = s->objectives->n_optimised;
    size_t *rows = NULL, *order = NULL, *front = NULL, n = 0, n_order = 0;
    double *points = NULL;
    int rc;

    ARCHAI_TRY(archai_generation_rows(s, 0, &rows, &n, err));
    points = malloc((n + 1) * m * sizeof *points);
    order = malloc((n + 1) * sizeof *order);
    front = malloc((n + 1) * sizeof *front);
    if (points == NULL || order == NULL || front == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to sort %zu models", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        archai_objectives_minimised(s->objectives, s->records[rows[i]].values, &points[i * m]);
    for (size_t i = 0; i < n * m; i++)
        points[i] = (double)(float)points[i];
    ARCHAI_TRY_GOTO(rc, archai_pareto_sort_archai(points, n, m, order, front, &n_order, err),
                    out);
    *n_out = n_order < (size_t)a->num_parents ? n_order : (size_t)a->num_parents;
    for (size_t i = 0; i < *n_out; i++)
        order[i] = rows[order[i]];
    *out = order;
    order = NULL;
out:
    free(rows);
    free(order);
    free(front);
    free(points);
    return rc;
}

/* Mutants of the best, as the pool of a job; none: the next iteration is not a prediction's. */
static int prepare(archai_bananas *a, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_proposals mutants = {.at = NULL};
    size_t *parents = NULL, n = 0;
    int rc;

    archai_bananas_pool_fini(&a->pool);
    for (; a->n_synced < s->n_records; a->n_synced++)
        ARCHAI_TRY(archai_bananas_learn(a, a->n_synced, err));
    ARCHAI_TRY(best_rows(a, &parents, &n, err));
    ARCHAI_TRY_GOTO(rc,
                    archai_generation_mutate(s, parents, n, a->mutations_per_parent, PATIENCE,
                                             false, &mutants, err),
                    out);
    for (size_t i = 0; i < mutants.n; i++)
        ARCHAI_TRY_GOTO(rc, archai_bananas_pool_add(&a->pool, s, &mutants.at[i], err), out);
    if (a->pool.proposals.n > 0 && a->n_rows > 0)
        archai_bananas_open_job(a);
out:
    archai_proposals_fini(&mutants);
    free(parents);
    return rc;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    archai_bananas *a = (archai_bananas *)self;
    archai_search *s = self->search;
    int rc;

    if (iteration == 0)
        return archai_generation_initial(s, &a->given, a->init_num_models, ARCHAI_MAX_ROUNDS,
                                         batch, err);
    if (archai_generation_is_barren(s))
        return archai_generation_sample(s, a->init_num_models, ARCHAI_MAX_ROUNDS, true, batch,
                                        err);
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
    archai_search *s = a->base.search;

    if (s->job == 0 && a->answer.id == 0 && archai_generation_is_over(&a->generation, s) &&
        a->generation.iteration + 1 < a->num_iters)
        ARCHAI_TRY(prepare(a, err));
    if (s->job != 0) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    return archai_generation_propose(&a->generation, &a->base, a->num_iters, breed, what, out,
                                     err);
}

int archai_bananas_generational_answer(archai_bananas *a, const archai_surrogate_answer *answer,
                                       archai_err *err)
{
    const size_t n = answer->n_mean;

    a->answer = (archai_surrogate_answer){.id = answer->id, .n_mean = n, .n_var = n};
    a->answer.mean = malloc((n + 1) * sizeof *a->answer.mean);
    a->answer.var = malloc((n + 1) * sizeof *a->answer.var);
    if (a->answer.mean == NULL || a->answer.var == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu predictions", n);
    memcpy(a->answer.mean, answer->mean, n * sizeof *a->answer.mean);
    memcpy(a->answer.var, answer->var, n * sizeof *a->answer.var);
    return ARCHAI_OK;
}
