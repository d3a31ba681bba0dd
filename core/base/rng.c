#include "core/base/rng.h"

#include <math.h>
#include <stdlib.h>

#include "core/base/alloc.h"

enum { WORDS = 624, SHIFT = 397 };

static void seed_word(archai_rng *r, uint32_t seed)
{
    r->state[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++)
        r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
    r->next = WORDS;
    r->has_gauss = 0;
    r->gauss = 0.0;
}

/* init_by_array of Matsumoto & Nishimura with the key that CPython makes from an int: its 32-bit
 * words, lowest first, without leading zeros. */
void archai_rng_seed(archai_rng *r, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t n_key = key[1] != 0 ? 2 : 1;
    uint32_t *s = r->state;
    uint32_t i = 1, j = 0;

    seed_word(r, 19650218u);
    for (int k = 0; k < WORDS; k++) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + j;
        if (++i == WORDS) {
            s[0] = s[WORDS - 1];
            i = 1;
        }
        j = (j + 1) % n_key;
    }
    for (int k = 0; k < WORDS - 1; k++) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
        if (++i == WORDS) {
            s[0] = s[WORDS - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

void archai_rng_seed_numpy(archai_rng *r, uint32_t seed)
{
    seed_word(r, seed);
}

static void refill(archai_rng *r)
{
    uint32_t *s = r->state;

    for (int k = 0; k < WORDS; k++) {
        uint32_t y = (s[k] & 0x80000000u) | (s[(k + 1) % WORDS] & 0x7fffffffu);

        s[k] = s[(k + SHIFT) % WORDS] ^ (y >> 1) ^ ((y & 1u) != 0 ? 0x9908b0dfu : 0u);
    }
    r->next = 0;
}

uint32_t archai_rng_u32(archai_rng *r)
{
    uint32_t y;

    if (r->next >= WORDS)
        refill(r);
    y = r->state[r->next++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

double archai_rng_random(archai_rng *r)
{
    uint32_t a = archai_rng_u32(r) >> 5, b = archai_rng_u32(r) >> 6;

    return ((double)a * 67108864.0 + (double)b) / 9007199254740992.0;
}

static int bit_length(uint64_t n)
{
    int bits = 0;

    for (; n != 0; n >>= 1)
        bits++;
    return bits;
}

/* Random.getrandbits, 1 <= bits <= 64: the low word first; only the last is shortened. */
static uint64_t random_bits(archai_rng *r, int bits)
{
    uint64_t low;

    if (bits <= 32)
        return archai_rng_u32(r) >> (32 - bits);
    low = archai_rng_u32(r);
    return low | ((uint64_t)(archai_rng_u32(r) >> (64 - bits)) << 32);
}

uint64_t archai_rng_below(archai_rng *r, uint64_t n)
{
    int bits = bit_length(n);
    uint64_t v = random_bits(r, bits);

    while (v >= n)
        v = random_bits(r, bits);
    return v;
}

int64_t archai_rng_randint(archai_rng *r, int64_t a, int64_t b)
{
    uint64_t width = (uint64_t)b - (uint64_t)a + 1;

    /* a width of 2^64 wraps to 0: any word will do */
    return (int64_t)((uint64_t)a + (width == 0 ? random_bits(r, 64) : archai_rng_below(r, width)));
}

double archai_rng_normal(archai_rng *r)
{
    const double magic = 4 * exp(-0.5) / sqrt(2.0);

    for (;;) {
        const double u1 = archai_rng_random(r), u2 = 1.0 - archai_rng_random(r);
        const double z = magic * (u1 - 0.5) / u2;

        if (z * z / 4.0 <= -log(u2))
            return z;
    }
}

size_t archai_rng_choices(archai_rng *r, const double *weights, size_t n)
{
    double total = 0.0, sum = 0.0, u;

    if (weights == NULL)
        return (size_t)floor(archai_rng_random(r) * (double)n);
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    u = archai_rng_random(r) * total;
    for (size_t i = 0; i + 1 < n; i++) {
        sum += weights[i];
        if (u < sum)
            return i;
    }
    return n - 1;
}

/* Above this length Random.sample draws into a set instead of shuffling a copy of the list. */
static double copy_limit(size_t k)
{
    return k <= 5 ? 21.0 : 21.0 + pow(4.0, ceil(log((double)k * 3.0) / log(4.0)));
}

static void sample_copy(archai_rng *r, size_t n, size_t k, size_t *out)
{
    size_t *pool = archai_calloc(n, sizeof *pool);

    for (size_t i = 0; i < n; i++)
        pool[i] = i;
    for (size_t i = 0; i < k; i++) {
        size_t j = (size_t)archai_rng_below(r, n - i);

        out[i] = pool[j];
        pool[j] = pool[n - i - 1];
    }
    free(pool);
}

static void sample_set(archai_rng *r, size_t n, size_t k, size_t *out)
{
    unsigned char *seen = archai_calloc(n / 8 + 1, 1);

    for (size_t i = 0; i < k; i++) {
        size_t j = (size_t)archai_rng_below(r, n);

        while ((seen[j / 8] >> (j % 8) & 1) != 0)
            j = (size_t)archai_rng_below(r, n);
        seen[j / 8] |= (unsigned char)(1u << (j % 8));
        out[i] = j;
    }
    free(seen);
}

int archai_rng_sample(archai_rng *r, size_t n, size_t k, size_t *out, archai_err *err)
{
    if (k > n)
        return archai_fail(err, ARCHAI_EINVAL, "cannot draw %zu of %zu", k, n);
    if ((double)n <= copy_limit(k))
        sample_copy(r, n, k, out);
    else
        sample_set(r, n, k, out);
    return ARCHAI_OK;
}

static void swap(size_t *a, size_t *b)
{
    size_t t = *a;

    *a = *b;
    *b = t;
}

void archai_rng_shuffle(archai_rng *r, size_t *index, size_t n)
{
    for (size_t i = n; i > 1; i--)
        swap(&index[i - 1], &index[archai_rng_below(r, i)]);
}

double archai_rng_randn_numpy(archai_rng *r)
{
    double x, y, r2, f;

    if (r->has_gauss) {
        r->has_gauss = 0;
        return r->gauss;
    }
    do {
        x = 2.0 * archai_rng_random(r) - 1.0;
        y = 2.0 * archai_rng_random(r) - 1.0;
        r2 = x * x + y * y;
    } while (r2 >= 1.0 || r2 == 0.0);
    f = sqrt(-2.0 * log(r2) / r2);
    r->gauss = f * x;
    r->has_gauss = 1;
    return f * y;
}

void archai_rng_shuffle_numpy(archai_rng *r, size_t *index, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        uint32_t max = (uint32_t)(i - 1);
        uint32_t mask = (uint32_t)((UINT64_C(1) << bit_length(max)) - 1);
        uint32_t j = archai_rng_u32(r) & mask;

        while (j > max)
            j = archai_rng_u32(r) & mask;
        swap(&index[i - 1], &index[j]);
    }
}

uint64_t archai_rng_derive(uint64_t seed, uint64_t id)
{
    uint64_t z = seed + (id + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) >> 1;
}
