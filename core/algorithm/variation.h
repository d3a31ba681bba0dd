/* core/algorithm/variation.h - proposals by variation: random samples, mutants, crossovers, given ones.
 *
 * Each writes a whole proposal (operator, parents, Archai's metadata keys) into *out, which is the
 * caller's to free. ARCHAI_ENONE: the space made no child. Parents are indices of records whose
 * architecture is still kept (on the front, or `keep`).
 */
#ifndef ARCHAI_CORE_ALGORITHM_VARIATION_H
#define ARCHAI_CORE_ALGORITHM_VARIATION_H
#include "core/search/search.h"

int archai_vary_random(archai_search *s, archai_trial *out, archai_err *err);
int archai_vary_mutate(archai_search *s, size_t parent, archai_trial *out, archai_err *err);
int archai_vary_crossover(archai_search *s, size_t left, size_t right, archai_trial *out,
                          archai_err *err);

/* Which parents were mutated how often. A generation mutates every member of a front; where there
 * are none, parents drawn at random would leave some out and take others twice. */
typedef struct archai_turns {
    uint32_t *taken; /* [n], by record; owned */
    size_t n;
} archai_turns;
void archai_turns_fini(archai_turns *t); /* safe on a zeroed struct */
/* A mutant of the one of parents [n > 0] that had the fewest turns, chance deciding between equal
 * ones: a new one, if there is one in ARCHAI_TURN_TRIES. As many as a generation takes, since
 * were another parent drawn instead, those whose surroundings nobody has tried would come up far
 * more often than the others. */
enum { ARCHAI_TURN_TRIES = 20 };
int archai_vary_mutate_in_turn(archai_search *s, archai_turns *t, archai_rng *rng,
                               const size_t *parents, size_t n, archai_trial *out,
                               archai_err *err);

/* Architectures that the user gives to begin with (initial_population_paths). */
typedef struct archai_given {
    archai_model *at; /* owned; [n] */
    size_t n, next;
} archai_given;
/* Read arch files. Errors begin with "initial_population_paths: " and the path. */
int archai_given_read(archai_given *g, archai_space *space, const archai_strings *paths,
                      archai_err *err);
void archai_given_fini(archai_given *g);
/* The next one, or ARCHAI_ENONE. */
int archai_given_next(archai_given *g, archai_trial *out);

/* How an asynchronous search begins: the given architectures, or `n` random ones. ARCHAI_ENONE:
 * the beginning is over. */
int archai_vary_initial(archai_search *s, archai_given *g, int64_t n, archai_trial *out,
                        archai_err *err);
#endif
