#include "core/bayes_candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEARNING_SAMPLES = 256, /* random samples that show which values features take */
    GENERATED_MAX = 1024,   /* candidates of a large space in the pool */
    GENERATED_FIRST = 256,  /* generated at once for an empty pool */
    GENERATED_EACH = 32     /* and with every proposal */
};
/* Work of one proposal in multiplications, some 20 ms: members let in cost n^2 / 2 each. And
 * numbers in the pool: 64 MiB, read twice a proposal. */
static const double fill_work = 1e8, pool_numbers = 16e6;

bool archai_bayes_enumerable(const archai_space *space)
{
    return archai_space_can(space, "at") &&
           archai_space_cardinality(space) <= ARCHAI_BAYES_ENUMERABLE;
}

static uint64_t hash(const char *text)
{
    uint64_t h = 14695981039346656037u;

    for (; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

/* -- which values there are
 * ----------------------------------------------------------------------- */

static int sample_or_at(archai_space *space, bool enumerated, size_t i, archai_model *out,
                        archai_err *err)
{
    return enumerated ? space->ops->at(space, i, out, err)
                      : archai_space_random_sample(space, out, err);
}

static void enter_table(archai_bayes_candidates *c, size_t number)
{
    size_t i = (size_t)c->numbers[number].hash;

    while (c->table[i & (c->table_size - 1)] != 0)
        i++;
    c->table[i & (c->table_size - 1)] = (uint32_t)number + 1;
}

/* Encodings of all architectures, or of random ones, and the features learned from them. */
static int learn(archai_bayes_candidates *c, archai_search *s, size_t n, archai_err *err)
{
    const size_t d = s->space->encoding_size;
    const char *kinds =
        s->space->ops->encoding_kinds != NULL ? s->space->ops->encoding_kinds(s->space) : NULL;
    float *encodings = malloc((n * d + 1) * sizeof *encodings);
    size_t seen = 0;
    int rc = ARCHAI_OK;

    if (encodings == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu encodings", n);
    for (size_t i = 0; i < n; i++) {
        archai_model m;

        rc = sample_or_at(s->space, c->enumerated, i, &m, err);
        if (rc == ARCHAI_ENONE && !c->enumerated)
            continue;
        ARCHAI_TRY_GOTO(rc, rc, out);
        if (c->enumerated)
            c->numbers[i] = (struct archai_bayes_candidate){
                .hash = hash(m.archid), .at = ARCHAI_BAYES_OUTSIDE, .score = HUGE_VALF};
        rc = archai_space_encode(s->space, &m, &encodings[seen++ * d], err);
        archai_model_fini(&m);
        ARCHAI_TRY_GOTO(rc, rc, out);
    }
    ARCHAI_TRY_GOTO(rc, archai_gp_features_learn(&c->features, encodings, seen, d, kinds, err),
                    out);
    if (!c->enumerated)
        goto out;
    c->points = malloc(n * c->features.stride + 1);
    if (c->points == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu encodings", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        archai_gp_features_pack(&c->features, &encodings[i * d],
                                c->points + i * c->features.stride);
out:
    free(encodings);
    return rc;
}

int archai_bayes_candidates_init(archai_bayes_candidates *c, archai_search *s, archai_err *err)
{
    archai_bayes_candidates made = {.enumerated = archai_bayes_enumerable(s->space)};
    int rc;

    made.capacity =
        made.enumerated ? (size_t)archai_space_cardinality(s->space) : GENERATED_MAX;
    made.numbers = calloc(made.capacity + 1, sizeof *made.numbers);
    for (made.table_size = 64; made.table_size < 2 * made.capacity;)
        made.table_size *= 2;
    made.table = calloc(made.table_size, sizeof *made.table);
    made.unused = calloc(made.capacity + 1, sizeof *made.unused);
    if (made.numbers == NULL || made.table == NULL || made.unused == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", made.capacity);
        goto out;
    }
    ARCHAI_TRY_GOTO(
        rc, learn(&made, s, made.enumerated ? made.capacity : LEARNING_SAMPLES, err), out);
    if (made.enumerated) {
        made.n = made.capacity;
        for (size_t i = 0; i < made.n; i++)
            enter_table(&made, i);
    }
out:
    if (rc == ARCHAI_OK)
        *c = made;
    else
        archai_bayes_candidates_fini(&made);
    return rc;
}

void archai_bayes_candidates_fini(archai_bayes_candidates *c)
{
    for (size_t i = 0; c->numbers != NULL && i < c->n; i++)
        free(c->numbers[i].arch);
    archai_gp_features_fini(&c->features);
    archai_gp_pool_fini(&c->pool);
    free(c->numbers);
    free(c->points);
    free(c->table);
    free(c->unused);
    *c = (archai_bayes_candidates){.numbers = NULL};
}

/* -- in and out of the pool
 * ------------------------------------------------------------------------- */

/* Take member `at` out of the pool; its number is told what has become of it. */
static void leave_pool(archai_bayes_candidates *c, const archai_gp *gp, size_t at, uint32_t why)
{
    const uint32_t number = c->pool.ids[at];

    archai_gp_pool_remove(&c->pool, gp, at);
    if (at < c->pool.n)
        c->numbers[c->pool.ids[at]].at = (uint32_t)at;
    c->numbers[number].at = why;
    if (c->enumerated)
        return;
    free(c->numbers[number].arch);
    c->numbers[number].arch = NULL;
    c->unused[c->n_unused++] = number;
}

void archai_bayes_candidates_remove(archai_bayes_candidates *c, const archai_gp *gp, size_t at)
{
    leave_pool(c, gp, at, ARCHAI_BAYES_TAKEN);
}

void archai_bayes_candidates_take(archai_bayes_candidates *c, const archai_gp *gp,
                                  const char *archid)
{
    const uint64_t h = hash(archid);

    if (!c->enumerated) {
        for (size_t i = c->pool.n; i-- > 0;)
            if (c->numbers[c->pool.ids[i]].hash == h)
                archai_bayes_candidates_remove(c, gp, i);
        return;
    }
    for (size_t i = (size_t)h; c->table[i & (c->table_size - 1)] != 0; i++) {
        struct archai_bayes_candidate *it = &c->numbers[c->table[i & (c->table_size - 1)] - 1];

        if (it->hash != h || it->at == ARCHAI_BAYES_TAKEN)
            continue;
        if (it->at == ARCHAI_BAYES_OUTSIDE)
            it->at = ARCHAI_BAYES_TAKEN;
        else
            archai_bayes_candidates_remove(c, gp, it->at);
    }
}

void archai_bayes_candidates_drop(archai_bayes_candidates *c, const archai_gp *gp)
{
    while (!c->enumerated && c->pool.n > 0) /* others like them are generated soon */
        leave_pool(c, gp, c->pool.n - 1, ARCHAI_BAYES_OUTSIDE);
    for (size_t i = 0; i < c->pool.n; i++)
        c->numbers[c->pool.ids[i]].at = ARCHAI_BAYES_OUTSIDE;
    c->pool.n = 0;
}

static int compare_scores(const void *a, const void *b, void *context)
{
    const archai_bayes_candidates *c = context;
    const uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

    if (c->numbers[i].score != c->numbers[j].score)
        return c->numbers[i].score > c->numbers[j].score ? -1 : 1;
    return i < j ? -1 : i > j;
}

/* Numbers outside the pool, the most promising first. Caller frees. */
static int waiting(archai_bayes_candidates *c, uint32_t **out, size_t *n, archai_err *err)
{
    uint32_t *list = malloc((c->n + 1) * sizeof *list);

    if (list == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", c->n);
    *n = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->numbers[i].at == ARCHAI_BAYES_OUTSIDE)
            list[(*n)++] = (uint32_t)i;
    qsort_r(list, *n, sizeof *list, compare_scores, c);
    *out = list;
    return ARCHAI_OK;
}

static int let_in(archai_bayes_candidates *c, const archai_gp *gp, const uint32_t *list,
                  size_t n, const unsigned char *points, archai_err *err)
{
    const size_t first = c->pool.n;

    ARCHAI_TRY(archai_gp_pool_add(&c->pool, gp, points, list, n, err));
    for (size_t i = 0; i < n; i++)
        c->numbers[list[i]].at = (uint32_t)(first + i);
    return ARCHAI_OK;
}

/* Members that a proposal has the time to let in. */
static size_t affordable(const archai_gp *gp)
{
    const double n = (double)gp->n + 1.0;

    return (size_t)fmax(16.0, fill_work / (n * n / 2.0));
}

static size_t room(const archai_gp *gp)
{
    return (size_t)fmax(256.0, pool_numbers / ((double)gp->n + 1.0));
}

/* When the process has grown, the least promising members make room. */
static int make_room(archai_bayes_candidates *c, const archai_gp *gp, size_t most,
                     archai_err *err)
{
    const size_t n = c->pool.n;
    uint32_t *list;

    if (n <= most)
        return ARCHAI_OK;
    list = malloc(n * sizeof *list);
    if (list == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", n);
    memcpy(list, c->pool.ids, n * sizeof *list);
    qsort_r(list, n, sizeof *list, compare_scores, c);
    for (size_t i = most; i < n; i++)
        leave_pool(c, gp, c->numbers[list[i]].at, ARCHAI_BAYES_OUTSIDE);
    free(list);
    return ARCHAI_OK;
}

static int fill_enumerated(archai_bayes_candidates *c, const archai_gp *gp, archai_err *err)
{
    const size_t stride = c->features.stride;
    size_t count = affordable(gp), n = 0;
    unsigned char *points = NULL;
    uint32_t *list = NULL;
    int rc;

    ARCHAI_TRY(make_room(c, gp, room(gp), err));
    if (c->pool.n + 16 > room(gp)) /* as good as full; not worth the sorting */
        return ARCHAI_OK;
    ARCHAI_TRY(waiting(c, &list, &n, err));
    count = count < room(gp) - c->pool.n ? count : room(gp) - c->pool.n;
    count = count < n ? count : n;
    points = malloc(count * stride + 1);
    if (points == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", count);
        goto out;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(points + i * stride, c->points + list[i] * stride, stride);
    rc = let_in(c, gp, list, count, points, err);
out:
    free(points);
    free(list);
    return rc;
}

/* -- generated
 * ---------------------------------------------------------------------------------------- */

static bool in_pool(const archai_bayes_candidates *c, uint64_t h)
{
    for (size_t i = 0; i < c->pool.n; i++)
        if (c->numbers[c->pool.ids[i]].hash == h)
            return true;
    return false;
}

static int load_generated(const archai_bayes_candidates *c, archai_search *s, size_t at,
                          archai_model *out, archai_err *err)
{
    const char *arch = c->numbers[c->pool.ids[at]].arch;

    return archai_space_load_arch(s->space, arch, strlen(arch), out, err);
}

/* Mutate `base` once to three times; ARCHAI_ENONE where there is no child. Takes base over. */
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

/* Half mutants of the best, a quarter mutants of promising candidates, a quarter random
 * samples. */
static int generate(archai_bayes_candidates *c, archai_search *s, const size_t *best,
                    size_t n_best, archai_rng *rng, archai_model *out, archai_err *err)
{
    const uint64_t kind = archai_rng_below(rng, 4);
    archai_model base;

    if (kind < 2 && n_best > 0) { /* the square favours the first ones */
        const double u = archai_rng_random(rng);

        ARCHAI_TRY(archai_search_model(s, best[(size_t)(u * u * (double)n_best)], &base, err));
        return mutate_some(s->space, &base, rng, out, err);
    }
    if (kind == 2 && c->pool.n > 0) {
        size_t at = archai_rng_below(rng, c->pool.n);

        for (int i = 0; i < 8; i++) { /* the best of nine picked at random */
            const size_t other = archai_rng_below(rng, c->pool.n);

            if (c->numbers[c->pool.ids[other]].score > c->numbers[c->pool.ids[at]].score)
                at = other;
        }
        ARCHAI_TRY(load_generated(c, s, at, &base, err));
        return mutate_some(s->space, &base, rng, out, err);
    }
    return archai_space_random_sample(s->space, out, err);
}

/* Generated models that are to be let in together. */
struct batch {
    uint32_t *numbers;
    unsigned char *points;
    float *encoding; /* scratch */
    size_t n;
};

static bool in_batch(const archai_bayes_candidates *c, const struct batch *b, uint64_t h)
{
    for (size_t i = 0; i < b->n; i++)
        if (c->numbers[b->numbers[i]].hash == h)
            return true;
    return false;
}

/* A generated model becomes a candidate if it is new and within the cheap constraints. */
static int adopt(archai_bayes_candidates *c, archai_search *s, const archai_model *m,
                 struct batch *b, archai_err *err)
{
    const uint64_t h = hash(m->archid);
    uint32_t number;
    char *arch;
    bool valid;

    if (archai_search_seen(s, m->archid) || in_pool(c, h) || in_batch(c, b, h))
        return ARCHAI_OK;
    ARCHAI_TRY(archai_search_valid(s, m, &valid, err));
    if (!valid)
        return ARCHAI_OK;
    ARCHAI_TRY(archai_space_encode(s->space, m, b->encoding, err));
    ARCHAI_TRY(archai_space_save_arch(s->space, m, &arch, err));
    archai_gp_features_pack(&c->features, b->encoding, b->points + b->n * c->features.stride);
    number = c->n_unused > 0 ? c->unused[--c->n_unused] : (uint32_t)c->n++;
    c->numbers[number] = (struct archai_bayes_candidate){
        .hash = h, .at = ARCHAI_BAYES_OUTSIDE, .score = HUGE_VALF, .arch = arch};
    b->numbers[b->n++] = number;
    return ARCHAI_OK;
}

static int fill_generated(archai_bayes_candidates *c, archai_search *s, const archai_gp *gp,
                          const size_t *best, size_t n_best, archai_rng *rng, archai_err *err)
{
    const size_t wanted = c->pool.n == 0 ? GENERATED_FIRST : GENERATED_EACH;
    const size_t count = wanted < affordable(gp) ? wanted : affordable(gp);
    struct batch b = {
        .numbers = malloc(count * sizeof *b.numbers),
        .points = malloc(count * c->features.stride + 1),
        .encoding = malloc((s->space->encoding_size + 1) * sizeof *b.encoding),
    };
    int rc = ARCHAI_OK;

    if (b.numbers == NULL || b.points == NULL || b.encoding == NULL)
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu candidates", count);
    if (rc == ARCHAI_OK)
        rc = make_room(c, gp, GENERATED_MAX - wanted, err);
    for (size_t i = 0; rc == ARCHAI_OK && i < count; i++) {
        archai_model m;

        rc = generate(c, s, best, n_best, rng, &m, err);
        if (rc == ARCHAI_OK) {
            rc = adopt(c, s, &m, &b, err);
            archai_model_fini(&m);
        } else if (rc == ARCHAI_ENONE) {
            rc = ARCHAI_OK;
        }
    }
    if (rc == ARCHAI_OK)
        rc = let_in(c, gp, b.numbers, b.n, b.points, err);
    free(b.numbers);
    free(b.points);
    free(b.encoding);
    return rc;
}

int archai_bayes_candidates_fill(archai_bayes_candidates *c, archai_search *s,
                                 const archai_gp *gp, const size_t *best, size_t n_best,
                                 archai_rng *rng, archai_err *err)
{
    return c->enumerated ? fill_enumerated(c, gp, err)
                         : fill_generated(c, s, gp, best, n_best, rng, err);
}

int archai_bayes_candidates_model(const archai_bayes_candidates *c, archai_search *s, size_t at,
                                  archai_model *out, archai_err *err)
{
    return c->enumerated ? s->space->ops->at(s->space, c->pool.ids[at], out, err)
                         : load_generated(c, s, at, out, err);
}
