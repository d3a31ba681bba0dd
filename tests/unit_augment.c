/* [data] augment and normalize: the text, what does not fit the data, and measured means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/config/augment.h"
#include "io/dataset/normalize.h"
#include "near.h"

static void steps_are_read_with_their_defaults(void **state)
{
    archai_augment a;

    (void)state;
    assert_int_equal(archai_augment_parse("crop 4, flip,cutout 16 , erasing 0.1", &a, NULL),
                     ARCHAI_OK);
    assert_int_equal(a.n, 4);
    assert_int_equal(a.steps[0].kind, ARCHAI_AUGMENT_CROP);
    assert_true(a.steps[0].args[0] == 4);
    assert_true(a.steps[1].args[0] == 0.5);
    assert_int_equal(a.steps[3].kind, ARCHAI_AUGMENT_ERASING);
    assert_true(a.steps[3].args[0] == 0.1 && a.steps[3].args[1] == 0.02 &&
                a.steps[3].args[2] == 0.33);
    assert_true(archai_augment_has(&a, ARCHAI_AUGMENT_CUTOUT));
    assert_false(archai_augment_has(&a, ARCHAI_AUGMENT_MIXUP));
    assert_int_equal(archai_augment_parse("none", &a, NULL), ARCHAI_OK);
    assert_int_equal(a.n, 0);
}

static void what_is_no_step_is_named(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"crop", "'crop': 0 numbers, expected 1 to 1: PADDING"},
        {"crop 4, flop", "unknown 'flop'; did you mean 'flip'?"},
        {"crop 2.5", "'crop': 2.5, expected a whole number from 1 to 4096 (PADDING)"},
        {"flip 1.5", "'flip': 1.5, expected a number from 0 to 1 (P)"},
        {"mixup nan", "'mixup': 'nan', expected numbers: ALPHA"},
        {"mixup a", "'mixup': 'a', expected numbers: ALPHA"},
        {"resized_crop 0.5 0.2", "'resized_crop': LOW 0.5 exceeds HIGH 0.2"},
        {"color_jitter 1 1 1 0.1 1",
         "'color_jitter': '1', expected numbers: BRIGHTNESS CONTRAST SATURATION HUE"},
        {"flip,", "a step is empty, expected a list such as 'crop 4, flip'"},
        {"flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip,flip",
         "more than 16 steps"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_augment a = {.n = 99};

        assert_int_equal(archai_augment_parse(cases[i].text, &a, &err), ARCHAI_EINVAL);
        assert_string_equal(err.text, cases[i].says);
        assert_int_equal(a.n, 99);
    }
}

/* The result of opening [data] with these keys, and of the probe of what it names. */
static int probe(const char *keys, archai_dataset_source *source, archai_err *err)
{
    archai_dataset_facts facts;
    archai_ini ini = {.n = 0};
    char text[512];
    int n = snprintf(text, sizeof text, "[data]\nsamples = 50\nwidth = 10\nheight = 8\n%s",
                     keys),
        rc;

    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, (size_t)n, err), ARCHAI_OK);
    rc = archai_dataset_source_open(source, &ini, err);
    if (rc == ARCHAI_OK) {
        rc = archai_dataset_probe(source, &facts, err);
        if (rc != ARCHAI_OK)
            archai_dataset_source_close(source);
    }
    archai_ini_free(&ini);
    return rc;
}

static void what_does_not_fit_the_data_is_refused(void **state)
{
    static const struct {
        const char *keys, *says;
    } cases[] = {
        {"augment = crop\n",
         "t.ini:5: data.augment: 'crop': 0 numbers, expected 1 to 1: PADDING"},
        {"normalize = 0.5\n", "t.ini:5: data.normalize: '0.5', expected auto, none or means / "
                              "deviations, as many of each, "
                              "such as 0.49 0.48 0.45 / 0.25 0.24 0.26"},
        {"normalize = 0.5 / 0\n",
         "t.ini:5: data.normalize: a deviation of 0, expected more than 0"},
        {"normalize = 0.5 / 1e-300\n",
         "t.ini:5: data.normalize: a deviation of 1e-300, expected more than 0"},
        {"normalize = 1e300 / 1\n",
         "t.ini:5: data.normalize: 1e+300 / 1, expected numbers of float32"},
        {"normalize = 0.5 0.5 / 1 1\n",
         "data.normalize: 2 means, but the pictures have 1 channels"},
        {"channels = 2\naugment = color_jitter 1\n",
         "data.augment: 'color_jitter' needs pictures of bytes with 1 or 3 channels"},
        {"augment = flip, crop 8\n", "data.augment: 'crop' pads 8 pixels on each side of pictures of 8 x "
                                      "10: some would be empty"},
        {"masks = yes\naugment = mixup\n",
         "data.augment: 'mixup' does not know a class for each pixel"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_dataset_source source;
        archai_err err = ARCHAI_ERR_INIT;

        assert_int_equal(archai_rc_exit_status(probe(cases[i].keys, &source, &err)), 2);
        assert_string_equal(err.text, cases[i].says);
    }
}

static void load(const char *keys, double *mean, double *deviation, double *want, bool *found)
{
    archai_dataset_source source;
    archai_err err = ARCHAI_ERR_INIT;
    const archai_dataset_header *d;
    int fd;

    if (probe(keys, &source, &err) != ARCHAI_OK ||
        archai_dataset_load(&source, &fd, &err) != ARCHAI_OK ||
        archai_dataset_map(fd, &d, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    *found = archai_dataset_normalization(d, mean, deviation);
    for (int64_t c = 0; c < d->channels; c++) {
        const unsigned char *x = (const unsigned char *)d + d->split[ARCHAI_SPLIT_TRAIN].images;
        const int64_t n = d->split[ARCHAI_SPLIT_TRAIN].n;
        double sum = 0, squares = 0;

        for (int64_t i = 0; i < n; i++)
            for (int k = 0; k < 80; k++)
                sum += x[(i * d->channels + c) * 80 + k] / 255.0;
        sum /= (double)n * 80;
        for (int64_t i = 0; i < n; i++)
            for (int k = 0; k < 80; k++)
                squares += pow(x[(i * d->channels + c) * 80 + k] / 255.0 - sum, 2);
        want[2 * c] = sum;
        want[2 * c + 1] = sqrt(squares / ((double)n * 80));
    }
    archai_dataset_unmap(d);
    archai_dataset_source_close(&source);
    (void)close(fd);
}

static void means_are_those_of_the_training_pictures(void **state)
{
    double mean[3], deviation[3], want[6];
    bool found;

    (void)state;
    load("channels = 3\nnormalize = auto\n", mean, deviation, want, &found);
    assert_true(found);
    for (int c = 0; c < 3; c++) {
        assert_near(mean[c], want[2 * c], 1e-12);
        assert_near(deviation[c], want[2 * c + 1], 1e-9);
    }
    load("channels = 3\nnormalize = 0.5 / 0.25\n", mean, deviation, want, &found);
    assert_true(found && mean[2] == 0.5 && deviation[2] == 0.25);
    load("channels = 3\nnormalize = 0.1, 0.2 0.3 / 1 2 3\n", mean, deviation, want, &found);
    assert_true(found && mean[1] == 0.2 && deviation[2] == 3);
    load("channels = 3\n", mean, deviation, want, &found);
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read_with_their_defaults),
        cmocka_unit_test(what_is_no_step_is_named),
        cmocka_unit_test(what_does_not_fit_the_data_is_refused),
        cmocka_unit_test(means_are_those_of_the_training_pictures),
    };

    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
