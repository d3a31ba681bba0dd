/* core/algorithm/nsga2.c - NSGA-II: ranks, crowding and constraint domination.
 *
 * Source: Deb, Pratap, Agarwal, Meyarivan 2002, "A Fast and Elitist Multiobjective Genetic
 * Algorithm: NSGA-II", IEEE TEC 6(2). The better of two candidates is the one on the lower
 * front; on the same front, the one in the less crowded place. Candidates that satisfy the
 * constraints on expensive measures come before those that do not, and of two that do not, the one
 * with the smaller violation wins (section VI; cheap constraints are met before anything is
 * evaluated). Parents win a tournament of two. Failed candidates never join the population.
 *
 * Differences from the paper: an architecture is in the population once, and a child that was
 * proposed before is bred again, since its evaluation would tell nothing new. generational: the
 * paper's loop. async: steady state, every result joins the population at once and the worst
 * member leaves (Durillo, Nebro, Luna, Alba 2009, "On the Effect of the Steady-State Selection
 * Scheme in Multi-Objective Genetic Algorithms").
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/population.h"
#include "core/base/alloc.h"

enum { PATIENCE = 20 }; /* generational: tries for each child */

struct nsga2 {
    archai_population population; /* its init_num_models is population_size */
    double crossover_prob, mutation_prob;
    archai_ranked *members; /* [n], the best first; owned */
    size_t n, capacity;
    size_t n_selected; /* generational: records that were considered so far */
};

/* clang-format off */
static const archai_option options[] = {
    ARCHAI_POPULATION_NUM_ITERS,
    {"population_size", ARCHAI_OPT_INT,    offsetof(archai_population, init_num_models), 2, 0x1p20, "20",  "models", NULL, "members of the population, and random models to begin with"},
    ARCHAI_POPULATION_PATHS,
    {"crossover_prob",  ARCHAI_OPT_DOUBLE, offsetof(struct nsga2, crossover_prob),          0, 1,      "0.5", "",       NULL, "probability that a child has two parents"},
    {"mutation_prob",   ARCHAI_OPT_DOUBLE, offsetof(struct nsga2, mutation_prob),           0, 1,      "0.5", "",       NULL, "probability that a child of two parents is mutated as well"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int nsga2_init(archai_algorithm *self, archai_err *err)
{
    const struct nsga2 *a = (struct nsga2 *)self;
    const archai_space *space = self->search->space;

    if (a->crossover_prob > 0.0 && !archai_space_can(space, "crossover"))
        return archai_fail(err, ARCHAI_EINVAL,
                           "crossover_prob: space '%s' has no crossover; set it to 0",
                           space->ops->name);
    return archai_population_init(self, err);
}

static void nsga2_fini(archai_algorithm *self)
{
    archai_population_fini(self);
    free(((struct nsga2 *)self)->members);
}

static size_t population_size(const struct nsga2 *a)
{
    return (size_t)a->population.init_num_models;
}

/* -- who is better ----------------------------------------------------------------------- */

/* How far the constraints are violated, each relative to the bound that it breaks. */
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

/* The best first. However good its objectives, a candidate that violates a constraint pushes none of the
 * others back; among the infeasible ones the violation decides, and where it is equal, fronts and
 * crowding. */
static void rank(const archai_search *s, archai_ranked *m, size_t n)
{
    size_t feasible = 0;

    for (size_t i = 0; i < n; i++)
        if (m[i].violation == 0.0) {
            const archai_ranked moved = m[i];

            m[i] = m[feasible];
            m[feasible++] = moved;
        }
    archai_ranking_sort(s, m, feasible);
    archai_ranking_sort(s, &m[feasible], n - feasible);
}

static archai_ranked member_of(const archai_search *s, size_t record)
{
    return (archai_ranked){.record = record,
                           .violation = violation(s->objectives, s->records[record].values)};
}

/* -- children ---------------------------------------------------------------------------- */

/* The mutant of a child, which is not a record yet, keeps the child's parents. */
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

static size_t win_tournament(const struct nsga2 *a, archai_rng *rng)
{
    const size_t i = archai_rng_below(rng, a->n), j = archai_rng_below(rng, a->n);

    return a->members[i < j ? i : j].record; /* the best come first */
}

static int breed_one(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    const struct nsga2 *a = (struct nsga2 *)self;
    archai_search *s = self->search;
    archai_rng *rng = &self->rng;
    const size_t left = win_tournament(a, rng);
    size_t right;
    int rc;

    if (a->n < 2 || archai_rng_random(rng) >= a->crossover_prob)
        return archai_vary_mutate(s, left, out, err);
    do
        right = win_tournament(a, rng);
    while (right == left && archai_rng_random(rng) < 0.9); /* two are better, but do not try for ever */
    ARCHAI_TRY(archai_vary_crossover(s, left, right, out, err));
    if (archai_rng_random(rng) >= a->mutation_prob)
        return ARCHAI_OK;
    rc = mutate_child(s, out, err);
    if (rc == ARCHAI_OK || rc == ARCHAI_ENONE)
        return ARCHAI_OK;
    archai_trial_fini(out);
    return rc;
}

/* -- generational ------------------------------------------------------------------------ */

/* The best population_size of the population and what was evaluated since. */
static void select_survivors(struct nsga2 *a, archai_search *s)
{
    size_t n = a->n;

    ARCHAI_RESERVE(a->members, a->capacity, n + s->n_records - a->n_selected);
    for (; a->n_selected < s->n_records; a->n_selected++)
        if (archai_ranking_has_result(s, &s->records[a->n_selected]))
            a->members[n++] = member_of(s, a->n_selected);
    rank(s, a->members, n);
    a->n = n < population_size(a) ? n : population_size(a);
    for (size_t i = a->n; i < n; i++)
        archai_search_release(s, a->members[i].record);
}

static int breed(archai_algorithm *self, int32_t iteration, archai_proposals *batch,
                 archai_err *err)
{
    struct nsga2 *a = (struct nsga2 *)self;
    archai_search *s = self->search;
    const size_t size = population_size(a);

    if (iteration > 0)
        select_survivors(a, s);
    if (a->n == 0) /* the first, or all failed: begin again */
        return archai_population_begin(&a->population, iteration, ARCHAI_MAX_ROUNDS, batch, err);
    for (size_t i = 0; i < size * PATIENCE && batch->n < size; i++) {
        archai_trial p;
        bool valid;
        int rc = breed_one(self, &p, err);

        if (rc == ARCHAI_ENONE)
            continue;
        ARCHAI_TRY(rc);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid && !archai_search_seen(s, p.model.archid) &&
            archai_proposals_find(batch, p.model.archid) == NULL)
            archai_proposals_push(batch, &p);
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

    (void)err;
    if (!archai_ranking_has_result(s, &s->records[record]))
        return ARCHAI_OK;
    s->records[record].keep = true;
    if (s->schedule == ARCHAI_GENERATIONAL)
        return ARCHAI_OK;
    ARCHAI_RESERVE(a->members, a->capacity, a->n + 1);
    a->members[a->n] = member_of(s, record);
    rank(s, a->members, a->n + 1);
    if (a->n < population_size(a))
        a->n++;
    else
        archai_search_release(s, a->members[a->n].record);
    return ARCHAI_OK;
}

static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    return ((struct nsga2 *)self)->n == 0 ? archai_vary_random(self->search, out, err)
                                          : breed_one(self, out, err);
}

static int nsga2_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    return archai_population_propose(self, breed, propose_next, what, out, err);
}

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
