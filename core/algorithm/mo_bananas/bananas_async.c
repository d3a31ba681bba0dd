/* core/algorithm/mo_bananas/bananas_async.c - mo_bananas without iterations.
 *
 * As soon as something was told, and no prediction is under way, new mutants of the front, most of
 * them of the members that add most to its hypervolume, are predicted by a surrogate that continues
 * from its last fit. The ranking that comes back is handed out from its top until the next one is
 * there, and the rest is dropped. At the top stands what adds most to the front's hypervolume, by values
 * drawn from the predictions (core/algorithm/mo_bananas/bananas.h). A ranking is made long enough for
 * four times as many as the last one handed out while the fit ran.
 *
 * A fit takes about a second. While evaluations take longer, nothing waits for it: the last ranking
 * is used. Where they are shorter, a search would be over before it had learned anything; so at most
 * `max_per_fit` models come from one ranking, and then slots are filled only when the fit that is under
 * way or due has ended. The same holds before the first fit, once `init_num_models` have been evaluated.
 * A failed model teaches the surrogate nothing, so another takes its place. Where no fit can come
 * (nothing was measured, or there is no surrogate) it continues with random samples and mutants of the front.
 */
#include <stdlib.h>

#include "core/algorithm/mo_bananas/bananas_private.h"
#include "core/base/alloc.h"

enum {
    SLICE = 4,       /* mutants in one step */
    POOL_MAX = 2000, /* candidates in a ranking */
    TRIES = 4        /* mutants tried for each that is wanted */
};

/* Is there something that a fit would learn, and to breed from? */
static bool is_due(const archai_bananas *a)
{
    const archai_search *s = a->population.base.search;

    return a->n_rows > a->n_known && s->front.n > 0 &&
           (int64_t)s->n_finished >= a->population.init_num_models;
}

/* Has the last ranking given as many as it may? Then one of them is under way or has taught something, so
 * there will be a fit. */
static bool is_spent(const archai_bananas *a)
{
    const archai_search *s = a->population.base.search;
    const size_t bound = a->max_per_fit >= 0 ? (size_t)a->max_per_fit
                         : (size_t)a->num_candidates > s->slots ? (size_t)a->num_candidates
                                                                 : s->slots;

    return a->ranked_from > 0 && bound > 0 && /* before the first one nothing is counted */
           s->n_records - a->ranked_from >= bound + a->n_vain;
}

/* What is proposed from now on comes from another ranking, or from none. */
static void begin_count(archai_bananas *a)
{
    a->ranked_from = a->population.base.search->n_records;
    a->n_vain = 0;
}

/* The next of the ranking that is new, if there is one. */
static bool take_ranked(archai_bananas *a, archai_trial *out)
{
    while (a->next < a->ranked.n) {
        archai_trial *p = &a->ranked.at[a->next++];

        if (archai_search_seen(a->population.base.search, p->model.archid)) {
            archai_trial_fini(p);
            continue;
        }
        *out = *p;
        *p = (archai_trial){.operator_ = NULL};
        return true;
    }
    return false;
}

int archai_bananas_async_propose(archai_bananas *a, archai_propose *what, archai_trial *out,
                                 archai_err *err)
{
    archai_search *s = a->population.base.search;
    const int rc = archai_population_next(&a->population, out, err);

    if (rc != ARCHAI_ENONE)
        return rc;
    s->job_due = !a->alone && (a->breeding || is_due(a));
    if (!a->alone && is_spent(a) && (s->job_due || s->job != 0 || s->n_running > 0)) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    if (take_ranked(a, out)) {
        a->n_spent++;
        return ARCHAI_OK;
    }
    if (s->job_due || s->job != 0) {
        *what = ARCHAI_PROPOSE_WAIT;
        return ARCHAI_OK;
    }
    a->n_spent++;
    if ((a->n_known == 0 && !a->alone) || s->front.n == 0)
        return archai_vary_random(s, out, err);
    return archai_vary_mutate(
        s, (size_t)s->front.tags[archai_rng_below(&a->population.base.rng, s->front.n)], out, err);
}

/* n, but no fewer than `low`. */
static size_t room(size_t n, int64_t low)
{
    n = (int64_t)n < low ? (size_t)low : n;
    return n < POOL_MAX ? n : POOL_MAX;
}

/* Parents are num_parents of the front, or all of it. */
static int begin_pool(archai_bananas *a, archai_err *err)
{
    archai_search *s = a->population.base.search;
    const size_t n = s->front.n < (size_t)a->num_parents ? s->front.n : (size_t)a->num_parents;

    free(a->parents);
    a->parents = archai_malloc(n * sizeof *a->parents);
    a->n_parents = n;
    ARCHAI_TRY(archai_bananas_parents(&s->front, &a->population.base.rng, n, a->parents, err));
    for (size_t i = 0; i < n; i++)
        a->parents[i] = (size_t)s->front.tags[a->parents[i]];
    archai_bananas_pool_fini(&a->pool);
    a->wanted = room(4 * a->n_spent, a->num_parents * a->mutations_per_parent);
    a->tries = 0;
    a->n_spent = 0;
    a->breeding = true;
    return ARCHAI_OK;
}

static int add_mutant(archai_bananas *a, archai_err *err)
{
    archai_search *s = a->population.base.search;
    const size_t parent = a->parents[a->tries++ % a->n_parents];
    archai_trial p;
    bool valid;
    int rc;

    if (!s->records[parent].on_front) { /* dominated by now, and its text released */
        a->parents[(a->tries - 1) % a->n_parents] =
            (size_t)s->front.tags[archai_rng_below(&a->population.base.rng, s->front.n)];
        return ARCHAI_OK;
    }
    rc = archai_vary_mutate(s, parent, &p, err);
    if (rc == ARCHAI_ENONE)
        return ARCHAI_OK;
    ARCHAI_TRY(rc);
    if (archai_search_seen(s, p.model.archid) ||
        archai_proposals_find(&a->pool.proposals, p.model.archid) != NULL) {
        archai_trial_fini(&p);
        return ARCHAI_OK;
    }
    rc = archai_search_valid(s, &p.model, &valid, err);
    if (rc == ARCHAI_OK && valid)
        return archai_bananas_pool_add(&a->pool, s, &p, err);
    archai_trial_fini(&p);
    return rc;
}

static int step_pool(archai_bananas *a, archai_err *err)
{
    for (int i = 0; i < SLICE; i++) {
        if (a->pool.proposals.n >= a->wanted || a->tries >= TRIES * a->wanted) {
            a->breeding = false;
            a->n_known = a->n_rows; /* without a candidate there is nothing to do before more is told */
            if (a->pool.proposals.n > 0)
                archai_bananas_open_job(a);
            else /* all mutants are known: no slot may wait for a ranking of none */
                begin_count(a);
            return ARCHAI_OK;
        }
        ARCHAI_TRY(add_mutant(a, err));
    }
    return ARCHAI_OK;
}

int archai_bananas_async_prepare(archai_bananas *a, bool *busy, archai_err *err)
{
    const archai_search *s = a->population.base.search;

    if (s->job != 0 || a->alone)
        return ARCHAI_OK;
    if (!a->breeding && is_due(a))
        ARCHAI_TRY(begin_pool(a, err));
    if (a->breeding)
        ARCHAI_TRY(step_pool(a, err));
    *busy = a->breeding;
    return ARCHAI_OK;
}

int archai_bananas_async_answer(archai_bananas *a, const archai_surrogate_answer *answer,
                                archai_err *err)
{
    archai_proposals_fini(&a->ranked);
    a->next = 0;
    begin_count(a);
    return archai_bananas_take_best(a, answer, SIZE_MAX, &a->ranked, err);
}
