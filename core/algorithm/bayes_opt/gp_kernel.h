/* core/algorithm/bayes_opt/gp_kernel.h - encodings as points of a Gaussian process, and their covariance.
 *
 * An encoding's features are choices ("c": equal or not) or numbers ("n"). The values they take are
 * learned from a sample. Choices become bits, so that a Hamming distance is a population count: one bit
 * for two values, one bit per value for more. Numbers are put on [0, 1] by their place among the values
 * that occur (so 16 32 64 128 are evenly spaced), or linearly where there are many; numbers of a scale
 * ("s") are on [0, 1] already.
 *
 *   k(a, b) = exp(-rate * h / 2) * matern52(|a - b| / length)
 *
 * with h the number of bits in which the choices differ. The Hamming factor is the kernel of
 * Hutter, Hoos, Leyton-Brown 2011 (SMAC) with one rate for all choices; the other one is the
 * Matern kernel with nu = 5/2.
 */
#ifndef ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_KERNEL_H
#define ARCHAI_CORE_ALGORITHM_BAYES_OPT_GP_KERNEL_H
#include <stddef.h>
#include <stdint.h>

typedef struct archai_gp_features {
    size_t d;         /* features of an encoding */
    size_t n_bits;    /* of the choices */
    size_t n_words;   /* of 64 bits that hold them */
    size_t n_numbers;
    size_t stride;    /* bytes of a packed point */
    double mean_bits; /* in which two architectures of the sample differ on average */
    struct archai_gp_feature *at; /* [d], owned */
} archai_gp_features;

/* Learn from `n` encodings [n, d]; kinds as archai_space_ops.encoding_kinds, NULL: all numbers. */
void archai_gp_features_learn(archai_gp_features *f, const float *encodings, size_t n, size_t d,
                              const char *kinds);
void archai_gp_features_fini(archai_gp_features *f); /* safe on a zeroed struct */
/* An encoding [d] as a point of f->stride bytes. */
void archai_gp_features_pack(const archai_gp_features *f, const float *encoding, void *point);

/* Distances of two points: differing bits, and the squared distance of the numbers. */
void archai_gp_distances(const archai_gp_features *f, const void *a, const void *b, unsigned *bits,
                         double *squared);

typedef struct archai_gp_kernel {
    double rate, length;
} archai_gp_kernel;
double archai_gp_covariance(const archai_gp_kernel *k, unsigned bits, double squared);
/* Covariances of `point` with points[0..n), packed one after the other. `table` is scratch of
 * f->n_bits + 1 doubles. */
void archai_gp_covariances(const archai_gp_features *f, const archai_gp_kernel *k,
                           const void *point, const void *points, size_t n, double *table,
                           double *out);
#endif
