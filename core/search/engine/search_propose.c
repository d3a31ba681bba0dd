/* core/search/engine/search_propose.c - the next proposal, and the end of a search that has none left.
 *
 * async: the algorithm is asked until it comes up with something new that satisfies the cheap
 * constraints. Where it keeps proposing what is known, random samples take over, and after
 * them, in spaces that can be enumerated, every architecture in turn. All of that is bounded.
 * Then the search has ended, and `done` says why. While candidates still run the answer is to wait
 * instead, since their results may give the algorithm new ideas.
 *
 * generational: a proposal is taken as it is; the algorithm itself is bounded.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/search/engine/search_private.h"

enum {
    PATIENCE_MAX = 128,            /* proposals of the algorithm in a row that were not new */
    PATIENCE_MIN = 8,              /* ... when the last series gave nothing */
    RANDOM_TRIES = 10000,          /* random samples after that */
    RANDOM_TRIES_ENUMERABLE = 500, /* where enumeration follows */
    CHILDLESS_TRIES = 100          /* a sample that the space could not make counts as so many */
};
static const double enumerable = 200000.0; /* architectures; about a second of rank 0's time */

struct tally {
    size_t known, invalid, childless;
};

/* Is a proposal new and within the cheap constraints? Given architectures are never invalid. */
static int is_new(archai_search *s, const archai_trial *p, struct tally *t, bool *out,
                  archai_err *err)
{
    bool valid = true;

    *out = false;
    if (archai_search_first(s, p->model.archid, archai_search_budget(s, p)) != SIZE_MAX) {
        t->known++;
        return ARCHAI_OK;
    }
    if (!archai_search_is_given(p))
        ARCHAI_TRY(archai_search_valid(s, &p->model, &valid, err));
    t->invalid += !valid;
    *out = valid;
    return ARCHAI_OK;
}

/* Keep a proposal that is new and valid, free any other. */
static int keep_if_new(archai_search *s, archai_trial *p, struct tally *t, bool *found,
                       archai_err *err)
{
    const int rc = is_new(s, p, t, found, err);

    if (rc != ARCHAI_OK || !*found)
        archai_trial_fini(p);
    return rc;
}

static int ask_algorithm(archai_search *s, archai_propose *what, archai_trial *p,
                         double *budget, struct tally *t, bool *found, archai_err *err)
{
    int *patience = &s->inner->patience;

    if (*patience == 0)
        *patience = PATIENCE_MAX;
    for (int i = 0; i < *patience && !*found; i++) {
        const int rc = s->algorithm->ops->propose(s->algorithm, what, p, err);

        if (rc == ARCHAI_ENONE) {
            t->childless++;
            continue;
        }
        ARCHAI_TRY(rc);
        if (*what != ARCHAI_PROPOSED)
            return ARCHAI_OK;
        *budget = p->budget;
        ARCHAI_TRY(keep_if_new(s, p, t, found, err));
    }
    /* an algorithm that is stuck is not asked as often each time, so that asking stays quick */
    if (!*found && *patience > PATIENCE_MIN)
        *patience /= 2;
    else if (*found && *patience < PATIENCE_MAX)
        *patience *= 2;
    return ARCHAI_OK;
}

static int draw_random(archai_search *s, size_t tries, double budget, archai_trial *p,
                       struct tally *t, bool *found, archai_err *err)
{
    for (size_t i = 0; i < tries && !*found; i++) {
        const int rc = archai_space_random_sample(s->space, &p->model, err);

        if (rc == ARCHAI_ENONE) {
            t->childless++;
            i += CHILDLESS_TRIES;
            continue;
        }
        ARCHAI_TRY(rc);
        archai_trial_set_operator(p, "random");
        p->budget = budget;
        ARCHAI_TRY(keep_if_new(s, p, t, found, err));
    }
    return ARCHAI_OK;
}

/* What was passed once is known or invalid for good, so the cursor never turns back. */
static int enumerate(archai_search *s, double cardinality, double budget, archai_trial *p,
                     struct tally *t, bool *found, archai_err *err)
{
    const uint64_t n = (uint64_t)cardinality, start = archai_rng_derive(s->seed, 0) % n;

    while (s->inner->cursor < n && !*found) {
        const uint64_t index = (start + s->inner->cursor++) % n;
        int rc = archai_space_breathe(s->space, err);

        if (rc == ARCHAI_OK)
            rc = s->space->ops->at(s->space, index, &p->model, err);
        if (rc == ARCHAI_ENONE) {
            t->childless++;
            continue;
        }
        ARCHAI_TRY(rc);
        archai_trial_set_operator(p, "enumeration");
        p->budget = budget;
        ARCHAI_TRY(keep_if_new(s, p, t, found, err));
    }
    return ARCHAI_OK;
}

static void say_exhausted(archai_search *s, double cardinality, bool enumerated,
                          const struct tally *t)
{
    const size_t known = s->n_archids;

    if ((double)known >= cardinality)
        (void)snprintf(s->done, sizeof s->done,
                       "all %.0f architectures of the space were tried", cardinality);
    else if (enumerated && known == 0)
        (void)snprintf(s->done, sizeof s->done,
                       "none of the space's %.0f architectures satisfies the constraints",
                       cardinality);
    else if (enumerated)
        (void)snprintf(
            s->done, sizeof s->done,
            "all architectures of the space that satisfy the constraints were tried, "
            "%zu of %.0f",
            known, cardinality);
    else if (t->known == 0 && t->invalid == 0)
        (void)snprintf(s->done, sizeof s->done,
                       "the space could not make a single architecture in %zu tries",
                       t->childless);
    else if (known == 0)
        (void)snprintf(s->done, sizeof s->done,
                       "none of %zu architectures drawn at random satisfies the constraints",
                       t->invalid);
    else
        (void)snprintf(s->done, sizeof s->done,
                       "nothing new among the last %zu proposals: %zu were tried before, %zu "
                       "violate a constraint",
                       t->known + t->invalid, t->known, t->invalid);
}

static int propose_new(archai_search *s, archai_propose *what, archai_trial *p,
                       archai_err *err)
{
    const double cardinality = s->inner->cardinality;
    const bool can_enumerate = s->space->ops->at != NULL && cardinality <= enumerable;
    struct tally t = {0, 0, 0};
    double budget = 0.0;
    bool found = false;

    ARCHAI_TRY(ask_algorithm(s, what, p, &budget, &t, &found, err));
    if (found || *what != ARCHAI_PROPOSED)
        return ARCHAI_OK;
    if (!s->inner->exhausted || s->n_running == 0) {
        s->inner->exhausted = false;
        if ((double)s->n_archids < cardinality)
            ARCHAI_TRY(draw_random(s, can_enumerate ? RANDOM_TRIES_ENUMERABLE : RANDOM_TRIES,
                                   budget, p, &t, &found, err));
        if (!found && can_enumerate)
            ARCHAI_TRY(enumerate(s, cardinality, budget, p, &t, &found, err));
        if (found)
            return ARCHAI_OK;
        s->inner->exhausted = true;
    }
    *what = s->n_running > 0 ? ARCHAI_PROPOSE_WAIT : ARCHAI_PROPOSE_DONE;
    if (*what == ARCHAI_PROPOSE_DONE)
        say_exhausted(s, cardinality, can_enumerate, &t);
    return ARCHAI_OK;
}

int archai_search_step(archai_search *s, archai_propose *what, archai_err *err)
{
    archai_trial p = {.operator_ = NULL};
    int rc;

    *what = ARCHAI_PROPOSED;
    if (s->schedule == ARCHAI_ASYNC)
        ARCHAI_TRY(propose_new(s, what, &p, err));
    else
        ARCHAI_TRY(s->algorithm->ops->propose(s->algorithm, what, &p, err));
    if (*what == ARCHAI_PROPOSED) {
        rc = archai_search_enter(s, &p, err);
        archai_trial_fini(&p);
        return rc;
    }
    if (*what == ARCHAI_PROPOSE_WAIT && s->n_running == 0 && s->inner->waiting.n == 0 &&
        s->job == 0 && !s->job_due)
        return archai_fail(err, ARCHAI_EINTERNAL,
                           "%s waits although nothing is being evaluated",
                           s->algorithm->ops->name);
    if (*what == ARCHAI_PROPOSE_DONE && s->done[0] == '\0')
        (void)snprintf(s->done, sizeof s->done, "%s has nothing more to propose",
                       s->algorithm->ops->name);
    return ARCHAI_OK;
}
