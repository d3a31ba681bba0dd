#include "runner/inspect/report/forest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/rng.h"

typedef struct pair {
    uint32_t code;
    double y;
} pair;

typedef struct tree {
    const uint32_t *codes, *n_codes;
    size_t n, p;
    double *y;       /* standardised */
    size_t *rows;    /* [n]: the sample; each node is a range of it */
    size_t *moved;   /* [n]: room to part a range */
    pair *sorted;    /* [n] */
    double *sums;    /* [most codes] */
    uint32_t *counts;
    size_t *order;   /* [p]: features in random order */
    double *gain;    /* [p]: of this tree */
    archai_rng rng;
} tree;

typedef struct split {
    size_t feature;
    uint32_t code; /* left: up to and with it */
    double score;  /* sum_left^2 / n_left + sum_right^2 / n_right */
    bool found;
} split;

static void consider(split *best, size_t feature, uint32_t code, double left, size_t n_left,
                     double all, size_t n)
{
    const double right = all - left;
    const double score =
        left * left / (double)n_left + right * right / (double)(n - n_left);

    if (!best->found || score > best->score)
        *best = (split){feature, code, score, true};
}

/* Few values: counted, in time linear in the node. */
static void by_counting(tree *t, size_t f, const size_t *rows, size_t n, double all, split *best)
{
    const uint32_t m = t->n_codes[f];
    double left = 0;
    size_t n_left = 0;

    memset(t->sums, 0, m * sizeof *t->sums);
    memset(t->counts, 0, m * sizeof *t->counts);
    for (size_t i = 0; i < n; i++) {
        const uint32_t code = t->codes[rows[i] * t->p + f];

        t->sums[code] += t->y[rows[i]];
        t->counts[code]++;
    }
    for (uint32_t code = 0; code < m; code++) {
        if (t->counts[code] == 0)
            continue;
        left += t->sums[code];
        n_left += t->counts[code];
        if (n_left == n)
            return;
        consider(best, f, code, left, n_left, all, n);
    }
}

static int compare_pairs(const void *a, const void *b)
{
    const uint32_t x = ((const pair *)a)->code, y = ((const pair *)b)->code;

    return (x > y) - (x < y);
}

static void by_sorting(tree *t, size_t f, const size_t *rows, size_t n, double all, split *best)
{
    double left = 0;

    for (size_t i = 0; i < n; i++)
        t->sorted[i] = (pair){t->codes[rows[i] * t->p + f], t->y[rows[i]]};
    qsort(t->sorted, n, sizeof *t->sorted, compare_pairs);
    for (size_t i = 0; i + 1 < n; i++) {
        left += t->sorted[i].y;
        if (t->sorted[i].code != t->sorted[i + 1].code)
            consider(best, f, t->sorted[i].code, left, i + 1, all, n);
    }
}

static void shuffle_features(tree *t)
{
    for (size_t i = t->p; i > 1; i--) {
        const size_t k = (size_t)(archai_rng_random(&t->rng) * (double)i);
        const size_t other = t->order[k];

        t->order[k] = t->order[i - 1];
        t->order[i - 1] = other;
    }
}

/* Left first; returns how many are left. */
static size_t part(tree *t, const split *s, size_t *rows, size_t n)
{
    size_t n_left = 0, n_right = 0;

    for (size_t i = 0; i < n; i++)
        if (t->codes[rows[i] * t->p + s->feature] <= s->code)
            rows[n_left++] = rows[i];
        else
            t->moved[n_right++] = rows[i];
    memcpy(&rows[n_left], t->moved, n_right * sizeof *rows);
    return n_left;
}

/* As deep as there are rows: a few thousand. */
static void grow(tree *t, size_t *rows, size_t n)
{
    static const double pure = 1e-14; /* of a variance of 1 */
    double sum = 0, squares = 0;
    split best = {.found = false};
    size_t n_left;

    for (size_t i = 0; i < n; i++) {
        sum += t->y[rows[i]];
        squares += t->y[rows[i]] * t->y[rows[i]];
    }
    if (n < 2 || squares - sum * sum / (double)n <= pure * (double)n)
        return;
    shuffle_features(t);
    for (size_t i = 0; i < t->p; i++) {
        const size_t f = t->order[i];

        if (t->n_codes[f] <= 2 * n)
            by_counting(t, f, rows, n, sum, &best);
        else
            by_sorting(t, f, rows, n, sum, &best);
    }
    if (!best.found)
        return;
    t->gain[best.feature] += best.score - sum * sum / (double)n;
    n_left = part(t, &best, rows, n);
    grow(t, rows, n_left);
    grow(t, rows + n_left, n - n_left);
}

static bool standardise(const double *y, size_t n, double *out)
{
    double mean = 0, variance = 0;

    for (size_t i = 0; i < n; i++)
        mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        variance += (y[i] - mean) * (y[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++)
        out[i] = (y[i] - mean) / sqrt(variance);
    return variance > 0 && isfinite(variance);
}

static double share_out(double *at, size_t p)
{
    double all = 0;

    for (size_t f = 0; f < p; f++)
        all += at[f];
    for (size_t f = 0; f < p; f++)
        at[f] = all > 0 ? at[f] / all : 0;
    return all;
}

void inspect_forest(const uint32_t *codes, const uint32_t *n_codes, size_t n, size_t p,
                    const double *y, int trees, uint64_t seed, double *out)
{
    tree t = {.codes = codes, .n_codes = n_codes, .n = n, .p = p};
    uint32_t most = 1;

    for (size_t f = 0; f < p; f++) {
        most = n_codes[f] > most ? n_codes[f] : most;
        out[f] = 0;
    }
    t.y = archai_calloc(n, sizeof *t.y);
    t.rows = archai_calloc(n, sizeof *t.rows);
    t.moved = archai_calloc(n, sizeof *t.moved);
    t.sorted = archai_calloc(n, sizeof *t.sorted);
    t.sums = archai_calloc(most, sizeof *t.sums);
    t.counts = archai_calloc(most, sizeof *t.counts);
    t.order = archai_calloc(p, sizeof *t.order);
    t.gain = archai_calloc(p, sizeof *t.gain);
    for (size_t f = 0; f < p; f++)
        t.order[f] = f;
    archai_rng_seed(&t.rng, seed);
    for (int k = 0; n > 1 && p > 0 && standardise(y, n, t.y) && k < trees; k++) {
        memset(t.gain, 0, p * sizeof *t.gain);
        for (size_t i = 0; i < n; i++)
            t.rows[i] = (size_t)(archai_rng_random(&t.rng) * (double)n);
        grow(&t, t.rows, n);
        (void)share_out(t.gain, p);
        for (size_t f = 0; f < p; f++)
            out[f] += t.gain[f];
    }
    (void)share_out(out, p);
    free(t.y);
    free(t.rows);
    free(t.moved);
    free(t.sorted);
    free(t.sums);
    free(t.counts);
    free(t.order);
    free(t.gain);
}
