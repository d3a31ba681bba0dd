/* runner/coordinator/surrogate_client.h - rank 0's side of the archai-evaluator that fits and
 * queries the algorithm's surrogate (core/search/surrogate.h) while candidates are evaluated.
 *
 * One process with one thread on a CPU, started with the run. When it dies or does not answer in
 * time it is started again and gets all rows again. After a few failures in a row the algorithm
 * does without it (async) or the run fails (generational). Never blocks.
 */
#ifndef ARCHAI_RUNNER_COORDINATOR_SURROGATE_CLIENT_H
#define ARCHAI_RUNNER_COORDINATOR_SURROGATE_CLIENT_H
#include "core/search/search.h"
#include "runner/process/evaluator_client.h"

typedef struct archai_surrogate_client {
    archai_search *search; /* borrowed; NULL: it has no jobs, or the client gave up */
    int64_t memory_limit;  /* bytes; 0: none */
    archai_evaluator_client child;
    bool running, ready;
    int64_t job;    /* under way; 0: none */
    size_t held;    /* rows that the process knows */
    int failures;   /* in a row */
    double due;     /* clock: when the process is started again, or must have answered */
    double sent_at;            /* clock: of the job under way */
    double longest_s, limit_s; /* what any answer took; what this one may take */
} archai_surrogate_client;

void archai_surrogate_client_init(archai_surrogate_client *c, archai_search *search,
                                  int64_t memory_limit);
void archai_surrogate_client_close(archai_surrogate_client *c); /* idempotent */
/* *busy: something happened. *gave_up: there were too many failures; `why` [size] says what the
 * last one was; from now on nothing is done. Errors are those of the search. */
int archai_surrogate_client_step(archai_surrogate_client *c, bool *busy, bool *gave_up, char *why,
                                 size_t size, archai_err *err);
size_t archai_surrogate_client_wake(const archai_surrogate_client *c, struct pollfd *out,
                                    size_t max);
#endif
