/* core/algorithm/bayes_opt/bayes_look.h - the present score of each candidate. */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_LOOK_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_BAYES_LOOK_H
#include "core/algorithm/bayes_opt/bayes_candidates.h"

/* Set the scores of all members by their expected improvement. Cheap objectives are predicted like the
 * others at first; then the best members are scored again with their exact values, until the best one is
 * one of them. r: results of c->now's rows, at least one. */
int archai_bayes_look(archai_bayes_candidates *c, const archai_bayes_results *r, archai_search *s,
                      archai_rng *rng, archai_err *err);
/* The number of the best member; there must be one. */
uint32_t archai_bayes_most_promising(const archai_bayes_candidates *c);
#endif
