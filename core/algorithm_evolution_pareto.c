/* core/algorithm_evolution_pareto.c - mutation and crossover of the Pareto front, and random
 * ones.
 *
 * generational: Archai's EvolutionPareto, draw by draw: of the front of everything evaluated
 * every member is mutated, `num_crossovers` pairs are crossed, `num_random_mix` samples are
 * added; the algorithm's generator shuffles them and the first `max_unseen_population` are
 * evaluated. Where Archai breaks, this does what its author meant: failed candidates are never
 * on the front; a space that has no child for a parent or a pair costs one try (Archai
 * crashes); the next population after the last iteration, which nobody evaluates, is not bred.
 * async: whenever a slot is free one proposal, by mutation, crossover or at random in the
 * proportions that the parameters give to a generation (mutations_per_parent x front, but at
 * most max_unseen_population : num_crossovers : num_random_mix).
 */
#include <stdlib.h>
#include <string.h>

#include "core/generation.h"

enum { SAMPLE_ROUNDS = 5, MUTATION_PATIENCE = 20, CROSSOVER_TRIES = 30 };

struct evolution {
    archai_algorithm base;
    int64_t num_iters, init_num_models, num_random_mix, max_unseen_population;
    int64_t mutations_per_parent, num_crossovers;
    archai_strings initial_population_paths;
    archai_given given;
    archai_generation generation;
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct evolution, num_iters),                1, 0x1p31, "10",  "iterations", NULL, "generational: so many iterations"},
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct evolution, init_num_models),          1, 0x1p31, "10",  "models",     NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct evolution, initial_population_paths), 0, 0,      "",    "",           NULL, "arch files to begin with instead"},
    {"num_random_mix",           ARCHAI_OPT_INT,     offsetof(struct evolution, num_random_mix),           1, 0x1p31, "5",   "models",     NULL, "random models in each iteration"},
    {"max_unseen_population",    ARCHAI_OPT_INT,     offsetof(struct evolution, max_unseen_population),    1, 0x1p31, "100", "models",     NULL, "at most so many models in each iteration"},
    {"mutations_per_parent",     ARCHAI_OPT_INT,     offsetof(struct evolution, mutations_per_parent),     0, 0x1p31, "1",   "models",     NULL, "mutants of each front member in each iteration"},
    {"num_crossovers",           ARCHAI_OPT_INT,     offsetof(struct evolution, num_crossovers),           0, 0x1p31, "5",   "models",     NULL, "crossovers in each iteration"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int evolution_init(archai_algorithm *self, archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    const archai_space *space = self->search->space;

    if (a->mutations_per_parent > 0 && !archai_space_can(space, "mutate"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "mutations_per_parent: space '%s' cannot mutate; 0 goes without",
                           space->ops->name);
    if (a->num_crossovers > 0 && !archai_space_can(space, "crossover"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "num_crossovers: space '%s' has no crossover; 0 goes without",
                           space->ops->name);
    return archai_given_read(&a->given, self->search->space, &a->initial_population_paths, err);
}

static void evolution_fini(archai_algorithm *self)
{
    struct evolution *a = (struct evolution *)self;

    archai_given_fini(&a->given);
    archai_generation_fini(&a->generation);
}

/* -- generational ------------------------------------------------------------------------ */

static bool holds(const archai_proposals *l, const char *archid)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i].model.archid, archid) == 0)
            return true;
    return false;
}

/* Children of one pair until one satisfies the constraints; that one, if it is new. */
static int cross_pair(archai_search *s, size_t left, size_t right, archai_proposals *children,
                      archai_err *err)
{
    for (int i = 0; i < CROSSOVER_TRIES; i++) {
        archai_proposal p;
        bool valid;
        int rc = archai_vary_crossover(s, left, right, &p, err);

        if (rc == ARCHAI_ENONE)
            return ARCHAI_OK;
        ARCHAI_TRY(rc);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid && !holds(children, p.model.archid) &&
            !archai_search_seen(s, p.model.archid))
            return archai_proposals_push(children, &p, err);
        archai_proposal_fini(&p);
        if (rc != ARCHAI_OK || valid)
            return rc;
    }
    return ARCHAI_OK;
}

/* All pairs are drawn before the first child is made. */
static int cross_front(struct evolution *a, const size_t *front, size_t n,
                       archai_proposals *children, archai_err *err)
{
    const size_t count = (size_t)a->num_crossovers;
    size_t(*pairs)[2];
    int rc = ARCHAI_OK;

    if (n < 2)
        return ARCHAI_OK;
    pairs = malloc((count + 1) * sizeof *pairs);
    if (pairs == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu crossovers", count);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++)
        rc = archai_rng_sample(&a->base.rng, n, 2, pairs[i], err);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++)
        rc = cross_pair(a->base.search, front[pairs[i][0]], front[pairs[i][1]], children, err);
    free(pairs);
    return rc;
}

static int append(archai_proposals *to, archai_proposals *from, archai_err *err)
{
    for (size_t i = 0; i < from->n; i++)
        ARCHAI_TRY(archai_proposals_push(to, &from->at[i], err));
    return ARCHAI_OK;
}

static int shuffle_and_cut(struct evolution *a, archai_proposals *all, archai_proposals *batch,
                           archai_err *err)
{
    size_t *order = malloc((all->n + 1) * sizeof *order);
    int rc = ARCHAI_OK;

    if (order == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a batch of %zu", all->n);
    for (size_t i = 0; i < all->n; i++)
        order[i] = i;
    archai_rng_shuffle(&a->base.rng, order, all->n);
    for (size_t i = 0; rc == ARCHAI_OK && i < all->n && (int64_t)i < a->max_unseen_population;
         i++)
        rc = archai_proposals_push(batch, &all->at[order[i]], err);
    free(order);
    return rc;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    archai_search *s = self->search;
    archai_proposals mutants = {.at = NULL}, all = {.at = NULL};
    size_t *front = NULL, n;
    int rc;

    if (iteration == 0)
        return archai_generation_initial(s, &a->given, a->init_num_models, SAMPLE_ROUNDS, batch,
                                         err);
    ARCHAI_TRY_GOTO(rc, archai_generation_rows(s, 0, &front, &n, err), out);
    ARCHAI_TRY_GOTO(rc, archai_generation_front(s, front, &n, false, err), out);
    ARCHAI_TRY_GOTO(rc,
                    archai_generation_mutate(s, front, n, a->mutations_per_parent,
                                             MUTATION_PATIENCE, true, &mutants, err),
                    out);
    ARCHAI_TRY_GOTO(rc, cross_front(a, front, n, &all, err), out);
    ARCHAI_TRY_GOTO(rc, append(&all, &mutants, err), out);
    ARCHAI_TRY_GOTO(
        rc, archai_generation_sample(s, a->num_random_mix, SAMPLE_ROUNDS, false, &all, err),
        out);
    rc = shuffle_and_cut(a, &all, batch, err);
out:
    archai_proposals_fini(&mutants);
    archai_proposals_fini(&all);
    free(front);
    return rc;
}

/* -- async ------------------------------------------------------------------------------- */

static int propose_next(struct evolution *a, archai_proposal *out, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_rng *rng = &a->base.rng;
    const double n = (double)s->front.n, cap = (double)a->max_unseen_population;
    double weights[3], all_mutants = n * (double)a->mutations_per_parent;
    const int rc = archai_vary_initial(s, &a->given, a->init_num_models, out, err);
    size_t pair[2];

    if (rc != ARCHAI_ENONE)
        return rc;
    weights[0] = all_mutants < cap ? all_mutants : cap;
    weights[1] = s->front.n >= 2 ? (double)a->num_crossovers : 0.0;
    weights[2] = (double)a->num_random_mix;
    if (weights[0] + weights[1] + weights[2] == 0.0)
        return archai_vary_random(s, out, err);
    switch (archai_rng_choices(rng, weights, 3)) {
    case 0:
        return archai_vary_mutate(s, (size_t)s->front.tags[archai_rng_below(rng, s->front.n)],
                                  out, err);
    case 1:
        ARCHAI_TRY(archai_rng_sample(rng, s->front.n, 2, pair, err));
        return archai_vary_crossover(s, (size_t)s->front.tags[pair[0]],
                                     (size_t)s->front.tags[pair[1]], out, err);
    default:
        return archai_vary_random(s, out, err);
    }
}

static int evolution_propose(archai_algorithm *self, archai_propose *what, archai_proposal *out,
                             archai_err *err)
{
    struct evolution *a = (struct evolution *)self;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&a->generation, self, a->num_iters, breed, what, out,
                                         err);
    *what = ARCHAI_PROPOSED;
    return propose_next(a, out, err);
}

extern const archai_algorithm_ops archai_algorithm_evolution_pareto;
const archai_algorithm_ops archai_algorithm_evolution_pareto = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "evolution_pareto",
    .help = "mutation and crossover of the Pareto front, mixed with random samples",
    .size = sizeof(struct evolution),
    .options = options,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = evolution_init,
    .fini = evolution_fini,
    .propose = evolution_propose,
};
