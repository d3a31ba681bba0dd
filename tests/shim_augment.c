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

static void skip_without_torchvision(void)
{
    if (system("/usr/bin/python3 -c 'import torchvision' 2>/dev/null") != 0) {
        print_message("Python has no torchvision here\n");
        skip();
    }
}

/* tests/<script> TENSORS PICTURES <arguments> agrees. */
static void ask_python(const char *directory, const archai_tensor *tensors, size_t n,
                       const char *script, const char *arguments)
{
    char path[TMPDIR_PATH_MAX + 32], command[2 * TMPDIR_PATH_MAX + 512];
    archai_err err = ARCHAI_ERR_INIT;
    int fd;

    (void)snprintf(path, sizeof path, "%s/batches.safetensors", directory);
    fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    if (archai_safetensors_write(fd, tensors, n, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    (void)close(fd);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 -B " ARCHAI_SOURCE_DIR
                   "/tests/%s %s " ARCHAI_TEST_DATA "/shim_cnn.safetensors %s",
                   script, path, arguments);
    assert_int_equal(system(command), 0);
}

static void does_what_torchvision_does(void **state)
{
    static made all[N_CASES];
    archai_tensor tensors[3 * N_CASES];
    char names[3 * N_CASES][96];

    skip_without_torchvision();
    for (size_t i = 0; i < N_CASES; i++) {
        archai_tensor *t = &tensors[3 * i];

        make(cases[i], PICTURES, EPOCH, 0, &all[i]);
        (void)snprintf(names[3 * i], sizeof *names, "%s/images", cases[i]);
        (void)snprintf(names[3 * i + 1], sizeof *names, "%s/index", cases[i]);
        (void)snprintf(names[3 * i + 2], sizeof *names, "%s/share", cases[i]);
        t[0] = (archai_tensor){.name = names[3 * i], .dtype = ARCHAI_F32, .ndim = 4,
                               .shape = {PICTURES, 3, 12, 12}, .data = all[i].images, .bytes = sizeof all[i].images};
        t[1] = (archai_tensor){.name = names[3 * i + 1], .dtype = ARCHAI_I64, .ndim = 1,
                               .shape = {PICTURES}, .data = all[i].index, .bytes = sizeof all[i].index};
        t[2] = (archai_tensor){.name = names[3 * i + 2], .dtype = ARCHAI_F64, .ndim = 1,
                               .shape = {1}, .data = &all[i].share, .bytes = sizeof(double)};
    }
    ask_python(*state, tensors, 3 * N_CASES, "py_augment.py", "5 2");
}

/* -- masks ----------------------------------------------------------------------------------- */

static const char *const mask_cases[] = {
    "none",
    "crop 3",
    "flip",
    "vertical_flip 0.3",
    "crop 2, flip 0.5, vertical_flip",
    "flip, color_jitter 0.4",
    "crop 3, flip, cutout 5",
    "flip, erasing 0.9 0.1 0.4",
};
enum { N_MASK_CASES = sizeof mask_cases / sizeof mask_cases[0], PIXELS = PICTURES * 12 * 12 };

/* The small set with a class for each pixel, which follows from the pixel; 255: ignored. */
static archai_dataset_header *mask_set(void)
{
    enum { BYTES = 65536, MASKS = 40960 };
    static _Alignas(64) char memory[BYTES];
    archai_dataset_header *h = (archai_dataset_header *)(void *)memory;
    const archai_dataset_header *small = small_set();
    uint64_t at = MASKS;

    memcpy(memory, small, small->bytes);
    h->targets = ARCHAI_TARGETS_MASK;
    h->ignore_index = 255;
    h->bytes = BYTES;
    for (int i = 0; i < 2; i++) {
        const unsigned char *images = (const unsigned char *)memory + h->split[i].images;

        h->split[i].labels = at;
        for (int64_t k = 0; k < h->split[i].n; k++)
            for (int64_t p = 0; p < 12 * 12; p++)
                memory[at++] = (char)((255 - images[k * 3 * 12 * 12 + p]) % 5);
    }
    assert_true(at <= BYTES);
    return h;
}

/* A mask goes where its picture goes, and what only changes colours or covers pixels leaves it. */
static void masks_go_with_their_pictures(void **state)
{
    static struct {
        float images[FLOATS];
        int64_t masks[PIXELS], index[PICTURES];
    } all[N_MASK_CASES];
    archai_tensor tensors[3 * N_MASK_CASES];
    char names[3 * N_MASK_CASES][96];

    skip_without_torchvision();
    for (size_t i = 0; i < N_MASK_CASES; i++) {
        const shim_train_settings s = settings_of(mask_cases[i], PICTURES);
        shim_batch b = {
            .images = all[i].images, .labels = all[i].masks, .index = all[i].index};
        archai_tensor *t = &tensors[3 * i];
        archai_err err = ARCHAI_ERR_INIT;

        if (shim_train_batch(device, mask_set(), &s, EPOCH, 0, &b, &err) != ARCHAI_OK)
            fail_msg("%s: %s", mask_cases[i], err.text);
        (void)snprintf(names[3 * i], sizeof *names, "%s/images", mask_cases[i]);
        (void)snprintf(names[3 * i + 1], sizeof *names, "%s/masks", mask_cases[i]);
        (void)snprintf(names[3 * i + 2], sizeof *names, "%s/index", mask_cases[i]);
        t[0] = (archai_tensor){.name = names[3 * i], .dtype = ARCHAI_F32, .ndim = 4,
                               .shape = {PICTURES, 3, 12, 12}, .data = all[i].images, .bytes = sizeof all[i].images};
        t[1] = (archai_tensor){.name = names[3 * i + 1], .dtype = ARCHAI_I64, .ndim = 3,
                               .shape = {PICTURES, 12, 12}, .data = all[i].masks, .bytes = sizeof all[i].masks};
        t[2] = (archai_tensor){.name = names[3 * i + 2], .dtype = ARCHAI_I64, .ndim = 1,
                               .shape = {PICTURES}, .data = all[i].index, .bytes = sizeof all[i].index};
    }
    ask_python(*state, tensors, 3 * N_MASK_CASES, "py_augment.py", "5 2 masks");
}

/* -- the same batches in Python -------------------------------------------------------------- */

enum { RUN_SEED = 11, CANDIDATE = 7, BATCH = 7, EPOCHS = 2, STEPS = 4 /* the last one is short */ };

/* Those whose arithmetic leaves nothing to the order of operations. */
static const char *const exact_cases[] = {
    "none", "crop 3, flip", "vertical_flip 0.3", "flip, cutout 5, mixup 0.4",
    "crop 2, flip, erasing 0.6 0.05 0.4, cutmix 1",
};
enum { N_EXACT = sizeof exact_cases / sizeof exact_cases[0] };

/* The small set with [data] normalize. */
static archai_dataset_header *normalised_set(void)
{
    enum { BYTES = 40960 };
    static const char about[] =
        "{\"normalize\": {\"mean\": [0.5, 0.25, 0.1], \"std\": [0.3, 0.2, 0.7]}}";
    static _Alignas(64) char memory[BYTES];
    archai_dataset_header *h = (archai_dataset_header *)(void *)memory;
    const archai_dataset_header *small = small_set();

    memcpy(memory, small, small->bytes);
    h->about = small->bytes;
    h->bytes = BYTES;
    memcpy(memory + h->about, about, sizeof about);
    return h;
}

/* By the rule that io/dataset/README.md states, from the run's seed and the candidate's id alone. */
static void python_makes_the_same_batches_bit_for_bit(void **state)
{
    enum { N = N_EXACT * EPOCHS * STEPS };
    static struct {
        float images[BATCH * 3 * 12 * 12];
        int64_t labels[BATCH], index[BATCH];
        double share;
    } all[N];
    static archai_tensor tensors[4 * N];
    static char names[4 * N][128];
    static const char *const parts[] = {"images", "labels", "index", "share"};

    skip_without_torchvision();
    for (int i = 0; i < N; i++) {
        const int step = i % STEPS, epoch = i / STEPS % EPOCHS, which = i / STEPS / EPOCHS;
        shim_train_settings s = settings_of(exact_cases[which], BATCH);
        shim_batch b = {.images = all[i].images, .labels = all[i].labels, .index = all[i].index};
        archai_tensor *t = &tensors[4 * i];
        archai_err err = ARCHAI_ERR_INIT;
        int64_t n;

        s.seed = archai_rng_derive(archai_rng_derive(RUN_SEED, CANDIDATE), 1);
        if (shim_train_batch(device, normalised_set(), &s, epoch, step, &b, &err) != ARCHAI_OK)
            fail_msg("%s: %s", exact_cases[which], err.text);
        n = b.n;
        assert_int_equal(n, step < STEPS - 1 ? BATCH : PICTURES % BATCH);
        all[i].share = b.share;
        for (int k = 0; k < 4; k++)
            (void)snprintf(names[4 * i + k], sizeof *names, "%s/%d/%d/%s", exact_cases[which], epoch,
                           step, parts[k]);
        t[0] = (archai_tensor){.name = names[4 * i], .dtype = ARCHAI_F32, .ndim = 4,
                               .shape = {n, 3, 12, 12}, .data = all[i].images, .bytes = (size_t)n * 3 * 12 * 12 * 4};
        t[1] = (archai_tensor){.name = names[4 * i + 1], .dtype = ARCHAI_I64, .ndim = 1,
                               .shape = {n}, .data = all[i].labels, .bytes = (size_t)n * 8};
        t[2] = (archai_tensor){.name = names[4 * i + 2], .dtype = ARCHAI_I64, .ndim = 1,
                               .shape = {n}, .data = all[i].index, .bytes = (size_t)n * 8};
        t[3] = (archai_tensor){.name = names[4 * i + 3], .dtype = ARCHAI_F64, .ndim = 1,
                               .shape = {1}, .data = &all[i].share, .bytes = sizeof(double)};
    }
    ask_python(*state, tensors, 4 * N, "py_batches.py", "11 7 7");
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
        cmocka_unit_test_setup_teardown(masks_go_with_their_pictures, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(python_makes_the_same_batches_bit_for_bit, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test(batches_can_be_made_again),
        cmocka_unit_test(training_sees_them_and_validation_does_not),
    };

    return cmocka_run_group_tests_name("augment", tests, open_small_cnn, close_small_cnn);
}
