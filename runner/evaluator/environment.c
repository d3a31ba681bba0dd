#include "runner/evaluator/environment.h"

#include <stdio.h>
#include <string.h>

#include "runner/process/evaluator_client.h"

void archai_environment_add(archai_environment *e, const char *variable)
{
    if (e->n < ARCHAI_ENVIRONMENT_MAX)
        e->at[e->n++] = variable;
    e->at[e->n] = NULL;
}

void archai_environment_set(archai_environment *e, const char *name, const char *value)
{
    if (e->n == ARCHAI_ENVIRONMENT_MAX)
        return;
    (void)snprintf(e->text[e->n], ARCHAI_VARIABLE_MAX, "%s=%s", name, value);
    archai_environment_add(e, e->text[e->n]);
}

void archai_environment_init(archai_environment *e, const archai_evaluator_setup *setup,
                             const char *device)
{
    char number[16];

    e->n = 0;
    (void)snprintf(number, sizeof number, "%d", setup->threads);
    archai_environment_set(e, "OMP_NUM_THREADS", number);
    archai_environment_set(e, "MKL_NUM_THREADS", number);
    archai_environment_set(e, "OPENBLAS_NUM_THREADS", number);
    if (strcmp(device, "cpu") == 0)
        archai_environment_set(e, "CUDA_VISIBLE_DEVICES", "");
    else if (setup->gpu != NULL)
        archai_environment_set(e, "CUDA_VISIBLE_DEVICES", setup->gpu);
    if (strcmp(device, "cpu") != 0 && setup->sharing > 1) {
        (void)snprintf(number, sizeof number, "%d", setup->sharing);
        archai_environment_set(e, ARCHAI_ENVIRONMENT_SHARING, number);
    }
}
