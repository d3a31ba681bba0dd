/* tests/support/small_search.h - searches of the cnn space with its 192 architectures, small enough to be exhausted, for two
 * objectives: accuracy, made up from the architecture, and params. */
#ifndef ARCHAI_TESTS_SMALL_SEARCH_H
#define ARCHAI_TESTS_SMALL_SEARCH_H
#include "world.h"

enum { MODELS = 192 };

/* A configuration, good until the next call; `more` goes on in its section search. */
const char *config(const char *algorithm, int schedule, const char *more);
/* `last` goes on in the section of params: a constraint. */
const char *constrained(const char *algorithm, int schedule, const char *more,
                        const char *last);
/* Of an algorithm that makes proposals of its own. */
bool has_schedule(const archai_algorithm_ops *ops, archai_schedule schedule);

/* Deeper and wider is better, with a wrinkle, so that there are trade-offs. */
void accuracy(const archai_trial *c, archai_trial *e, void *context);
/* A third fails, a third is NaN. */
void fail_often(const archai_trial *c, archai_trial *e, void *context);

/* How many (architecture, budget) a log has. */
size_t count_different(const struct log *l);
/* The search has a candidate to hand out. */
void ask_one(struct world *w, archai_trial *c);
#endif
