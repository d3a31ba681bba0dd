/* The shim against PyTorch: initial weights, forward passes, training steps, state_dict and .pt files.
 * The reference values come from PyTorch in Python: data/forward.h5, data/make_shim_cnn.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/config.h"
#include "core/search/space.h"
#include "io/file/array.h"
#include "io/dataset/dataset.h"
#include "near.h"
#include "shim/shim.h"
#include "small_cnn.h"
#include "tmpdir.h"

/* Kernels differ between processors and libtorch's versions; the contract allows 1e-4. */
static const double forward_tolerance = 1e-4;

/* -- tests --------------------------------------------------------------------------------------- */

/* The same generator, drawn in the same order: equal to the last bit but for library versions. */
static void starts_where_pytorch_starts(void **state)
{
    subject s;
    size_t n;
    archai_tensor *init = golden_below("init", &n);

    (void)state;
    build(&s, cnn_space, &small_data, small_arch, 7);
    assert_int_equal(n, 16);
    assert_state(s.model, init, n, 1e-7, true);
    destroy(&s);
    free(init);
}

static void loads_and_predicts(void **state)
{
    const archai_tensor *input = golden_get("input"), *output = golden_get("output");
    archai_err err = ARCHAI_ERR_INIT;
    subject s;
    size_t n, loaded = 0;
    archai_tensor *warm = golden_below("warm", &n);
    int64_t shape[ARCHAI_MAX_DIMS];
    float *got = NULL;
    int ndim = 0;

    (void)state;
    build(&s, cnn_space, &small_data, small_arch, 1);
    assert_int_equal(shim_model_load(s.model, warm, n, true, &loaded, &err), ARCHAI_OK);
    assert_int_equal(loaded, n);
    assert_state(s.model, warm, n, 0, true);
    assert_int_equal(shim_model_predict(s.model, input->data, input->shape, allocate, NULL, &got, shape,
                                        &ndim, &err),
                     ARCHAI_OK);
    assert_int_equal(ndim, 2);
    assert_int_equal(shape[0], 3);
    assert_int_equal(shape[1], 5);
    assert_near_floats(got, output->data, 15, forward_tolerance);
    free(got);
    /* A batch of one keeps its dimension. */
    assert_int_equal(shim_model_predict(s.model, input->data, (const int64_t[]){1, 3, 12, 12}, allocate,
                                        NULL, &got, shape, &ndim, &err),
                     ARCHAI_OK);
    assert_int_equal(ndim, 2);
    assert_int_equal(shape[0], 1);
    free(got);
    destroy(&s);
    free(warm);
}

static void refuses_weights_that_do_not_fit(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    subject s;
    size_t n, loaded = 99;
    char *second;
    archai_tensor *warm = golden_below("warm", &n), *init = golden_below("init", &n);

    (void)state;
    second = warm[1].name;
    build(&s, cnn_space, &small_data, small_arch, 7);
    assert_int_equal(shim_model_load(s.model, warm, n - 1, true, NULL, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "lack 'model.7.bias'"));
    warm[0].name = (char *)"model.0.gewicht";
    assert_int_equal(shim_model_load(s.model, warm, n, true, NULL, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "the weights lack 'model.0.weight' and hold 'model.0.gewicht', which the "
                                  "model lacks");
    warm[0].name = (char *)"a.weight"; /* of two, the one that ends as the missing one */
    warm[1].name = (char *)"module.model.0.weight";
    assert_int_equal(shim_model_load(s.model, warm, n, true, NULL, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "the weights lack 'model.0.weight' and hold 'module.model.0.weight', which "
                                  "the model lacks");
    warm[1].name = second;
    warm[0].name = (char *)"model.0.weight";
    warm[0].shape[0] = 4; /* half of it */
    assert_int_equal(shim_model_load(s.model, warm, n, true, NULL, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "'model.0.weight': shape [4, 3, 3, 3], expected [8, 3, 3, 3]"));
    assert_state(s.model, init, n, 1e-7, true); /* nothing was loaded so far */
    assert_int_equal(shim_model_load(s.model, warm, n, false, &loaded, &err), ARCHAI_OK);
    assert_int_equal(loaded, n - 1);
    destroy(&s);
    free(init);
    free(warm);
}

/* One case of forward.h5: weights made in PyTorch, loaded strictly, give PyTorch's output. */
static void forward_case(const char *name, const char *space, const archai_data_shape *data,
                         const char *arch)
{
    static const char file[] = ARCHAI_TEST_DATA "/forward.h5";
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensor *weights = NULL, input = {0}, output = {0};
    char path[128];
    int64_t shape[ARCHAI_MAX_DIMS];
    float *got = NULL;
    size_t n = 0, expected = 1;
    int ndim = 0;
    subject s;

    build(&s, space, data, arch, 1);
    (void)snprintf(path, sizeof path, "/%s/weights", name);
    if (archai_array_read_group(file, path, &weights, &n, &err) != ARCHAI_OK ||
        shim_model_load(s.model, weights, n, true, NULL, &err) != ARCHAI_OK)
        fail_msg("%s: %s", name, err.text);
    (void)snprintf(path, sizeof path, "/%s/input", name);
    assert_int_equal(archai_array_read(file, path, &input, &err), ARCHAI_OK);
    (void)snprintf(path, sizeof path, "/%s/output", name);
    assert_int_equal(archai_array_read(file, path, &output, &err), ARCHAI_OK);
    if (shim_model_predict(s.model, input.data, input.shape, allocate, NULL, &got, shape, &ndim, &err) !=
        ARCHAI_OK)
        fail_msg("%s: %s", name, err.text);
    assert_int_equal(ndim, output.ndim);
    for (int i = 0; i < ndim; i++) {
        assert_int_equal(shape[i], output.shape[i]);
        expected *= (size_t)shape[i];
    }
    assert_near_floats(got, output.data, expected, forward_tolerance);
    free(got);
    archai_arrays_free(weights, n);
    archai_array_free(&input);
    archai_array_free(&output);
    destroy(&s);
}

static void gives_pytorchs_outputs(void **state)
{
    (void)state;
    forward_case("cnn_small", cnn_space, NULL,
                 "{\"nb_layers\": 2, \"kernel_size\": 3, \"hidden_dim\": 16}");
    forward_case("cnn_kernel1", cnn_space, NULL,
                 "{\"nb_layers\": 3, \"kernel_size\": 1, \"hidden_dim\": 32}");
}

static bool count_epochs(void *payload, const shim_epoch *e, shim_training *t)
{
    int64_t *n = payload;

    (void)t;
    assert_int_equal(e->epoch, *n + 1);
    assert_int_equal(e->epochs, 4);
    return ++*n < 100;
}

/* Four full-batch steps end where PyTorch's end. The tolerance allows for another order of summation; Adam
 * divides by small numbers, hence more than the last bits. */
static void trains_as_pytorch_does(void **state)
{
    static const struct {
        const char *name;
        int optimizer;
        double learning_rate;
        bool predictable; /* in every tensor: see is_noise. Adam's penalty outweighs the noise */
    } cases[] = {
        {"sgd", ARCHAI_OPTIMIZER_SGD, 0.1, true},
        {"adam", ARCHAI_OPTIMIZER_ADAM, 0.01, true},
        {"adamw", ARCHAI_OPTIMIZER_ADAMW, 0.01, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t epochs = 0;
        const shim_train_settings settings = {.epochs = 4,
                                              .recipe = {.batch_size = 24,
                                                         .optimizer = cases[i].optimizer,
                                                         .learning_rate = cases[i].learning_rate,
                                                         .momentum = 0.9,
                                                         .weight_decay = 0.01,
                                                         .learning_rate_schedule = ARCHAI_LR_COSINE},
                                              .seed = 5,
                                              .on_epoch = count_epochs,
                                              .payload = &epochs};
        archai_err err = ARCHAI_ERR_INIT;
        shim_train_result r;
        char name[32];
        const float *measures;
        archai_tensor *want;
        subject s;
        size_t n;

        build(&s, cnn_space, &small_data, small_arch, 7);
        if (shim_model_train(s.model, small_set(), &settings, &r, &err) != ARCHAI_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_int_equal(epochs, 4);
        want = golden_below(cases[i].name, &n);
        assert_int_equal(n, 17); /* the state and the measures behind it */
        assert_state(s.model, want, n - 1, 2e-4, cases[i].predictable);
        (void)snprintf(name, sizeof name, "%s/measures", cases[i].name);
        measures = golden_get(name)->data;
        assert_near(r.kept.train_loss, measures[0], 1e-4);
        if (cases[i].predictable) {
            assert_near(r.kept.val_loss, measures[1], 1e-4);
            assert_near(r.kept.val_accuracy, measures[2], 1e-6);
        }
        assert_true(isnan(r.test_accuracy));
        assert_true(isnan(r.kept.val_miou));
        assert_true(r.train_seconds > 0);
        free(want);
        destroy(&s);
    }
}

/* torch.load reads the file as a dict, for a strict load_state_dict. */
static void saves_what_torch_load_reads(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32], command[TMPDIR_PATH_MAX + 512];
    const archai_tensor *t;
    subject s;
    size_t n;

    if (system("/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null") != 0) {
        print_message("Python has no torch here\n");
        skip();
    }
    build(&s, cnn_space, &small_data, small_arch, 7);
    assert_int_equal(shim_model_state(s.model, &t, &n, &err), ARCHAI_OK);
    (void)snprintf(path, sizeof path, "%s/w.pt", (const char *)*state);
    assert_int_equal(shim_save_pt(t, n, path, &err), ARCHAI_OK);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " ARCHAI_SOURCE_DIR "/tests/py_load_pt.py %s "
                   ARCHAI_TEST_DATA "/shim_cnn.safetensors init/", path);
    assert_int_equal(system(command), 0);
    assert_int_equal(shim_save_pt(t, n, "/nowhere/w.pt", &err), ARCHAI_EIO);
    assert_non_null(strstr(err.text, "/nowhere/w.pt"));
    destroy(&s);
}

/* No exception of libtorch gets out. */
static void guard_catches_everything(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_int_equal(shim_test_throw(SHIM_THROW_BAD_ALLOC, &err), ARCHAI_ENOMEM);
    assert_int_equal(shim_test_throw(SHIM_THROW_INT, &err), ARCHAI_ETORCH);
    assert_int_equal(shim_test_throw(SHIM_THROW_STD, &err), ARCHAI_ETORCH);
    assert_non_null(strstr(err.text, "a standard exception"));
    assert_int_equal(shim_test_throw(SHIM_THROW_C10, &err), ARCHAI_ETORCH);
    assert_non_null(strstr(err.text, "a check of libtorch failed"));
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(shim_test_throw(SHIM_THROW_OUT_OF_MEMORY, &err), ARCHAI_EDEVMEM);
    assert_non_null(strstr(err.text, "CUDA out of memory"));
    assert_int_equal(shim_test_throw(SHIM_THROW_C10, NULL), ARCHAI_ETORCH);
}

static void refuses_bad_devices(void **state)
{
    static const char *const bad[] = {"gpu", "cuda:", "cuda:x", "cuda:99999", "cudax"};
    archai_err err = ARCHAI_ERR_INIT;
    shim_device *d = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(shim_device_open(&d, bad[i], 1, &err), ARCHAI_OK);
        assert_null(d);
        assert_non_null(strstr(err.text, bad[i]));
    }
    assert_int_equal(shim_device_open(&d, "cpu", 0, &err), ARCHAI_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_where_pytorch_starts),
        cmocka_unit_test(loads_and_predicts),
        cmocka_unit_test(refuses_weights_that_do_not_fit),
        cmocka_unit_test(gives_pytorchs_outputs),
        cmocka_unit_test(trains_as_pytorch_does),
        cmocka_unit_test_setup_teardown(saves_what_torch_load_reads, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test(guard_catches_everything),
        cmocka_unit_test(refuses_bad_devices),
    };

    return cmocka_run_group_tests_name("shim", tests, open_small_cnn, close_small_cnn);
}
