/* runner/space_tool/make.c - the commands that make architectures: sample, mutate, crossover. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/space_tool/space_tool.h"

int space_sample(space_tool *t, archai_err *err)
{
    for (int64_t i = 0; i < t->count; i++) {
        archai_model m = {0};
        int rc = archai_space_random_sample(t->space, &m, err);

        if (rc == ARCHAI_OK)
            rc = space_tool_line(&m, err);
        archai_model_fini(&m);
        if (rc != ARCHAI_OK)
            return rc;
    }
    return ARCHAI_OK;
}

/* Print a child, or null if the space has none (an answer, not an error). */
static int print_child(int rc, const archai_model *child, archai_err *err)
{
    if (rc == ARCHAI_ENONE)
        return space_tool_line(NULL, err);
    ARCHAI_TRY(rc);
    return space_tool_line(child, err);
}

int space_mutate(space_tool *t, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (int64_t i = 0; i < t->count && rc == ARCHAI_OK; i++) {
        archai_model child = {0};

        rc = print_child(archai_space_mutate(t->space, &t->model, &child, err), &child, err);
        archai_model_fini(&child);
    }
    return rc;
}

int space_crossover(space_tool *t, archai_err *err)
{
    archai_model *parents = archai_calloc(t->n_args, sizeof *parents);
    const archai_model **list = archai_calloc(t->n_args, sizeof *list);
    size_t n = 0;
    int rc = ARCHAI_OK;

    for (; n < t->n_args && rc == ARCHAI_OK; n++) {
        rc = space_tool_load(t, t->args[n], &parents[n], err);
        list[n] = &parents[n];
    }
    for (int64_t i = 0; i < t->count && rc == ARCHAI_OK; i++) {
        archai_model child = {0};

        rc = print_child(archai_space_crossover(t->space, list, n, &child, err), &child, err);
        archai_model_fini(&child);
    }
    for (size_t i = 0; i < n; i++)
        archai_model_fini(&parents[i]);
    free(parents);
    free(list);
    return rc;
}
