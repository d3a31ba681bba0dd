/* The spaces of configs/spaces: every architecture that they sample or mutate to is a network that takes
 * the data and answers with a number per class. With ARCHAI_LONG=1 for 10,000 samples of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/search/space.h"

/* 28 x 28 as in MNIST and as the program draws them, CIFAR-10, and a table of numbers. */
static const archai_data_shape images[] = {
    {.channels = 3, .height = 32, .width = 32, .num_classes = 10},
    {.channels = 1, .height = 28, .width = 28, .num_classes = 7},
};
static const archai_data_shape table = {.features = 13, .num_classes = 3};

static int samples(void)
{
    return getenv("ARCHAI_LONG") != NULL ? 10000 : 300;
}

static archai_space *open_space(const char *tree, const archai_data_shape *data)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini = {.n = 0};
    archai_space *s = NULL;
    char text[4200];
    int n = snprintf(text, sizeof text, "[space]\nname = config\ntree = \"%s\"\nseed = 5\n", tree);

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, &err), 0);
    if (archai_space_create(&s, &ini, data, &err) != 0)
        fail_msg("%s: %s", tree, err.text);
    archai_ini_free(&ini);
    return s;
}

/* Describes the model; returns the seconds that took. */
static double check(archai_space *s, const archai_model *m, const archai_data_shape *data,
                    int64_t *most)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_network net = {.root = NULL};
    archai_counts counts;
    struct timespec from, to;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    if (archai_space_describe(s, m, &net, &err) != 0)
        fail_msg("%s", err.text);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    if (archai_network_count(&net, &counts, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(counts.params > 0);
    assert_true(counts.output.ndim == 1 || counts.output.ndim == 3);
    assert_int_equal(counts.output.dim[0], data->num_classes);
    if (counts.output.ndim == 3) { /* a class for each pixel */
        assert_int_equal(counts.output.dim[1], data->height);
        assert_int_equal(counts.output.dim[2], data->width);
    }
    *most = counts.params > *most ? counts.params : *most;
    archai_network_fini(&net);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}

static void walk(const char *tree, const archai_data_shape *data)
{
    archai_space *s = open_space(tree, data);
    double seconds = 0, slowest = 0;
    int64_t most = 0;
    int n = samples();

    for (int i = 0; i < n; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_model m, child;
        double t;
        int rc;

        if (archai_space_random_sample(s, &m, &err) != 0)
            fail_msg("%s: %s", tree, err.text);
        t = check(s, &m, data, &most);
        seconds += t;
        slowest = t > slowest ? t : slowest;
        rc = archai_space_mutate(s, &m, &child, &err);
        if (rc == ARCHAI_OK) {
            (void)check(s, &child, data, &most);
            archai_model_fini(&child);
        } else if (rc != ARCHAI_ENONE) {
            fail_msg("%s: %s", tree, err.text);
        }
        archai_model_fini(&m);
    }
    print_message("%s: %d samples, described in %.3f ms each, %.3f ms at most; up to %lld parameters\n",
                  strrchr(tree, '/') + 1, n, 1e3 * seconds / n, 1e3 * slowest, (long long)most);
    archai_space_destroy(s);
}

static void every_sample_is_a_network(void **state)
{
    glob_t found;
    int tried = 0;

    (void)state;
    assert_int_equal(glob(ARCHAI_SOURCE_DIR "/configs/spaces/*.yaml", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;

        if (strcmp(name, "blocks.yaml") == 0)
            continue;
        for (size_t k = 0; k < sizeof images / sizeof images[0]; k++)
            walk(found.gl_pathv[i], &images[k]);
        if (strcmp(name, "mlp.yaml") == 0)
            walk(found.gl_pathv[i], &table);
        tried++;
    }
    globfree(&found);
    assert_true(tried >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_sample_is_a_network)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
