/* core/algorithm/evolution_pareto.c - mutants and crossovers of the Pareto front, and random samples.
 *
 * generational: Archai's EvolutionPareto, draw by draw: every member of the front of everything
 * evaluated is mutated, `num_crossovers` pairs are crossed, `num_random_mix` samples are added; the
 * algorithm's generator shuffles them, and the first `max_unseen_population` are evaluated. Where
 * Archai breaks, this does what its author meant: failed candidates are never on the front; a space
 * that has no child for a parent or a pair costs one try (Archai crashes); no population is bred
 * after the last iteration, where it would not be evaluated.
 * async: whenever a slot is free, one proposal: a mutant, a crossover or a random sample, in the
 * proportions that the parameters give to a generation (mutations_per_parent x parents, but at
 * most max_unseen_population : num_crossovers : num_random_mix). The parents are the front. Where
 * that is a single model, as with one objective, they are the last init_num_models that joined it:
 * with one parent there is no crossover, and five of six proposals would be random.
 */
#include <stdlib.h>

#include "core/algorithm/population.h"
#include "core/base/alloc.h"

enum { SAMPLE_ROUNDS = 5, MUTATION_PATIENCE = 20, CROSSOVER_TRIES = 30 };

struct evolution {
    archai_population population;
    int64_t num_random_mix, max_unseen_population, mutations_per_parent, num_crossovers;
    size_t *joined; /* async: the last init_num_models records that joined the front, a ring; owned */
    size_t n_joined, oldest, capacity;
};

/* clang-format off */
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    ARCHAI_POPULATION_INIT_NUM_MODELS,
    ARCHAI_POPULATION_PATHS,
    {"num_random_mix",        ARCHAI_OPT_INT, offsetof(struct evolution, num_random_mix),        1, 0x1p20, "5",   "models", NULL, "random models in each iteration"},
    {"max_unseen_population", ARCHAI_OPT_INT, offsetof(struct evolution, max_unseen_population), 1, 0x1p31, "100", "models", NULL, "largest number of models in each iteration"},
    {"mutations_per_parent",  ARCHAI_OPT_INT, offsetof(struct evolution, mutations_per_parent),  0, 0x1p31, "1",   "models", NULL, "mutants of each front member in each iteration"},
    {"num_crossovers",        ARCHAI_OPT_INT, offsetof(struct evolution, num_crossovers),        0, 0x1p20, "5",   "models", NULL, "crossovers in each iteration"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int evolution_init(archai_algorithm *self, archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    const archai_space *space = self->search->space;

    if (a->mutations_per_parent > 0 && !archai_space_can(space, "mutate"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "mutations_per_parent: space '%s' cannot mutate; set it to 0",
                           space->ops->name);
    if (a->num_crossovers > 0 && !archai_space_can(space, "crossover"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "num_crossovers: space '%s' has no crossover; set it to 0",
                           space->ops->name);
    return archai_population_init(self, err);
}

static void evolution_fini(archai_algorithm *self)
{
    archai_population_fini(self);
    free(((struct evolution *)self)->joined);
}

/* -- generational ------------------------------------------------------------------------ */

/* Make children of one pair until one satisfies the constraints; keep it if it is new. */
static int cross_pair(archai_search *s, size_t left, size_t right, archai_proposals *children,
                      archai_err *err)
{
    for (int i = 0; i < CROSSOVER_TRIES; i++) {
        archai_trial p;
        bool valid;
        int rc = archai_vary_crossover(s, left, right, &p, err);

        if (rc == ARCHAI_ENONE)
            return ARCHAI_OK;
        ARCHAI_TRY(rc);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid && archai_proposals_find(children, p.model.archid) == NULL &&
            !archai_search_seen(s, p.model.archid))
            archai_proposals_push(children, &p);
        archai_trial_fini(&p);
        if (rc != ARCHAI_OK || valid)
            return rc;
    }
    return ARCHAI_OK;
}

/* All pairs are drawn before the first child is made. */
static int cross_front(archai_algorithm *self, size_t count, const size_t *front, size_t n,
                       archai_proposals *children, archai_err *err)
{
    size_t(*pairs)[2];
    int rc = ARCHAI_OK;

    if (n < 2)
        return ARCHAI_OK;
    pairs = archai_malloc(count * sizeof *pairs);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++)
        rc = archai_rng_sample(&self->rng, n, 2, pairs[i], err);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++)
        rc = cross_pair(self->search, front[pairs[i][0]], front[pairs[i][1]], children, err);
    free(pairs);
    return rc;
}

static void shuffle_and_cut(archai_rng *rng, archai_proposals *all, int64_t most,
                            archai_proposals *batch)
{
    size_t *order = archai_malloc(all->n * sizeof *order);

    for (size_t i = 0; i < all->n; i++)
        order[i] = i;
    archai_rng_shuffle(rng, order, all->n);
    for (size_t i = 0; i < all->n && (int64_t)i < most; i++)
        archai_proposals_push(batch, &all->at[order[i]]);
    free(order);
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    archai_search *s = self->search;
    archai_proposals mutants = {.at = NULL}, all = {.at = NULL};
    size_t *front, n;
    int rc;

    if (iteration == 0)
        return archai_population_begin(&a->population, 0, SAMPLE_ROUNDS, batch, err);
    front = archai_ranking_best(s, &n);
    rc = archai_generation_mutate(s, front, n, a->mutations_per_parent, MUTATION_PATIENCE, true,
                                  &mutants, err);
    if (rc == ARCHAI_OK)
        rc = cross_front(self, (size_t)a->num_crossovers, front, n, &all, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < mutants.n; i++)
        archai_proposals_push(&all, &mutants.at[i]);
    if (rc == ARCHAI_OK)
        rc = archai_generation_sample(s, a->num_random_mix, SAMPLE_ROUNDS, false, &all, err);
    if (rc == ARCHAI_OK)
        shuffle_and_cut(&self->rng, &all, a->max_unseen_population, batch);
    archai_proposals_fini(&mutants);
    archai_proposals_fini(&all);
    free(front);
    return rc;
}

/* -- async ------------------------------------------------------------------------------- */

/* Remember what joins the front; its architecture is needed for as long. */
static int evolution_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    archai_search *s = self->search;

    (void)err;
    if (s->schedule == ARCHAI_GENERATIONAL || !s->records[record].on_front)
        return ARCHAI_OK;
    s->records[record].keep = true;
    if ((int64_t)a->n_joined < a->population.init_num_models) {
        ARCHAI_RESERVE(a->joined, a->capacity, a->n_joined + 1);
        a->joined[a->n_joined++] = record;
        return ARCHAI_OK;
    }
    archai_search_release(s, a->joined[a->oldest]);
    a->joined[a->oldest] = record;
    a->oldest = (a->oldest + 1) % a->n_joined;
    return ARCHAI_OK;
}

/* A random sample, or a child of parents that are drawn once. Drawing again for each try would favour
 * random samples far beyond their share, since they are nearly always new. */
static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    archai_search *s = self->search;
    const bool from_front = s->front.n >= 2;
    const size_t n = from_front ? s->front.n : a->n_joined;
    const double cap = (double)a->max_unseen_population,
                 all_mutants = (double)n * (double)a->mutations_per_parent;
    const double weights[] = {all_mutants < cap ? all_mutants : cap,
                              n >= 2 ? (double)a->num_crossovers : 0.0,
                              (double)a->num_random_mix};
    const size_t kind = archai_rng_choices(&self->rng, weights, 3), n_parents = kind == 1 ? 2 : 1;
    size_t parents[2];

    if (kind == 2)
        return archai_vary_random(s, out, err);
    ARCHAI_TRY(archai_rng_sample(&self->rng, n, n_parents, parents, err));
    for (size_t i = 0; i < n_parents; i++)
        parents[i] = from_front ? (size_t)s->front.tags[parents[i]] : a->joined[parents[i]];
    return archai_vary_new(s, parents, n_parents, out, err);
}

static int evolution_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                             archai_err *err)
{
    return archai_population_propose(self, breed, propose_next, what, out, err);
}

const archai_algorithm_ops archai_algorithm_evolution_pareto = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "evolution_pareto",
    .help = "mutation and crossover of the Pareto front, mixed with random samples",
    .size = sizeof(struct evolution),
    .options = options,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = evolution_init,
    .fini = evolution_fini,
    .propose = evolution_propose,
    .tell = evolution_tell,
};
