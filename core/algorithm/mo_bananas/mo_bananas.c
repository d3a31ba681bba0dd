/* core/algorithm/mo_bananas/mo_bananas.c - multi-objective BANANAS: an ensemble of networks predicts,
 * mutants of the best are ordered by Thompson sampling, the most promising ones are evaluated.
 *
 * Source: White, Neiswanger, Savani 2021 (core/algorithm/mo_bananas/bananas.h), in the form of Archai's
 * MoBananasSearch. generational (bananas_generational.c) is Archai's, draw by draw. async
 * (bananas_async.c) has no iterations, so that no worker waits; there parents are drawn by what they
 * alone add to the front's hypervolume, and candidates are taken by what they would add, not at random
 * from the best front of the drawn values. This file holds what both share: options, rows to learn
 * from, and the jobs of the surrogate.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/mo_bananas/bananas_private.h"
#include "core/base/alloc.h"

/* clang-format off */
#define X(name) #name " "
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    ARCHAI_POPULATION_INIT_NUM_MODELS,
    ARCHAI_POPULATION_PATHS,
    {"num_parents",              ARCHAI_OPT_INT,     offsetof(archai_bananas, num_parents),              1, 0x1p20, "10",   "models",     NULL, "models that are mutated: the best; async: members of the front"},
    {"mutations_per_parent",     ARCHAI_OPT_INT,     offsetof(archai_bananas, mutations_per_parent),     1, 0x1p20, "5",    "models",     NULL, "new mutants of each parent, to choose from; async: at most 2000 in all"},
    {"num_candidates",           ARCHAI_OPT_INT,     offsetof(archai_bananas, num_candidates),           1, 0x1p31, "10",   "models",     NULL, "generational: how many of them are evaluated in each iteration"},
    {"max_per_fit",              ARCHAI_OPT_INT,     offsetof(archai_bananas, max_per_fit),              0, 0x1p31, "auto", "models",     "auto=-1", "async: models from one fit, after which slots wait for the next; auto: num_candidates or the number of slots, whichever is larger; 0: no limit"},
    {"surrogate_model",          ARCHAI_OPT_CHOICE,  offsetof(archai_bananas, surrogate_model),          0, 0,      "dnn_ensemble", "", ARCHAI_SURROGATE_LIST(X), "what predicts the expensive objectives"},
    {"num_ensemble_members",     ARCHAI_OPT_INT,     offsetof(archai_bananas, num_ensemble_members),     1, ARCHAI_SURROGATE_MEMBERS_MAX, "5",    "networks", NULL, "dnn_ensemble: number of networks"},
    {"num_layers",               ARCHAI_OPT_INT,     offsetof(archai_bananas, num_layers),               1, ARCHAI_SURROGATE_LAYERS_MAX,  "5",    "layers",   NULL, "dnn_ensemble: linear layers of each"},
    {"width",                    ARCHAI_OPT_INT,     offsetof(archai_bananas, width),                    1, ARCHAI_SURROGATE_WIDTH_MAX,   "64",   "units",    NULL, "dnn_ensemble: units of each layer"},
    {"num_tr_steps",             ARCHAI_OPT_INT,     offsetof(archai_bananas, num_tr_steps),             1, ARCHAI_SURROGATE_STEPS_MAX,   "500",  "steps",    NULL, "dnn_ensemble: training steps of a fit from scratch (Archai: 2000)"},
    {"num_warm_steps",           ARCHAI_OPT_INT,     offsetof(archai_bananas, num_warm_steps),           1, ARCHAI_SURROGATE_STEPS_MAX,   "100",  "steps",    NULL, "dnn_ensemble: async: training steps of a fit that continues from the last one"},
    {"lr",                       ARCHAI_OPT_DOUBLE,  offsetof(archai_bananas, lr),                       1e-9, 1e3,  "1e-3", "",           NULL, "dnn_ensemble: learning rate of Adam (Archai: 1e-4)"},
    {"replace_nan_value",        ARCHAI_OPT_DOUBLE,  offsetof(archai_bananas, replace_nan_value),        -1e9, 1e9,  "-1",   "",           NULL, "replaces NaN in encodings for the surrogate"},
    ARCHAI_OPTION_END,
};
static const char *const models[] = {
#undef X
#define X(name) #name,
    ARCHAI_SURROGATE_LIST(X)
#undef X
};
/* clang-format on */

static int bananas_init(archai_algorithm *self, archai_err *err)
{
    const archai_search *s = self->search;
    bool expensive = false;

    for (size_t k = 0; k < s->objectives->n; k++)
        expensive = expensive || (archai_bananas_predicts(s, k) &&
                                  s->objectives->at[k].direction != ARCHAI_CONSTRAIN);
    if (!expensive)
        return archai_fail(err, ARCHAI_EINVAL,
                           "algorithm: mo_bananas needs an expensive objective; these all follow "
                           "from the architecture, so there is nothing to predict");
    if (s->seed > UINT32_MAX) /* as numpy refuses it */
        return archai_fail(err, ARCHAI_EINVAL,
                           "seed: %llu, mo_bananas takes seeds up to 4294967295",
                           (unsigned long long)s->seed);
    archai_rng_seed_numpy(&self->rng, (uint32_t)s->seed);
    return archai_population_init(self, err);
}

static void bananas_fini(archai_algorithm *self)
{
    archai_bananas *a = (archai_bananas *)self;

    archai_population_fini(self);
    archai_bananas_pool_fini(&a->pool);
    archai_surrogate_answer_fini(&a->answer);
    archai_proposals_fini(&a->ranked);
    free(a->rows);
    free(a->parents);
}

/* -- what the surrogate learns ------------------------------------------------------------- */

/* Was something predictable measured? Also in candidates that violate a constraint. */
static bool teaches(const archai_search *s, const archai_record *r)
{
    if (r->status != ARCHAI_STATUS_OK && r->status != ARCHAI_STATUS_CACHED &&
        r->status != ARCHAI_STATUS_INFEASIBLE)
        return false;
    for (size_t k = 0; k < s->objectives->n; k++)
        if (archai_bananas_predicts(s, k) && isfinite(r->values[k]))
            return true;
    return false;
}

void archai_bananas_learn(archai_bananas *a, size_t record)
{
    const archai_search *s = a->population.base.search;

    if (!teaches(s, &s->records[record])) {
        a->n_vain += record >= a->ranked_from;
        return;
    }
    ARCHAI_RESERVE(a->rows, a->rows_capacity, a->n_rows + 1);
    a->rows[a->n_rows++] = record;
}

static int bananas_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    archai_search *s = self->search;

    (void)err;
    if (s->schedule == ARCHAI_ASYNC)
        archai_bananas_learn((archai_bananas *)self, record);
    else
        s->records[record].keep = archai_record_counts(&s->records[record]); /* may be a parent */
    return ARCHAI_OK;
}

/* -- the job ------------------------------------------------------------------------------- */

void archai_bananas_open_job(archai_bananas *a)
{
    a->n_known = a->n_rows;
    a->population.base.search->job = ++a->n_jobs;
}

static void fill_rows(const archai_bananas *a, size_t held, archai_surrogate_job *job)
{
    const archai_search *s = a->population.base.search;
    const size_t f = s->space->encoding_size, n = a->n_known - held;

    job->n_x = n * f;
    job->x = archai_malloc(job->n_x * sizeof *job->x);
    job->y = archai_malloc(n * (size_t)job->n_targets * sizeof *job->y);
    for (size_t i = 0; i < n; i++) {
        const archai_record *r = &s->records[a->rows[held + i]];

        memcpy(&job->x[i * f], r->encoding, f * sizeof *job->x);
        for (size_t k = 0; k < s->objectives->n; k++)
            if (archai_bananas_predicts(s, k))
                job->y[job->n_y++] = (float)r->values[k];
    }
}

static void fill_job(const archai_bananas *a, size_t held, archai_surrogate_job *job)
{
    const archai_search *s = a->population.base.search;
    const archai_space *space = s->space;
    const size_t n = a->pool.proposals.n * space->encoding_size;
    const char *kinds =
        space->ops->encoding_kinds != NULL ? space->ops->encoding_kinds(space) : NULL;
    bool warm;

    held = held <= a->n_known ? held : 0;
    warm = s->schedule == ARCHAI_ASYNC && held > 0;
    *job = (archai_surrogate_job){
        .id = s->job,
        .settings = {.num_ensemble_members = a->num_ensemble_members,
                     .num_layers = a->num_layers,
                     .width = a->width,
                     .num_tr_steps = warm ? a->num_warm_steps : a->num_tr_steps,
                     .lr = a->lr,
                     .replace_nan_value = a->replace_nan_value},
        .seed = archai_rng_derive(s->seed, (uint64_t)s->job),
        .warm = warm,
        .n_features = (int64_t)space->encoding_size,
        .n_targets = (int64_t)archai_bananas_targets(s),
        .held = (int64_t)held,
        .kinds = archai_strdup(kinds != NULL ? kinds : ""),
        .queries = archai_memdup(a->pool.encodings, n * sizeof *job->queries),
        .n_queries = n,
    };
    (void)snprintf(job->settings.model, sizeof job->settings.model, "%s",
                   models[a->surrogate_model]);
    fill_rows(a, held, job);
}

int archai_bananas_take_best(archai_bananas *a, const archai_surrogate_answer *answer, size_t n,
                             archai_proposals *out, archai_err *err)
{
    archai_search *s = a->population.base.search;
    archai_proposals *pool = &a->pool.proposals;
    const size_t t = archai_bananas_targets(s);
    size_t *order = archai_malloc(pool->n * sizeof *order);
    int rc = archai_bananas_rank(s, &a->pool, answer->mean, answer->var, &a->population.base.rng,
                                 order, err);

    for (size_t i = 0; rc == ARCHAI_OK && i < n && i < pool->n; i++) {
        const size_t at = order[i];

        archai_bananas_note(s, &pool->at[at], &answer->mean[at * t], &answer->var[at * t]);
        archai_proposals_push(out, &pool->at[at]);
    }
    free(order);
    return rc;
}

/* -- both schedules -------------------------------------------------------------------- */

static int bananas_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                           archai_err *err)
{
    archai_bananas *a = (archai_bananas *)self;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_bananas_generational_propose(a, what, out, err);
    *what = ARCHAI_PROPOSED;
    return archai_bananas_async_propose(a, what, out, err);
}

static int bananas_job(archai_algorithm *self, size_t held, archai_surrogate_job *out,
                       bool *got, bool *busy, archai_err *err)
{
    archai_bananas *a = (archai_bananas *)self;
    archai_search *s = self->search;

    if (s->schedule == ARCHAI_ASYNC)
        ARCHAI_TRY(archai_bananas_async_prepare(a, busy, err));
    if (s->job == 0)
        return ARCHAI_OK;
    *got = true;
    fill_job(a, held, out);
    return ARCHAI_OK;
}

static int bananas_answer(archai_algorithm *self, const archai_surrogate_answer *answer,
                          archai_err *err)
{
    archai_bananas *a = (archai_bananas *)self;
    archai_search *s = self->search;
    const size_t n = a->pool.proposals.n * archai_bananas_targets(s);

    if (answer->n_mean != n)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "an answer of %zu numbers to a job of %zu candidates",
                           answer->n_mean, a->pool.proposals.n);
    s->job = 0;
    if (s->schedule == ARCHAI_ASYNC)
        return archai_bananas_async_answer(a, answer, err);
    archai_bananas_generational_answer(a, answer);
    return ARCHAI_OK;
}

static int bananas_abandon_jobs(archai_algorithm *self, archai_err *err)
{
    (void)err;
    ((archai_bananas *)self)->alone = true;
    return ARCHAI_OK;
}

const archai_algorithm_ops archai_algorithm_mo_bananas = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "mo_bananas",
    .help = "Thompson sampling among mutants of the best, predicted by an ensemble of networks",
    .size = sizeof(archai_bananas),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE | ARCHAI_NEEDS_ENCODE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = bananas_init,
    .fini = bananas_fini,
    .propose = bananas_propose,
    .tell = bananas_tell,
    .job = bananas_job,
    .answer = bananas_answer,
    .abandon_jobs = bananas_abandon_jobs,
};
