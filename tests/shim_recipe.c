/* The training recipe, step by step as PyTorch's own optimizers, schedulers and losses go
 * (data/make_train_recipe.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_cnn.h"

enum { STEPS = 12 };

/* What on_epoch saw. */
typedef struct watch {
    int64_t n;
    shim_epoch epoch[STEPS];
} watch;

static bool on_epoch(void *payload, const shim_epoch *e, shim_training *t)
{
    watch *w = payload;

    (void)t;
    assert_true(w->n < STEPS);
    w->epoch[w->n++] = *e;
    return true;
}

typedef struct recipe_case {
    const char *name;
    archai_train_settings recipe; /* on top of 24 pictures in a batch and a rate of 0.02 */
    double rate;                  /* 0: 0.02 */
    bool noisy; /* see is_noise: a convolution's bias and what it moves cannot be predicted */
} recipe_case;

static double milestones[] = {3, 9}, warm_milestones[] = {2, 9};

static const recipe_case recipe_cases[] = {
    {"constant", {.learning_rate_schedule = ARCHAI_LR_CONSTANT}, 0, false},
    {"constant_warmup", {.learning_rate_schedule = ARCHAI_LR_CONSTANT, .warmup = 3}, 0, false},
    {"cosine", {.learning_rate_schedule = ARCHAI_LR_COSINE}, 0, false},
    {"cosine_warmup",
     {.learning_rate_schedule = ARCHAI_LR_COSINE, .warmup = 3, .end_factor = 0.1},
     0,
     false},
    {"step",
     {.learning_rate_schedule = ARCHAI_LR_STEP, .step_size = 4, .gamma = 0.3},
     0,
     false},
    {"step_warmup",
     {.learning_rate_schedule = ARCHAI_LR_STEP,
      .step_size = 1. / 3,
      .gamma = 0.3,
      .warmup = 0.25},
     0,
     false},
    {"multistep",
     {.learning_rate_schedule = ARCHAI_LR_MULTISTEP,
      .milestones = {milestones, 2},
      .gamma = 0.1},
     0,
     false},
    {"multistep_warmup",
     {.learning_rate_schedule = ARCHAI_LR_MULTISTEP,
      .milestones = {warm_milestones, 2},
      .gamma = 0.1,
      .warmup = 3},
     0,
     false},
    {"linear", {.learning_rate_schedule = ARCHAI_LR_LINEAR, .end_factor = 0.25}, 0, false},
    {"linear_warmup",
     {.learning_rate_schedule = ARCHAI_LR_LINEAR, .end_factor = 0.25, .warmup = 3},
     0,
     false},
    {"one_cycle", {.learning_rate_schedule = ARCHAI_LR_ONE_CYCLE}, 0, false},
    {"one_cycle_warmup",
     {.learning_rate_schedule = ARCHAI_LR_ONE_CYCLE, .warmup = 6},
     0,
     false},
    {"nesterov", {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01}, 0, false},
    {"adam_decay",
     {.optimizer = ARCHAI_OPTIMIZER_ADAM,
      .weight_decay = 0.1,
      .weight_decay_on = ARCHAI_DECAY_WEIGHTS},
     0,
     true},
    {"adamw_decay",
     {.optimizer = ARCHAI_OPTIMIZER_ADAMW,
      .weight_decay = 0.1,
      .weight_decay_on = ARCHAI_DECAY_WEIGHTS},
     0,
     true},
    {"rmsprop", {.optimizer = ARCHAI_OPTIMIZER_RMSPROP, .weight_decay = 0.01}, 0.002, true},
    {"rmsprop_momentum",
     {.optimizer = ARCHAI_OPTIMIZER_RMSPROP, .momentum = 0.9, .weight_decay = 0.01},
     0.002,
     true},
    {"lion", {.optimizer = ARCHAI_OPTIMIZER_LION, .weight_decay = 0.1}, 0.002, true},
    {"clip", {.momentum = 0.9, .clip_grad_norm = 0.5}, 0, false},
    {"smoothing", {.momentum = 0.9, .label_smoothing = 0.1}, 0, false},
    {"ema", {.momentum = 0.9, .ema = 0.8}, 0, false},
    {"bce", {.momentum = 0.9, .loss = ARCHAI_LOSS_BCE}, 0, false},
    {"mse", {.momentum = 0.9, .loss = ARCHAI_LOSS_MSE}, 0, false},
    {"l1", {.momentum = 0.9, .loss = ARCHAI_LOSS_L1}, 0, false},
    {"huber", {.momentum = 0.9, .loss = ARCHAI_LOSS_HUBER}, 0, false},
};

/* The pictures with the targets that this loss goes with: two labels of five, or five numbers.
 */
static archai_dataset_header *set_for(int loss)
{
    enum { LABELS = 65536, BYTES = 69632 };
    static _Alignas(64) char both[2][BYTES]; /* a device knows a data set by where it lies */
    char *memory = both[loss == ARCHAI_LOSS_BCE];
    archai_dataset_header *h = (archai_dataset_header *)(void *)memory;
    const archai_dataset_header *plain = small_set();
    uint64_t at = LABELS;

    if (loss == ARCHAI_LOSS_AUTO)
        return small_set();
    memcpy(memory, plain, plain->bytes);
    h->bytes = BYTES;
    h->targets = loss == ARCHAI_LOSS_BCE ? ARCHAI_TARGETS_LABELS : ARCHAI_TARGETS_NUMBERS;
    h->label_dtype = loss == ARCHAI_LOSS_BCE ? ARCHAI_U8 : ARCHAI_F32;
    for (int i = 0; i < 2; i++) {
        const unsigned char *y = (const unsigned char *)plain + plain->split[i].labels;

        h->split[i].labels = at;
        for (int64_t k = 0; k < 5 * plain->split[i].n; k++) {
            const int label = y[k / 5], which = (int)(k % 5);
            const float number = (float)label - 0.5f * (float)which;
            const char there = which == label || which == (label + 1) % 5;

            if (loss == ARCHAI_LOSS_BCE)
                memory[at++] = there;
            else
                memcpy(memory + at, &number, sizeof number);
            at += loss == ARCHAI_LOSS_BCE ? 0 : sizeof number;
        }
        at = (at + 63) / 64 * 64;
        assert_true(at <= BYTES);
    }
    return h;
}

/* NaN where PyTorch has NaN. */
static void assert_measure(const char *name, double got, double want)
{
    if (isnan(got) != isnan(want) || fabs(got - want) > 1e-4)
        fail_msg("%s: %.9g, PyTorch has %.9g", name, got, want);
}

static const double *doubles(const archai_tensors *file, const char *of, const char *what,
                             size_t n)
{
    char name[64];
    const archai_tensor *t;

    (void)snprintf(name, sizeof name, "%s/%s", of, what);
    t = archai_tensors_find(file, name);
    if (t == NULL || t->dtype != ARCHAI_F64 || t->bytes != n * sizeof(double))
        fail_msg("train_recipe.safetensors lacks %s", name);
    return t->data;
}

static void one_recipe(const recipe_case *c, const archai_tensors *file)
{
    watch w = {.n = 0};
    shim_train_settings settings = {
        .recipe = c->recipe, .epochs = STEPS, .on_epoch = on_epoch, .payload = &w};
    const double *rates = doubles(file, c->name, "rates", STEPS);
    const double *losses = doubles(file, c->name, "val_loss", STEPS);
    const double *measures = doubles(file, c->name, "measures", 3);
    archai_err err = ARCHAI_ERR_INIT;
    shim_train_result r;
    archai_tensor *want;
    subject s;
    size_t n;

    settings.recipe.batch_size = 24; /* all pictures: an epoch is a step */
    settings.recipe.learning_rate = c->rate > 0 ? c->rate : 0.02;
    build(&s, cnn_space, &small_data, small_arch, 7);
    if (shim_model_train(s.model, set_for(c->recipe.loss), &settings, &r, &err) != ARCHAI_OK)
        fail_msg("%s: %s", c->name, err.text);
    assert_int_equal(w.n, STEPS);
    if (!c->noisy)
        assert_measure(c->name, r.kept.val_accuracy, measures[0]);
    assert_measure(c->name, r.kept.val_mae, measures[1]);
    assert_measure(c->name, r.kept.val_rmse, measures[2]);
    assert_true(isnan(r.kept.val_top5) && isnan(r.kept.val_miou) &&
                isnan(r.kept.val_perplexity));
    for (int i = 0; i < STEPS; i++) {
        const double rate = w.epoch[i].learning_rate, loss = w.epoch[i].val_loss;

        if (!(fabs(rate - rates[i]) <= 1e-9 * rates[i]))
            fail_msg("%s: rate %.17g at step %d, PyTorch has %.17g", c->name, rate, i,
                     rates[i]);
        if (!c->noisy && !(fabs(loss - losses[i]) <= 2e-4))
            fail_msg("%s: val_loss %.9g after step %d, PyTorch has %.9g", c->name, loss, i,
                     losses[i]);
    }
    want = tensors_below(file, c->name, &n);
    assert_int_equal(n, 19); /* rates, losses and measures come first */
    assert_state(s.model, want + 3, n - 3, 5e-4, !c->noisy);
    free(want);
    destroy(&s);
}

/* Is the class among the five largest answers? Counted by hand. */
static void the_five_likeliest_are_counted(void **state)
{
    enum { CLASSES = 8 };
    static _Alignas(64) char memory[40960];
    const archai_tensor *images = golden_get("val/images"), *labels = golden_get("val/labels");
    const archai_data_shape eight = {
        .channels = 3, .height = 12, .width = 12, .num_classes = CLASSES};
    const int64_t n = images->shape[0], shape[4] = {n, 3, 12, 12};
    archai_dataset_header *h = (archai_dataset_header *)(void *)memory;
    const shim_train_settings settings = {.recipe = {.batch_size = 24, .learning_rate = 0.1},
                                          .epochs = 1};
    archai_err err = ARCHAI_ERR_INIT;
    float *input = malloc(images->bytes * sizeof *input), *got = NULL;
    int64_t out_shape[8], right = 0, right5 = 0;
    shim_train_result r;
    subject s;
    int ndim;

    (void)state;
    assert_non_null(input);
    assert_true(small_set()->bytes <= sizeof memory);
    memcpy(memory, small_set(), small_set()->bytes);
    h->num_classes = CLASSES;
    build(&s, cnn_space, &eight, small_arch, 7);
    if (shim_model_train(s.model, h, &settings, &r, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < images->bytes; i++)
        input[i] = (float)((const unsigned char *)images->data)[i] / 255;
    assert_int_equal(
        shim_model_predict(s.model, input, shape, allocate, NULL, &got, out_shape, &ndim, &err),
        ARCHAI_OK);
    for (int64_t i = 0; i < n; i++) {
        const float *answer = got + i * CLASSES;
        const float own = answer[((const unsigned char *)labels->data)[i]];
        int larger = 0;

        for (int k = 0; k < CLASSES; k++)
            larger += answer[k] > own;
        right += larger == 0;
        right5 += larger < 5;
    }
    assert_in_range(right5, right + 1, n - 1); /* else this proves nothing */
    assert_near(r.kept.val_accuracy, (double)right / (double)n, 1e-9);
    assert_near(r.kept.val_top5, (double)right5 / (double)n, 1e-9);
    free(input);
    free(got);
    destroy(&s);
}

static void goes_as_pytorch_goes(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensors file = {.n = 0};

    (void)state;
    if (archai_safetensors_open(&file, ARCHAI_TEST_DATA "/train_recipe.safetensors", &err) !=
        ARCHAI_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < sizeof recipe_cases / sizeof recipe_cases[0]; i++)
        one_recipe(&recipe_cases[i], &file);
    archai_tensors_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_as_pytorch_goes),
        cmocka_unit_test(the_five_likeliest_are_counted),
    };

    return cmocka_run_group_tests_name("recipe", tests, open_small_cnn, close_small_cnn);
}
