/* Augmented batches: those of torchvision for the same draws (py_augment.py), the same again
 * when asked again, and none where validation looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file/tensors.h"
#include "small_cnn.h"
#include "tmpdir.h"

enum { PICTURES = 24, FLOATS = PICTURES * 3 * 12 * 12, SEED = 5, EPOCH = 2 };

/* py_augment.py knows what each of them means. */
static const char *const cases[] = {
    "none",
    "crop 3",
    "flip",
    "vertical_flip 0.3",
    "crop 2, flip 0.5",
    "resized_crop",
    "resized_crop 0.3 0.6",
    "color_jitter 0.4",
    "color_jitter 0 0.5",
    "color_jitter 0 0 0.7",
    "color_jitter 0 0 0 0.3",
    "color_jitter 0.4 0.4 0.4 0.1",
    "randaugment 1 9",
    "randaugment 1 30",
    "randaugment 3 20",
    "cutout 5",
    "cutout 4",
    "erasing 0.6 0.05 0.4",
    "mixup 0.4",
    "cutmix 1",
    "mixup 0.2, cutmix 1",
    "flip, randaugment 2 9, cutout 3, mixup",
};
enum { N_CASES = sizeof cases / sizeof cases[0] };

typedef struct made {
    float images[FLOATS];
    int64_t index[PICTURES];
    double share;
} made;

static shim_train_settings settings_of(const char *augment, int64_t batch_size)
{
    shim_train_settings s = {
        .recipe = {.batch_size = batch_size, .learning_rate = 0.01}, .epochs = 3, .seed = SEED};
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_augment_parse(augment, &s.augment, &err) != ARCHAI_OK)
        fail_msg("%s: %s", augment, err.text);
    return s;
}

static void make(const char *augment, int64_t batch_size, int64_t epoch, int64_t step,
                 made *out)
{
    const shim_train_settings s = settings_of(augment, batch_size);
    shim_batch batch = {.images = out->images, .index = out->index};
    archai_err err = ARCHAI_ERR_INIT;

    if (shim_train_batch(device, small_set(), &s, epoch, step, &batch, &err) != ARCHAI_OK)
        fail_msg("%s: %s", augment, err.text);
    assert_int_equal(batch.n, batch_size);
    out->share = batch.share;
}

static void does_what_torchvision_does(void **state)
{
    static made all[N_CASES];
    archai_tensor tensors[3 * N_CASES];
    char names[3 * N_CASES][96], path[TMPDIR_PATH_MAX + 32], command[TMPDIR_PATH_MAX + 512];
    archai_err err = ARCHAI_ERR_INIT;
    int fd;

    if (system("/usr/bin/python3 -c 'import torchvision' 2>/dev/null") != 0) {
        print_message("Python has no torchvision here\n");
        skip();
    }
    for (size_t i = 0; i < N_CASES; i++) {
        archai_tensor *t = &tensors[3 * i];

        make(cases[i], PICTURES, EPOCH, 0, &all[i]);
        (void)snprintf(names[3 * i], sizeof *names, "%s/images", cases[i]);
        (void)snprintf(names[3 * i + 1], sizeof *names, "%s/index", cases[i]);
        (void)snprintf(names[3 * i + 2], sizeof *names, "%s/share", cases[i]);
        t[0] = (archai_tensor){names[3 * i],          ARCHAI_F32,    4,
                               {PICTURES, 3, 12, 12}, all[i].images, sizeof all[i].images};
        t[1] = (archai_tensor){names[3 * i + 1], ARCHAI_I64,   1,
                               {PICTURES},       all[i].index, sizeof all[i].index};
        t[2] = (archai_tensor){names[3 * i + 2], ARCHAI_F64,    1, {1},
                               &all[i].share,    sizeof(double)};
    }
    (void)snprintf(path, sizeof path, "%s/batches.safetensors", (const char *)*state);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    if (archai_safetensors_write(fd, tensors, 3 * N_CASES, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    (void)close(fd);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " ARCHAI_SOURCE_DIR
                   "/tests/py_augment.py %s " ARCHAI_TEST_DATA "/shim_cnn.safetensors %d %d",
                   path, SEED, EPOCH);
    assert_int_equal(system(command), 0);
}

/* Every epoch and every step draws anew, and always the same. */
static void batches_can_be_made_again(void **state)
{
    static made a, b;

    (void)state;
    make("crop 3, flip, mixup", 8, 1, 2, &a);
    make("crop 3, flip, mixup", 8, 1, 2, &b);
    assert_memory_equal(&a, &b, sizeof a);
    make("crop 3, flip, mixup", 8, 1, 1, &b);
    assert_true(a.share != b.share);
    make("crop 3, flip, mixup", 8, 0, 2, &b);
    assert_true(a.share != b.share);
}

/* Mean cross-entropy of the model's answers to the validation pictures as they are, x / 255. */
static double plain_val_loss(shim_model *m)
{
    const archai_tensor *images = golden_get("val/images"), *labels = golden_get("val/labels");
    const int64_t n = images->shape[0], shape[4] = {n, 3, 12, 12};
    float *input = malloc(images->bytes * sizeof *input), *got = NULL;
    int64_t out_shape[8];
    double loss = 0;
    int ndim;

    assert_non_null(input);
    for (size_t i = 0; i < images->bytes; i++)
        input[i] = (float)((const unsigned char *)images->data)[i] / 255;
    assert_int_equal(
        shim_model_predict(m, input, shape, allocate, NULL, &got, out_shape, &ndim, NULL),
        ARCHAI_OK);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;

        for (int k = 0; k < 5; k++)
            sum += exp((double)got[5 * i + k]);
        loss += log(sum) - (double)got[5 * i + ((const unsigned char *)labels->data)[i]];
    }
    free(got);
    free(input);
    return loss / (double)n;
}

static void training_sees_them_and_validation_does_not(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    double plain = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const shim_train_settings settings =
            settings_of(i == 0 ? "none" : "cutout 8, flip, mixup 1", 24);
        shim_train_result r;
        subject s;

        build(&s, cnn_space, &small_data, small_arch, 7);
        if (shim_model_train(s.model, small_set(), &settings, &r, &err) != ARCHAI_OK)
            fail_msg("%s", err.text);
        assert_near(r.kept.val_loss, plain_val_loss(s.model), 1e-5);
        assert_true(i == 0 || fabs(r.kept.train_loss - plain) > 1e-3);
        plain = r.kept.train_loss;
        destroy(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(does_what_torchvision_does, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test(batches_can_be_made_again),
        cmocka_unit_test(training_sees_them_and_validation_does_not),
    };

    return cmocka_run_group_tests_name("augment", tests, open_small_cnn, close_small_cnn);
}
