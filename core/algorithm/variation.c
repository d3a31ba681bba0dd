#include "core/algorithm/variation.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

int archai_vary_random(archai_search *s, archai_trial *out, archai_err *err)
{
    archai_trial p = {.operator_ = NULL};

    ARCHAI_TRY(archai_space_random_sample(s->space, &p.model, err));
    archai_trial_set_operator(&p, "random");
    *out = p;
    return ARCHAI_OK;
}

void archai_vary_note(archai_trial *p, const char *key, json_t *value)
{
    archai_must_have(json_object_set_new(p->model.metadata, key, value) == 0);
}

/* Takes the model over. */
static archai_trial child_of(const archai_search *s, const char *operator_, archai_model *child,
                             const size_t *parents, size_t n)
{
    archai_trial p = {.model = *child, .operator_ = archai_strdup(operator_)};
    const archai_record *first = &s->records[parents[0]], *last = &s->records[parents[n - 1]];
    json_t *archids;

    if (n == 1) {
        archids = json_pack("[s]", first->archid);
        archai_vary_note(&p, "parent", json_string(first->archid));
    } else {
        archids = json_pack("[ss]", first->archid, last->archid);
        archai_vary_note(&p, "parents", json_sprintf("%s,%s", first->archid, last->archid));
    }
    p.parents = archai_there(json_dumps(archai_there(archids), JSON_COMPACT));
    json_decref(archids);
    p.generation = 1 + (first->generation > last->generation ? first : last)->generation;
    if (s->inherit)
        p.begin_at = first->stored;
    return p;
}

int archai_vary_mutate(archai_search *s, size_t parent, archai_trial *out, archai_err *err)
{
    archai_model base, child;
    int rc;

    ARCHAI_TRY(archai_search_model(s, parent, &base, err));
    rc = archai_space_mutate(s->space, &base, &child, err);
    archai_model_fini(&base);
    ARCHAI_TRY(rc);
    *out = child_of(s, "mutation", &child, &parent, 1);
    return ARCHAI_OK;
}

int archai_vary_crossover(archai_search *s, size_t left, size_t right, archai_trial *out,
                          archai_err *err)
{
    const size_t parents[2] = {left, right};
    archai_model base[2], child;
    int rc;

    ARCHAI_TRY(archai_search_model(s, left, &base[0], err));
    rc = archai_search_model(s, right, &base[1], err);
    if (rc == ARCHAI_OK) {
        rc = archai_space_crossover(s->space, (const archai_model *const[]){&base[0], &base[1]},
                                    2, &child, err);
        archai_model_fini(&base[1]);
    }
    archai_model_fini(&base[0]);
    ARCHAI_TRY(rc);
    *out = child_of(s, "crossover", &child, parents, 2);
    return ARCHAI_OK;
}

int archai_vary_new(archai_search *s, const size_t *parents, size_t n, archai_trial *out,
                    archai_err *err)
{
    int rc = ARCHAI_ENONE;

    for (int i = 0; i < ARCHAI_NEW_TRIES; i++) {
        if (rc == ARCHAI_OK)
            archai_trial_fini(out);
        rc = n == 1 ? archai_vary_mutate(s, parents[0], out, err)
                    : archai_vary_crossover(s, parents[0], parents[1], out, err);
        if (rc != ARCHAI_ENONE && (rc != ARCHAI_OK || !archai_search_seen(s, out->model.archid)))
            return rc;
    }
    return rc;
}

/* -- in turn ----------------------------------------------------------------------------- */

void archai_turns_fini(archai_turns *t)
{
    free(t->taken);
    *t = (archai_turns){.taken = NULL};
}

/* The parent that was mutated least, chance deciding between equal ones. */
static size_t next_parent(const archai_turns *t, archai_rng *rng, const size_t *parents, size_t n)
{
    size_t chosen = parents[0], ties = 0;

    for (size_t i = 0; i < n; i++) {
        const uint32_t taken = t->taken[parents[i]], least = t->taken[chosen];

        ties = taken < least ? 1 : ties + (taken == least);
        if (taken < least || (taken == least && archai_rng_below(rng, ties) == 0))
            chosen = parents[i];
    }
    return chosen;
}

int archai_vary_mutate_in_turn(archai_search *s, archai_turns *t, archai_rng *rng,
                               const size_t *parents, size_t n, archai_trial *out,
                               archai_err *err)
{
    const size_t before = t->n;
    size_t parent;

    ARCHAI_RESERVE(t->taken, t->n, s->n_records);
    if (t->n > before)
        memset(&t->taken[before], 0, (t->n - before) * sizeof *t->taken);
    parent = next_parent(t, rng, parents, n);
    t->taken[parent]++;
    return archai_vary_new(s, &parent, 1, out, err);
}
