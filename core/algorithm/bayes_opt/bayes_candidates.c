#include "core/algorithm/bayes_opt/bayes_candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/hash.h"

enum {
    LEARNING_SAMPLES = 256, /* random samples that show which values features take */
    GENERATED_MAX = 1024    /* candidates of a large space in the pools */
};

bool archai_bayes_enumerable(const archai_space *space)
{
    return archai_space_can(space, "at") &&
           archai_space_cardinality(space) <= ARCHAI_BAYES_ENUMERABLE;
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
            c->numbers[i] = (struct archai_bayes_candidate){.hash = archai_hash(m.archid),
                                                            .score = HUGE_VALF};
        rc = archai_space_encode(s->space, &m, &encodings[seen++ * d], err);
        archai_model_fini(&m);
        ARCHAI_TRY_GOTO(rc, rc, out);
    }
    ARCHAI_TRY_GOTO(rc, archai_gp_features_learn(&c->features, encodings, seen, d, kinds, err),
                    out);
    c->points = malloc(c->capacity * c->features.stride + 1);
    if (c->points == NULL) {
        rc = archai_fail(err, ARCHAI_ENOMEM, "no memory for %zu encodings", c->capacity);
        goto out;
    }
    for (size_t i = 0; c->enumerated && i < n; i++)
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
        goto fail;
    }
    ARCHAI_TRY_GOTO(
        rc, learn(&made, s, made.enumerated ? made.capacity : LEARNING_SAMPLES, err), fail);
    if (made.enumerated) {
        made.n = made.capacity;
        for (size_t i = 0; i < made.n; i++)
            enter_table(&made, i);
    }
    *c = made; /* processes point to the features */
    rc = archai_bayes_model_init(&c->now, &c->features, s->objectives->n_optimised, c->capacity,
                                 err);
    if (rc != ARCHAI_OK)
        archai_bayes_candidates_fini(c);
    return rc;
fail:
    archai_bayes_candidates_fini(&made);
    return rc;
}

void archai_bayes_candidates_fini(archai_bayes_candidates *c)
{
    for (size_t i = 0; c->numbers != NULL && i < c->n; i++)
        free(c->numbers[i].arch);
    archai_bayes_model_fini(&c->now);
    archai_bayes_model_fini(&c->next);
    archai_gp_features_fini(&c->features);
    free(c->numbers);
    free(c->points);
    free(c->table);
    free(c->unused);
    *c = (archai_bayes_candidates){.numbers = NULL};
}

/* -- in and out of the pools
 * ------------------------------------------------------------------------- */

void archai_bayes_candidates_remove(archai_bayes_candidates *c, uint32_t number)
{
    struct archai_bayes_candidate *it = &c->numbers[number];

    archai_bayes_model_remove(&c->now, number);
    if (c->next.m > 0)
        archai_bayes_model_remove(&c->next, number);
    it->taken = true;
    if (c->enumerated || it->arch == NULL)
        return;
    free(it->arch);
    it->arch = NULL;
    c->unused[c->n_unused++] = number;
}

void archai_bayes_candidates_take(archai_bayes_candidates *c, const char *archid)
{
    const uint64_t h = archai_hash(archid);

    if (!c->enumerated) {
        for (size_t i = 0; i < c->n; i++)
            if (c->numbers[i].arch != NULL && c->numbers[i].hash == h)
                archai_bayes_candidates_remove(c, (uint32_t)i);
        return;
    }
    for (size_t i = (size_t)h; c->table[i & (c->table_size - 1)] != 0; i++) {
        const uint32_t number = c->table[i & (c->table_size - 1)] - 1;

        if (c->numbers[number].hash == h)
            archai_bayes_candidates_remove(c, number);
    }
}

void archai_bayes_candidates_swap(archai_bayes_candidates *c)
{
    archai_bayes_model_fini(&c->now);
    c->now = c->next;
    c->next = (archai_bayes_model){.m = 0};
    for (size_t i = 0; !c->enumerated && i < c->n; i++)
        if (c->numbers[i].arch != NULL && c->now.at[i] == ARCHAI_BAYES_OUTSIDE)
            archai_bayes_candidates_remove(c, (uint32_t)i);
}

int archai_bayes_candidates_model(const archai_bayes_candidates *c, archai_search *s,
                                  uint32_t number, archai_model *out, archai_err *err)
{
    const char *arch = c->numbers[number].arch;

    return c->enumerated ? s->space->ops->at(s->space, number, out, err)
                         : archai_space_load_arch(s->space, arch, strlen(arch), out, err);
}
