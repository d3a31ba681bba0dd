/* [train] precision: what it changes, what is said of it, and what it must not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "small_cnn.h"

static shim_train_result train(subject *s, int precision, int expected, char *text)
{
    const shim_train_settings settings = {.recipe = {.batch_size = 7,
                                                     .learning_rate = 0.02,
                                                     .momentum = 0.9,
                                                     .precision = precision},
                                          .epochs = 8,
                                          .seed = 5};
    archai_err err = ARCHAI_ERR_INIT;
    shim_train_result r = {.epochs = 0};
    int rc;

    build(s, cnn_space, &small_data, small_arch, 7);
    rc = shim_model_train(s->model, small_set(), &settings, &r, &err);
    if (rc != expected)
        fail_msg("it returns %d: %s", rc, err.text);
    if (text != NULL)
        (void)snprintf(text, ARCHAI_ERR_TEXT_MAX, "%s", err.text);
    return r;
}

static bool is_bf16(const shim_train_result *r)
{
    return strcmp(r->arithmetic, "bf16") == 0 || strcmp(r->arithmetic, "bf16, channels_last") == 0;
}

static void bf16_trains_as_fp32_does(void **state)
{
    shim_train_result a, b;
    subject s;

    (void)state;
    a = train(&s, ARCHAI_PRECISION_FP32, ARCHAI_OK, NULL);
    destroy(&s);
    b = train(&s, ARCHAI_PRECISION_BF16, ARCHAI_OK, NULL);
    assert_string_equal(a.arithmetic, "");
    assert_true(is_bf16(&b));
    assert_true(a.kept.train_loss < 1.3); /* of 1.6: it has learnt */
    assert_near(b.kept.train_loss, a.kept.train_loss, 0.05);
    assert_near(b.kept.val_loss, a.kept.val_loss, 0.1);
    assert_true(b.kept.train_loss != a.kept.train_loss);
    destroy(&s);
}

/* Weights, their statistics and so everything that is stored stay float32. */
static void stored_tensors_stay_float32(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    const archai_tensor *t;
    subject s;
    size_t n;

    (void)state;
    (void)train(&s, ARCHAI_PRECISION_BF16, ARCHAI_OK, NULL);
    assert_int_equal(shim_model_state(s.model, &t, &n, &err), ARCHAI_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(t[i].dtype == ARCHAI_F32 || t[i].dtype == ARCHAI_I64);
    destroy(&s);
}

/* The same as if it had been asked for by name. */
static void auto_says_what_it_chose(void **state)
{
    shim_train_result chosen, named;
    subject s;

    (void)state;
    chosen = train(&s, ARCHAI_PRECISION_AUTO, ARCHAI_OK, NULL);
    destroy(&s);
    assert_true(chosen.arithmetic[0] == '\0' || is_bf16(&chosen));
    named = train(&s, is_bf16(&chosen) ? ARCHAI_PRECISION_BF16 : ARCHAI_PRECISION_FP32, ARCHAI_OK, NULL);
    destroy(&s);
    assert_string_equal(chosen.arithmetic, named.arithmetic);
    assert_true(chosen.kept.train_loss == named.kept.train_loss);
    assert_true(chosen.kept.val_loss == named.kept.val_loss);
}

static void fp16_is_refused_on_a_cpu(void **state)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    subject s;

    (void)state;
    (void)train(&s, ARCHAI_PRECISION_FP16, ARCHAI_EINVAL, text);
    assert_string_equal(text, "train.precision: fp16 needs a GPU; bf16 works on a CPU");
    destroy(&s);
}

/* PyTorch's GradScaler: 65536 at first, halved by a step that is left out, doubled by 2000 in a row. */
static void the_loss_is_scaled_as_by_pytorch(void **state)
{
    enum { STEPS = 2005 };
    static float grads[STEPS];
    static double scales[STEPS];
    static bool made[STEPS];
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    for (int i = 0; i < STEPS; i++)
        grads[i] = 65536;
    grads[1] = INFINITY;
    grads[3] = NAN;
    assert_int_equal(shim_test_loss_scale(grads, made, scales, STEPS, &err), ARCHAI_OK);
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(made[i], i != 1 && i != 3);
    assert_true(grads[0] == 1 && grads[2] == 2 && grads[4] == 4);
    assert_true(scales[0] == 65536 && scales[1] == 32768 && scales[2] == 32768 && scales[3] == 16384);
    assert_true(scales[2002] == 16384 && scales[2003] == 32768 && scales[2004] == 32768);
    assert_true(grads[2003] == 4 && grads[2004] == 2);
}

/* Channels that fill lanes of vectors and that do not, and rows that end within a block of them. */
static void one_pass_over_bf16_is_as_exact_as_bf16(void **state)
{
    static const int64_t shapes[][4] = {{4, 32, 16, 16}, {3, 3, 5, 7},   {2, 1, 9, 9},  {7, 8, 12, 12},
                                        {2, 100, 3, 3},  {64, 24, 7, 7}, {16, 10, 1, 1}, {1, 48, 31, 33}};

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        double worst = INFINITY;

        if (shim_test_batch_norm_relu(shapes[i], &worst, &err) != ARCHAI_OK)
            fail_msg("%zu: %s", i, err.text);
        if (!(worst < 1. / 128)) /* bf16 has 8 bits */
            fail_msg("%zu: it is off by %g", i, worst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_trains_as_fp32_does),
        cmocka_unit_test(stored_tensors_stay_float32),
        cmocka_unit_test(auto_says_what_it_chose),
        cmocka_unit_test(fp16_is_refused_on_a_cpu),
        cmocka_unit_test(the_loss_is_scaled_as_by_pytorch),
        cmocka_unit_test(one_pass_over_bf16_is_as_exact_as_bf16),
    };

    return cmocka_run_group_tests_name("precision", tests, open_small_cnn, close_small_cnn);
}
