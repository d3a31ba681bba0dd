/* runner/evaluator/environment.h - variables for a child that evaluates: devices and threads. */
#ifndef ARCHAI_RUNNER_EVALUATOR_ENVIRONMENT_H
#define ARCHAI_RUNNER_EVALUATOR_ENVIRONMENT_H
#include "runner/evaluator/evaluator.h"

enum { ARCHAI_ENVIRONMENT_MAX = 12, ARCHAI_VARIABLE_MAX = 256 };

typedef struct archai_environment {
    char text[ARCHAI_ENVIRONMENT_MAX][ARCHAI_VARIABLE_MAX];
    const char *at[ARCHAI_ENVIRONMENT_MAX + 1]; /* "NAME=value"; ends with NULL */
    size_t n;
} archai_environment;

/* Begins a list: thread limits, which must be set before a child's libraries start threads, and the GPU that
 * the child may see; none on the device "cpu", where it must not open a context. */
void archai_environment_init(archai_environment *e, const archai_evaluator_setup *setup,
                             const char *device);
void archai_environment_set(archai_environment *e, const char *name, const char *value);
/* "NAME=value" of any length, borrowed. */
void archai_environment_add(archai_environment *e, const char *variable);
#endif
