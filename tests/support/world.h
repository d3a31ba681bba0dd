/* tests/support/world.h - a search with everything around it, and a cluster of imaginary workers.
 *
 * drive() asks and tells as a runner would: up to `workers` candidates are under way, and which
 * of them comes back next is drawn from `order` (0: always the oldest). What was evaluated is
 * logged by id. Everything fails the test at the first error.
 */
#ifndef ARCHAI_TESTS_WORLD_H
#define ARCHAI_TESTS_WORLD_H
#include <stdint.h>
#include "core/search/search.h"

struct world {
    archai_ini ini;
    archai_space *space;
    archai_objectives objectives;
    archai_search search;
    /* Answers the algorithm's jobs (core/search/surrogate.h) at once; by default without knowledge. NULL:
     * it has none, or nobody answers. */
    void (*predict)(const archai_surrogate_job *job, archai_surrogate_answer *answer);
};
/* `text` is a configuration; [search] has algorithm, schedule and seed as in the README, and may have
 * retries and default_budget, which are elsewhere in a real one, and prune = median (after two that are complete). */
void world_open(struct world *w, const char *text);
/* The same, but an error is returned instead of failing the test. */
int world_try(struct world *w, const char *text, archai_err *err);
void world_close(struct world *w);

/* Fill in measures and status of an evaluation of this candidate. */
typedef void evaluate_fn(const archai_trial *c, archai_trial *e, void *context);

struct log {
    struct log_row {
        char archid[128], operator_[32], parents[512];
        int generation, status;
        double budget, values[ARCHAI_MAX_OBJECTIVES];
    } *rows; /* by id */
    size_t n, capacity;
    size_t evaluated; /* candidates handed out and told */
};
void log_free(struct log *l);

/* Until the search is done or `max` evaluations came back. */
void drive(struct world *w, evaluate_fn *evaluate, void *context, size_t workers, uint64_t order,
           size_t max, struct log *log);
/* archai_search_ask, but a candidate is a copy, the caller's: it is still there when it was told. */
int ask(archai_search *s, archai_ask *what, archai_trial *c, archai_trial *cached, archai_err *err);
/* Do the algorithm's job if there is one. */
void serve_jobs(struct world *w);
void evaluation_of(const archai_trial *c, archai_trial *e);
/* nb_layers, kernel_size, hidden_dim of a cnn candidate. */
int arch_int(const archai_trial *c, const char *key);
#endif
