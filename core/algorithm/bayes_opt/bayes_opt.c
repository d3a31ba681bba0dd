/* core/algorithm/bayes_opt/bayes_opt.c - Bayesian optimisation with Gaussian processes.
 *
 * After `init_num_models` random architectures every proposal is the one with the largest expected
 * improvement of what is known: the best value of one objective, or the hypervolume of the front of
 * several (bayes_improvement.h), under one Gaussian process per objective over the encoding (gp.h). The
 * candidates are all architectures of a small space, or in a large one mutants of the best
 * (bayes_candidates.h). bayes_results.h says how measures become targets of the processes.
 *
 * Candidates under way are part of the processes, with the values that these predict for them, and of
 * the front, so that many workers do not propose the same thing. Failed ones stay in the processes like
 * that until new processes are made without them.
 *
 * Kernels are chosen anew whenever the processes have grown by half. That work is spread over
 * proposals: new processes grow beside the old ones, a fixed amount with each proposal, counted in
 * multiplications and not in time, and replace them when they are complete. At most 1,500 evaluations
 * take part (the best, and others evenly from the best to the worst); so a proposal takes no
 * longer, however long the history grows.
 */
#include <math.h>
#include <stdlib.h>

#include "core/algorithm/bayes_opt/bayes_front.h"
#include "core/algorithm/bayes_opt/bayes_look.h"
#include "core/algorithm/population.h"
#include "core/base/alloc.h"

enum {
    POINTS_MAX = 1500,  /* in the processes */
    POINTS_KEPT = 1000, /* of them when they are full */
    BURST = 128,   /* with more new records at once (a resumed search) all is made anew */
    BEST_MAX = 40, /* records that are mutated */
    KNOWN_MIN = 3  /* results before the processes are asked */
};
/* Multiplications with each proposal for new members, and for new processes: about 15 ms. */
static const double proposal_work = 6e7;

struct bayes {
    archai_population population;

    bool begun;
    archai_bayes_candidates candidates;
    size_t n_synced; /* records that were looked at */
    size_t next_fit; /* points with which new processes are begun */
    size_t n_fitted; /* objectives whose new process has its kernel */
};

/* clang-format off */
static const archai_option options[] = {
    {"init_num_models", ARCHAI_OPT_INT, offsetof(archai_population, init_num_models), 1, 0x1p31, "10", "models", NULL, "random models to begin with"},
    ARCHAI_POPULATION_PATHS,
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int bayes_init(archai_algorithm *self, archai_err *err)
{
    const archai_space *space = self->search->space;

    if (!archai_bayes_enumerable(space) && !archai_space_can(space, "mutate"))
        return archai_fail(
            err, ARCHAI_EINVAL,
            "algorithm: bayes_opt needs a space that can mutate, or one of at most %d "
            "architectures that can be enumerated; space '%s' is neither",
            ARCHAI_BAYES_ENUMERABLE, space->ops->name);
    return archai_population_init(self, err);
}

static void bayes_fini(archai_algorithm *self)
{
    archai_population_fini(self);
    archai_bayes_candidates_fini(&((struct bayes *)self)->candidates);
}

/* -- the processes ------------------------------------------------------------------------- */

/* Which rows new processes get: those under way and those with a result. Where the latter are too many:
 * the best, others evenly from the best to the worst, and the first ones. */
static void choose_rows(struct bayes *a, const archai_bayes_results *r)
{
    archai_search *s = a->population.base.search;
    const archai_bayes_model *now = &a->candidates.now;
    const size_t best = POINTS_KEPT / 2, others = r->n_known / best + 1;
    bool *stay = archai_calloc(r->n, sizeof *stay);

    for (size_t i = 0; i < r->n_known; i++)
        stay[r->order[i]] = r->n <= POINTS_MAX || i < best || i % others == 0 ||
                            r->order[i] < ARCHAI_BAYES_FIRST;
    for (size_t i = 0; i < r->n; i++)
        if (stay[i] || s->records[now->rows[i]].status == ARCHAI_STATUS_RUNNING)
            archai_bayes_model_row(&a->candidates.next, now->rows[i]);
        else
            archai_search_release(s, now->rows[i]); /* it will not be mutated any more */
    free(stay);
}

static void begin_next(struct bayes *a, const archai_bayes_results *r)
{
    archai_bayes_candidates *c = &a->candidates;

    archai_bayes_model_init(&c->next, &c->features, r->m, c->capacity);
    choose_rows(a, r);
    a->n_fitted = 0;
    a->next_fit = c->next.n_rows + c->next.n_rows / 2 + 2;
    if (a->next_fit > POINTS_MAX)
        a->next_fit =
            c->next.n_rows > POINTS_MAX ? c->next.n_rows + POINTS_MAX / 4 : POINTS_MAX + 1;
}

/* Build the new processes further: their kernels, their points, their members. True: they have replaced
 * the old ones. */
static bool work_on_next(struct bayes *a, const archai_bayes_results *r, double *work)
{
    archai_search *s = a->population.base.search;
    archai_bayes_candidates *c = &a->candidates;

    for (; *work > 0.0 && a->n_fitted < r->m; a->n_fitted++) {
        archai_bayes_model_fit(&c->next, &c->now, a->n_fitted, s, c->now.rows, r);
        *work -= archai_bayes_model_fit_work(r);
    }
    if (*work > 0.0)
        archai_bayes_model_grow(&c->next, s, work);
    if (!(*work > 0.0) || !archai_bayes_candidates_move(c, work))
        return false;
    archai_bayes_candidates_swap(c);
    return true;
}

/* New processes at once, whatever that takes. */
static void begin_anew(struct bayes *a)
{
    archai_bayes_candidates *c = &a->candidates;
    archai_bayes_results r;
    double work = HUGE_VAL;

    archai_bayes_model_fini(&c->next);
    archai_bayes_results_of(&r, a->population.base.search, c->now.rows, c->now.n_rows);
    if (r.n_known >= KNOWN_MIN) {
        begin_next(a, &r);
        (void)work_on_next(a, &r, &work);
    }
    archai_bayes_results_fini(&r);
}

/* Records that are new since the last proposal, whatever proposed them, become points. Where there are
 * very many of them (a resumed search) new processes are made at once. */
static void sync_rows(struct bayes *a)
{
    const archai_search *s = a->population.base.search;
    archai_bayes_candidates *c = &a->candidates;
    double work = HUGE_VAL;

    for (; a->n_synced < s->n_records; a->n_synced++) {
        const archai_record *r = &s->records[a->n_synced];

        archai_bayes_candidates_take(c, r->archid);
        if (r->status != ARCHAI_STATUS_RUNNING && !archai_ranking_has_result(s, r))
            continue;
        archai_bayes_model_row(&c->now, a->n_synced);
        if (c->next.m > 0)
            archai_bayes_model_row(&c->next, a->n_synced);
    }
    if (c->now.n_rows > c->now.gp[0].n + BURST)
        begin_anew(a);
    archai_bayes_model_grow(&c->now, s, &work);
    if (c->next.m > 0 && archai_bayes_model_members(&c->next) > 0)
        archai_bayes_model_grow(&c->next, s, &work);
}

/* -- ask and tell -------------------------------------------------------------------------- */

/* The most promising member that satisfies the cheap constraints; ARCHAI_ENONE: none does. */
static int pick(struct bayes *a, archai_trial *out, archai_err *err)
{
    archai_search *s = a->population.base.search;
    archai_bayes_candidates *c = &a->candidates;

    while (archai_bayes_model_members(&c->now) > 0) {
        const uint32_t number = archai_bayes_most_promising(c);
        archai_trial p = {.operator_ = NULL};
        bool valid;
        int rc;

        ARCHAI_TRY(archai_bayes_candidates_model(c, s, number, &p.model, err));
        archai_trial_set_operator(&p, "expected_improvement");
        archai_bayes_candidates_remove(c, number);
        rc = archai_search_valid(s, &p.model, &valid, err);
        if (rc == ARCHAI_OK && valid) {
            *out = p;
            return ARCHAI_OK;
        }
        archai_trial_fini(&p);
        ARCHAI_TRY(rc);
    }
    return ARCHAI_ENONE;
}

/* Candidates for this proposal: new members, or something done for the new processes. Results
 * are then those of the records that the processes have. */
static int prepare(struct bayes *a, archai_bayes_results *r, archai_err *err)
{
    archai_search *s = a->population.base.search;
    archai_bayes_candidates *c = &a->candidates;
    size_t best[BEST_MAX], n_best = 0;
    double work = proposal_work;

    if (c->next.m == 0 && c->now.n_rows >= a->next_fit)
        begin_next(a, r);
    if (c->next.m > 0 && work_on_next(a, r, &work)) {
        archai_bayes_results_fini(r);
        archai_bayes_results_of(r, s, c->now.rows, c->now.n_rows);
    }
    if (c->next.m > 0 && archai_bayes_model_members(&c->now) > 0)
        return ARCHAI_OK;
    for (size_t i = 0; i < r->n_known && n_best < BEST_MAX; i++) {
        const size_t row = c->now.rows[r->order[i]];

        if (s->records[row].arch != NULL) /* else choose_rows() has released it */
            best[n_best++] = row;
    }
    work = fmax(work, 0.0);
    return archai_bayes_candidates_fill(c, s, best, n_best, &a->population.base.rng, &work, err);
}

static int propose_next(archai_algorithm *self, archai_trial *out, archai_err *err)
{
    struct bayes *a = (struct bayes *)self;
    archai_bayes_candidates *c = &a->candidates;
    archai_search *s = self->search;
    archai_bayes_results r;
    int rc = ARCHAI_ENONE;

    if (!a->begun)
        ARCHAI_TRY(archai_bayes_candidates_init(c, s, err));
    a->begun = true;
    sync_rows(a);
    archai_bayes_results_of(&r, s, c->now.rows, c->now.n_rows);
    if (r.n_known >= KNOWN_MIN) {
        rc = prepare(a, &r, err);
        if (rc == ARCHAI_OK && archai_bayes_model_members(&c->now) > 0)
            rc = archai_bayes_look(c, &r, s, &self->rng, err);
        if (rc == ARCHAI_OK)
            rc = pick(a, out, err);
    }
    archai_bayes_results_fini(&r);
    return rc == ARCHAI_ENONE ? archai_vary_random(s, out, err) : rc;
}

static int bayes_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                         archai_err *err)
{
    return archai_population_propose(self, NULL, propose_next, what, out, err);
}

static int bayes_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    archai_search *s = self->search;

    (void)err;
    if (archai_ranking_has_result(s, &s->records[record]) && !archai_bayes_enumerable(s->space))
        s->records[record].keep = true; /* it may be mutated */
    return ARCHAI_OK;
}

const archai_algorithm_ops archai_algorithm_bayes_opt = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "bayes_opt",
    .help = "expected (hypervolume) improvement under Gaussian processes over the encoding",
    .size = sizeof(struct bayes),
    .options = options,
    .needs = ARCHAI_NEEDS_ENCODE,
    .schedules = 1u << ARCHAI_ASYNC,
    .init = bayes_init,
    .fini = bayes_fini,
    .propose = bayes_propose,
    .tell = bayes_tell,
};
