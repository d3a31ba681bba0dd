#include "core/algorithm/bayes_opt/bayes_candidates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum {
    LEARNING_SAMPLES = 256, /* random samples that show which values features take */
    GENERATED_MAX = 1024    /* candidates of a large space in the pools */
};

bool archai_bayes_enumerable(const archai_space *space)
{
    return archai_space_can(space, "at") &&
           archai_space_cardinality(space) <= ARCHAI_BAYES_ENUMERABLE;
}

/* -- which values there are -------------------------------------------------------------------- */

static int sample_or_at(archai_space *space, bool enumerated, size_t i, archai_model *out,
                        archai_err *err)
{
    return enumerated ? space->ops->at(space, i, out, err)
                      : archai_space_random_sample(space, out, err);
}

/* Encodings of all architectures, or of random ones, and the features learned from them. */
static int learn(archai_bayes_candidates *c, archai_search *s, size_t n, archai_err *err)
{
    const size_t d = s->space->encoding_size;
    const char *kinds =
        s->space->ops->encoding_kinds != NULL ? s->space->ops->encoding_kinds(s->space) : NULL;
    float *encodings = archai_malloc(n * d * sizeof *encodings);
    size_t seen = 0;
    int rc = ARCHAI_OK;

    for (size_t i = 0; rc == ARCHAI_OK && i < n; i++) {
        archai_model m;

        rc = sample_or_at(s->space, c->enumerated, i, &m, err);
        if (rc == ARCHAI_ENONE && !c->enumerated) {
            rc = ARCHAI_OK;
            continue;
        }
        if (rc != ARCHAI_OK)
            break;
        if (c->enumerated) {
            c->numbers[i] = (struct archai_bayes_candidate){.hash = archai_hash(m.archid),
                                                            .score = HUGE_VALF};
            archai_hash_add(&c->by_hash, c->numbers[i].hash, i);
        }
        rc = archai_space_encode(s->space, &m, &encodings[seen++ * d], err);
        archai_model_fini(&m);
    }
    if (rc == ARCHAI_OK) {
        archai_gp_features_learn(&c->features, encodings, seen, d, kinds);
        c->points = archai_malloc(c->capacity * c->features.stride);
        for (size_t i = 0; c->enumerated && i < n; i++)
            archai_gp_features_pack(&c->features, &encodings[i * d],
                                    c->points + i * c->features.stride);
    }
    free(encodings);
    return rc;
}

int archai_bayes_candidates_init(archai_bayes_candidates *c, archai_search *s, archai_err *err)
{
    const bool enumerated = archai_bayes_enumerable(s->space);
    const size_t capacity = enumerated ? (size_t)archai_space_cardinality(s->space) : GENERATED_MAX;
    int rc;

    *c = (archai_bayes_candidates){
        .enumerated = enumerated,
        .n = enumerated ? capacity : 0,
        .capacity = capacity,
        .numbers = archai_calloc(capacity, sizeof *c->numbers),
        .unused = archai_calloc(capacity, sizeof *c->unused),
    };
    rc = learn(c, s, enumerated ? capacity : LEARNING_SAMPLES, err);
    if (rc == ARCHAI_OK) /* processes point to the features */
        archai_bayes_model_init(&c->now, &c->features, s->objectives->n_optimised, capacity);
    else
        archai_bayes_candidates_fini(c);
    return rc;
}

void archai_bayes_candidates_fini(archai_bayes_candidates *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->numbers[i].arch);
    archai_bayes_model_fini(&c->now);
    archai_bayes_model_fini(&c->next);
    archai_gp_features_fini(&c->features);
    free(c->numbers);
    free(c->points);
    archai_hash_clear(&c->by_hash);
    free(c->unused);
    *c = (archai_bayes_candidates){.numbers = NULL};
}

/* -- in and out of the pools ------------------------------------------------------------------- */

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

static bool is_left(const void *items, size_t index, const void *key)
{
    const struct archai_bayes_candidate *it = &((const struct archai_bayes_candidate *)items)[index];

    return !it->taken && it->hash == *(const uint64_t *)key;
}

void archai_bayes_candidates_take(archai_bayes_candidates *c, const char *archid)
{
    const uint64_t h = archai_hash(archid);
    size_t at;

    for (size_t i = 0; !c->enumerated && i < c->n; i++)
        if (c->numbers[i].arch != NULL && c->numbers[i].hash == h)
            archai_bayes_candidates_remove(c, (uint32_t)i);
    while ((at = archai_hash_find(&c->by_hash, h, is_left, c->numbers, &h)) != SIZE_MAX)
        archai_bayes_candidates_remove(c, (uint32_t)at);
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
