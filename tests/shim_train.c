/* Trainings that are interrupted, cut short, ended early: exactly what they would have been. */
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

enum { MAX_EPOCHS = 40 };

/* What on_epoch saw, and what it does. */
typedef struct watch {
    int64_t n;
    shim_epoch epoch[MAX_EPOCHS];
    int64_t take_at, stop_at; /* epochs: keep the state, stop the training; 0: never */
    archai_tensor *state;     /* owned, with names and data */
    size_t n_state;
    double train_seconds;
} watch;

static archai_tensor *copy_tensors(const archai_tensor *from, size_t n)
{
    archai_tensor *to = calloc(n, sizeof *to);

    assert_non_null(to);
    for (size_t i = 0; i < n; i++) {
        void *data = malloc(from[i].bytes + 1);

        assert_non_null(data);
        to[i] = from[i];
        to[i].name = strdup(from[i].name);
        to[i].data = memcpy(data, from[i].data, from[i].bytes);
    }
    return to;
}

static void free_tensors(archai_tensor *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(t[i].name);
        free((void *)(uintptr_t)t[i].data);
    }
    free(t);
}

static bool on_epoch(void *payload, const shim_epoch *e, shim_training *t)
{
    watch *w = payload;
    const archai_tensor *state;

    assert_true(w->n < MAX_EPOCHS);
    w->epoch[w->n++] = *e;
    if (e->epoch == w->take_at) {
        assert_int_equal(shim_training_state(t, &state, &w->n_state, &w->train_seconds, NULL),
                         ARCHAI_OK);
        w->state = copy_tensors(state, w->n_state);
    }
    return e->epoch != w->stop_at;
}

/* The model's state, copied. */
static archai_tensor *state_of(shim_model *m, size_t *n)
{
    const archai_tensor *state;

    assert_int_equal(shim_model_state(m, &state, n, NULL), ARCHAI_OK);
    return copy_tensors(state, *n);
}

static shim_train_result train(subject *s, const shim_train_settings *settings, int expected)
{
    archai_err err = ARCHAI_ERR_INIT;
    shim_train_result r = {.epochs = 0};
    int rc = shim_model_train(s->model, small_set(), settings, &r, &err);

    if (rc != expected)
        fail_msg("it returns %d: %s", rc, err.text);
    return r;
}

/* -- interruptions ----------------------------------------------- */

static void assert_same_model(const char *name, shim_model *m, const archai_tensor *want,
                              size_t n)
{
    size_t got_n;
    archai_tensor *got = state_of(m, &got_n);

    assert_int_equal(got_n, n);
    for (size_t i = 0; i < n; i++)
        if (got[i].bytes != want[i].bytes ||
            memcmp(got[i].data, want[i].data, want[i].bytes) != 0)
            fail_msg("%s: %s differs", name, want[i].name);
    free_tensors(got, got_n);
}

static void one_interruption(const char *name, const archai_train_settings *recipe)
{
    watch whole = {.n = 0}, first = {.take_at = 3, .stop_at = 3}, rest = {.n = 0};
    shim_train_settings settings = {
        .recipe = *recipe, .epochs = 6, .seed = 11, .on_epoch = on_epoch, .payload = &whole};
    size_t n, n_model = 0;
    archai_tensor *want;
    shim_train_result a, b;
    subject s;

    build(&s, cnn_space, &small_data, small_arch, 7);
    a = train(&s, &settings, ARCHAI_OK);
    want = state_of(s.model, &n);
    destroy(&s);

    settings.payload = &first;
    build(&s, cnn_space, &small_data, small_arch, 7);
    (void)train(&s, &settings, ARCHAI_EINTR);
    destroy(&s);

    settings.payload = &rest;
    settings.first_epoch = 3;
    settings.start = first.state;
    settings.n_start = first.n_state;
    while (n_model < first.n_state && strncmp(first.state[n_model].name, "archai:", 7) != 0)
        n_model++;
    build(&s, cnn_space, &small_data, small_arch,
          99); /* other weights: those that are stored count */
    assert_int_equal(shim_model_load(s.model, first.state, n_model, true, NULL, NULL),
                     ARCHAI_OK);
    b = train(&s, &settings, ARCHAI_OK);
    assert_same_model(name, s.model, want, n);
    assert_int_equal(b.epochs, a.epochs);
    assert_int_equal(b.kept.epoch, a.kept.epoch);
    assert_true(b.kept.val_loss == a.kept.val_loss && b.kept.train_loss == a.kept.train_loss);
    for (int64_t i = 0; i < rest.n; i++)
        assert_true(rest.epoch[i].val_loss == whole.epoch[i + 3].val_loss);
    free_tensors(want, n);
    free_tensors(first.state, first.n_state);
    destroy(&s);
}

static void goes_on_exactly_where_it_stopped(void **state)
{
    static const char *const names[] = {"sgd", "adam", "adamw", "rmsprop", "lion"};
    archai_train_settings r = {.batch_size = 7,
                               .learning_rate = 0.01,
                               .momentum = 0.9,
                               .weight_decay = 0.01,
                               .learning_rate_schedule = ARCHAI_LR_COSINE,
                               .warmup = 1};

    (void)state;
    for (int i = 0; i < 5; i++) {
        r.optimizer = i;
        one_interruption(names[i], &r);
    }
    r.optimizer = ARCHAI_OPTIMIZER_SGD;
    r.momentum = 0;
    one_interruption("sgd without momentum", &r);
    r.ema = 0.7;
    one_interruption("ema", &r);
    r.precision = ARCHAI_PRECISION_BF16;
    one_interruption("bf16", &r);
    r.precision = ARCHAI_PRECISION_FP32;
    r.learning_rate = 3; /* the best epoch comes early */
    r.keep = ARCHAI_KEEP_BEST;
    one_interruption("ema, best", &r);
    r.ema = 0;
    one_interruption("best", &r);
    r.keep = ARCHAI_KEEP_LAST;
    r.patience = 4;
    one_interruption("patience", &r);
}

static void another_trainings_state_is_refused(void **state)
{
    watch first = {.take_at = 1, .stop_at = 1};
    shim_train_settings settings = {
        .recipe = {.batch_size = 24, .learning_rate = 0.01, .momentum = 0.9},
        .epochs = 3,
        .on_epoch = on_epoch,
        .payload = &first};
    subject s;

    (void)state;
    build(&s, cnn_space, &small_data, small_arch, 7);
    (void)train(&s, &settings, ARCHAI_EINTR);
    settings.first_epoch = 1;
    settings.start = first.state;
    settings.n_start = first.n_state;
    settings.recipe.optimizer = ARCHAI_OPTIMIZER_ADAM;
    (void)train(&s, &settings, ARCHAI_EFORMAT);
    settings.recipe.optimizer = ARCHAI_OPTIMIZER_SGD;
    settings.recipe.ema = 0.9;
    (void)train(&s, &settings, ARCHAI_EFORMAT);
    settings.recipe.ema = 0;
    settings.recipe.keep = ARCHAI_KEEP_BEST;
    (void)train(&s, &settings, ARCHAI_EFORMAT);
    settings.first_epoch = 3; /* nothing is left to train */
    (void)train(&s, &settings, ARCHAI_EINVAL);
    free_tensors(first.state, first.n_state);
    destroy(&s);
}

/* -- which epochs ------------------------------------------------ */

static int64_t steps_made(shim_model *m)
{
    size_t n;
    archai_tensor *t = state_of(m, &n);
    int64_t steps = -1;

    for (size_t i = 0; i < n; i++)
        if (strcmp(t[i].name, "model.1.num_batches_tracked") == 0)
            memcpy(&steps, t[i].data, sizeof steps);
    free_tensors(t, n);
    return steps;
}

static void an_epoch_may_be_cut_short(void **state)
{
    static const struct {
        double epochs;
        int64_t steps, seen;
    } cases[] = {{1, 4, 1},     {1.5, 6, 2},   {0.3, 2, 1},
                 {0.001, 1, 1}, {2.75, 11, 3}, {0.25, 1, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        watch w = {.n = 0};
        const shim_train_settings settings = {
            .recipe = {.batch_size = 6,
                       .learning_rate = 0.01,
                       .learning_rate_schedule = ARCHAI_LR_LINEAR},
            .epochs = cases[i].epochs,
            .on_epoch = on_epoch,
            .payload = &w};
        shim_train_result r;
        subject s;

        build(&s, cnn_space, &small_data, small_arch, 7);
        r = train(&s, &settings, ARCHAI_OK);
        assert_int_equal(steps_made(s.model), cases[i].steps);
        assert_int_equal(w.n, cases[i].seen);
        assert_int_equal(r.epochs, cases[i].seen);
        assert_int_equal(shim_train_epochs(cases[i].epochs), cases[i].seen);
        assert_near(r.kept.learning_rate, 0.01 / (double)cases[i].steps, 1e-12);
        destroy(&s);
    }
}

/* A rate that is too high: the loss rises from some epoch on. */
static void the_best_epoch_counts_and_patience_ends(void **state)
{
    watch w = {.n = 0}, stopped = {.n = 0};
    shim_train_settings settings = {.recipe = {.batch_size = 6,
                                               .learning_rate = 1,
                                               .momentum = 0.9,
                                               .keep = ARCHAI_KEEP_BEST},
                                    .epochs = 30,
                                    .on_epoch = on_epoch,
                                    .payload = &w};
    archai_tensor *weights;
    shim_train_result r;
    subject s;
    int64_t at = 0;
    size_t n;

    (void)state;
    build(&s, cnn_space, &small_data, small_arch, 7);
    r = train(&s, &settings, ARCHAI_OK);
    assert_int_equal(r.epochs, 30);
    for (int64_t i = 0; i < w.n; i++) {
        assert_int_equal(w.epoch[i].ends, i == w.n - 1);
        if (w.epoch[i].val_loss < w.epoch[at].val_loss)
            at = i;
    }
    assert_in_range(at, 1, 28); /* else this proves nothing */
    assert_int_equal(r.kept.epoch, at + 1);
    assert_true(r.kept.val_loss == w.epoch[at].val_loss);
    destroy(&s);

    settings.recipe.patience = 5;
    w.n = 0;
    build(&s, cnn_space, &small_data, small_arch, 7);
    r = train(&s, &settings, ARCHAI_OK);
    assert_int_equal(r.epochs, r.kept.epoch + 5);
    assert_int_equal(w.n, r.epochs);
    assert_true(w.epoch[w.n - 1].ends);
    weights = state_of(s.model, &n);
    destroy(&s);

    /* The weights are those of a training that ends there. */
    stopped.take_at = stopped.stop_at = r.kept.epoch;
    settings.payload = &stopped;
    build(&s, cnn_space, &small_data, small_arch, 7);
    (void)train(&s, &settings, ARCHAI_EINTR);
    assert_same_model("best", s.model, weights, n);
    free_tensors(weights, n);
    free_tensors(stopped.state, stopped.n_state);
    destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_exactly_where_it_stopped),
        cmocka_unit_test(another_trainings_state_is_refused),
        cmocka_unit_test(an_epoch_may_be_cut_short),
        cmocka_unit_test(the_best_epoch_counts_and_patience_ends),
    };

    return cmocka_run_group_tests_name("train", tests, open_small_cnn, close_small_cnn);
}
