/* The index: whatever order rows come in, results.h5 is what h5py and the contract expect. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"
#include "io/file/h5.h"
#include "io/results/index/index.h"
#include "io/results/results.h"
#include "io/segment/segment.h"
#include "near.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static archai_objectives objectives = {
    .at = {{.name = "accuracy",
            .source = "val_accuracy",
            .direction = ARCHAI_MAXIMIZE,
            .expensive = 1,
            .unit = ""},
           {.name = "params",
            .source = "params",
            .direction = ARCHAI_MINIMIZE,
            .constraint = {(double[]){0, 2000}, 2},
            .unit = "weights"}},
    .n = 2,
    .n_optimised = 2,
};

static archai_index_run run_in(const char *directory, int weights)
{
    return (archai_index_run){.directory = directory,
                              .config_text = "[search]\nalgorithm = random_search ; \xc3\xa4\n",
                              .space = "cnn",
                              .software = "archai-run test",
                              .started = "2023-11-14T22:13:20Z",
                              .ranks = 4,
                              .config = sample_config(weights),
                              .objectives = &objectives};
}

static archai_segment make(const char *directory, const char *name, int64_t rows)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_segment_size size = sample_segment_size(rows);
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_segment_create(directory, name, &size, &err));
    OK(archai_segment_open(&s, directory, name, true, &err));
    return s;
}

static void check(const char *directory, int64_t n, const char *state, const char *weights)
{
    char command[TMPDIR_PATH_MAX + 256];

    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " ARCHAI_SOURCE_DIR
                   "/tests/py_index.py %s/results.h5 %lld %s %s",
                   directory, (long long)n, state, weights);
    assert_int_equal(system(command), 0);
}

static int64_t refresh(archai_index *x, const char *state)
{
    archai_err err = ARCHAI_ERR_INIT;
    int64_t rows = -1;

    OK(archai_index_refresh(x, state, 3, &rows, &err));
    return rows;
}

static void an_empty_run_is_a_valid_file(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_PARETO);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    archai_results r;

    OK(archai_index_open(&x, &run, &err));
    assert_int_equal(refresh(x, "running"), 0);
    check(*state, 0, "running", "pareto");
    OK(archai_results_read(&r, *state, &err));
    assert_int_equal(r.n, 0);
    assert_string_equal(r.state, "running");
    assert_int_equal(r.rejected, 3);
    archai_results_free(&r);
    assert_int_equal(refresh(x, "complete"), 0);
    check(*state, 0, "complete", "pareto");
    archai_index_close(x);
}

/* Rows finish out of order, in two segments, a few at a time. */
static void grow_under(const char *directory, int policy, const char *weights)
{
    archai_index_run run = run_in(directory, policy);
    archai_segment a = make(directory, "segment-0-0.h5", 1024);
    archai_segment b = make(directory, "segment-0-1.h5", 2048);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    int64_t i;

    OK(archai_index_open(&x, &run, &err));
    for (i = 0; i < 120; i++) {
        int64_t id = i ^ 3; /* 3 2 1 0 7 6 5 4 ... */

        OK(sample_commit(i % 2 == 0 ? &a : &b, id, i * 8, 1, &err));
        if (i % 40 == 39) {
            assert_int_equal(refresh(x, "running"), i + 1);
            check(directory, i + 1, "running", weights);
        }
    }
    assert_int_equal(refresh(x, "complete"), 120);
    check(directory, 120, "complete", weights);
    archai_index_close(x);
    archai_segment_close(&a);
    archai_segment_close(&b);
}

static void it_grows_with_the_front_s_weights(void **state)
{
    grow_under(*state, ARCHAI_WEIGHTS_PARETO, "pareto");
}

static void it_grows_with_all_weights(void **state)
{
    grow_under(*state, ARCHAI_WEIGHTS_ALL, "all");
}

static void it_grows_with_the_best_weights(void **state)
{
    grow_under(*state, ARCHAI_WEIGHTS_BEST, "best");
}

static void it_grows_without_weights(void **state)
{
    grow_under(*state, ARCHAI_WEIGHTS_NONE, "none");
}

static void nothing_new_writes_nothing(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32];
    struct stat before, after;
    archai_index *x;

    (void)snprintf(path, sizeof path, "%s/results.h5", (char *)*state);
    OK(archai_index_open(&x, &run, &err));
    OK(sample_commit(&s, 0, 0, 1, &err));
    (void)refresh(x, "running");
    assert_int_equal(stat(path, &before), 0);
    (void)refresh(x, "running");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    archai_index_close(x);
    archai_segment_close(&s);
}

static void longer_texts_widen_their_columns(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    archai_results r;
    char longest[1000];
    int64_t i;

    memset(longest, 'x', sizeof longest);
    OK(archai_index_open(&x, &run, &err));
    for (i = 0; i < 30; i++) {
        archai_trial e = sample_evaluation(i);

        free(e.device);
        e.device = strndup(longest, (size_t)(i * 33));
        OK(sample_commit_as(&s, &e, i, e.status == ARCHAI_STATUS_OK, &err));
        archai_trial_fini(&e);
        assert_int_equal(refresh(x, "running"), i + 1);
    }
    OK(archai_results_read(&r, *state, &err));
    for (i = 0; i < 30; i++)
        assert_int_equal(strlen(r.rows[i].device), i * 33);
    archai_results_free(&r);
    check(*state, 30, "running", "all");
    archai_index_close(x);
    archai_segment_close(&s);
}

/* Volumes and distances of such numbers overflow; the rows stand all the same. */
static void numbers_as_large_as_doubles_are_published(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_NONE);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    archai_results r;

    OK(archai_index_open(&x, &run, &err));
    for (int64_t i = 0; i < 6; i++) {
        archai_trial e = sample_evaluation(i);

        archai_trial_set_measure(&e, "val_accuracy", i % 2 == 0 ? DBL_MAX : -DBL_MAX);
        OK(sample_commit_as(&s, &e, i, false, &err));
        archai_trial_fini(&e);
        assert_int_equal(refresh(x, "running"), i + 1);
    }
    OK(archai_results_read(&r, *state, &err));
    assert_int_equal(r.n, 6);
    archai_results_free(&r);
    archai_index_close(x);
    archai_segment_close(&s);
}

/* An ok row with these objectives, as worker after worker commits them. */
static void commit_point(archai_segment *s, int64_t id, double accuracy, double params)
{
    archai_trial e = sample_evaluation(7 * id); /* which is ok */
    archai_err err = ARCHAI_ERR_INIT;

    e.id = id;
    archai_trial_set_measure(&e, "val_accuracy", accuracy);
    archai_trial_set_measure(&e, "params", params);
    OK(sample_commit_as(s, &e, id, false, &err));
    archai_trial_fini(&e);
}

static void check_reference(const char *directory, double accuracy, double params)
{
    hid_t file = H5I_INVALID_HID, group, attribute;
    char path[TMPDIR_PATH_MAX + 32];
    double reference[2] = {0, 0};
    archai_err err = ARCHAI_ERR_INIT;

    (void)snprintf(path, sizeof path, "%s/results.h5", directory);
    OK(archai_h5_open(&file, path, &err));
    group = H5Gopen2(file, "hypervolume", H5P_DEFAULT);
    attribute = H5Aopen(group, "reference", H5P_DEFAULT);
    assert_true(H5Aread(attribute, H5T_NATIVE_DOUBLE, reference) >= 0);
    assert_near(reference[0], accuracy, 1e-12);
    assert_near(reference[1], params, 1e-12 * params);
    (void)H5Aclose(attribute);
    (void)H5Gclose(group);
    (void)H5Fclose(file);
}

/* A tenth of the range beyond the worst of the first 64 points, and there it stays; where all are alike, a
 * tenth of what they are. */
static void the_reference_point_lies_a_tenth_beyond_the_first_points(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_NONE);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    int64_t id = 0;

    OK(archai_index_open(&x, &run, &err));
    commit_point(&s, id++, 0.5, 200);
    (void)refresh(x, "running");
    check_reference(*state, 0.45, 220);
    commit_point(&s, id++, 0.75, 100);
    commit_point(&s, id++, 0.25, 300);
    (void)refresh(x, "running");
    check_reference(*state, 0.25 - 0.05, 300 + 20);
    for (; id < 63; id++)
        commit_point(&s, id, 0.5, 200);
    commit_point(&s, id++, 0.15, 200); /* the 64th still counts */
    (void)refresh(x, "running");
    check_reference(*state, 0.15 - 0.06, 300 + 20);
    commit_point(&s, id++, 0.01, 900);
    commit_point(&s, id++, 0.9, 10);
    (void)refresh(x, "complete");
    check_reference(*state, 0.15 - 0.06, 300 + 20);
    archai_index_close(x);
    archai_segment_close(&s);
}

static void resume_takes_up_everything_committed(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_PARETO);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    int64_t i;

    OK(archai_index_open(&x, &run, &err));
    for (i = 0; i < 20; i++)
        OK(sample_commit(&s, i, i, 1, &err));
    (void)refresh(x, "running");
    for (; i < 30; i++) /* committed, never refreshed: the run was killed */
        OK(sample_commit(&s, i, i, 1, &err));
    archai_index_close(x);
    archai_segment_close(&s);

    run.is_resume = true;
    OK(archai_index_open(&x, &run, &err));
    assert_int_equal(refresh(x, "running"), 30);
    check(*state, 30, "running", "pareto");
    s = make(*state, "segment-1-0.h5", 1024);
    for (; i < 40; i++)
        OK(sample_commit(&s, i, i, 1, &err));
    assert_int_equal(refresh(x, "complete"), 40);
    check(*state, 40, "complete", "pareto");
    archai_index_close(x);
    archai_segment_close(&s);
}

static void rows_whose_segment_is_gone_are_kept(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_NONE);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32];
    archai_index *x;
    archai_results r;
    archai_curve *curves;
    size_t n;
    int64_t i;

    OK(archai_index_open(&x, &run, &err));
    for (i = 0; i < 10; i++)
        OK(sample_commit(&s, i, i, 1, &err));
    (void)refresh(x, "running");
    archai_index_close(x);
    archai_segment_close(&s);
    (void)snprintf(path, sizeof path, "%s/segment-0-0.h5", (char *)*state);
    assert_int_equal(unlink(path), 0);
    run.is_resume = true;
    s = make(*state, "segment-1-0.h5", 1024);
    for (; i < 20; i++)
        OK(sample_commit(&s, i, i, 1, &err));
    OK(archai_index_open(&x, &run, &err));
    assert_int_equal(refresh(x, "running"), 20);
    OK(archai_results_read(&r, *state, &err));
    assert_int_equal(r.n, 20);
    assert_string_equal(r.rows[3].model.archid, "L=3, K=1");
    assert_true(archai_results_value(&r, 3, "accuracy") == 0.5 + 10.0 / 256);
    archai_results_free(&r);
    check(*state, 20, "running", "none");
    OK(archai_results_curves(*state, 4, &curves, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(curves[0].n, 2);
    archai_results_curves_free(curves, n);
    archai_index_close(x);
    archai_segment_close(&s);
}

static void of_two_rows_with_one_id_the_first_finished_counts(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment a = make(*state, "segment-0-0.h5", 1024);
    archai_segment b = make(*state, "segment-0-1.h5", 1024);
    archai_trial late = sample_evaluation(1);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    archai_results r;

    OK(archai_index_open(&x, &run, &err));
    OK(sample_commit(&a, 0, 0, 1, &err));
    OK(sample_commit(&a, 1, 1, 1, &err));
    archai_trial_set_measure(&late, "val_accuracy", 0.999);
    OK(sample_commit_as(&b, &late, 0, 1, &err));
    assert_int_equal(refresh(x, "running"), 2);
    OK(sample_commit_as(&b, &late, 1, 0, &err));
    assert_int_equal(refresh(x, "complete"), 2);
    OK(archai_results_read(&r, *state, &err));
    assert_true(archai_results_value(&r, 1, "accuracy") == 0.5 + 37.0 / 256);
    archai_results_free(&r);
    check(*state, 2, "complete", "all");
    archai_trial_fini(&late);
    archai_index_close(x);
    archai_segment_close(&a);
    archai_segment_close(&b);
}

static void the_highest_budget_s_weights_are_shown(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_PARETO);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    int64_t budgets[] = {1, 9, 3}, i;

    OK(archai_index_open(&x, &run, &err));
    for (i = 0; i < 3; i++) {
        archai_trial e = sample_evaluation(i);
        archai_tensor *at;
        float first;
        size_t n;

        free(e.model.archid);
        e.model.archid = strdup("same");
        e.budget = (double)budgets[i];
        OK(sample_commit_as(&s, &e, i, 1, &err));
        archai_trial_fini(&e);
        (void)refresh(x, "running");
        OK(archai_results_tensors(*state, "same", &at, &n, &err));
        assert_int_equal(n, SAMPLE_TENSORS);
        assert_string_equal(at[0].name, "model.0.weight");
        memcpy(&first, at[0].data, sizeof first);
        assert_true(first == (i == 0 ? 0.0F : 1.0F));
        archai_arrays_free(at, n);
    }
    archai_index_close(x);
    archai_segment_close(&s);
}

static void what_workers_wrote_is_brought_to_the_contract(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e = sample_evaluation(0);
    archai_objectives limited = objectives;
    archai_index *x;
    archai_results r;

    limited.at[1].expensive = 1; /* else rank 0 has seen to the constraint before */
    run.objectives = &limited;
    archai_trial_set_measure(&e, "val_accuracy", NAN);
    OK(sample_commit_as(&s, &e, 0, 0, &err));
    e.id = 1;
    archai_trial_set_measure(&e, "val_accuracy", INFINITY);
    archai_trial_set_measure(&e, "a/b", 1); /* no name for a dataset */
    OK(sample_commit_as(&s, &e, 1, 0, &err));
    e.id = 2;
    e.status = ARCHAI_STATUS_FAILED;
    OK(sample_commit_as(&s, &e, 2, 0, &err));
    e.id = 3;
    e.status = ARCHAI_STATUS_OK;
    archai_trial_set_measure(&e, "val_accuracy", 0.5);
    archai_trial_set_measure(&e, "params", 2001);
    OK(sample_commit_as(&s, &e, 3, 0, &err));
    e.id = 4;
    e.status = ARCHAI_STATUS_CACHED;
    OK(sample_commit_as(&s, &e, 4, 0, &err));
    e.id = 5;
    e.status = ARCHAI_STATUS_OK;
    archai_trial_set_measure(&e, "params", 2000);
    OK(sample_commit_as(&s, &e, 5, 0, &err));
    OK(archai_index_open(&x, &run, &err));
    (void)refresh(x, "running");
    OK(archai_results_read(&r, *state, &err));
    assert_int_equal(r.n, 6);
    assert_int_equal(r.n_front, 1);
    assert_int_equal(r.front[0], 5);
    assert_int_equal(r.rows[0].status, ARCHAI_STATUS_FAILED);
    assert_string_equal(r.rows[0].error, "val_accuracy is NaN or missing");
    assert_string_equal(r.rows[1].error, "val_accuracy is infinite");
    assert_string_equal(r.rows[2].error, "no reason was recorded");
    for (size_t i = 3; i < 5; i++) {
        assert_int_equal(r.rows[i].status, ARCHAI_STATUS_INFEASIBLE);
        assert_string_equal(r.rows[i].error, "params = 2001 is outside the constraint [0, 2000] of objective params");
    }
    assert_int_equal(r.rows[5].status, ARCHAI_STATUS_OK);
    archai_results_free(&r);
    archai_trial_fini(&e);
    archai_index_close(x);
    archai_segment_close(&s);
}

static void weights_that_a_power_failure_took_are_not_shown(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment s = make(*state, "segment-0-0.h5", 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_strings names;
    archai_index *x;
    float zero = 0;

    OK(sample_commit(&s, 1, 0, 1, &err));
    OK(sample_commit(&s, 2, 1, 1, &err));
    assert_int_equal(pwrite(s.fd, &zero, sizeof zero, (off_t)s.pool_at[ARCHAI_F32]),
                     sizeof zero);
    run.is_resume = true;
    OK(archai_index_open(&x, &run, &err));
    assert_int_equal(refresh(x, "running"), 2);
    OK(archai_results_models(*state, &names, &err));
    assert_int_equal(names.n, 1);
    assert_string_equal(names.at[0], "L=2, K=1");
    archai_strings_free(&names);
    archai_index_close(x);
    archai_segment_close(&s);
}

/* In a child: a file size limit stands for the full disk. */
static void a_full_disk_leaves_the_last_index(void **state)
{
    archai_index_run run = run_in(*state, ARCHAI_WEIGHTS_ALL);
    archai_segment s = make(*state, "segment-0-0.h5", 4096);
    archai_err err = ARCHAI_ERR_INIT;
    pid_t child;
    int status;

    OK(sample_commit(&s, 0, 0, 1, &err));
    child = fork();
    if (child == 0) {
        struct rlimit limit;
        archai_index *x;
        int64_t rows;
        int rc;

        (void)signal(SIGXFSZ, SIG_IGN);
        (void)getrlimit(RLIMIT_FSIZE, &limit);
        OK(archai_index_open(&x, &run, &err));
        OK(archai_index_refresh(x, "running", 0, &rows, &err));
        for (int64_t i = 1; i < 2000; i++)
            OK(sample_commit(&s, i, i, 1, &err));
        limit.rlim_cur = 100000;
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        for (int i = 0; i < 3; i++) {
            rc = archai_index_refresh(x, "running", 0, &rows, &err);
            if (rc != ARCHAI_EIO || strstr(err.text, "results.h5: ") == NULL ||
                strstr(err.text, "disk full") == NULL)
                fail_msg("%d: %s", rc, err.text);
        }
        check(*state, 1, "running", "all");
        limit.rlim_cur = limit.rlim_max; /* somebody made room */
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        OK(archai_index_refresh(x, "complete", 0, &rows, &err));
        archai_index_close(x);
        _exit(rows == 2000 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    check(*state, 2000, "complete", "all");
    archai_segment_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_run_is_a_valid_file),
        TEST(it_grows_with_the_front_s_weights),
        TEST(it_grows_with_all_weights),
        TEST(it_grows_with_the_best_weights),
        TEST(it_grows_without_weights),
        TEST(nothing_new_writes_nothing),
        TEST(longer_texts_widen_their_columns),
        TEST(numbers_as_large_as_doubles_are_published),
        TEST(the_reference_point_lies_a_tenth_beyond_the_first_points),
        TEST(resume_takes_up_everything_committed),
        TEST(rows_whose_segment_is_gone_are_kept),
        TEST(of_two_rows_with_one_id_the_first_finished_counts),
        TEST(the_highest_budget_s_weights_are_shown),
        TEST(what_workers_wrote_is_brought_to_the_contract),
        TEST(weights_that_a_power_failure_took_are_not_shown),
        TEST(a_full_disk_leaves_the_last_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
