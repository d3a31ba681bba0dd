/* The Gaussian process against numpy (tests/data/make_gp.py), grown, rebuilt and kept in a
 * pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/algorithm/bayes_opt/gp_pool.h"
#include "json_data.h"

enum { D = 3, MAX = 64 };

static const char kinds[] = "ccn";

static void read_point(const json_t *list, float *out)
{
    for (size_t i = 0; i < D; i++)
        out[i] = (float)json_number_value(json_array_get(list, i));
}

static void learn(const json_t *root, archai_gp_features *f)
{
    const json_t *sample = json_object_get(root, "sample");
    const size_t n = json_array_size(sample);
    float *encodings = malloc(n * D * sizeof *encodings);

    for (size_t i = 0; i < n; i++)
        read_point(json_array_get(sample, i), &encodings[i * D]);
    archai_gp_features_learn(f, encodings, n, D, kinds);
    free(encodings);
    assert_int_equal(f->n_bits, 4);
    assert_int_equal(f->n_numbers, 1);
}

struct fixture {
    archai_gp_features features;
    archai_gp gp;
    unsigned char *packed;
    size_t n;
    double targets[MAX];
    bool known[MAX];
};

static void open_case(const json_t *root, const json_t *c, struct fixture *x)
{
    const json_t *points = json_object_get(c, "points");
    float encoding[D];

    memset(x, 0, sizeof *x);
    learn(root, &x->features);
    archai_gp_init(&x->gp, &x->features);
    x->gp.kernel.rate = json_number_value(json_object_get(c, "rate"));
    x->gp.kernel.length = json_number_value(json_object_get(c, "length"));
    x->gp.noise = json_number_value(json_object_get(c, "noise"));
    x->n = json_array_size(points);
    x->packed = malloc(x->n * x->features.stride);
    for (size_t i = 0; i < x->n; i++) {
        read_point(json_array_get(points, i), encoding);
        archai_gp_features_pack(&x->features, encoding, x->packed + i * x->features.stride);
        x->known[i] = json_is_true(json_array_get(json_object_get(c, "known"), i));
        x->targets[i] =
            x->known[i] ? json_number_value(json_array_get(json_object_get(c, "targets"), i))
                        : NAN;
    }
}

static void close_case(struct fixture *x)
{
    archai_gp_fini(&x->gp);
    archai_gp_features_fini(&x->features);
    free(x->packed);
}

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance * (1 + fabs(b))))
        fail_msg("%.17g is not %.17g", a, b);
}

/* Mean and variance at one point by the textbook: v = L^-1 k, mean v'z, variance 1 - v'v. */
static void predict(const archai_gp *gp, const void *point, double *mean, double *variance)
{
    double v[MAX], squares = 0.0;

    assert_true(gp->n <= MAX);
    archai_gp_covariances(gp->features, &gp->kernel, point, gp->points, gp->n, gp->table, v);
    *mean = 0.0;
    for (size_t i = 0; i < gp->n; i++) {
        const double *row = &gp->chol[i * gp->capacity];

        for (size_t j = 0; j < i; j++)
            v[i] -= row[j] * v[j];
        v[i] /= row[i];
        *mean += v[i] * gp->z[i];
        squares += v[i] * v[i];
    }
    *variance = gp->scale * fmax(1.0 - squares, 0.0);
}

static void assert_predictions(struct fixture *x, const json_t *c)
{
    const json_t *predictions = json_object_get(c, "predictions");
    size_t i;
    json_t *p;

    assert_int_equal(archai_gp_solve(&x->gp, x->targets, x->known, NULL, NULL), 0);
    assert_near(x->gp.scale, json_number_value(json_object_get(c, "scale")), 1e-9);
    json_array_foreach((json_t *)predictions, i, p)
    {
        unsigned char *point = malloc(x->features.stride);
        float encoding[D];
        double mean, variance;

        read_point(json_object_get(p, "point"), encoding);
        archai_gp_features_pack(&x->features, encoding, point);
        predict(&x->gp, point, &mean, &variance);
        assert_near(mean, json_number_value(json_object_get(p, "mean")), 1e-9);
        assert_near(variance, json_number_value(json_object_get(p, "variance")), 1e-9);
        free(point);
    }
}

static void predictions_are_the_textbooks(void **state)
{
    json_t *root = load_json_data("gp.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(root, "cases"), i, c)
    {
        struct fixture x;

        open_case(root, c, &x);
        for (size_t k = 0; k < x.n; k++)
            archai_gp_append(&x.gp, x.packed + k * x.features.stride, 1);
        assert_predictions(&x, c);
        x.gp.n = 0; /* drops all points */
        archai_gp_append(&x.gp, x.packed, x.n);
        assert_predictions(&x, c);
        x.gp.n = 0; /* drops all points */
        archai_gp_append(&x.gp, x.packed, x.n / 3);
        archai_gp_append(&x.gp, x.packed + x.n / 3 * x.features.stride, x.n - x.n / 3);
        assert_predictions(&x, c);
        close_case(&x);
    }
    json_decref(root);
}

/* Members that were let in early, late and in between predict what a fresh prediction does. */
static void a_pool_keeps_up(void **state)
{
    json_t *root = load_json_data("gp.json");
    const json_t *c = json_array_get(json_object_get(root, "cases"), 4);
    archai_gp_pool pool = {.n = 0};
    struct fixture x;
    size_t stride;

    (void)state;
    open_case(root, c, &x);
    stride = x.features.stride;
    for (uint32_t k = 0; k < x.n; k++) {
        const uint32_t ids[2] = {k, k + 100};

        archai_gp_append(&x.gp, x.packed + k * stride, 1);
        archai_gp_pool_extend(&pool, &x.gp);
        if (k + 2 <= x.n)
            archai_gp_pool_add(&pool, &x.gp, x.packed + k * stride, ids, 2);
        if (k % 3 == 1)
            archai_gp_pool_remove(&pool, &x.gp, pool.n / 2);
    }
    assert_int_equal(archai_gp_solve(&x.gp, x.targets, x.known, NULL, NULL), 0);
    archai_gp_pool_predict(&pool, &x.gp);
    assert_true(pool.n > x.n);
    for (size_t i = 0; i < pool.n; i++) {
        const size_t id = pool.ids[i] < 100 ? pool.ids[i] : pool.ids[i] - 100 + 1;
        double mean, variance;

        assert_memory_equal(pool.points + i * stride, x.packed + id * stride, stride);
        predict(&x.gp, x.packed + id * stride, &mean, &variance);
        assert_near(pool.mean[i], mean, 1e-4); /* single precision */
        assert_near(archai_gp_pool_variance(&pool, &x.gp, i), variance, 1e-4);
    }
    archai_gp_pool_fini(&pool);
    close_case(&x);
    json_decref(root);
}

/* Targets drawn from a process (numpy's normal deviates, its own covariance) whose choices
 * decide nearly everything, or nothing: the likelihood tells which. */
static void the_likelihood_tells_signal_from_noise(void **state)
{
    json_t *root = load_json_data("gp.json");
    const json_t *c = json_array_get(json_object_get(root, "cases"), 4);
    double signal[MAX], noise[MAX], gain;
    struct fixture x;

    (void)state;
    open_case(root, c, &x);
    for (size_t i = 0; i < x.n; i++) {
        const double *number = (const double *)(x.packed + i * x.features.stride +
                                                x.features.n_words * sizeof(uint64_t));

        signal[i] = 4 * number[0] - 2;
        noise[i] = json_number_value(json_array_get(json_object_get(c, "targets"), i));
    }
    gain = archai_gp_fit(&x.gp, x.packed, x.n, signal);
    assert_true(x.gp.noise < 0.01);
    assert_true(gain > 1.0);
    assert_true(x.gp.kernel.rate < 0.1); /* choices do not matter */
    (void)archai_gp_fit(&x.gp, x.packed, x.n, noise);
    assert_true(x.gp.noise > 0.05);
    close_case(&x);
    json_decref(root);
}

static void values_that_were_never_seen(void **state)
{
    const float sample[] = {1, 16, 2, 32, 3, 128},
                queries[] = {7, 64, 1, 8, 1, 16, NAN, INFINITY};
    archai_gp_features f;
    unsigned char points[4][64];
    unsigned bits;
    double squared;

    (void)state;
    archai_gp_features_learn(&f, sample, 3, 2, "cn");
    assert_true(f.stride <= sizeof points[0]);
    for (int i = 0; i < 4; i++)
        archai_gp_features_pack(&f, &queries[2 * i], points[i]);
    archai_gp_distances(&f, points[0], points[2], &bits, &squared);
    assert_int_equal(bits, 1); /* 7 is like none of the known ones */
    assert_near(squared, pow((1 + (64.0 - 32) / (128 - 32)) / 2, 2), 1e-12);
    archai_gp_distances(&f, points[1], points[2], &bits, &squared);
    assert_true(bits == 0 && squared == 0.0); /* below the lowest */
    archai_gp_distances(&f, points[3], points[3], &bits, &squared);
    assert_true(bits == 0 && squared == 0.0);
    archai_gp_features_fini(&f);
}

/* A number of a scale lies where it says, also one that the sample lacks. */
static void numbers_of_a_scale_have_their_place(void **state)
{
    const float sample[] = {0.4f, 0.5f}, queries[] = {0.25f, 0.875f, -1.0f, 0.0f};
    archai_gp_features f;
    double points[4], squared;
    unsigned bits;

    (void)state;
    archai_gp_features_learn(&f, sample, 2, 1, "s");
    assert_int_equal(f.stride, sizeof points[0]);
    for (int i = 0; i < 4; i++)
        archai_gp_features_pack(&f, &queries[i], &points[i]);
    archai_gp_distances(&f, &points[0], &points[1], &bits, &squared);
    assert_near(squared, 0.625 * 0.625, 1e-12);
    archai_gp_distances(&f, &points[2], &points[3], &bits, &squared);
    assert_true(squared == 0.0);
    archai_gp_features_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_are_the_textbooks),
        cmocka_unit_test(a_pool_keeps_up),
        cmocka_unit_test(the_likelihood_tells_signal_from_noise),
        cmocka_unit_test(values_that_were_never_seen),
        cmocka_unit_test(numbers_of_a_scale_have_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
