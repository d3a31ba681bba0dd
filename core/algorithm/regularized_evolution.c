/* core/algorithm/regularized_evolution.c - mutants of the front of a sample of the recent
 * history.
 *
 * Source: Real, Aggarwal, Huang, Le 2019, "Regularized Evolution for Image Classifier
 * Architecture Search" (arXiv:1802.01548), with a Pareto front in place of the tournament's
 * winner. generational: Archai's RegularizedEvolution: of the last `history_size` rows a sample
 * of `pareto_sample_size` is drawn, and every member of its front (of values rounded to
 * float32) gets one new mutant. Archai crashes with its own defaults, since it draws more rows
 * than there are in the first iterations; here the sample is as large as the history then.
 * Failed candidates are no part of the history; where all have failed it begins again at
 * random. async: the paper's schedule: whenever a slot is free a sample is drawn from the last
 * `history_size` that finished, and a member of its front, picked at random, is mutated.
 */
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/generation.h"

enum { PATIENCE = 20 };

struct regularized {
    archai_algorithm base;
    int64_t num_iters, init_num_models, pareto_sample_size, history_size;
    archai_strings initial_population_paths;
    archai_given given;
    archai_generation generation;
    size_t *history; /* async: the last records that count, a ring; owned */
    size_t n_history, oldest;
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct regularized, num_iters),                1, 0x1p31, "10",  "iterations", NULL, "generational: so many iterations"},
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct regularized, init_num_models),          1, 0x1p20, "10",  "models",     NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct regularized, initial_population_paths), 0, 0,      "",    "",           NULL, "arch files to begin with instead"},
    {"pareto_sample_size",       ARCHAI_OPT_INT,     offsetof(struct regularized, pareto_sample_size),       1, 0x1p24, "40",  "models",     NULL, "models drawn from the history, whose front is mutated"},
    {"history_size",             ARCHAI_OPT_INT,     offsetof(struct regularized, history_size),             1, 0x1p24, "100", "models",     NULL, "the last so many models are drawn from"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int regularized_init(archai_algorithm *self, archai_err *err)
{
    struct regularized *a = (struct regularized *)self;

    a->history = malloc((size_t)a->history_size * sizeof *a->history);
    if (a->history == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "history_size: no memory for %lld models",
                           (long long)a->history_size);
    return archai_given_read(&a->given, self->search->space, &a->initial_population_paths, err);
}

static void regularized_fini(archai_algorithm *self)
{
    struct regularized *a = (struct regularized *)self;

    archai_given_fini(&a->given);
    archai_generation_fini(&a->generation);
    free(a->history);
}

/* The front of a sample of n rows, into `front` (room for n). */
static int sample_front(struct regularized *a, const size_t *rows, size_t n, bool as_float,
                        size_t *front, size_t *n_front, archai_err *err)
{
    size_t k = n < (size_t)a->pareto_sample_size ? n : (size_t)a->pareto_sample_size;

    ARCHAI_TRY(archai_rng_sample(&a->base.rng, n, k, front, err));
    for (size_t i = 0; i < k; i++)
        front[i] = rows[front[i]];
    *n_front = k;
    return archai_generation_front(a->base.search, front, n_front, as_float, err);
}

/* -- generational: the history follows from the records ---------------------------------- */

/* Everything that is told is kept; what has left the window by now is let go of. */
static int window(struct regularized *a, size_t **rows, size_t *n, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t limit = (size_t)a->history_size;

    ARCHAI_TRY(archai_generation_rows(s, limit, rows, n, err));
    for (size_t i = 0; *n > 0 && i < (*rows)[0]; i++)
        if (s->records[i].keep)
            archai_search_release(s, i);
    return ARCHAI_OK;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct regularized *a = (struct regularized *)self;
    size_t *rows = NULL, *front = NULL, n, n_front;
    int rc;

    if (iteration == 0)
        return archai_generation_initial(self->search, &a->given, a->init_num_models,
                                         ARCHAI_MAX_ROUNDS, batch, err);
    if (archai_generation_is_barren(self->search))
        return archai_generation_sample(self->search, a->init_num_models, ARCHAI_MAX_ROUNDS,
                                        true, batch, err);
    ARCHAI_TRY(window(a, &rows, &n, err));
    front = malloc((n + 1) * sizeof *front);
    rc = front == NULL
             ? archai_fail(err, ARCHAI_ENOMEM, "no memory for the front of %zu rows", n)
             : sample_front(a, rows, n, true, front, &n_front, err);
    if (rc == ARCHAI_OK)
        rc = archai_generation_mutate(self->search, front, n_front, 1, PATIENCE, false, batch,
                                      err);
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
        a->history[a->n_history++] = record;
        return ARCHAI_OK;
    }
    archai_search_release(s, a->history[a->oldest]);
    a->history[a->oldest] = record;
    a->oldest = (a->oldest + 1) % a->n_history;
    return ARCHAI_OK;
}

static int propose_next(struct regularized *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    int rc = archai_vary_initial(s, &a->given, a->init_num_models, out, err);
    size_t *front, n;

    if (rc != ARCHAI_ENONE)
        return rc;
    if (a->n_history == 0)
        return archai_vary_random(s, out, err);
    front = malloc(a->n_history * sizeof *front);
    if (front == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a sample");
    rc = sample_front(a, a->history, a->n_history, false, front, &n, err);
    if (rc == ARCHAI_OK)
        rc = archai_vary_mutate(s, front[archai_rng_below(&a->base.rng, n)], out, err);
    free(front);
    return rc;
}

static int regularized_propose(archai_algorithm *self, archai_propose *what,
                               archai_trial *out, archai_err *err)
{
    struct regularized *a = (struct regularized *)self;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&a->generation, self, a->num_iters, breed, what, out,
                                         err);
    *what = ARCHAI_PROPOSED;
    return propose_next(a, out, err);
}

extern const archai_algorithm_ops archai_algorithm_regularized_evolution;
const archai_algorithm_ops archai_algorithm_regularized_evolution = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "regularized_evolution",
    .help = "mutants of the front of a sample of the recent history (ageing evolution)",
    .size = sizeof(struct regularized),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = regularized_init,
    .fini = regularized_fini,
    .propose = regularized_propose,
    .tell = regularized_tell,
};
