/* runner/ask_tell/fit.h - an algorithm's jobs (core/search/surrogate.h), done at once by an archai-evaluator that
 * is started for the first of them. */
#ifndef ARCHAI_RUNNER_ASK_TELL_FIT_H
#define ARCHAI_RUNNER_ASK_TELL_FIT_H
#include "core/search/search.h"
#include "runner/process/evaluator_client.h"

typedef struct archai_fit {
    archai_evaluator_client client;
    bool running;
    size_t held; /* rows that it has */
} archai_fit;
#define ARCHAI_FIT_INIT                                                                            \
    {                                                                                              \
        .client = ARCHAI_EVALUATOR_CLIENT_INIT                                                     \
    }

/* Do the jobs that there are; blocks meanwhile. *did: there was one. Where none can be done the search goes on without
 * predictions, or, by generations, ends with the reason. */
int archai_fit_jobs(archai_fit *f, archai_search *s, bool *did, archai_err *err);
void archai_fit_close(archai_fit *f); /* idempotent */
#endif
