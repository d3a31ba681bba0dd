/* core/algorithm_bayes_opt.c - Bayesian optimisation with a Gaussian process.
 *
 * After `init_num_models` random architectures every proposal is the one with the largest
 * expected improvement (Jones, Schonlau, Welch 1998) under a Gaussian process over the encoding
 * (core/gp.h), among all architectures of a small space, or among mutants of the best ones in a
 * large one (core/bayes_candidates.h).
 *
 * Targets are the ranks of what was measured as quantiles of the normal distribution, so that
 * neither outliers nor the unit matter. Several objectives: each proposal draws weights and
 * goes for the improvement of their augmented Chebyshev scalarisation (ParEGO, Knowles 2006),
 * one process for all. Who violates a constraint on an expensive measure ranks behind all who
 * do not.
 *
 * Candidates under way are part of the process with the value that it predicts for them, so
 * that many workers do not propose the same thing; failed ones stay in it like that until it is
 * rebuilt and are left out then. Kernel parameters are chosen anew whenever the process has
 * grown by half. At most 2,000 evaluations take part (the best, and others evenly over time);
 * beyond that a proposal takes no longer, and the history may go on.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/bayes_candidates.h"
#include "core/variation.h"

enum {
    POINTS_MAX = 2000,  /* in the process */
    POINTS_KEPT = 1200, /* of them when it is full */
    FIT_POINTS = 160,   /* that the likelihood looks at */
    APPEND_MAX = 32,    /* new records beyond which the process is rebuilt instead */
    BEST_MAX = 20,      /* records that are mutated */
    KNOWN_MIN = 3       /* results before the process is asked */
};

struct bayes {
    archai_algorithm base;
    int64_t init_num_models;
    archai_strings initial_population_paths;
    archai_given given;

    bool begun;
    archai_bayes_candidates candidates;
    archai_gp gp;
    size_t *rows; /* [n_rows], the record of each point of the process; owned */
    size_t n_rows, rows_capacity;
    size_t n_synced; /* records that were looked at */
    size_t next_fit; /* points of the process */
};

/* clang-format off */
static const archai_option options[] = {
    {"init_num_models",          ARCHAI_OPT_INT,     offsetof(struct bayes, init_num_models),          1, 0x1p31, "10", "models", NULL, "random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct bayes, initial_population_paths), 0, 0,      "",   "",       NULL, "arch files to begin with instead"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int bayes_init(archai_algorithm *self, archai_err *err)
{
    struct bayes *a = (struct bayes *)self;
    archai_space *space = self->search->space;

    if (!archai_bayes_enumerable(space) && !archai_space_can(space, "mutate"))
        return archai_fail(
            err, ARCHAI_EINVAL,
            "bayes_opt needs mutate, or a space of at most %d architectures that "
            "can be enumerated; space '%s' is neither",
            ARCHAI_BAYES_ENUMERABLE, space->ops->name);
    return archai_given_read(&a->given, space, &a->initial_population_paths, err);
}

static void bayes_fini(archai_algorithm *self)
{
    struct bayes *a = (struct bayes *)self;

    archai_given_fini(&a->given);
    archai_bayes_candidates_fini(&a->candidates);
    archai_gp_fini(&a->gp);
    free(a->rows);
}

/* -- targets
 * ----------------------------------------------------------------------------------------- */

/* Quantile of the standard normal distribution. Source: Wichura 1988, algorithm AS 241 (PPND7),
 * about 7 digits. 0 < p < 1. */
static double normal_quantile(double p)
{
    const double q = p - 0.5;
    double r, x;

    if (fabs(q) <= 0.425) {
        r = 0.180625 - q * q;
        return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
               (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
    }
    r = sqrt(-log(q < 0.0 ? p : 1.0 - p));
    if (r <= 5.0) {
        r -= 1.6;
        x = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
            ((0.12021132975 * r + 0.73700164250) * r + 1.0);
    } else {
        r -= 5.0;
        x = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
            ((0.012258202635 * r + 0.24197894225) * r + 1.0);
    }
    return q < 0.0 ? -x : x;
}

struct ranked {
    double cost; /* smaller is better */
    size_t at;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Replace costs by targets: normal quantiles of their ranks, the larger the better; equal costs
 * share the middle of their ranks. r[i].at says whose cost it is; r ends up sorted, the best
 * first. */
static void rank_targets(struct ranked *r, size_t n, double *targets)
{
    qsort(r, n, sizeof *r, compare_ranked);
    for (size_t from = 0, to; from < n; from = to) {
        double target;

        for (to = from + 1; to < n && r[to].cost == r[from].cost; to++)
            ;
        target = -normal_quantile(0.5 * (double)(from + to) / (double)n);
        for (size_t i = from; i < to; i++)
            targets[r[i].at] = target;
    }
}

/* The result of a point: ok or infeasible with all its objectives. */
static bool has_result(const archai_search *s, const archai_record *r)
{
    if (r->status != ARCHAI_STATUS_OK && r->status != ARCHAI_STATUS_INFEASIBLE)
        return false;
    for (size_t i = 0; i < s->objectives->n; i++)
        if (s->objectives->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(r->values[i]))
            return false;
    return true;
}

/* Results of all points, each objective as a rank on [0, 1]. */
struct results {
    size_t n, m;          /* points, objectives */
    bool *known;          /* [n] */
    double *targets;      /* [n], of the scalarisation */
    double *cost;         /* [n, m] */
    struct ranked *order; /* [n_known], the best first */
    size_t n_known;
};

static void results_free(struct results *r)
{
    free(r->known);
    free(r->targets);
    free(r->cost);
    free(r->order);
}

static int results_of(const struct bayes *a, struct results *out, archai_err *err)
{
    const archai_search *s = a->base.search;
    struct results r = {.n = a->n_rows, .m = s->objectives->n_optimised};

    r.known = calloc(r.n + 1, sizeof *r.known);
    r.targets = calloc(r.n + 1, sizeof *r.targets);
    r.cost = calloc(r.n * r.m + 1, sizeof *r.cost);
    r.order = calloc(r.n + 1, sizeof *r.order);
    if (r.known == NULL || r.targets == NULL || r.cost == NULL || r.order == NULL) {
        results_free(&r);
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for the results of %zu models", r.n);
    }
    for (size_t i = 0; i < r.n; i++) {
        const archai_record *record = &s->records[a->rows[i]];

        r.known[i] = has_result(s, record);
        if (!r.known[i])
            continue;
        archai_pareto_minimised(s->objectives, record->values, &r.cost[i * r.m]);
        r.n_known++;
    }
    for (size_t k = 0; k < r.m; k++) { /* ranks in place of values */
        size_t n = 0;

        for (size_t i = 0; i < r.n; i++)
            if (r.known[i])
                r.order[n++] = (struct ranked){.cost = r.cost[i * r.m + k], .at = i};
        rank_targets(r.order, n, r.targets);
        for (size_t i = 0; i < n; i++)
            r.cost[r.order[i].at * r.m + k] = -r.targets[r.order[i].at];
    }
    *out = r;
    return ARCHAI_OK;
}

/* Targets of one scalarisation. With one objective the weights do not matter. */
static void scalarise(const struct bayes *a, struct results *r, const double *weights)
{
    const archai_search *s = a->base.search;
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        double worst = -HUGE_VAL, sum = 0.0;

        if (!r->known[i])
            continue;
        for (size_t k = 0; k < r->m; k++) {
            const double u =
                0.5 * erfc(-r->cost[i * r->m + k] / sqrt(2.0)); /* back to (0, 1) */

            worst = fmax(worst, weights[k] * u);
            sum += weights[k] * u;
        }
        r->order[n++] = (struct ranked){.cost = worst + 0.05 * sum, .at = i};
        if (s->records[a->rows[i]].status == ARCHAI_STATUS_INFEASIBLE)
            r->order[n - 1].cost += 10.0; /* behind all others, whose costs are below 1.05 */
    }
    rank_targets(r->order, n, r->targets);
}

static void draw_weights(archai_rng *rng, double *weights, size_t m)
{
    double sum = 0.0;

    for (size_t k = 0; k < m; k++)
        sum += weights[k] = m > 1 ? -log(1.0 - archai_rng_random(rng)) : 1.0;
    for (size_t k = 0; k < m; k++)
        weights[k] /= sum;
}

/* -- the process
 * ------------------------------------------------------------------------------------- */

static int reserve_rows(struct bayes *a, size_t n, archai_err *err)
{
    size_t *grown;

    if (n <= a->rows_capacity)
        return ARCHAI_OK;
    grown = realloc(a->rows, 2 * n * sizeof *grown);
    if (grown == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu points", n);
    a->rows = grown;
    a->rows_capacity = 2 * n;
    return ARCHAI_OK;
}

/* Make the process of the records in `rows`. */
static int rebuild(struct bayes *a, archai_err *err)
{
    const archai_search *s = a->base.search;
    const size_t stride = a->candidates.features.stride;
    unsigned char *points = malloc(a->n_rows * stride + 1);
    int rc;

    if (points == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu points", a->n_rows);
    for (size_t i = 0; i < a->n_rows; i++)
        archai_gp_features_pack(&a->candidates.features, s->records[a->rows[i]].encoding,
                                points + i * stride);
    archai_bayes_candidates_drop(&a->candidates, &a->gp);
    rc = archai_gp_rebuild(&a->gp, points, a->n_rows, err);
    free(points);
    return rc;
}

static int append(struct bayes *a, size_t record, void *point, archai_err *err)
{
    archai_gp_features_pack(&a->candidates.features, a->base.search->records[record].encoding,
                            point);
    ARCHAI_TRY(archai_gp_append(&a->gp, point, err));
    return archai_gp_pool_extend(&a->candidates.pool, &a->gp, err);
}

/* Records that are new since the last proposal, whoever proposed them, become points. */
static int sync_rows(struct bayes *a, archai_err *err)
{
    const archai_search *s = a->base.search;
    const size_t before = a->n_rows;
    void *point = malloc(a->candidates.features.stride + 1);
    int rc = ARCHAI_OK;

    if (point == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a point");
    for (; a->n_synced < s->n_records; a->n_synced++) {
        const archai_record *r = &s->records[a->n_synced];

        archai_bayes_candidates_take(&a->candidates, &a->gp, r->archid);
        if (r->status != ARCHAI_STATUS_RUNNING && !has_result(s, r))
            continue;
        ARCHAI_TRY_GOTO(rc, reserve_rows(a, a->n_rows + 1, err), out);
        a->rows[a->n_rows++] = a->n_synced;
    }
    if (a->n_rows > before + APPEND_MAX)
        rc = rebuild(a, err);
    else
        for (size_t i = before; rc == ARCHAI_OK && i < a->n_rows; i++)
            rc = append(a, a->rows[i], point, err);
out:
    free(point);
    return rc;
}

/* Which rows stay: those under way and those with a result; when there are too many, of these
 * the best, and others evenly from the best to the worst. */
static int thin_rows(struct bayes *a, const struct results *r, archai_err *err)
{
    const archai_search *s = a->base.search;
    const size_t best = POINTS_KEPT / 2, stride = r->n_known / best + 1;
    bool *stay = calloc(r->n + 1, sizeof *stay);

    if (stay == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu points", r->n);
    for (size_t i = 0; i < r->n_known; i++)
        stay[r->order[i].at] = r->n <= POINTS_MAX || i < best || i % stride == 0;
    a->n_rows = 0;
    for (size_t i = 0; i < r->n; i++)
        if (stay[i] || s->records[a->rows[i]].status == ARCHAI_STATUS_RUNNING)
            a->rows[a->n_rows++] = a->rows[i];
    free(stay);
    return ARCHAI_OK;
}

/* The likelihood looks at the best points and at others evenly. Targets are those of each
 * objective. */
static int fit_kernel(struct bayes *a, const struct results *r, archai_err *err)
{
    const size_t n = r->n_known < FIT_POINTS ? r->n_known : FIT_POINTS;
    size_t *rows = malloc((n + 1) * sizeof *rows);
    double *targets = malloc((n * r->m + 1) * sizeof *targets);
    int rc;

    if (rows == NULL || targets == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to fit %zu points", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t half = n / 2, others = r->n_known - half;

        rows[i] = r->order[i < half ? i : half + (i - half) * others / (n - half)].at;
        for (size_t k = 0; k < r->m; k++)
            targets[k * n + i] = -r->cost[rows[i] * r->m + k];
    }
    rc = archai_gp_fit(&a->gp, rows, n, targets, r->m, err);
out:
    free(rows);
    free(targets);
    return rc;
}

/* -- ask and tell
 * --------------------------------------------------------------------------------------- */

/* Expected improvement of a normal variable over `best`. */
static double expected_improvement(double mean, double variance, double best)
{
    const double sigma = sqrt(variance), u = (mean - best) / sigma;

    if (!(sigma > 0.0))
        return fmax(mean - best, 0.0);
    return sigma *
           (u * 0.5 * erfc(-u / sqrt(2.0)) + exp(-0.5 * u * u) / sqrt(2.0 * acos(-1.0)));
}

/* Look at every member of the pool; *at is the best one. The pool is not empty. */
static int look(struct bayes *a, const struct results *r, size_t *at, archai_err *err)
{
    archai_bayes_candidates *c = &a->candidates;
    double best = -HUGE_VAL, most = -HUGE_VAL;

    for (size_t i = 0; i < r->n; i++)
        if (r->known[i])
            best = fmax(best, r->targets[i]);
    ARCHAI_TRY(archai_gp_solve(&a->gp, r->targets, r->known, err));
    ARCHAI_TRY(archai_gp_pool_predict(&c->pool, &a->gp, err));
    for (size_t i = 0; i < c->pool.n; i++) {
        const double ei = expected_improvement(
            c->pool.mean[i], archai_gp_pool_variance(&c->pool, &a->gp, i), best);

        c->numbers[c->pool.ids[i]].score = (float)ei;
        if (ei > most) {
            most = ei;
            *at = i;
        }
    }
    return ARCHAI_OK;
}

/* The most promising member that satisfies the cheap constraints; ARCHAI_ENONE: none does. */
static int pick(struct bayes *a, const struct results *r, archai_proposal *out, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_bayes_candidates *c = &a->candidates;
    size_t at = 0;

    if (c->pool.n > 0)
        ARCHAI_TRY(look(a, r, &at, err));
    while (c->pool.n > 0) {
        archai_proposal p = {.operator_ = "expected_improvement"};
        bool valid;
        int rc;

        ARCHAI_TRY(archai_bayes_candidates_model(c, s, at, &p.model, err));
        archai_bayes_candidates_remove(c, &a->gp, at);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid) {
            *out = p;
            return ARCHAI_OK;
        }
        archai_proposal_fini(&p);
        ARCHAI_TRY(rc);
        at = 0;
        for (size_t i = 1; i < c->pool.n; i++)
            if (c->numbers[c->pool.ids[i]].score > c->numbers[c->pool.ids[at]].score)
                at = i;
    }
    return ARCHAI_ENONE;
}

static int begin(struct bayes *a, archai_err *err)
{
    if (a->begun)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_bayes_candidates_init(&a->candidates, a->base.search, err));
    ARCHAI_TRY(archai_gp_init(&a->gp, &a->candidates.features, err));
    a->begun = true;
    return ARCHAI_OK;
}

/* A fresh kernel for a process that has grown by half since it got the last one. */
static int refresh(struct bayes *a, struct results *r, archai_err *err)
{
    if (a->n_rows < a->next_fit)
        return ARCHAI_OK;
    ARCHAI_TRY(fit_kernel(a, r, err));
    ARCHAI_TRY(thin_rows(a, r, err));
    a->next_fit = a->n_rows + a->n_rows / 2 + 2;
    if (a->next_fit > POINTS_MAX)
        a->next_fit = a->n_rows > POINTS_MAX ? a->n_rows + POINTS_MAX / 4 : POINTS_MAX + 1;
    ARCHAI_TRY(rebuild(a, err));
    results_free(r);
    return results_of(a, r, err);
}

static int propose_best(struct bayes *a, archai_proposal *out, archai_err *err)
{
    double weights[ARCHAI_MAX_OBJECTIVES] = {0};
    archai_search *s = a->base.search;
    size_t best[BEST_MAX], n_best;
    struct results r;
    int rc;

    ARCHAI_TRY(begin(a, err));
    ARCHAI_TRY(sync_rows(a, err));
    ARCHAI_TRY(results_of(a, &r, err));
    if (r.n_known < KNOWN_MIN) {
        results_free(&r);
        return archai_vary_random(s, out, err);
    }
    for (size_t k = 0; k < r.m; k++)
        weights[k] = 1.0 / (double)r.m;
    scalarise(a, &r, weights);
    ARCHAI_TRY_GOTO(rc, refresh(a, &r, err), out);
    draw_weights(&a->base.rng, weights, r.m);
    scalarise(a, &r, weights);
    for (n_best = 0; n_best < r.n_known && n_best < BEST_MAX; n_best++)
        best[n_best] = a->rows[r.order[n_best].at];
    ARCHAI_TRY_GOTO(rc,
                    archai_bayes_candidates_fill(&a->candidates, s, &a->gp, best, n_best,
                                                 &a->base.rng, err),
                    out);
    rc = pick(a, &r, out, err);
out:
    results_free(&r);
    return rc == ARCHAI_ENONE ? archai_vary_random(s, out, err) : rc;
}

static int bayes_propose(archai_algorithm *self, archai_propose *what, archai_proposal *out,
                         archai_err *err)
{
    struct bayes *a = (struct bayes *)self;
    const int rc = archai_vary_initial(self->search, &a->given, a->init_num_models, out, err);

    *what = ARCHAI_PROPOSED;
    return rc != ARCHAI_ENONE ? rc : propose_best(a, out, err);
}

static int bayes_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    archai_search *s = self->search;

    (void)err;
    if (has_result(s, &s->records[record]) && !archai_bayes_enumerable(s->space))
        s->records[record].keep = true; /* it may be mutated */
    return ARCHAI_OK;
}

extern const archai_algorithm_ops archai_algorithm_bayes_opt;
const archai_algorithm_ops archai_algorithm_bayes_opt = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "bayes_opt",
    .help = "expected improvement under a Gaussian process over the encoding",
    .size = sizeof(struct bayes),
    .options = options,
    .needs = ARCHAI_NEEDS_ENCODE,
    .schedules = 1u << ARCHAI_ASYNC,
    .init = bayes_init,
    .fini = bayes_fini,
    .propose = bayes_propose,
    .tell = bayes_tell,
};
