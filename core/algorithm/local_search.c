/* core/algorithm/local_search.c - mutants of the front, nothing else.
 *
 * generational: Archai's LocalSearch: `mutations_per_parent` new mutants of every member of the
 * front of everything evaluated. The search ends early when no member has a new mutant, as
 * Archai's does. Archai crashes where the space has no child and loops for ever where every mutant
 * violates a constraint; here both count as tries. Where all models have failed it begins again at
 * random.
 * async: whenever a slot is free, a mutant of the member of the front that was mutated least.
 */
#include <stdlib.h>

#include "core/algorithm/population.h"
#include "core/base/alloc.h"

enum { PATIENCE = 20 };

struct local_search {
    archai_population population;
    int64_t mutations_per_parent;
    archai_turns turns; /* async; from zero again in a new start */
};

/* clang-format off */
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    ARCHAI_POPULATION_INIT_NUM_MODELS,
    ARCHAI_POPULATION_PATHS,
    {"mutations_per_parent", ARCHAI_OPT_INT, offsetof(struct local_search, mutations_per_parent), 1, 0x1p31, "1", "models", NULL, "generational: new mutants of each front member"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static void local_fini(archai_algorithm *self)
{
    archai_population_fini(self);
    archai_turns_fini(&((struct local_search *)self)->turns);
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct local_search *a = (struct local_search *)self;
    size_t *front, n;
    int rc;

    if (iteration == 0 || archai_ranking_is_empty(self->search))
        return archai_population_begin(&a->population, iteration, ARCHAI_MAX_ROUNDS, batch, err);
    front = archai_ranking_best(self->search, &n);
    rc = archai_generation_mutate(self->search, front, n, a->mutations_per_parent, PATIENCE,
                                  false, batch, err);
    free(front);
    return rc;
}

static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    struct local_search *a = (struct local_search *)self;
    archai_search *s = self->search;
    size_t *front;
    int rc;

    if (s->front.n == 0)
        return archai_vary_random(s, out, err);
    front = archai_malloc(s->front.n * sizeof *front);
    for (size_t i = 0; i < s->front.n; i++)
        front[i] = (size_t)s->front.tags[i];
    rc = archai_vary_mutate_in_turn(s, &a->turns, &self->rng, front, s->front.n, out, err);
    free(front);
    return rc;
}

static int local_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    return archai_population_propose(self, breed, propose_next, what, out, err);
}

const archai_algorithm_ops archai_algorithm_local_search = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "local_search",
    .help = "mutants of the Pareto front",
    .size = sizeof(struct local_search),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = archai_population_init,
    .fini = local_fini,
    .propose = local_propose,
};
