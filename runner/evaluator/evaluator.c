/* runner/evaluator/evaluator.c - what all kinds share: section [evaluator], creation. */
#include "runner/evaluator/evaluator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

/* -- section [evaluator] --------------------------------------------------------------------- */

static bool evaluator_at(size_t i, archai_kind *out)
{
    const archai_evaluator_ops *ops = archai_evaluators[i];

    if (ops != NULL)
        *out = (archai_kind){ops->name, ops->help, ops->options};
    return ops != NULL;
}

const archai_registry archai_evaluator_registry = {
    .section = "evaluator",
    .key = "kind",
    .at = evaluator_at,
    .refused = "delay",
};

int archai_evaluator_choose(const char *kind, archai_ini *ini, const archai_evaluator_ops **ops,
                            void **settings, archai_err *err)
{
    size_t i;

    ARCHAI_TRY(archai_ini_locate(
        ini, archai_registry_find(&archai_evaluator_registry, kind, &i, err), err));
    *ops = archai_evaluators[i];
    return archai_settings_load(settings, (*ops)->settings_size, (*ops)->options, "evaluator", ini,
                                err);
}

archai_choice archai_evaluator_choice(const archai_evaluator_ops *ops, const void *settings)
{
    return (archai_choice){.registry = &archai_evaluator_registry,
                           .name = ops->name,
                           .options = ops->options,
                           .own = settings};
}

static bool checkpoints(const archai_evaluator_ops *ops)
{
    return ops->checkpoints;
}

static bool tests(const archai_evaluator_ops *ops)
{
    return ops->tests;
}

static bool starts_from_weights(const archai_evaluator_ops *ops)
{
    return ops->start_fd != NULL;
}

/* [train] asks for what this kind cannot do. */
static void refuse(archai_check *c, const char *key, const char *kind, const char *lack,
                   bool (*can)(const archai_evaluator_ops *ops))
{
    char kinds[256] = "";

    for (size_t i = 0; archai_evaluators[i] != NULL; i++)
        if (can(archai_evaluators[i]))
            (void)snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%s",
                           kinds[0] != '\0' ? ", " : "", archai_evaluators[i]->name);
    archai_check_fail(c, key, NULL, "evaluator.kind = %s %s; these do: %s", kind, lack, kinds);
}

int archai_evaluator_check(const archai_evaluator_ops *ops, const void *settings,
                           const archai_config *config, const archai_ini *ini, archai_err *err)
{
    archai_check own = {.ini = ini, .section = "evaluator", .err = err};
    archai_check search = {.ini = ini, .section = "search", .err = err};
    archai_check train = {.ini = ini, .section = "train", .err = err};

    if (config->train.checkpoint != ARCHAI_CHECKPOINT_NONE && !checkpoints(ops))
        refuse(&train, "checkpoint", ops->name, "does not write checkpoints", checkpoints);
    if (config->train.inherit_weights && !starts_from_weights(ops))
        refuse(&train, "inherit_weights", ops->name, "does not inherit weights",
               starts_from_weights);
    if (config->train.test == ARCHAI_TEST_FRONT && !tests(ops))
        refuse(&train, "test", ops->name, "does not measure stored weights", tests);
    else if (config->train.test == ARCHAI_TEST_FRONT &&
             config->output.weights != ARCHAI_WEIGHTS_PARETO &&
             config->output.weights != ARCHAI_WEIGHTS_ALL)
        archai_check_fail(&train, "test", NULL,
                          "front needs the weights of the front, expected output.weights = pareto or all");
    if (config->search.prune.rule != 0 && (ops->reports == NULL || !ops->reports(settings)))
        archai_check_fail(&search, "prune", NULL,
                          "evaluator.kind = %s says nothing while a candidate trains; expected evaluator.kind = torch, "
                          "or command with evaluator.persistent = yes", ops->name);
    own.rc = train.rc != ARCHAI_OK ? train.rc : search.rc;
    if (ops->check != NULL)
        ops->check(settings, &own);
    return own.rc;
}

bool archai_evaluator_measures_by(const archai_evaluator_ops *ops, const char *key)
{
    const char *const *k = ops->measuring_keys;

    if (strcmp(key, archai_evaluator_registry.key) == 0)
        return true;
    while (k != NULL && *k != NULL && strcmp(*k, key) != 0)
        k++;
    return k != NULL && *k != NULL;
}

/* -- evaluators ------------------------------------------------------------------------------ */

int archai_evaluator_create(archai_evaluator **out, const archai_evaluator_ops *ops,
                            const archai_evaluator_setup *setup, archai_err *err)
{
    archai_evaluator *e = archai_calloc(1, ops->size);
    int rc = ARCHAI_OK;

    e->ops = ops;
    e->setup = setup;
    if (ops->init != NULL)
        rc = ops->init(e, err);
    if (rc == ARCHAI_OK)
        *out = e;
    else
        archai_evaluator_destroy(e);
    return rc;
}

void archai_evaluator_destroy(archai_evaluator *e)
{
    if (e == NULL)
        return;
    e->ops->close(e);
    if (e->ops->fini != NULL)
        e->ops->fini(e);
    free(e);
}

int archai_evaluator_space(const archai_evaluator *e, archai_space **out, archai_err *err)
{
    const char *text = e->setup->config_text;
    archai_ini ini = {.n = 0};
    int rc = archai_ini_parse(&ini, "configuration", text, strlen(text), err);

    if (rc == ARCHAI_OK)
        rc = archai_space_create(out, &ini, &e->setup->data, err);
    archai_ini_free(&ini);
    return rc;
}

void archai_evaluator_event_set(archai_evaluator_event *e, archai_evaluator_event_kind kind,
                                int code, const char *text)
{
    e->kind = kind;
    e->code = code;
    (void)snprintf(e->text, sizeof e->text, "%s", text);
    archai_text_clean(e->text, false); /* it may quote a user's program */
}

void archai_evaluator_event_fini(archai_evaluator_event *e)
{
    if (e->result != NULL)
        archai_trial_fini(e->result);
    free(e->result);
    e->result = NULL;
}
