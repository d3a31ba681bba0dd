#include <stdlib.h>
#include <string.h>

#include "runner/evaluator/evaluator.h"

extern const archai_evaluator_ops archai_evaluator_torch;
extern const archai_evaluator_ops archai_evaluator_table;
extern const archai_evaluator_ops archai_evaluator_command;
extern const archai_evaluator_ops archai_evaluator_null;
extern const archai_evaluator_ops archai_evaluator_plugin;

const archai_evaluator_ops *const archai_evaluators[] = {
    &archai_evaluator_torch,
    &archai_evaluator_table,
    &archai_evaluator_command,
    &archai_evaluator_null,
    &archai_evaluator_plugin,
    NULL,
};

int archai_evaluator_find(int kind, const archai_evaluator_ops **out, archai_err *err)
{
    for (size_t i = 0; archai_evaluators[i] != NULL; i++) {
        if (archai_evaluators[i]->kind == kind) {
            *out = archai_evaluators[i];
            return ARCHAI_OK;
        }
    }
    return archai_fail(err, ARCHAI_ENOTSUP,
                       "evaluator.kind: this version has torch, table, command, null and plugin");
}

int archai_evaluator_create(archai_evaluator **out, const archai_evaluator_ops *ops,
                            const archai_evaluator_setup *setup, archai_err *err)
{
    archai_evaluator *e = calloc(1, ops->size);
    int rc = ARCHAI_OK;

    if (e == NULL)
        return archai_fail(err, ARCHAI_ENOMEM, "out of memory for an evaluator");
    e->ops = ops;
    e->setup = setup;
    if (ops->init != NULL)
        rc = ops->init(e, err);
    if (rc != ARCHAI_OK) {
        archai_evaluator_destroy(e);
        return rc;
    }
    *out = e;
    return ARCHAI_OK;
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

void archai_evaluator_event_fini(archai_evaluator_event *e)
{
    if (e->result != NULL)
        archai_trial_fini(e->result);
    free(e->result);
    e->result = NULL;
}
