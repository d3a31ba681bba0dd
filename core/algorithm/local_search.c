/* core/algorithm/local_search.c - mutants of the front, nothing else.
 *
 * generational: Archai's LocalSearch: `mutations_per_parent` new mutants of every member of the
 * front of everything evaluated. Its search ends early when no member has a new mutant; so does
 * this one. Archai crashes where the space has no child and loops for ever where every mutant
 * violates a constraint; here both count as tries. Where all have failed it begins again at
 * random.
 * async: whenever a slot is free a mutant of that member of the front that was mutated least.
 */
#include <stdlib.h>

#include "core/algorithm/generation.h"

enum { PATIENCE = 20 };

struct local_search {
    archai_algorithm base;
    int64_t num_iters, init_num_models, mutations_per_parent;
    archai_strings initial_population_paths;
    archai_given given;
    archai_generation generation;
    archai_turns turns; /* async; from zero again in a new start */
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct local_search, num_iters),                1, 0x1p31, "10", "iterations", NULL, "generational: so many iterations"},
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct local_search, init_num_models),          1, 0x1p20, "10", "models",     NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct local_search, initial_population_paths), 0, 0,      "",   "",           NULL, "arch files to begin with instead"},
    {"mutations_per_parent",     ARCHAI_OPT_INT,     offsetof(struct local_search, mutations_per_parent),     1, 0x1p31, "1",  "models",     NULL, "generational: new mutants of each front member"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int local_init(archai_algorithm *self, archai_err *err)
{
    struct local_search *a = (struct local_search *)self;

    return archai_given_read(&a->given, self->search->space, &a->initial_population_paths, err);
}

static void local_fini(archai_algorithm *self)
{
    struct local_search *a = (struct local_search *)self;

    archai_given_fini(&a->given);
    archai_generation_fini(&a->generation);
    archai_turns_fini(&a->turns);
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct local_search *a = (struct local_search *)self;
    size_t *front = NULL, n;
    int rc;

    if (iteration == 0)
        return archai_generation_initial(self->search, &a->given, a->init_num_models,
                                         ARCHAI_MAX_ROUNDS, batch, err);
    if (archai_generation_is_barren(self->search))
        return archai_generation_sample(self->search, a->init_num_models, ARCHAI_MAX_ROUNDS,
                                        true, batch, err);
    ARCHAI_TRY(archai_generation_best(self->search, &front, &n, err));
    rc = archai_generation_mutate(self->search, front, n, a->mutations_per_parent, PATIENCE,
                                  false, batch, err);
    free(front);
    return rc;
}

static int propose_next(struct local_search *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    int rc = archai_vary_initial(s, &a->given, a->init_num_models, out, err);
    size_t *front;

    if (rc != ARCHAI_ENONE)
        return rc;
    if (s->front.n == 0)
        return archai_vary_random(s, out, err);
    front = malloc(s->front.n * sizeof *front);
    if (front == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a front of %zu", s->front.n);
    for (size_t i = 0; i < s->front.n; i++)
        front[i] = (size_t)s->front.tags[i];
    rc = archai_vary_mutate_in_turn(s, &a->turns, &a->base.rng, front, s->front.n, out, err);
    free(front);
    return rc;
}

static int local_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    struct local_search *a = (struct local_search *)self;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&a->generation, self, a->num_iters, breed, what, out,
                                         err);
    *what = ARCHAI_PROPOSED;
    return propose_next(a, out, err);
}

extern const archai_algorithm_ops archai_algorithm_local_search;
const archai_algorithm_ops archai_algorithm_local_search = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "local_search",
    .help = "mutants of the Pareto front",
    .size = sizeof(struct local_search),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = local_init,
    .fini = local_fini,
    .propose = local_propose,
};
