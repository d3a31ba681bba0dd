/* core/algorithm/variation.h - proposals by variation: random samples, mutants, crossovers.
 *
 * Each function writes a whole proposal (operator, parents, Archai's metadata keys) into *out, which the
 * caller frees. ARCHAI_ENONE: the space made no child. Parents are indices of records whose
 * architecture is still kept (on the front, or `keep`).
 */
#ifndef ARCHAI_CORE_ALGORITHM_VARIATION_H
#define ARCHAI_CORE_ALGORITHM_VARIATION_H
#include "core/search/search.h"

int archai_vary_random(archai_search *s, archai_trial *out, archai_err *err);
int archai_vary_mutate(archai_search *s, size_t parent, archai_trial *out, archai_err *err);
int archai_vary_crossover(archai_search *s, size_t left, size_t right, archai_trial *out,
                          archai_err *err);
/* A mutant of one parent (n = 1) or a child of two: a new one if ARCHAI_NEW_TRIES tries find one, as many
 * as a generation makes. All tries are with these parents: drawing others each time would favour parents
 * whose neighbours have not been tried yet. */
enum { ARCHAI_NEW_TRIES = 20 };
int archai_vary_new(archai_search *s, const size_t *parents, size_t n, archai_trial *out,
                    archai_err *err);
/* Set `key` of the metadata; takes the reference to `value`. */
void archai_vary_note(archai_trial *p, const char *key, json_t *value);

/* How often each parent was mutated. A generation mutates every member of a front; without generations,
 * parents drawn at random would leave some out and take others twice. */
typedef struct archai_turns {
    uint32_t *taken; /* [n], by record; owned */
    size_t n;
} archai_turns;
void archai_turns_fini(archai_turns *t); /* safe on a zeroed struct */
/* archai_vary_new() of that one of parents [n > 0] that had the fewest turns; chance decides between
 * equal ones. */
int archai_vary_mutate_in_turn(archai_search *s, archai_turns *t, archai_rng *rng,
                               const size_t *parents, size_t n, archai_trial *out,
                               archai_err *err);
#endif
