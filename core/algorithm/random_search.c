/* core/algorithm/random_search.c - independent random samples of the space.
 *
 * generational: Archai's RandomSearch, `samples_per_iter` samples an iteration that earlier
 * iterations have not seen; the draws are the space's, so search.seed plays no part. Archai's
 * loops for ever where a constraint cannot be met or the space is exhausted; here an iteration
 * is what ARCHAI_MAX_ROUNDS rounds gave, and an empty one ends the search.
 * async: one sample whenever a slot is free, never the same architecture twice.
 */
#include "core/algorithm/population.h"

struct random_search {
    archai_population population;
    int64_t samples_per_iter;
};

/* clang-format off */
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    {"samples_per_iter", ARCHAI_OPT_INT, offsetof(struct random_search, samples_per_iter), 1, 0x1p20, "10", "models", NULL, "generational: samples per iteration"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    const struct random_search *a = (struct random_search *)self;

    (void)iteration;
    return archai_generation_sample(self->search, a->samples_per_iter, ARCHAI_MAX_ROUNDS, true,
                                    batch, err);
}

static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    return archai_vary_random(self->search, out, err);
}

static int random_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                          archai_err *err)
{
    return archai_population_propose(self, breed, propose_next, what, out, err);
}

const archai_algorithm_ops archai_algorithm_random_search = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "random_search",
    .help = "independent random samples",
    .size = sizeof(struct random_search),
    .options = options,
    .independent = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .fini = archai_population_fini,
    .propose = random_propose,
};
