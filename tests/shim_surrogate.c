/* The ensemble of networks: it learns, is reproducible, survives NaN and infinity, and gives the same fit
 * whether its rows come at once or in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "core/search/surrogate.h"
#include "shim/shim.h"

enum { ROWS = 80, QUERIES = 20 };
static float x[ROWS * 2], y[ROWS * 2], queries[QUERIES * 2], truth[QUERIES * 2];

static void target(const float *at, float *out)
{
    out[0] = 1000.0f * at[0] + 500.0f * at[1] * at[1] + 1e5f; /* far from a deviation of 1 */
    out[1] = 1e-4f * (at[0] - at[1]);
}

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        x[2 * i] = (float)(i % 10) / 10.0f;
        x[2 * i + 1] = (float)(i / 10) / 8.0f;
        target(&x[2 * i], &y[2 * i]);
    }
    for (int i = 0; i < QUERIES; i++) {
        queries[2 * i] = (float)(i % 9) / 10.0f + 0.05f;
        queries[2 * i + 1] = (float)(i % 7) / 8.0f + 0.05f;
        target(&queries[2 * i], &truth[2 * i]);
    }
    return 0;
}

static archai_surrogate_job job_of(int64_t from, int64_t to)
{
    return (archai_surrogate_job){
        .id = 1,
        .settings = {"dnn_ensemble", 5, 5, 64, 500, 1e-3, -1},
        .seed = 7,
        .n_features = 2,
        .n_targets = 2,
        .held = from,
        .x = x + 2 * from,
        .n_x = (size_t)(2 * (to - from)),
        .y = y + 2 * from,
        .n_y = (size_t)(2 * (to - from)),
        .queries = queries,
        .n_queries = QUERIES * 2,
    };
}

static void serve(shim_surrogate *s, const archai_surrogate_job *j, float *mean, float *var)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (shim_surrogate_serve(s, j, mean, var, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < QUERIES * 2; i++)
        assert_true(isfinite(mean[i]) && isfinite(var[i]) && var[i] >= 0);
}

static void serve_alone(const archai_surrogate_job *j, float *mean, float *var)
{
    shim_surrogate *s;

    assert_int_equal(shim_surrogate_open(&s, NULL), ARCHAI_OK);
    serve(s, j, mean, var);
    shim_surrogate_close(s);
}

/* The fraction of the targets' variance that is not explained. */
static double unexplained(const float *mean, int column)
{
    double sum = 0, squares = 0, error = 0;

    for (int i = column; i < QUERIES * 2; i += 2) {
        sum += truth[i];
        error += pow((double)mean[i] - truth[i], 2);
    }
    for (int i = column; i < QUERIES * 2; i += 2)
        squares += pow(truth[i] - sum / QUERIES, 2);
    return error / squares;
}

static void it_learns_and_is_reproducible(void **state)
{
    float mean[QUERIES * 2], var[QUERIES * 2], again[QUERIES * 2], again_var[QUERIES * 2];
    archai_surrogate_job j = job_of(0, ROWS);

    (void)state;
    serve_alone(&j, mean, var);
    assert_true(unexplained(mean, 0) < 0.05 && unexplained(mean, 1) < 0.05);
    serve_alone(&j, again, again_var);
    assert_memory_equal(mean, again, sizeof mean);
    assert_memory_equal(var, again_var, sizeof var);
    j.seed = 8;
    serve_alone(&j, again, again_var);
    assert_memory_not_equal(mean, again, sizeof mean);
}

static void rows_may_come_in_parts(void **state)
{
    float mean[QUERIES * 2], var[QUERIES * 2], again[QUERIES * 2];
    archai_surrogate_job whole = job_of(0, ROWS), first = job_of(0, 30), rest = job_of(30, ROWS);
    archai_err err = ARCHAI_ERR_INIT;
    shim_surrogate *s;

    (void)state;
    serve_alone(&whole, mean, var);
    assert_int_equal(shim_surrogate_open(&s, NULL), ARCHAI_OK);
    assert_int_equal(shim_surrogate_serve(s, &rest, again, var, &err), ARCHAI_EINTERNAL);
    serve(s, &first, again, var);
    assert_memory_not_equal(mean, again, sizeof mean);
    serve(s, &rest, again, var);
    assert_memory_equal(mean, again, sizeof mean);
    rest = job_of(ROWS, ROWS);
    rest.warm = true;
    serve(s, &rest, again, var); /* twice the steps: closer, and not the same */
    assert_memory_not_equal(mean, again, sizeof mean);
    assert_true(unexplained(again, 0) < 0.05 && unexplained(again, 1) < 0.05);
    shim_surrogate_close(s);
}

static void nan_and_infinity_do_no_harm(void **state)
{
    float mean[QUERIES * 2], var[QUERIES * 2];
    archai_surrogate_job j;

    (void)state;
    y[0] = NAN;
    y[3] = INFINITY;
    x[10] = NAN;
    queries[39] = NAN;
    j = job_of(0, ROWS);
    serve_alone(&j, mean, var);
    queries[39] = queries[37]; /* unexplained() looks at all but the last one */
    mean[38] = truth[38];
    mean[39] = truth[39];
    assert_true(unexplained(mean, 0) < 0.1 && unexplained(mean, 1) < 0.1);
    for (int i = 1; i < ROWS * 2; i += 2)
        y[i] = NAN; /* a target that was never measured */
    serve_alone(&j, mean, var);
    for (int i = 1; i < QUERIES * 2; i += 2)
        assert_true(mean[i] == 0 && var[i] == 0);
    for (int i = 0; i < ROWS * 2; i++)
        x[i] = NAN;
    serve_alone(&j, mean, var);
    (void)set_up(NULL);
}

static void a_feature_that_all_rows_share_does_no_harm(void **state)
{
    float mean[QUERIES * 2], var[QUERIES * 2];
    const archai_surrogate_job j = job_of(0, ROWS);

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        x[2 * i + 1] = 0.5f;
        target(&x[2 * i], &y[2 * i]);
        x[2 * i + 1] = 1000.0f;
    }
    for (int i = 0; i < QUERIES; i++) {
        queries[2 * i + 1] = 0.5f;
        target(&queries[2 * i], &truth[2 * i]);
        queries[2 * i + 1] = i % 2 == 0 ? 1000.0f : 1e6f;
    }
    serve_alone(&j, mean, var);
    assert_true(unexplained(mean, 0) < 0.5);
    (void)set_up(NULL);
}

static void choices_have_no_order(void **state)
{
    static float codes[ROWS], levels[ROWS], all[5] = {0, 1, 2, 3, 4};
    static const float level[5] = {3, -1, 4, -2, 0};
    archai_surrogate_job j = job_of(0, ROWS);
    float mean[5], var[5];

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        codes[i] = (float)(i % 5);
        levels[i] = level[i % 5];
    }
    j.n_features = j.n_targets = 1;
    j.kinds = (char *)(uintptr_t)"c";
    j.x = codes;
    j.y = levels;
    j.n_x = j.n_y = ROWS;
    j.queries = all;
    j.n_queries = 5;
    {
        archai_err err = ARCHAI_ERR_INIT;
        shim_surrogate *s;

        assert_int_equal(shim_surrogate_open(&s, NULL), ARCHAI_OK);
        assert_int_equal(shim_surrogate_serve(s, &j, mean, var, &err), ARCHAI_OK);
        shim_surrogate_close(s);
    }
    for (int i = 0; i < 5; i++)
        assert_true(fabsf(mean[i] - level[i]) < 0.2f);
}

static void impossible_jobs_are_refused(void **state)
{
    float mean[QUERIES * 2], var[QUERIES * 2];
    archai_err err = ARCHAI_ERR_INIT;
    archai_surrogate_job j = job_of(0, ROWS);
    shim_surrogate *s;

    (void)state;
    assert_int_equal(shim_surrogate_open(&s, NULL), ARCHAI_OK);
    j.settings.width = 0;
    assert_int_equal(shim_surrogate_serve(s, &j, mean, var, &err), ARCHAI_EFORMAT);
    j = job_of(0, ROWS);
    j.n_y--;
    assert_int_equal(shim_surrogate_serve(s, &j, mean, var, &err), ARCHAI_EFORMAT);
    j = job_of(0, ROWS);
    (void)strcpy(j.settings.model, "oracle");
    assert_int_equal(shim_surrogate_serve(s, &j, mean, var, &err), ARCHAI_EFORMAT);
    j = job_of(0, 0);
    assert_int_equal(shim_surrogate_serve(s, &j, mean, var, &err), ARCHAI_EINVAL);
    shim_surrogate_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_and_is_reproducible),
        cmocka_unit_test(rows_may_come_in_parts),
        cmocka_unit_test(nan_and_infinity_do_no_harm),
        cmocka_unit_test(a_feature_that_all_rows_share_does_no_harm),
        cmocka_unit_test(choices_have_no_order),
        cmocka_unit_test(impossible_jobs_are_refused),
    };
    shim_device *d;
    int failed;

    if (shim_device_open(&d, "cpu", 1, NULL) != ARCHAI_OK)
        return 1;
    failed = cmocka_run_group_tests(tests, set_up, NULL);
    shim_device_close(d);
    return failed;
}
