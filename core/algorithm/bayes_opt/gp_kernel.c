#include "core/algorithm/bayes_opt/gp_kernel.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

enum { MAX_VALUES = 64 }; /* a number with more of them is placed linearly */

struct archai_gp_feature {
    float values[MAX_VALUES];  /* ascending, [n_values] */
    double counts[MAX_VALUES]; /* how often each was seen */
    size_t n_values;
    bool many; /* more than that: lowest and highest in values[0] and values[1] */
    bool choice;
    size_t position; /* of the first bit, or of the number */
};

static size_t place(const struct archai_gp_feature *f, float v)
{
    size_t low = 0, high = f->n_values;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;

        if (f->values[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void learn_value(struct archai_gp_feature *f, float v)
{
    size_t at;

    if (f->many) {
        f->values[0] = fminf(f->values[0], v);
        f->values[1] = fmaxf(f->values[1], v);
        return;
    }
    at = place(f, v);
    if (at < f->n_values && f->values[at] == v) {
        f->counts[at]++;
        return;
    }
    if (f->n_values == MAX_VALUES) {
        f->values[1] = fmaxf(f->values[MAX_VALUES - 1], v);
        f->values[0] = fminf(f->values[0], v);
        f->n_values = 2;
        f->many = true;
        return;
    }
    memmove(&f->values[at + 1], &f->values[at], (f->n_values - at) * sizeof *f->values);
    memmove(&f->counts[at + 1], &f->counts[at], (f->n_values - at) * sizeof *f->counts);
    f->values[at] = v;
    f->counts[at] = 1.0;
    f->n_values++;
}

static float clean(float v)
{
    return isfinite(v) ? v : -1.0f; /* what Archai writes for a feature that is not used */
}

/* Chance that two architectures of the sample differ in a choice. */
static double chance_to_differ(const struct archai_gp_feature *f)
{
    double sum = 0.0, squares = 0.0;

    for (size_t i = 0; i < f->n_values; i++) {
        sum += f->counts[i];
        squares += f->counts[i] * f->counts[i];
    }
    return 1.0 - squares / (sum * sum);
}

/* A choice among too many values is compared by its place, as a number would be. */
static void lay_out(archai_gp_features *f)
{
    for (size_t i = 0; i < f->d; i++) {
        struct archai_gp_feature *at = &f->at[i];

        at->choice = at->choice && !at->many;
        if (at->n_values < 2) /* tells nothing */
            continue;
        at->position = at->choice ? f->n_bits : f->n_numbers++;
        if (!at->choice)
            continue;
        f->n_bits += at->n_values == 2 ? 1 : at->n_values;
        f->mean_bits += chance_to_differ(at) * (at->n_values == 2 ? 1.0 : 2.0);
    }
    f->n_words = (f->n_bits + 63) / 64;
    f->stride = f->n_words * sizeof(uint64_t) + f->n_numbers * sizeof(double);
}

void archai_gp_features_learn(archai_gp_features *f, const float *encodings, size_t n, size_t d,
                              const char *kinds)
{
    *f = (archai_gp_features){.d = d, .at = archai_calloc(d, sizeof *f->at)};
    for (size_t i = 0; i < d; i++) {
        if (kinds != NULL && kinds[i] == 's') { /* it has its place already */
            f->at[i] = (struct archai_gp_feature){.values = {0, 1}, .n_values = 2, .many = true};
            continue;
        }
        f->at[i].choice = kinds != NULL && kinds[i] == 'c';
        for (size_t k = 0; k < n; k++)
            learn_value(&f->at[i], clean(encodings[k * d + i]));
    }
    lay_out(f);
}

void archai_gp_features_fini(archai_gp_features *f)
{
    free(f->at);
    *f = (archai_gp_features){.at = NULL};
}

/* Place among the known values on [0, 1]; between two of them, in proportion. */
static double number(const struct archai_gp_feature *f, float v)
{
    const size_t last = f->n_values - 1;
    size_t at;

    if (v <= f->values[0])
        return 0.0;
    if (v >= f->values[last])
        return 1.0;
    at = place(f, v);
    return ((double)(at - 1) +
            (double)(v - f->values[at - 1]) / (double)(f->values[at] - f->values[at - 1])) /
           (double)last;
}

void archai_gp_features_pack(const archai_gp_features *f, const float *encoding, void *point)
{
    uint64_t *words = point;
    double *numbers = (double *)(words + f->n_words);

    memset(point, 0, f->stride);
    for (size_t i = 0; i < f->d; i++) {
        const struct archai_gp_feature *at = &f->at[i];
        const float v = clean(encoding[i]);
        size_t k;

        if (at->n_values < 2)
            continue;
        if (!at->choice) {
            numbers[at->position] = number(at, v);
            continue;
        }
        k = place(at, v);
        if (k == at->n_values || at->values[k] != v)
            continue; /* never seen: like none of the others */
        if (at->n_values == 2 && k == 1)
            words[at->position / 64] |= UINT64_C(1) << at->position % 64;
        else if (at->n_values > 2)
            words[(at->position + k) / 64] |= UINT64_C(1) << (at->position + k) % 64;
    }
}

void archai_gp_distances(const archai_gp_features *f, const void *a, const void *b,
                         unsigned *bits, double *squared)
{
    const uint64_t *x = a, *y = b;
    const double *u = (const double *)(x + f->n_words), *v = (const double *)(y + f->n_words);

    *bits = 0;
    *squared = 0.0;
    for (size_t i = 0; i < f->n_words; i++)
        *bits += (unsigned)__builtin_popcountll(x[i] ^ y[i]);
    for (size_t i = 0; i < f->n_numbers; i++)
        *squared += (u[i] - v[i]) * (u[i] - v[i]);
}

static double matern52(double squared)
{
    const double r = sqrt(5.0 * squared);

    return (1.0 + r + r * r / 3.0) * exp(-r);
}

double archai_gp_covariance(const archai_gp_kernel *k, unsigned bits, double squared)
{
    const double choices = bits > 0 ? exp(-0.5 * k->rate * bits) : 1.0;

    return squared > 0.0 ? choices * matern52(squared / (k->length * k->length)) : choices;
}

void archai_gp_covariances(const archai_gp_features *f, const archai_gp_kernel *k,
                           const void *point, const void *points, size_t n, double *table,
                           double *out)
{
    const unsigned char *p = points;
    const double inverse = 1.0 / (k->length * k->length);

    for (size_t i = 0; i <= f->n_bits; i++)
        table[i] = exp(-0.5 * k->rate * (double)i);
    for (size_t i = 0; i < n; i++) {
        unsigned bits;
        double squared;

        archai_gp_distances(f, point, p + i * f->stride, &bits, &squared);
        out[i] = squared > 0.0 ? table[bits] * matern52(squared * inverse) : table[bits];
    }
}
