/* core/algorithm/nsga2.c - NSGA-II: ranks, crowding and constraint domination.
 *
 * Source: Deb, Pratap, Agarwal, Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic
 * Algorithm: NSGA-II", IEEE TEC 6(2). The better of two candidates is the one of the lower
 * front, within a front the one in the less crowded place; whoever satisfies the constraints on
 * expensive measures comes before whoever does not, and of two that do not, the one that
 * violates them less (section VI; cheap constraints are met before anything is evaluated).
 * Parents win a tournament of two. Failed candidates never join the population. Differences: an
 * architecture is in the population once, and a child that was proposed before is bred again,
 * since its evaluation would tell nothing. generational: the paper's loop. async: steady state,
 * every result joins the population at once and the worst member leaves (Durillo, Nebro, Luna,
 * Alba 2009, "On the Effect of the Steady-State Selection Scheme in Multi-Objective Genetic
 * Algorithms").
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/generation.h"

enum { PATIENCE = 20 }; /* generational: tries for each child */

struct member {
    size_t record;
    size_t front;
    double crowding, violation;
};

struct nsga2 {
    archai_algorithm base;
    int64_t num_iters, population_size;
    double crossover_prob, mutation_prob;
    archai_strings initial_population_paths;
    archai_given given;
    archai_generation generation;
    struct member *members; /* [n], the best first; room for population_size + 1; owned */
    size_t n;
    size_t n_selected; /* generational: records that were considered so far */
};

/* clang-format off */
static const archai_option options[] = {
    {"num_iters",                ARCHAI_OPT_INT,     offsetof(struct nsga2, num_iters),                1, 0x1p31, "10",  "iterations", NULL, "generational: so many iterations"},
    {"population_size",          ARCHAI_OPT_INT,     offsetof(struct nsga2, population_size),          2, 0x1p20, "20",  "models",     NULL, "members of the population; as many random models to begin with"},
    {"initial_population_paths", ARCHAI_OPT_STRINGS, offsetof(struct nsga2, initial_population_paths), 0, 0,      "",    "",           NULL, "arch files to begin with instead"},
    {"crossover_prob",           ARCHAI_OPT_DOUBLE,  offsetof(struct nsga2, crossover_prob),           0, 1,      "0.5", "",           NULL, "probability that a child has two parents"},
    {"mutation_prob",            ARCHAI_OPT_DOUBLE,  offsetof(struct nsga2, mutation_prob),            0, 1,      "0.5", "",           NULL, "probability that a child of two parents is mutated as well"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int nsga2_init(archai_algorithm *self, archai_err *err)
{
    struct nsga2 *a = (struct nsga2 *)self;
    archai_space *space = self->search->space;

    if (a->crossover_prob > 0.0 && !archai_space_can(space, "crossover"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "crossover_prob: space '%s' has no crossover; 0 goes without",
                           space->ops->name);
    a->members = calloc((size_t)a->population_size + 1, sizeof *a->members);
    if (a->members == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "population_size: no memory for %lld models",
                           (long long)a->population_size);
    return archai_given_read(&a->given, space, &a->initial_population_paths, err);
}

static void nsga2_fini(archai_algorithm *self)
{
    struct nsga2 *a = (struct nsga2 *)self;

    archai_given_fini(&a->given);
    archai_generation_fini(&a->generation);
    free(a->members);
}

/* -- who is better ----------------------------------------------------------------------- */

/* By how much the constraints are violated, each relative to the bound that is. */
static double violation(const archai_objectives *o, const double *values)
{
    double sum = 0.0;

    for (size_t i = 0; i < o->n; i++) {
        const archai_doubles *c = &o->at[i].constraint;
        double bound, distance;

        if (c->n != 2 || (values[i] >= c->at[0] && values[i] <= c->at[1]))
            continue;
        if (isnan(values[i]))
            return INFINITY;
        bound = values[i] < c->at[0] ? c->at[0] : c->at[1];
        distance = fabs(values[i] - bound);
        sum += fabs(bound) > 0.0 ? distance / fabs(bound) : distance;
    }
    return sum;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    if (x->violation != y->violation)
        return x->violation < y->violation ? -1 : 1;
    if (x->front != y->front)
        return x->front < y->front ? -1 : 1;
    if (x->crowding != y->crowding)
        return x->crowding > y->crowding ? -1 : 1;
    return x->record < y->record ? -1 : x->record > y->record;
}

/* Those that satisfy the constraints first. */
static size_t split(struct member *m, size_t n)
{
    size_t feasible = 0;

    for (size_t i = 0; i < n; i++)
        if (m[i].violation == 0.0) {
            const struct member moved = m[i];

            m[i] = m[feasible];
            m[feasible++] = moved;
        }
    return feasible;
}

/* Fronts and crowding among members m[0..n). */
static int rank_among(archai_search *s, struct member *m, size_t n, archai_err *err)
{
    const size_t k = s->objectives->n_optimised;
    double *points = calloc((n + 1) * k, sizeof *points);
    double *crowding = malloc((n + 1) * sizeof *crowding);
    size_t *front = malloc((n + 1) * sizeof *front);
    int rc;

    if (points == NULL || crowding == NULL || front == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory to rank %zu models", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        archai_objectives_minimised(s->objectives, s->records[m[i].record].values, &points[i * k]);
    ARCHAI_TRY_GOTO(rc, archai_pareto_rank(points, n, k, front, crowding, err), out);
    for (size_t i = 0; i < n; i++) {
        m[i].front = front[i];
        m[i].crowding = crowding[i];
    }
out:
    free(points);
    free(crowding);
    free(front);
    return rc;
}

/* The best first. Whoever violates a constraint, however good otherwise, pushes none of the others
 * back; among themselves the violation decides, and where it is equal, fronts and crowding. */
static int rank(archai_search *s, struct member *m, size_t n, archai_err *err)
{
    const size_t feasible = split(m, n);

    ARCHAI_TRY(rank_among(s, m, feasible, err));
    ARCHAI_TRY(rank_among(s, &m[feasible], n - feasible, err));
    qsort(m, n, sizeof *m, compare_members);
    return ARCHAI_OK;
}

/* Does a record belong into a population at all? Repetitions are there already, and a given
 * architecture that violates a cheap constraint was never evaluated. */
static bool eligible(const archai_search *s, size_t record)
{
    const archai_record *r = &s->records[record];

    if (r->status != ARCHAI_STATUS_OK && r->status != ARCHAI_STATUS_INFEASIBLE)
        return false;
    for (size_t i = 0; i < s->objectives->n; i++)
        if (s->objectives->at[i].direction != ARCHAI_CONSTRAIN && !isfinite(r->values[i]))
            return false;
    return true;
}

static struct member member_of(const archai_search *s, size_t record)
{
    return (struct member){.record = record,
                           .violation = violation(s->objectives, s->records[record].values)};
}

static size_t win_tournament(struct nsga2 *a)
{
    const size_t i = archai_rng_below(&a->base.rng, a->n),
                 j = archai_rng_below(&a->base.rng, a->n);

    return a->members[i < j ? i : j].record; /* the best come first */
}

/* -- children ---------------------------------------------------------------------------- */

/* A mutant of a child that is not a record yet keeps the child's parents. */
static int mutate_child(archai_search *s, archai_trial *p, archai_err *err)
{
    archai_model mutant;

    ARCHAI_TRY(archai_space_mutate(s->space, &p->model, &mutant, err));
    json_decref(mutant.metadata);
    mutant.metadata = json_incref(p->model.metadata);
    archai_model_fini(&p->model);
    p->model = mutant;
    archai_trial_set_operator(p, "crossover+mutation");
    return ARCHAI_OK;
}

static int breed_one(struct nsga2 *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    archai_rng *rng = &a->base.rng;
    archai_trial p;
    size_t left, right;
    int rc;

    left = win_tournament(a);
    if (a->n < 2 || archai_rng_random(rng) >= a->crossover_prob)
        return archai_vary_mutate(s, left, out, err);
    do
        right = win_tournament(a);
    while (right == left && archai_rng_random(rng) < 0.9); /* better two, but not for ever */
    ARCHAI_TRY(archai_vary_crossover(s, left, right, &p, err));
    if (archai_rng_random(rng) < a->mutation_prob) {
        rc = mutate_child(s, &p, err);
        if (rc != ARCHAI_OK && rc != ARCHAI_ENONE) {
            archai_trial_fini(&p);
            return rc;
        }
    }
    *out = p;
    return ARCHAI_OK;
}

/* -- generational ------------------------------------------------------------------------ */

/* The best population_size of the population and what was evaluated since. */
static int select_survivors(struct nsga2 *a, archai_err *err)
{
    archai_search *s = a->base.search;
    const size_t room = (size_t)a->population_size;
    struct member *all = malloc((a->n + s->n_records - a->n_selected + 1) * sizeof *all);
    size_t n = a->n;
    int rc;

    if (all == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for a population");
    memcpy(all, a->members, a->n * sizeof *all);
    for (; a->n_selected < s->n_records; a->n_selected++)
        if (eligible(s, a->n_selected))
            all[n++] = member_of(s, a->n_selected);
    rc = rank(s, all, n, err);
    if (rc == ARCHAI_OK) {
        a->n = n < room ? n : room;
        memcpy(a->members, all, a->n * sizeof *all);
        for (size_t i = a->n; i < n; i++)
            archai_search_release(s, all[i].record);
    }
    free(all);
    return rc;
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct nsga2 *a = (struct nsga2 *)self;
    archai_search *s = self->search;

    if (iteration == 0)
        return archai_generation_initial(s, &a->given, a->population_size, ARCHAI_MAX_ROUNDS,
                                         batch, err);
    ARCHAI_TRY(select_survivors(a, err));
    if (a->n == 0) /* everything failed: begin again */
        return archai_generation_sample(s, a->population_size, ARCHAI_MAX_ROUNDS, true, batch,
                                        err);
    for (int64_t i = 0;
         i < a->population_size * PATIENCE && (int64_t)batch->n < a->population_size; i++) {
        archai_trial p;
        bool valid;
        int rc = breed_one(a, &p, err);

        if (rc == ARCHAI_ENONE)
            continue;
        ARCHAI_TRY(rc);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid && !archai_search_seen(s, p.model.archid) &&
            archai_proposals_find(batch, p.model.archid) == NULL)
            rc = archai_proposals_push(batch, &p, err);
        else
            archai_trial_fini(&p);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_OK;
}

/* -- async --------------------------------------------------------------------------------- */

static int nsga2_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    struct nsga2 *a = (struct nsga2 *)self;
    archai_search *s = self->search;

    if (!eligible(s, record))
        return ARCHAI_OK;
    s->records[record].keep = true;
    if (s->schedule == ARCHAI_GENERATIONAL)
        return ARCHAI_OK;
    a->members[a->n] = member_of(s, record);
    ARCHAI_TRY(rank(s, a->members, a->n + 1, err));
    if (a->n < (size_t)a->population_size)
        a->n++;
    else
        archai_search_release(s, a->members[a->n].record);
    return ARCHAI_OK;
}

static int propose_next(struct nsga2 *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->base.search;
    const int rc = archai_vary_initial(s, &a->given, a->population_size, out, err);

    if (rc != ARCHAI_ENONE)
        return rc;
    return a->n == 0 ? archai_vary_random(s, out, err) : breed_one(a, out, err);
}

static int nsga2_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    struct nsga2 *a = (struct nsga2 *)self;

    if (self->search->schedule == ARCHAI_GENERATIONAL)
        return archai_generation_propose(&a->generation, self, a->num_iters, breed, what, out,
                                         err);
    *what = ARCHAI_PROPOSED;
    return propose_next(a, out, err);
}

extern const archai_algorithm_ops archai_algorithm_nsga2;
const archai_algorithm_ops archai_algorithm_nsga2 = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "nsga2",
    .help = "NSGA-II: fronts, crowding, constraint domination",
    .size = sizeof(struct nsga2),
    .options = options,
    .needs = ARCHAI_NEEDS_MUTATE,
    .breeds = true,
    .schedules = 1u << ARCHAI_ASYNC | 1u << ARCHAI_GENERATIONAL,
    .init = nsga2_init,
    .fini = nsga2_fini,
    .propose = nsga2_propose,
    .tell = nsga2_tell,
};
