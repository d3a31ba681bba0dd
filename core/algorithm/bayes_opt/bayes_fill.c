/* core/algorithm/bayes_opt/bayes_fill.c - which candidates are members of the pools (bayes_candidates.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/bayes_opt/bayes_candidates.h"
#include "core/base/alloc.h"

enum {
    GENERATED_FIRST = 256, /* generated at once for an empty pool */
    GENERATED_EACH = 128   /* and with every proposal */
};
/* Numbers in the pools of a model: 48 MiB, read twice a proposal. */
static const double pool_numbers = 12e6;

static int compare_scores(const void *a, const void *b, void *context)
{
    const archai_bayes_candidates *c = context;
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (c->numbers[i].score != c->numbers[j].score)
        return c->numbers[i].score > c->numbers[j].score ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* Let numbers into the pools of a model, as many of the first as the work allows, but at least 16. */
static void let_in(archai_bayes_candidates *c, archai_bayes_model *model, const uint32_t *list,
                   size_t n, double *work)
{
    const size_t stride = c->features.stride;
    const double each = archai_bayes_model_add_work(model);
    const double most = fmax(*work / each, 16.0);
    unsigned char *points;

    n = (double)n < most ? n : (size_t)most;
    points = archai_malloc(n * stride);
    for (size_t i = 0; i < n; i++)
        memcpy(points + i * stride, c->points + list[i] * stride, stride);
    archai_bayes_model_add(model, list, points, n);
    free(points);
    *work -= (double)n * each;
}

static size_t room(const archai_bayes_model *x)
{
    return (size_t)fmax(256.0, pool_numbers / ((double)x->m * ((double)x->gp[0].n + 1.0)));
}

/* The processes have grown: the least promising members make room. */
static void make_room(archai_bayes_candidates *c, size_t most)
{
    const size_t n = archai_bayes_model_members(&c->now);
    uint32_t *list;

    if (n <= most)
        return;
    list = archai_memdup(c->now.pool[0].ids, n * sizeof *list);
    qsort_r(list, n, sizeof *list, compare_scores, c);
    for (size_t i = most; i < n; i++)
        if (c->enumerated)
            archai_bayes_model_remove(&c->now, list[i]);
        else
            archai_bayes_candidates_remove(c, list[i]);
    free(list);
}

static void fill_enumerated(archai_bayes_candidates *c, double *work)
{
    const size_t most = room(&c->now);
    size_t n = 0, count;
    uint32_t *list;

    /* a sixteenth more at once, so that not every proposal has to sort */
    if (archai_bayes_model_members(&c->now) > most)
        make_room(c, most - most / 16);
    count = most - archai_bayes_model_members(&c->now);
    if (count < most / 8 && archai_bayes_model_members(&c->now) > 0)
        return; /* as good as full */
    list = archai_malloc(c->n * sizeof *list);
    for (size_t i = 0; i < c->n; i++)
        if (!c->numbers[i].taken && c->now.at[i] == ARCHAI_BAYES_OUTSIDE)
            list[n++] = (uint32_t)i;
    qsort_r(list, n, sizeof *list, compare_scores, c);
    if (n > 0)
        let_in(c, &c->now, list, count < n ? count : n, work);
    free(list);
}

bool archai_bayes_candidates_move(archai_bayes_candidates *c, double *work)
{
    const size_t n = archai_bayes_model_members(&c->now), most = room(&c->next),
                 before = archai_bayes_model_members(&c->next);
    uint32_t *list = archai_malloc(n * sizeof *list);
    size_t left = 0, count;

    for (size_t i = 0; i < n; i++)
        if (c->next.at[c->now.pool[0].ids[i]] == ARCHAI_BAYES_OUTSIDE)
            list[left++] = c->now.pool[0].ids[i];
    count = most - (before < most ? before : most);
    count = count < left ? count : left;
    if (count > 0) {
        qsort_r(list, left, sizeof *list, compare_scores, c);
        let_in(c, &c->next, list, count, work);
    }
    free(list);
    return archai_bayes_model_members(&c->next) - before == count;
}

/* -- generated --------------------------------------------------------------------------------- */

static bool is_known(const archai_bayes_candidates *c, uint64_t h)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->numbers[i].arch != NULL && c->numbers[i].hash == h)
            return true;
    return false;
}

/* Mutate `base`, which is taken over, one to three times; ARCHAI_ENONE where there is no child. */
static int mutate_some(archai_space *space, archai_model *base, archai_rng *rng,
                       archai_model *out, archai_err *err)
{
    for (uint64_t steps = 1 + archai_rng_below(rng, 3); steps > 0; steps--) {
        archai_model child;
        const int rc = archai_space_mutate(space, base, &child, err);

        archai_model_fini(base);
        ARCHAI_TRY(rc);
        *base = child;
    }
    *out = *base;
    return ARCHAI_OK;
}

/* One half mutants of the best, one quarter mutants of promising candidates, one quarter random
 * samples. */
static int generate(archai_bayes_candidates *c, archai_search *s, const size_t *best,
                    size_t n_best, archai_rng *rng, archai_model *out, archai_err *err)
{
    const archai_gp_pool *pool = &c->now.pool[0];
    const uint64_t kind = archai_rng_below(rng, 4);
    archai_model base;

    if (kind < 2 && n_best > 0) { /* the square favours the first ones */
        const double u = archai_rng_random(rng);

        ARCHAI_TRY(archai_search_model(s, best[(size_t)(u * u * (double)n_best)], &base, err));
        return mutate_some(s->space, &base, rng, out, err);
    }
    if (kind == 2 && pool->n > 0) {
        uint32_t at = pool->ids[archai_rng_below(rng, pool->n)];

        for (int i = 0; i < 32; i++) { /* the best of 33 picked at random */
            const uint32_t other = pool->ids[archai_rng_below(rng, pool->n)];

            if (c->numbers[other].score > c->numbers[at].score)
                at = other;
        }
        ARCHAI_TRY(archai_bayes_candidates_model(c, s, at, &base, err));
        return mutate_some(s->space, &base, rng, out, err);
    }
    return archai_space_random_sample(s->space, out, err);
}

/* A generated model becomes a candidate if it is new and within the cheap constraints. */
static int adopt(archai_bayes_candidates *c, archai_search *s, const archai_model *m,
                 float *encoding, uint32_t *list, size_t *n, archai_err *err)
{
    const uint64_t h = archai_hash(m->archid);
    uint32_t number;
    char *arch;
    bool valid;

    if (archai_search_seen(s, m->archid) || is_known(c, h))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_valid(s, m, &valid, err));
    if (!valid)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_space_encode(s->space, m, encoding, err));
    ARCHAI_TRY(archai_space_save_arch(s->space, m, &arch, err));
    number = c->n_unused > 0 ? c->unused[--c->n_unused] : (uint32_t)c->n++;
    archai_gp_features_pack(&c->features, encoding, c->points + number * c->features.stride);
    c->numbers[number] =
        (struct archai_bayes_candidate){.hash = h, .score = HUGE_VALF, .arch = arch};
    list[(*n)++] = number;
    return ARCHAI_OK;
}

static int fill_generated(archai_bayes_candidates *c, archai_search *s, const size_t *best,
                          size_t n_best, archai_rng *rng, double *work, archai_err *err)
{
    const size_t wanted =
        archai_bayes_model_members(&c->now) == 0 ? GENERATED_FIRST : GENERATED_EACH;
    const double most = fmax(*work / archai_bayes_model_add_work(&c->now), 16.0);
    const size_t count = (double)wanted < most ? wanted : (size_t)most;
    float *encoding = archai_malloc(s->space->encoding_size * sizeof *encoding);
    uint32_t *list = archai_malloc(count * sizeof *list);
    size_t n = 0;
    int rc = ARCHAI_OK;

    make_room(c, c->capacity - wanted);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++) {
        archai_model m;

        rc = generate(c, s, best, n_best, rng, &m, err);
        if (rc == ARCHAI_OK) {
            rc = adopt(c, s, &m, encoding, list, &n, err);
            archai_model_fini(&m);
        } else if (rc == ARCHAI_ENONE) {
            rc = ARCHAI_OK;
        }
    }
    if (rc == ARCHAI_OK)
        let_in(c, &c->now, list, n, work);
    free(list);
    free(encoding);
    return rc;
}

int archai_bayes_candidates_fill(archai_bayes_candidates *c, archai_search *s,
                                 const size_t *best, size_t n_best, archai_rng *rng,
                                 double *work, archai_err *err)
{
    if (!c->enumerated)
        return fill_generated(c, s, best, n_best, rng, work, err);
    fill_enumerated(c, work);
    return ARCHAI_OK;
}
