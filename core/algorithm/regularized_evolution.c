/* core/algorithm/regularized_evolution.c - mutants of the front of a sample of the recent
 * history.
 *
 * Source: Real, Aggarwal, Huang, Le 2019, "Regularized Evolution for Image Classifier
 * Architecture Search" (arXiv:1802.01548), with a Pareto front in place of the tournament's
 * winner. generational: Archai's RegularizedEvolution: of the last `history_size` rows a sample
 * of `pareto_sample_size` is drawn, and every member of its front (of values rounded to
 * float32) gets one new mutant. Archai crashes with its defaults, since in the first iterations it
 * draws more rows than there are; here the sample is the whole history then. Failed candidates
 * are not part of the history; where all have failed it begins again at random. async: the
 * paper's schedule: whenever a slot is free, a sample is drawn from the last `history_size` that
 * finished, and a random member of its front is mutated.
 */
#include <stdlib.h>

#include "core/algorithm/population.h"
#include "core/base/alloc.h"

enum { PATIENCE = 20 };

struct regularized {
    archai_population population;
    int64_t pareto_sample_size, history_size;
    size_t *history; /* async: the last records that count, a ring; owned */
    size_t n_history, capacity, oldest;
};

/* clang-format off */
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    ARCHAI_POPULATION_INIT_NUM_MODELS,
    ARCHAI_POPULATION_PATHS,
    {"pareto_sample_size", ARCHAI_OPT_INT, offsetof(struct regularized, pareto_sample_size), 1, 0x1p24, "40",  "models", NULL, "models drawn from the history; their front is mutated"},
    {"history_size",       ARCHAI_OPT_INT, offsetof(struct regularized, history_size),       1, 0x1p24, "100", "models", NULL, "how many of the last models the history holds"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static void regularized_fini(archai_algorithm *self)
{
    archai_population_fini(self);
    free(((struct regularized *)self)->history);
}

/* The front of a sample of rows[n], into `front` (room for n). */
static int sample_front(archai_algorithm *self, const size_t *rows, size_t n, bool as_float,
                        size_t *front, size_t *n_front, archai_err *err)
{
    const size_t size = (size_t)((struct regularized *)self)->pareto_sample_size,
                 k = n < size ? n : size;

    ARCHAI_TRY(archai_rng_sample(&self->rng, n, k, front, err));
    for (size_t i = 0; i < k; i++)
        front[i] = rows[front[i]];
    *n_front = archai_ranking_front(self->search, front, k, as_float);
    return ARCHAI_OK;
}

/* -- generational: the history follows from the records ---------------------------------- */

/* tell() keeps all architectures; those of records that have left the history are released here. */
static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct regularized *a = (struct regularized *)self;
    archai_search *s = self->search;
    size_t *rows, *front, n, n_old, n_front;
    int rc;

    if (iteration == 0 || archai_ranking_is_empty(s))
        return archai_population_begin(&a->population, iteration, ARCHAI_MAX_ROUNDS, batch, err);
    rows = archai_ranking_rows(s, &n);
    n_old = n > (size_t)a->history_size ? n - (size_t)a->history_size : 0;
    for (size_t i = 0; i < rows[n_old]; i++)
        if (s->records[i].keep)
            archai_search_release(s, i);
    front = archai_malloc((n - n_old) * sizeof *front);
    rc = sample_front(self, &rows[n_old], n - n_old, true, front, &n_front, err);
    if (rc == ARCHAI_OK)
        rc = archai_generation_mutate(s, front, n_front, 1, PATIENCE, false, batch, err);
    free(front);
    free(rows);
    return rc;
}

/* -- async: the history follows from the order of telling -------------------------------- */

static int regularized_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    struct regularized *a = (struct regularized *)self;
    archai_search *s = self->search;

    (void)err;
    if (!archai_record_counts(&s->records[record]))
        return ARCHAI_OK;
    s->records[record].keep = true;
    if (s->schedule == ARCHAI_GENERATIONAL)
        return ARCHAI_OK;
    if (a->n_history < (size_t)a->history_size) {
        ARCHAI_RESERVE(a->history, a->capacity, a->n_history + 1);
        a->history[a->n_history++] = record;
        return ARCHAI_OK;
    }
    archai_search_release(s, a->history[a->oldest]);
    a->history[a->oldest] = record;
    a->oldest = (a->oldest + 1) % a->n_history;
    return ARCHAI_OK;
}

static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    struct regularized *a = (struct regularized *)self;
    size_t *front, n;
    int rc;

    if (a->n_history == 0)
        return archai_vary_random(self->search, out, err);
    front = archai_malloc(a->n_history * sizeof *front);
    rc = sample_front(self, a->history, a->n_history, false, front, &n, err);
    if (rc == ARCHAI_OK)
        rc = archai_vary_mutate(self->search, front[archai_rng_below(&self->rng, n)], out, err);
    free(front);
    return rc;
}

static int regularized_propose(archai_algorithm *self, archai_propose *what,
                               archai_trial *out, archai_err *err)
{
    return archai_population_propose(self, breed, propose_next, what, out, err);
}

const archai_algorithm_ops archai_algorithm_regularized_evolution = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "regularized_evolution",
    .help = "mutants of the front of a sample of the recent history (ageing evolution)",
    .size = sizeof(struct regularized),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = archai_population_init,
    .fini = regularized_fini,
    .propose = regularized_propose,
    .tell = regularized_tell,
};
