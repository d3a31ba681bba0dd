/* runner/space_tool/make.c - the commands that make architectures: sample, mutate, crossover. */
#include <stdlib.h>

#include "core/base/alloc.h"
#include "runner/space_tool/space_tool.h"

/* Print t->count models: random ones, mutants of a parent or children of several. null where the space has
 * no such child: an answer, not an error. */
static int make(space_tool *t, const archai_model *const *parents, size_t n, archai_err *err)
{
    int rc = ARCHAI_OK;

    for (int64_t i = 0; i < t->count && rc == ARCHAI_OK; i++) {
        archai_model m = {0};

        rc = n == 0   ? archai_space_random_sample(t->space, &m, err)
             : n == 1 ? archai_space_mutate(t->space, parents[0], &m, err)
                      : archai_space_crossover(t->space, parents, n, &m, err);
        if (rc == ARCHAI_OK || (rc == ARCHAI_ENONE && n > 0))
            rc = space_tool_line(rc == ARCHAI_OK ? &m : NULL, err);
        archai_model_fini(&m);
    }
    return rc;
}

int space_sample(space_tool *t, archai_err *err)
{
    return make(t, NULL, 0, err);
}

int space_mutate(space_tool *t, archai_err *err)
{
    const archai_model *parent = &t->model;

    return make(t, &parent, 1, err);
}

int space_crossover(space_tool *t, archai_err *err)
{
    archai_model *parents = archai_calloc(t->n_args, sizeof *parents);
    const archai_model **list = archai_calloc(t->n_args, sizeof *list);
    int rc = ARCHAI_OK;

    for (size_t i = 0; i < t->n_args && rc == ARCHAI_OK; i++) {
        rc = space_tool_load(t, t->args[i], &parents[i], err);
        list[i] = &parents[i];
    }
    if (rc == ARCHAI_OK)
        rc = make(t, list, t->n_args, err);
    for (size_t i = 0; i < t->n_args; i++)
        archai_model_fini(&parents[i]);
    free(parents);
    free(list);
    return rc;
}
