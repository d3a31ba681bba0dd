/* core/algorithm/retrain.c - no search: models of other results, trained once more, each in its turn.
 *
 * What archai-run --from sets. The models come through the search's giver (core/search/given.h); a
 * model that an earlier start has evaluated is not proposed again. Nothing is learned from results, so
 * any number of ranks gives the same candidates in the same order, with the same seeds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/given.h"
#include "core/search/search.h"

struct retrain {
    archai_algorithm base; /* first member */
    char *from;
    archai_strings models;
    bool fresh;
    archai_given *given; /* owned; [n] */
    archai_model *read;  /* owned; [n]: given[i].arch, as this space has it */
    size_t n, next;
};

/* clang-format off */
static const archai_option options[] = {
    {"from",   ARCHAI_OPT_STRING,  offsetof(struct retrain, from),   0, 0, "",       "", NULL, "results whose models are trained: a directory or a results.h5; --from sets it"},
    {"models", ARCHAI_OPT_STRINGS, offsetof(struct retrain, models), 0, 0, "pareto", "", NULL, "which: pareto, top NAME N, or ids, archids, beginnings of archids, front:K; words with blanks or commas stand in quotes"},
    {"fresh",  ARCHAI_OPT_BOOL,    offsetof(struct retrain, fresh),  0, 0, "no",     "", NULL, "begin with new weights instead of the stored ones; --fresh sets it"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

/* A model of another space may be one of this space by chance: then its archid tells. */
static int read_model(struct retrain *a, size_t i, archai_err *err)
{
    const archai_given *g = &a->given[i];
    archai_model *m = &a->read[i];
    json_t *metadata;

    ARCHAI_TRY(archai_err_wrap(
        err, archai_space_load_arch(a->base.search->space, g->arch, strlen(g->arch), m, err),
        "from: %s: '%s' is no model of this space: ", a->from, g->archid));
    if (strcmp(m->archid, g->archid) != 0)
        return archai_fail(err, ARCHAI_EINVAL,
                           "from: %s: '%s' is '%s' in this space, expected [space] as it was there", a->from,
                           g->archid, m->archid);
    metadata = g->metadata != NULL ? json_loads(g->metadata, 0, NULL) : NULL;
    if (json_is_object(metadata))
        archai_must_have(json_object_update_missing(m->metadata, metadata) == 0);
    json_decref(metadata);
    return ARCHAI_OK;
}

static int retrain_init(archai_algorithm *self, archai_err *err)
{
    struct retrain *a = (struct retrain *)self;
    const archai_giver *giver = self->search->giver;

    if (a->from[0] == '\0')
        return archai_fail(err, ARCHAI_EINVAL, "from: missing, algorithm retrain needs the results whose models are trained");
    if (giver == NULL || giver->chosen == NULL)
        return archai_fail(err, ARCHAI_EINVAL, "from: %s: results are read by archai-run alone", a->from);
    ARCHAI_TRY(archai_err_wrap(err, giver->chosen(giver->payload, a->from, &a->models, a->fresh, &a->given, &a->n, err),
                               "from: "));
    a->read = archai_calloc(a->n, sizeof *a->read);
    for (size_t i = 0; i < a->n; i++)
        ARCHAI_TRY(read_model(a, i, err));
    return ARCHAI_OK;
}

static void retrain_fini(archai_algorithm *self)
{
    struct retrain *a = (struct retrain *)self;

    for (size_t i = 0; a->read != NULL && i < a->n; i++)
        archai_model_fini(&a->read[i]);
    free(a->read);
    archai_given_free(a->given, a->n);
}

static int retrain_propose(archai_algorithm *self, archai_propose *what, archai_trial *out, archai_err *err)
{
    struct retrain *a = (struct retrain *)self;

    (void)err;
    while (a->next < a->n && archai_search_seen(self->search, a->given[a->next].archid))
        a->next++;
    *what = a->next < a->n ? ARCHAI_PROPOSED : ARCHAI_PROPOSE_DONE;
    if (*what == ARCHAI_PROPOSE_DONE) {
        (void)snprintf(self->search->done, sizeof self->search->done, "all %zu chosen models were trained", a->n);
        return ARCHAI_OK;
    }
    *out = (archai_trial){.operator_ = archai_strdup(ARCHAI_OPERATOR_RETRAIN),
                          .begin_at = a->given[a->next].begin_at};
    archai_model_copy(&out->model, &a->read[a->next++]);
    return ARCHAI_OK;
}

const archai_algorithm_ops archai_algorithm_retrain = {
    .abi = ARCHAI_ALGORITHM_ABI,
    .name = "retrain",
    .help = "no search: trains chosen models of other results once more (archai-run --from)",
    .size = sizeof(struct retrain),
    .options = options,
    .independent = true,
    .given = true,
    .schedules = 1u << ARCHAI_ASYNC,
    .init = retrain_init,
    .fini = retrain_fini,
    .propose = retrain_propose,
};
