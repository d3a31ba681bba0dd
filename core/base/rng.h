/* core/base/rng.h - random numbers that agree with CPython's random.Random and numpy's RandomState.
 *
 * MT19937 (Matsumoto & Nishimura 1998) with the derivations of CPython 3.11 `random` and of
 * numpy's legacy generator, so that a seed gives the same architectures as Archai's Python.
 * archai_rng is plain data: copying it copies the stream, writing it out saves it.
 */
#ifndef ARCHAI_CORE_BASE_RNG_H
#define ARCHAI_CORE_BASE_RNG_H
#include <stddef.h>
#include <stdint.h>
#include "core/base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct archai_rng {
    uint32_t state[624];
    uint32_t next; /* index of the next word, 0..624 */
    int has_gauss; /* numpy's cached second normal deviate */
    double gauss;
} archai_rng;

void archai_rng_seed(archai_rng *r, uint64_t seed);       /* random.Random(seed) */
void archai_rng_seed_numpy(archai_rng *r, uint32_t seed); /* numpy.random.RandomState(seed) */

uint32_t archai_rng_u32(archai_rng *r);
double archai_rng_random(archai_rng *r);              /* [0, 1), 53 bits */
uint64_t archai_rng_below(archai_rng *r, uint64_t n); /* [0, n), n >= 1; Random._randbelow */
int64_t archai_rng_randint(archai_rng *r, int64_t a, int64_t b); /* [a, b], both ends; a <= b */

/* Random.normalvariate(0, 1): Kinderman and Monahan 1977; keeps no second value. */
double archai_rng_normal(archai_rng *r);

/* Random.choices(range(n), weights, k=1): an index. weights NULL: all equal, drawn as floor(u * n);
 * else their sum is > 0. */
size_t archai_rng_choices(archai_rng *r, const double *weights, size_t n);
/* Random.sample(range(n), k): k distinct indices in the order drawn. ARCHAI_EINVAL: k > n. */
int archai_rng_sample(archai_rng *r, size_t n, size_t k, size_t *out, archai_err *err);
/* Random.shuffle on an index array of length n. */
void archai_rng_shuffle(archai_rng *r, size_t *index, size_t n);

double archai_rng_randn_numpy(archai_rng *r); /* RandomState.randn(), polar method */
void archai_rng_shuffle_numpy(archai_rng *r, size_t *index, size_t n); /* RandomState.shuffle */

/* SplitMix64 of (seed, id): an evaluation's own seed, never the rank's. The result fits an int64
 * and is >= 0. Source: Steele, Lea, Flood 2014, Fast Splittable Pseudorandom Number Generators. */
uint64_t archai_rng_derive(uint64_t seed, uint64_t id);

#ifdef __cplusplus
}
#endif
#endif
