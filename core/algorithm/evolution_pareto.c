/* core/algorithm/evolution_pareto.c - mutation and crossover of the Pareto front, and random
 * ones.
 *
 * generational: Archai's EvolutionPareto, draw by draw: of the front of everything evaluated
 * every member is mutated, `num_crossovers` pairs are crossed, `num_random_mix` samples are
 * added; the algorithm's generator shuffles them and the first `max_unseen_population` are
 * evaluated. Where Archai breaks, this does what its author meant: failed candidates are never
 * on the front; a space that has no child for a parent or a pair costs one try (Archai
 * crashes); the next population after the last iteration, which nobody evaluates, is not bred.
 * async: whenever a slot is free one proposal, by mutation, crossover or at random in the
 * proportions that the parameters give to a generation (mutations_per_parent x parents, but at
 * most max_unseen_population : num_crossovers : num_random_mix). The parents are the front;
 * where that is a single model, as it is with one objective, the last init_num_models that
 * joined it: of one parent there is no crossover, and five of six proposals would be random.
 */
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/generation.h"

enum { SAMPLE_ROUNDS = 5, MUTATION_PATIENCE = 20, CROSSOVER_TRIES = 30 };

struct evolution {
    archai_algorithm base;
    int64_t num_iters, init_num_models, num_random_mix, max_unseen_population;
    int64_t mutations_per_parent, num_crossovers;
    archai_strings initial_population_paths;
    archai_given given;
    archai_generation generation;
    size_t *joined; /* async: the last records that joined the front, a ring of init_num_models;
                       owned */
    size_t n_joined, oldest, capacity;
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct evolution, num_iters),                1, 0x1p31, "10",  "iterations", NULL, "generational: so many iterations"},
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct evolution, init_num_models),          1, 0x1p20, "10",  "models",     NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct evolution, initial_population_paths), 0, 0,      "",    "",           NULL, "arch files to begin with instead"},
    {"num_random_mix",           ARCHAI_OPT_INT,     offsetof(struct evolution, num_random_mix),           1, 0x1p20, "5",   "models",     NULL, "random models in each iteration"},
    {"max_unseen_population",    ARCHAI_OPT_INT,     offsetof(struct evolution, max_unseen_population),    1, 0x1p31, "100", "models",     NULL, "at most so many models in each iteration"},
    {"mutations_per_parent",     ARCHAI_OPT_INT,     offsetof(struct evolution, mutations_per_parent),     0, 0x1p31, "1",   "models",     NULL, "mutants of each front member in each iteration"},
    {"num_crossovers",           ARCHAI_OPT_INT,     offsetof(struct evolution, num_crossovers),           0, 0x1p20, "5",   "models",     NULL, "crossovers in each iteration"},
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
    free(a->joined);
}

/* -- generational ------------------------------------------------------------------------ */

/* Children of one pair until one satisfies the constraints; that one, if it is new. */
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
        if (rc == ARCHAI_OK && valid &&
            archai_proposals_find(children, p.model.archid) == NULL &&
            !archai_search_seen(s, p.model.archid))
            return archai_proposals_push(children, &p, err);
        archai_trial_fini(&p);
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
    ARCHAI_TRY_GOTO(rc, archai_generation_best(s, &front, &n, err), out);
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

/* Remember whoever joins the front; its architecture is needed for as long. */
static int evolution_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    struct evolution *a = (struct evolution *)self;
    archai_search *s = self->search;

    if (s->schedule == ARCHAI_GENERATIONAL || !s->records[record].on_front)
        return ARCHAI_OK;
    if (a->n_joined == a->capacity && (int64_t)a->capacity < a->init_num_models) {
        const size_t room = (size_t)a->init_num_models,
                     more = 2 * a->capacity + 8 < room ? 2 * a->capacity + 8 : room;
        size_t *grown = realloc(a->joined, more * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu parents", more);
        a->joined = grown;
        a->capacity = more;
    }
    s->records[record].keep = true;
    if (a->n_joined < a->capacity) {
        a->joined[a->n_joined++] = record;
        return ARCHAI_OK;
    }
    archai_search_release(s, a->joined[a->oldest]);
    a->joined[a->oldest] = record;
    a->oldest = (a->oldest + 1) % a->n_joined;
    return ARCHAI_OK;
}

static size_t parent_at(const struct evolution *a, bool from_front, size_t i)
{
    return from_front ? (size_t)a->base.search->front.tags[i] : a->joined[i];
}

/* A child by this operator of parents drawn once, a new one if there is one in as many tries as
 * a generation takes. Were everything drawn again, random samples and parents whose
 * surroundings nobody has tried would come up far more often than their share, since they are
 * nearly always new. */
static int breed_new(struct evolution *a, bool cross, bool from_front, size_t n,
                     archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_rng *rng = &a->base.rng;
    size_t pair[2] = {0, 0};
    int rc = ARCHAI_ENONE;

    ARCHAI_TRY(archai_rng_sample(rng, n, cross ? 2 : 1, pair, err));
    for (int i = 0; i < MUTATION_PATIENCE; i++) {
        if (rc == ARCHAI_OK)
            archai_trial_fini(out);
        if (cross)
            rc = archai_vary_crossover(s, parent_at(a, from_front, pair[0]),
                                       parent_at(a, from_front, pair[1]), out, err);
        else
            rc = archai_vary_mutate(s, parent_at(a, from_front, pair[0]), out, err);
        if (rc != ARCHAI_ENONE &&
            (rc != ARCHAI_OK || !archai_search_seen(s, out->model.archid)))
            return rc;
    }
    return rc;
}

static int propose_next(struct evolution *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    const bool from_front = s->front.n >= 2;
    const size_t n = from_front ? s->front.n : a->n_joined;
    const double cap = (double)a->max_unseen_population,
                 all_mutants = (double)n * (double)a->mutations_per_parent;
    const int rc = archai_vary_initial(s, &a->given, a->init_num_models, out, err);
    double weights[3];
    size_t kind;

    if (rc != ARCHAI_ENONE)
        return rc;
    weights[0] = all_mutants < cap ? all_mutants : cap;
    weights[1] = n >= 2 ? (double)a->num_crossovers : 0.0;
    weights[2] = (double)a->num_random_mix;
    kind = archai_rng_choices(&a->base.rng, weights, 3);
    return kind == 2 ? archai_vary_random(s, out, err)
                     : breed_new(a, kind == 1, from_front, n, out, err);
}

static int evolution_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
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
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = evolution_init,
    .fini = evolution_fini,
    .propose = evolution_propose,
    .tell = evolution_tell,
};
