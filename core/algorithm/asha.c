/* core/algorithm/asha.c - successive halving without waiting.
 *
 * Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar 2020, "A System
 * for Massively Parallel Hyperparameter Tuning" (ASHA), algorithm 2. Rung k holds what was
 * evaluated with init_budget * budget_multiplier^k epochs. Whenever a slot is free, the highest rung
 * is taken whose best 1/budget_multiplier holds a candidate not yet promoted. That candidate is
 * evaluated on the next rung, where its training continues from its stored weights (a cosine
 * schedule spans the budget of the highest rung). Where there is none, a new random candidate
 * starts on the lowest rung. Nothing ever waits. With several objectives a rung is ranked by front,
 * then by crowding (Schmucker et al. 2021, "Multi-objective Asynchronous Successive Halving",
 * compare such rules). A large rung is not ranked with every result, but when it has grown by 1 %.
 */
#include <math.h>
#include <stdlib.h>

#include "core/algorithm/ranking.h"
#include "core/algorithm/variation.h"
#include "core/base/alloc.h"

enum { MAX_RUNGS = 64 };

struct rung {
    double budget;
    size_t *members; /* [n], records; owned */
    size_t n, capacity;
    size_t *queue; /* [n_queue], records to be promoted, the best first; owned */
    size_t n_queue, queue_capacity, next;
    size_t n_ranked; /* members when the queue was made */
};

struct asha {
    archai_algorithm base;
    double init_budget, max_budget, budget_multiplier;
    struct rung rungs[MAX_RUNGS];
    size_t n_rungs;
};

/* clang-format off */
static const archai_option options[] = {
    {"init_budget",       ARCHAI_OPT_DOUBLE, offsetof(struct asha, init_budget),       1e-6, 1e9, "1",  "epochs", NULL, "budget of the lowest rung; kind = torch trains whole epochs, at least one"},
    {"max_budget",        ARCHAI_OPT_DOUBLE, offsetof(struct asha, max_budget),        1e-6, 1e9, "27", "epochs", NULL, "no rung above this budget"},
    {"budget_multiplier", ARCHAI_OPT_DOUBLE, offsetof(struct asha, budget_multiplier), 1.01, 1e6, "3",  "",       NULL, "factor between the budgets of two rungs; one model in this many is promoted"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static int asha_init(archai_algorithm *self, archai_err *err)
{
    struct asha *a = (struct asha *)self;

    if (a->max_budget < a->init_budget)
        return archai_fail(err, ARCHAI_EINVAL, "max_budget: %g is less than init_budget %g",
                           a->max_budget, a->init_budget);
    for (double b = a->init_budget; b <= a->max_budget * (1 + 1e-9);
         b *= a->budget_multiplier) {
        if (a->n_rungs == MAX_RUNGS)
            return archai_fail(err, ARCHAI_EINVAL, "budget_multiplier: more than %d rungs",
                               MAX_RUNGS);
        a->rungs[a->n_rungs++].budget = b;
    }
    self->search->max_budget = a->rungs[a->n_rungs - 1].budget;
    return ARCHAI_OK;
}

static void asha_fini(archai_algorithm *self)
{
    struct asha *a = (struct asha *)self;

    for (size_t i = 0; i < a->n_rungs; i++) {
        free(a->rungs[i].members);
        free(a->rungs[i].queue);
    }
}

/* -- ranking ----------------------------------------------------------------------------- */

static int compare_records(const void *a, const void *b)
{
    const size_t x = ((const archai_ranked *)a)->record, y = ((const archai_ranked *)b)->record;

    return x < y ? -1 : x > y;
}

/* The best 1/budget_multiplier of a rung, except those that were promoted. The order in which members
 * were told plays no part. */
static void make_queue(const struct asha *a, struct rung *r)
{
    const archai_search *s = a->base.search;
    const size_t best = (size_t)((double)r->n / a->budget_multiplier);
    archai_ranked *ranked;

    r->n_ranked = r->n;
    r->n_queue = r->next = 0;
    if (best == 0)
        return;
    ranked = archai_calloc(r->n, sizeof *ranked);
    for (size_t i = 0; i < r->n; i++)
        ranked[i].record = r->members[i];
    qsort(ranked, r->n, sizeof *ranked, compare_records);
    archai_ranking_sort(s, ranked, r->n);
    ARCHAI_RESERVE(r->queue, r->queue_capacity, best);
    for (size_t i = 0; i < best; i++)
        if (s->records[ranked[i].record].keep)
            r->queue[r->n_queue++] = ranked[i].record;
    free(ranked);
}

/* A candidate of this rung to be promoted. SIZE_MAX: none. */
static size_t next_promotion(const struct asha *a, struct rung *r)
{
    if (r->n > r->n_ranked + r->n_ranked / 100)
        make_queue(a, r);
    while (r->next < r->n_queue) {
        const size_t record = r->queue[r->next++];

        if (a->base.search->records[record].keep)
            return record;
    }
    return SIZE_MAX;
}

/* -- ask and tell ------------------------------------------------------------------------ */

/* `keep` marks those that were not promoted yet: their architecture may still be needed. */
static int asha_tell(archai_algorithm *self, size_t record, archai_err *err)
{
    struct asha *a = (struct asha *)self;
    archai_search *s = self->search;
    const archai_record *below;
    struct rung *r;
    size_t k = 0;

    (void)err;
    while (k < a->n_rungs && a->rungs[k].budget != s->records[record].budget)
        k++;
    if (k == a->n_rungs)
        return ARCHAI_OK;
    r = &a->rungs[k];
    if (k > 0) { /* after a resume nothing else says that it was promoted */
        below = archai_search_find(s, s->records[record].archid, a->rungs[k - 1].budget);
        if (below != NULL)
            archai_search_release(s, (size_t)(below - s->records));
    }
    if (k + 1 == a->n_rungs || s->records[record].status != ARCHAI_STATUS_OK)
        return ARCHAI_OK;
    ARCHAI_RESERVE(r->members, r->capacity, r->n + 1);
    r->members[r->n++] = record;
    s->records[record].keep = true;
    return ARCHAI_OK;
}

static int asha_propose(archai_algorithm *self, archai_propose *what, archai_trial *out,
                        archai_err *err)
{
    struct asha *a = (struct asha *)self;
    archai_search *s = self->search;

    *what = ARCHAI_PROPOSED;
    for (size_t k = a->n_rungs - 1; k-- > 0;) {
        archai_trial p = {.generation = (int32_t)k + 1, .budget = a->rungs[k + 1].budget};
        const size_t record = next_promotion(a, &a->rungs[k]);

        if (record == SIZE_MAX)
            continue;
        p.begin_at = s->records[record].stored;
        ARCHAI_TRY(archai_search_model(s, record, &p.model, err));
        archai_trial_set_operator(&p, ARCHAI_OPERATOR_PROMOTION);
        archai_search_release(s, record);
        *out = p;
        return ARCHAI_OK;
    }
    ARCHAI_TRY(archai_vary_random(s, out, err));
    out->budget = a->rungs[0].budget;
    return ARCHAI_OK;
}

const archai_algorithm_ops archai_algorithm_asha = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "asha",
    .help =
        "asynchronous successive halving: random models, the better ones trained for longer",
    .size = sizeof(struct asha),
    .options = options,
    .schedules = 1u << ARCHAI_ASYNC,
    .init = asha_init,
    .fini = asha_fini,
    .propose = asha_propose,
    .tell = asha_tell,
};
