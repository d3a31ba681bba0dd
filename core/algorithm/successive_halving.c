/* core/algorithm/successive_halving.c - many models for a little, the better ones for more.
 *
 * Archai's SuccessiveHalving as its author meant it: `init_num_models` random models are
 * evaluated with `init_budget` epochs; then the fronts of a non-dominated sort are counted, the
 * first 1/budget_multiplier of them (rounded down) survive and are evaluated with
 * budget_multiplier times the epochs, for which their training goes on from their stored weights
 * (a cosine schedule is laid over the budget of round num_iters), and so on until one model is
 * left or `num_iters` rounds are over. Archai's crashes in the first round (a number where a list
 * is expected) and would crash in the last (no front survives where there is one). Here at least
 * one front survives, and the search ends where only one is left, since no member of it is better
 * than another. Failed models do not survive; cheap constraints are kept, which Archai ignores.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/algorithm/generation.h"

struct halving {
    archai_algorithm base;
    int64_t num_iters, init_num_models;
    double init_budget, budget_multiplier;
    archai_generation generation;
    size_t round; /* the first record of the last round */
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",         ARCHAI_OPT_INT,    offsetof(struct halving, num_iters),         1,    0x1p31, "10", "rounds", NULL, "at most so many rounds"},
    {"init_num_models",   ARCHAI_OPT_INT,    offsetof(struct halving, init_num_models),   1,    0x1p20, "10", "models", NULL, "random models of the first round"},
    {"init_budget",       ARCHAI_OPT_DOUBLE, offsetof(struct halving, init_budget),       1e-6, 1e9,    "1",  "epochs", NULL, "budget of the first round; kind = torch trains whole epochs, at least one"},
    {"budget_multiplier", ARCHAI_OPT_DOUBLE, offsetof(struct halving, budget_multiplier), 1.01, 1e6,    "2",  "",       NULL, "by how much the budget grows and the fronts shrink from round to round"},
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
    self->search->max_budget = budget_of(a, a->num_iters - 1);
    return ARCHAI_OK;
}

static void halving_fini(archai_algorithm *self)
{
    archai_generation_fini(&((struct halving *)self)->generation);
}

/* Keep of `rows` those on the fronts that survive. *n_fronts: how many there were. */
static int survivors(struct halving *a, size_t *rows, size_t *n, size_t *n_fronts,
                     archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t m = s->objectives->n_optimised;
    double *points = malloc((*n + 1) * m * sizeof *points);
    size_t *front = malloc((*n + 1) * sizeof *front), kept = 0, survive;
    int rc = ARCHAI_OK;

    *n_fronts = 0;
    if (points == NULL || front == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for the fronts of %zu models", *n);
        goto out;
    }
    for (size_t i = 0; i < *n; i++)
        archai_objectives_minimised(s->objectives, s->records[rows[i]].values, &points[i * m]);
    ARCHAI_TRY_GOTO(rc, archai_pareto_sort(points, *n, m, front, err), out);
    for (size_t i = 0; i < *n; i++)
        *n_fronts = front[i] + 1 > *n_fronts ? front[i] + 1 : *n_fronts;
    survive = (size_t)((double)*n_fronts / a->budget_multiplier);
    for (size_t i = 0; i < *n; i++)
        if (front[i] < (survive > 0 ? survive : 1))
            rows[kept++] = rows[i];
    *n = kept;
out:
    free(points);
    free(front);
    return rc;
}

/* The rows of the last round that count. */
static int last_round(const struct halving *a, size_t **out, size_t *n, archai_err *err)
{
    const archai_search *s = a->base.search;
    size_t *rows = malloc((s->n_records - a->round + 1) * sizeof *rows), count = 0;

    if (rows == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a round");
    for (size_t i = a->round; i < s->n_records; i++)
        if (s->records[i].status == ARCHAI_STATUS_OK)
            rows[count++] = i;
    *out = rows;
    *n = count;
    return ARCHAI_OK;
}

static int promote(struct halving *a, const size_t *rows, size_t n, double budget,
                   archai_proposals *batch, archai_err *err)
{
    archai_search *s = a->base.search;

    for (size_t i = 0; i < n; i++) {
        archai_trial p = {.budget = budget, .begin_at = s->records[rows[i]].stored};

        ARCHAI_TRY(archai_search_model(s, rows[i], &p.model, err));
        archai_trial_set_operator(&p, ARCHAI_OPERATOR_PROMOTION);
        ARCHAI_TRY(archai_proposals_push(batch, &p, err));
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
    size_t *rows = NULL, n = 0, fronts = 0, all;
    int rc;

    if (iteration == 0) {
        ARCHAI_TRY(archai_generation_sample(s, a->init_num_models, ARCHAI_MAX_ROUNDS, false,
                                            batch, err));
        for (size_t i = 0; i < batch->n; i++)
            batch->at[i].budget = budget;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(last_round(a, &rows, &n, err));
    all = n;
    rc = survivors(a, rows, &n, &fronts, err);
    if (rc == ARCHAI_OK && n == 0)
        (void)snprintf(s->done, sizeof s->done, "no model of round %d succeeded", iteration);
    else if (rc == ARCHAI_OK && all == 1)
        (void)snprintf(s->done, sizeof s->done, "one model is left after %d rounds: %.128s",
                       iteration, s->records[rows[0]].archid);
    else if (rc == ARCHAI_OK && fronts == 1)
        (void)snprintf(s->done, sizeof s->done,
                       "after %d rounds %zu models are left, none better than another",
                       iteration, n);
    else if (rc == ARCHAI_OK)
        rc = promote(a, rows, n, budget, batch, err);
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
    struct halving *a = (struct halving *)self;

    return archai_generation_propose(&a->generation, self, a->num_iters, breed, what, out, err);
}

extern const archai_algorithm_ops archai_algorithm_successive_halving;
const archai_algorithm_ops archai_algorithm_successive_halving = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "successive_halving",
    .help = "random models with growing budgets, the worse ones dropped round by round",
    .size = sizeof(struct halving),
    .options = options,
    .schedules = 1u << ARCHAI_GENERATIONAL,
    .init = halving_init,
    .fini = halving_fini,
    .propose = halving_propose,
    .tell = halving_tell,
};
