/* core/algorithm_mo_bananas.c - multi-objective BANANAS: an ensemble of networks predicts, mutants of
 * the best are ordered by Thompson sampling, the most promising ones are evaluated.
 *
 * generational: Archai's MoBananasSearch, draw by draw: parents are the first num_parents of all
 * evaluated models, front by front (values as float32); of each mutations_per_parent new mutants;
 * the surrogate learns all models anew and predicts the mutants (core/surrogate.h); num_candidates
 * of them, in the order of core/bananas.h, are the next iteration. Where Archai breaks, this does
 * what its author meant: failed models are neither parents nor learned from; when all have failed
 * it begins again at random; a mutant that the space cannot make costs one try. The networks'
 * numbers are not Archai's, which does not seed them.
 *
 * async: no worker waits. As soon as something was told, and no prediction is under way, new
 * mutants of the front are predicted by a surrogate that goes on from its last fit; the ranking
 * that comes back is handed out from its top until the next one is there, and the rest dropped.
 * It is made long enough for four times what the last one lost while the fit ran. Before the
 * first fit there are random samples, and should a ranking come to its end after all, mutants of
 * the front.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bananas.h"

enum {
    PATIENCE = 30,   /* generational: tries of each parent */
    SLICE = 4,       /* async: mutants in one step */
    POOL_MAX = 2000, /* candidates in a ranking */
    TRIES = 4        /* async: mutants tried for each that is wanted */
};

struct bananas {
    archai_algorithm base;
    int64_t num_iters, init_num_models, num_parents, mutations_per_parent, num_candidates;
    archai_strings initial_population_paths;
    int surrogate_model;
    int64_t num_ensemble_members, num_layers, width, num_tr_steps, num_warm_steps;
    double lr, replace_nan_value;

    archai_given given;
    archai_generation generation;
    size_t *rows; /* [n_rows], records that the surrogate learns from, in the order of learning */
    size_t n_rows, rows_capacity;
    size_t n_synced; /* generational: records that were looked at */
    size_t n_known;  /* rows of the last job */
    int64_t n_jobs;

    archai_bananas_pool pool;       /* what is being predicted, or going to be */
    archai_surrogate_answer answer; /* generational: for breed() */
    size_t *parents;                /* async: of the pool that is being bred; owned */
    size_t n_parents, tries, wanted;
    bool breeding;

    archai_proposals ranked; /* async: from `next` on, the most promising first */
    size_t next, n_spent;    /* handed out since the last job was made */
    bool alone;              /* async: there is no surrogate any more */
};

/* clang-format off */
#define X(name) #name " "
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct bananas, num_iters),                1, 0x1p31, "10",   "iterations", NULL, "generational: so many iterations"},
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct bananas, init_num_models),          1, 0x1p31, "10",   "models",     NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct bananas, initial_population_paths), 0, 0,      "",     "",           NULL, "arch files to begin with instead"},
    {"num_parents",              ARCHAI_OPT_INT,     offsetof(struct bananas, num_parents),              1, 0x1p20, "10",   "models",     NULL, "models that are mutated, the best ones"},
    {"mutations_per_parent",     ARCHAI_OPT_INT,     offsetof(struct bananas, mutations_per_parent),     1, 0x1p20, "5",    "models",     NULL, "new mutants of each, to choose from"},
    {"num_candidates",           ARCHAI_OPT_INT,     offsetof(struct bananas, num_candidates),           1, 0x1p31, "10",   "models",     NULL, "generational: of these, so many are evaluated in each iteration"},
    {"surrogate_model",          ARCHAI_OPT_CHOICE,  offsetof(struct bananas, surrogate_model),          0, 0,      "dnn_ensemble", "", ARCHAI_SURROGATE_LIST(X), "what predicts the expensive objectives"},
    {"num_ensemble_members",     ARCHAI_OPT_INT,     offsetof(struct bananas, num_ensemble_members),     1, ARCHAI_SURROGATE_MEMBERS_MAX, "5",    "networks", NULL, "dnn_ensemble: how many networks"},
    {"num_layers",               ARCHAI_OPT_INT,     offsetof(struct bananas, num_layers),               1, ARCHAI_SURROGATE_LAYERS_MAX,  "5",    "layers",   NULL, "dnn_ensemble: linear layers of each"},
    {"width",                    ARCHAI_OPT_INT,     offsetof(struct bananas, width),                    1, ARCHAI_SURROGATE_WIDTH_MAX,   "64",   "units",    NULL, "dnn_ensemble: units of each layer"},
    {"num_tr_steps",             ARCHAI_OPT_INT,     offsetof(struct bananas, num_tr_steps),             1, ARCHAI_SURROGATE_STEPS_MAX,   "500",  "steps",    NULL, "dnn_ensemble: training steps of a fit from scratch (Archai: 2000)"},
    {"num_warm_steps",           ARCHAI_OPT_INT,     offsetof(struct bananas, num_warm_steps),           1, ARCHAI_SURROGATE_STEPS_MAX,   "100",  "steps",    NULL, "dnn_ensemble: async: training steps of a fit that goes on from the last one"},
    {"lr",                       ARCHAI_OPT_DOUBLE,  offsetof(struct bananas, lr),                       1e-9, 1e3,  "1e-3", "",           NULL, "dnn_ensemble: learning rate of Adam (Archai: 1e-4)"},
    {"replace_nan_value",        ARCHAI_OPT_DOUBLE,  offsetof(struct bananas, replace_nan_value),        -1e9, 1e9,  "-1",   "",           NULL, "what an encoding's NaN is to the surrogate"},
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
    struct bananas *a = (struct bananas *)self;
    archai_search *s = self->search;
    bool expensive = false;

    for (size_t k = 0; k < s->objectives->n; k++)
        expensive = expensive || (archai_bananas_predicts(s, k) &&
                                  s->objectives->at[k].direction != ARCHAI_CONSTRAIN);
    if (!expensive)
        return archai_fail(err, ARCHAI_EINVAL,
                           "algorithm: mo_bananas needs an expensive objective: all of these "
                           "follow from the architecture, and nothing is left to predict");
    if (s->seed > UINT32_MAX) /* as numpy refuses it */
        return archai_fail(err, ARCHAI_EINVAL,
                           "seed: %llu, mo_bananas takes seeds up to 4294967295",
                           (unsigned long long)s->seed);
    archai_rng_seed_numpy(&self->rng, (uint32_t)s->seed);
    return archai_given_read(&a->given, s->space, &a->initial_population_paths, err);
}

static void bananas_fini(archai_algorithm *self)
{
    struct bananas *a = (struct bananas *)self;

    archai_given_fini(&a->given);
    archai_generation_fini(&a->generation);
    archai_bananas_pool_fini(&a->pool);
    archai_surrogate_answer_fini(&a->answer);
    archai_proposals_fini(&a->ranked);
    free(a->rows);
    free(a->parents);
}

/* -- what the surrogate learns ------------------------------------------------------------- */

/* Something predictable was measured: also of candidates that violate a constraint. */
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

static int learn(struct bananas *a, size_t record, archai_err *err)
{
    if (!teaches(a->base.search, &a->base.search->records[record]))
        return ARCHAI_OK;
    if (a->n_rows == a->rows_capacity) {
        const size_t capacity = a->rows_capacity == 0 ? 256 : 2 * a->rows_capacity;
        size_t *grown = realloc(a->rows, capacity * sizeof *grown);

        if (grown == NULL)
            return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu rows", capacity);
        a->rows = grown;
        a->rows_capacity = capacity;
    }
    a->rows[a->n_rows++] = record;
    return ARCHAI_OK;
}

static int bananas_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    archai_search *s = self->search;

    if (s->schedule == ARCHAI_ASYNC)
        return learn((struct bananas *)self, record, err);
    s->records[record].keep = archai_record_counts(&s->records[record]); /* may be a parent */
    return ARCHAI_OK;
}

/* -- the job ------------------------------------------------------------------------------- */

static void open_job(struct bananas *a)
{
    a->n_known = a->n_rows;
    a->base.search->job = ++a->n_jobs;
}

static int fill_rows(const struct bananas *a, size_t held, archai_surrogate_job *job,
                     archai_err *err)
{
    const archai_search *s = a->base.search;
    const size_t f = s->space->encoding_size, t = (size_t)job->n_targets, n = a->n_known - held;

    job->x = malloc((n * f + 1) * sizeof *job->x);
    job->y = malloc((n * t + 1) * sizeof *job->y);
    if (job->x == NULL || job->y == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu rows of the surrogate", n);
    for (size_t i = 0; i < n; i++) {
        const archai_record *r = &s->records[a->rows[held + i]];

        memcpy(&job->x[i * f], r->encoding, f * sizeof *job->x);
        for (size_t k = 0; k < s->objectives->n; k++)
            if (archai_bananas_predicts(s, k))
                job->y[job->n_y++] = (float)r->values[k];
    }
    job->n_x = n * f;
    return ARCHAI_OK;
}

static int fill_job(const struct bananas *a, size_t held, archai_surrogate_job *job,
                    archai_err *err)
{
    const archai_search *s = a->base.search;
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
        .kinds = strdup(kinds != NULL ? kinds : ""),
        .queries = malloc((n + 1) * sizeof *job->queries),
        .n_queries = n,
    };
    (void)snprintf(job->settings.model, sizeof job->settings.model, "%s",
                   models[a->surrogate_model]);
    if (job->kinds == NULL || job->queries == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a job of the surrogate");
    memcpy(job->queries, a->pool.encodings, n * sizeof *job->queries);
    return fill_rows(a, held, job, err);
}

/* -- generational -------------------------------------------------------------------------- */

/* The first num_parents models, front by front. Caller frees. */
static int best_rows(const struct bananas *a, size_t **out, size_t *n_out, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t m = s->objectives->n_optimised;
    size_t *rows = NULL, *order = NULL, *front = NULL, n = 0, n_order = 0;
    double *points = NULL;
    int rc;

    ARCHAI_TRY(archai_generation_rows(s, 0, &rows, &n, err));
    points = malloc((n + 1) * m * sizeof *points);
    order = malloc((n + 1) * sizeof *order);
    front = malloc((n + 1) * sizeof *front);
    if (points == NULL || order == NULL || front == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to sort %zu models", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        archai_pareto_minimised(s->objectives, s->records[rows[i]].values, &points[i * m]);
    for (size_t i = 0; i < n * m; i++)
        points[i] = (double)(float)points[i];
    ARCHAI_TRY_GOTO(rc, archai_pareto_sort_archai(points, n, m, order, front, &n_order, err), out);
    *n_out = n_order < (size_t)a->num_parents ? n_order : (size_t)a->num_parents;
    for (size_t i = 0; i < *n_out; i++)
        order[i] = rows[order[i]];
    *out = order;
    order = NULL;
out:
    free(rows);
    free(order);
    free(front);
    free(points);
    return rc;
}

/* Mutants of the best, as the pool of a job; none: the next iteration is not a prediction's. */
static int prepare(struct bananas *a, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_proposals mutants = {.at = NULL};
    size_t *parents = NULL, n = 0;
    int rc;

    archai_bananas_pool_fini(&a->pool);
    for (; a->n_synced < s->n_records; a->n_synced++)
        ARCHAI_TRY(learn(a, a->n_synced, err));
    ARCHAI_TRY(best_rows(a, &parents, &n, err));
    ARCHAI_TRY_GOTO(rc,
                    archai_generation_mutate(s, parents, n, a->mutations_per_parent, PATIENCE,
                                             false, &mutants, err),
                    out);
    for (size_t i = 0; i < mutants.n; i++)
        ARCHAI_TRY_GOTO(rc, archai_bananas_pool_add(&a->pool, s, &mutants.at[i], err), out);
    if (a->pool.proposals.n > 0 && a->n_rows > 0)
        open_job(a);
out:
    archai_proposals_fini(&mutants);
    free(parents);
    return rc;
}

/* Move the best `n` of the pool into a list. */
static int take_best(struct bananas *a, const archai_surrogate_answer *answer, size_t n,
                     archai_proposals *out, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_proposals *pool = &a->pool.proposals;
    const size_t t = archai_bananas_targets(s);
    size_t *order = malloc((pool->n + 1) * sizeof *order);
    int rc;

    if (order == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory to rank %zu candidates", pool->n);
    rc = archai_bananas_rank(s, &a->pool, answer->mean, answer->var, &a->base.rng, order, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < n && i < pool->n; i++) {
        const size_t at = order[i];

        rc = archai_bananas_note(s, &pool->at[at], &answer->mean[at * t], &answer->var[at * t],
                                 err);
        if (rc == ARCHAI_OK)
            rc = archai_proposals_push(out, &pool->at[at], err);
    }
    free(order);
    return rc;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct bananas *a = (struct bananas *)self;
    archai_search *s = self->search;
    int rc;

    if (iteration == 0)
        return archai_generation_initial(s, &a->given, a->init_num_models, ARCHAI_MAX_ROUNDS,
                                         batch, err);
    if (a->n_rows == 0) /* everything failed: begin again */
        return archai_generation_sample(s, a->init_num_models, ARCHAI_MAX_ROUNDS, true, batch,
                                        err);
    if (a->pool.proposals.n == 0)
        return ARCHAI_OK;
    rc = take_best(a, &a->answer, (size_t)a->num_candidates, batch, err);
    archai_surrogate_answer_fini(&a->answer);
    archai_bananas_pool_fini(&a->pool);
    return rc;
}

static int propose_generation(struct bananas *a, archai_propose *what, archai_proposal *out,
                              archai_err *err)
{
    archai_search *s = a->base.search;

    if (s->job == 0 && a->answer.id == 0 && archai_generation_is_over(&a->generation, s) &&
        a->generation.iteration + 1 < a->num_iters)
        ARCHAI_TRY(prepare(a, err));
    if (s->job != 0) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    return archai_generation_propose(&a->generation, &a->base, a->num_iters, breed, what, out,
                                     err);
}

/* -- async --------------------------------------------------------------------------------- */

static int propose_ranked(struct bananas *a, archai_proposal *out, archai_err *err)
{
    archai_search *s = a->base.search;
    const int rc = archai_vary_initial(s, &a->given, a->init_num_models, out, err);

    if (rc != ARCHAI_ENONE)
        return rc;
    a->n_spent++;
    while (a->next < a->ranked.n) {
        archai_proposal *p = &a->ranked.at[a->next++];

        if (archai_search_seen(s, p->model.archid)) {
            archai_proposal_fini(p);
            continue;
        }
        *out = *p;
        *p = (archai_proposal){.operator_ = NULL};
        return ARCHAI_OK;
    }
    if ((a->n_known == 0 && !a->alone) || s->front.n == 0)
        return archai_vary_random(s, out, err);
    return archai_vary_mutate(
        s, (size_t)s->front.tags[archai_rng_below(&a->base.rng, s->front.n)], out, err);
}

static int bananas_propose(archai_algorithm *self, archai_propose *what, archai_proposal *out,
                           archai_err *err)
{
    struct bananas *a = (struct bananas *)self;

    *what = ARCHAI_PROPOSED;
    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return propose_generation(a, what, out, err);
    return propose_ranked(a, out, err);
}

static size_t room(size_t n, size_t low)
{
    return n < low ? low : n > POOL_MAX ? POOL_MAX : n;
}

/* Parents are num_parents of the front, or all of it. */
static int begin_pool(struct bananas *a, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t n = s->front.n < (size_t)a->num_parents ? s->front.n : (size_t)a->num_parents;
    size_t *parents = malloc((n + 1) * sizeof *parents);

    if (parents == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu parents", n);
    free(a->parents);
    a->parents = parents;
    a->n_parents = n;
    ARCHAI_TRY(archai_rng_sample(&a->base.rng, s->front.n, n, parents, err));
    for (size_t i = 0; i < n; i++)
        parents[i] = (size_t)s->front.tags[parents[i]];
    archai_bananas_pool_fini(&a->pool);
    a->wanted = room(4 * a->n_spent, (size_t)(a->num_parents * a->mutations_per_parent));
    a->tries = 0;
    a->n_spent = 0;
    a->breeding = true;
    return ARCHAI_OK;
}

static bool holds(const archai_proposals *l, const char *archid)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->at[i].model.archid, archid) == 0)
            return true;
    return false;
}

static int add_mutant(struct bananas *a, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t parent = a->parents[a->tries++ % a->n_parents];
    archai_proposal p;
    bool valid;
    int rc;

    if (!s->records[parent].on_front) /* it was beaten in the meantime, and its text let go of */
        return ARCHAI_OK;
    rc = archai_vary_mutate(s, parent, &p, err);
    if (rc == ARCHAI_ENONE)
        return ARCHAI_OK;
    ARCHAI_TRY(rc);
    if (archai_search_seen(s, p.model.archid) || holds(&a->pool.proposals, p.model.archid)) {
        archai_proposal_fini(&p);
        return ARCHAI_OK;
    }
    rc = archai_search_valid(s, &p.model, &valid, err);
    if (rc == ARCHAI_OK && valid)
        return archai_bananas_pool_add(&a->pool, s, &p, err);
    archai_proposal_fini(&p);
    return rc;
}

static int step_pool(struct bananas *a, archai_err *err)
{
    for (int i = 0; i < SLICE; i++) {
        if (a->pool.proposals.n >= a->wanted || a->tries >= TRIES * a->wanted ||
            a->n_parents == 0) {
            a->breeding = false;
            a->n_known = a->n_rows; /* without a candidate nothing is to be done before more is told */
            if (a->pool.proposals.n > 0)
                open_job(a);
            return ARCHAI_OK;
        }
        ARCHAI_TRY(add_mutant(a, err));
    }
    return ARCHAI_OK;
}

static int bananas_job(archai_algorithm *self, size_t held, archai_surrogate_job *out, bool *got,
                       bool *busy, archai_err *err)
{
    struct bananas *a = (struct bananas *)self;
    archai_search *s = self->search;

    if (s->schedule == ARCHAI_ASYNC && s->job == 0 && !a->alone) {
        if (!a->breeding && a->n_rows > a->n_known && s->front.n > 0 &&
            (int64_t)s->n_finished >= a->init_num_models)
            ARCHAI_TRY(begin_pool(a, err));
        if (a->breeding)
            ARCHAI_TRY(step_pool(a, err));
        *busy = a->breeding;
    }
    if (s->job == 0)
        return ARCHAI_OK;
    *got = true;
    return fill_job(a, held, out, err);
}

static int bananas_answer(archai_algorithm *self, const archai_surrogate_answer *answer,
                          archai_err *err)
{
    struct bananas *a = (struct bananas *)self;
    archai_search *s = self->search;
    const size_t n = a->pool.proposals.n * archai_bananas_targets(s);

    if (answer->n_mean != n)
        return archai_fail(err, ARCHAI_EFORMAT,
                           "an answer of %zu numbers to a job of %zu candidates", answer->n_mean,
                           a->pool.proposals.n);
    s->job = 0;
    if (s->schedule == ARCHAI_ASYNC) {
        archai_proposals_fini(&a->ranked);
        a->next = 0;
        return take_best(a, answer, SIZE_MAX, &a->ranked, err);
    }
    a->answer = (archai_surrogate_answer){.id = answer->id, .n_mean = n, .n_var = n};
    a->answer.mean = malloc((n + 1) * sizeof *a->answer.mean);
    a->answer.var = malloc((n + 1) * sizeof *a->answer.var);
    if (a->answer.mean == NULL || a->answer.var == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu predictions", n);
    memcpy(a->answer.mean, answer->mean, n * sizeof *a->answer.mean);
    memcpy(a->answer.var, answer->var, n * sizeof *a->answer.var);
    return ARCHAI_OK;
}

static int bananas_forgo(archai_algorithm *self, archai_err *err)
{
    (void)err;
    ((struct bananas *)self)->alone = true;
    return ARCHAI_OK;
}

extern const archai_algorithm_ops archai_algorithm_mo_bananas;
const archai_algorithm_ops archai_algorithm_mo_bananas = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "mo_bananas",
    .help = "Thompson sampling among mutants of the best, predicted by an ensemble of networks",
    .size = sizeof(struct bananas),
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
    .forgo = bananas_forgo,
};
