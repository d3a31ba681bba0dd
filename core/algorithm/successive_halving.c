/* core/algorithm/successive_halving.c - many models with a small budget, the better ones with more.
 *
 * Archai's SuccessiveHalving as its author meant it: `init_num_models` random models are
 * evaluated with `init_budget` epochs. Then the models are sorted into fronts; the first
 * 1/budget_multiplier of the fronts (rounded down) survive and are evaluated with
 * budget_multiplier times the epochs, continuing from their stored weights (a cosine schedule
 * spans the budget of round num_iters); and so on until one model is left or `num_iters` rounds
 * are over. Archai's crashes in the first round (a number where a list is expected) and would
 * crash in the last (where there is one front, none survives). Here at least one front survives,
 * and the search ends when only one is left, since no member of it is better than another. Failed
 * models do not survive. Cheap constraints, which Archai ignores, are met.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/algorithm/population.h"
#include "core/base/alloc.h"

struct halving {
    archai_population population;
    double init_budget, budget_multiplier;
    size_t round; /* the first record of the last round */
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",         ARCHAI_OPT_INT,    offsetof(archai_population, num_iters),      1,    0x1p31, "10", "rounds", NULL, "largest number of rounds"},
    {"init_num_models",   ARCHAI_OPT_INT,    offsetof(archai_population, init_num_models), 1,    0x1p20, "10", "models", NULL, "random models of the first round"},
    {"init_budget",       ARCHAI_OPT_DOUBLE, offsetof(struct halving, init_budget),       1e-6, 1e9,    "1",  "epochs", NULL, "budget of the first round; kind = torch trains whole epochs, at least one"},
    {"budget_multiplier", ARCHAI_OPT_DOUBLE, offsetof(struct halving, budget_multiplier), 1.01, 1e6,    "2",  "",       NULL, "factor by which the budget grows and the number of fronts shrinks each round"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static double budget_of(const struct halving *a, int64_t round)
{
    double budget = a->init_budget;

    for (int64_t i = 0; i < round && isfinite(budget); i++)
        budget *= a->budget_multiplier;
    return budget;
}

static int halving_init(archai_algorithm *self, archai_err *err)
{
    struct halving *a = (struct halving *)self;

    (void)err;
    self->search->max_budget = budget_of(a, a->population.num_iters - 1);
    return ARCHAI_OK;
}

/* The rows of the last round that are ok. */
static size_t *last_round(const struct halving *a, const archai_search *s, size_t *n)
{
    size_t *rows = archai_malloc((s->n_records - a->round) * sizeof *rows);

    *n = 0;
    for (size_t i = a->round; i < s->n_records; i++)
        if (s->records[i].status == ARCHAI_STATUS_OK)
            rows[(*n)++] = i;
    return rows;
}

/* Keep of rows[*n] those on the fronts that survive. Returns how many fronts there were. */
static size_t survivors(const struct halving *a, const archai_search *s, size_t *rows, size_t *n)
{
    double *points = archai_ranking_points(s, rows, *n);
    size_t *front = archai_malloc(*n * sizeof *front), n_fronts = 0, kept = 0, survive;

    archai_pareto_sort(points, *n, s->objectives->n_optimised, front);
    for (size_t i = 0; i < *n; i++)
        n_fronts = front[i] + 1 > n_fronts ? front[i] + 1 : n_fronts;
    survive = (size_t)((double)n_fronts / a->budget_multiplier);
    for (size_t i = 0; i < *n; i++)
        if (front[i] < (survive > 0 ? survive : 1))
            rows[kept++] = rows[i];
    *n = kept;
    free(points);
    free(front);
    return n_fronts;
}

static int promote(struct halving *a, archai_search *s, const size_t *rows, size_t n,
                   double budget, archai_proposals *batch, archai_err *err)
{
    for (size_t i = 0; i < n; i++) {
        archai_trial p = {.budget = budget, .begin_at = s->records[rows[i]].stored};

        ARCHAI_TRY(archai_search_model(s, rows[i], &p.model, err));
        archai_trial_set_operator(&p, ARCHAI_OPERATOR_PROMOTION);
        archai_proposals_push(batch, &p);
    }
    for (; a->round < s->n_records; a->round++)
        archai_search_release(s, a->round);
    return ARCHAI_OK;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct halving *a = (struct halving *)self;
    archai_search *s = self->search;
    const double budget = budget_of(a, iteration);
    size_t *rows, n, fronts, all;
    int rc = ARCHAI_OK;

    if (iteration == 0) {
        ARCHAI_TRY(archai_population_begin(&a->population, 0, ARCHAI_MAX_ROUNDS, batch, err));
        for (size_t i = 0; i < batch->n; i++)
            batch->at[i].budget = budget;
        return ARCHAI_OK;
    }
    rows = last_round(a, s, &n);
    all = n;
    fronts = survivors(a, s, rows, &n);
    if (n == 0)
        (void)snprintf(s->done, sizeof s->done, "no model of round %d succeeded", iteration);
    else if (all == 1)
        (void)snprintf(s->done, sizeof s->done, "one model is left after %d rounds: %.128s",
                       iteration, s->records[rows[0]].archid);
    else if (fronts == 1)
        (void)snprintf(s->done, sizeof s->done,
                       "after %d rounds %zu models are left, none better than another",
                       iteration, n);
    else
        rc = promote(a, s, rows, n, budget, batch, err);
    free(rows);
    return rc;
}

static int halving_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    (void)err;
    self->search->records[record].keep = true;
    return ARCHAI_OK;
}

static int halving_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                           archai_err *err)
{
    return archai_population_propose(self, breed, NULL, what, out, err);
}

const archai_algorithm_ops archai_algorithm_successive_halving = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "successive_halving",
    .help = "random models with growing budgets, the worse ones dropped round by round",
    .size = sizeof(struct halving),
    .options = options,
    .schedules = 1u << ARCHAI_GENERATIONAL,
    .init = halving_init,
    .fini = archai_population_fini,
    .propose = halving_propose,
    .tell = halving_tell,
};
