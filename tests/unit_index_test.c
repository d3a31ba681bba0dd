/* Rows with is_test: the index and the history add what was measured on the test data to the row with their id,
 * whenever it comes and however often the index is made again. */
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

#include "io/results/history.h"
#include "io/results/index/index.h"
#include "io/results/reconcile.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

enum { ROWS = 300 }; /* more than one batch of the columns */

static char accuracy[] = "accuracy", val_accuracy[] = "val_accuracy", none[] = "";
static archai_objectives objectives = {
    .at = {{.name = accuracy, .source = val_accuracy, .direction = ARCHAI_MAXIMIZE, .expensive = 1, .unit = none}},
    .n = 1,
    .n_optimised = 1,
};

static archai_index_run run_in(const char *directory)
{
    return (archai_index_run){.directory = directory,
                              .config_text = "[search]\nalgorithm = random_search\n",
                              .space = "cnn",
                              .software = "archai-run test",
                              .started = "2023-11-14T22:13:20Z",
                              .ranks = 2,
                              .config = sample_config(ARCHAI_WEIGHTS_NONE),
                              .objectives = &objectives};
}

static archai_segment make(const char *directory, const char *name)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_segment_size size = sample_segment_size(1024);
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_segment_create(directory, name, &size, &err));
    OK(archai_segment_open(&s, directory, name, true, &err));
    return s;
}

/* test_loss = loss, and a value that the row has already. */
static void commit_test(archai_segment *s, int64_t id, int64_t row, double loss)
{
    archai_trial e = sample_evaluation(id);
    archai_err err = ARCHAI_ERR_INIT;

    e.is_test = true;
    e.status = ARCHAI_STATUS_OK;
    archai_measures_free(e.measures, e.n_measures);
    e.measures = NULL;
    e.n_measures = 0;
    archai_trial_set_measure(&e, "test_loss", loss);
    archai_trial_set_measure(&e, "val_accuracy", 0.999);
    OK(sample_commit_as(s, &e, row, 0, &err));
    archai_trial_fini(&e);
}

static int64_t refresh(archai_index *x)
{
    archai_err err = ARCHAI_ERR_INIT;
    int64_t rows = -1;

    OK(archai_index_refresh(x, "running", 0, &rows, &err));
    return rows;
}

/* Row `id` has this test_loss (NaN: none), all others none but `also`; every row has its own accuracy. */
static void assert_tested(const char *directory, size_t n, size_t id, double loss, size_t also)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_results r;

    OK(archai_results_read(&r, directory, &err));
    assert_int_equal(r.n, n);
    for (size_t i = 0; i < n; i++) {
        const archai_trial *e = &r.rows[i];
        const double there = archai_measure_get(e->measures, e->n_measures, "test_loss");

        if (i == id)
            assert_true(there == loss);
        else if (i != also)
            assert_true(isnan(there));
        if (e->status == ARCHAI_STATUS_OK)
            assert_true(archai_results_value(&r, i, "accuracy") ==
                        0.5 + (double)(i * 37 % 101) / 256);
    }
    archai_results_free(&r);
}

/* It comes with a later start than the row, as after a resume. */
static void it_joins_the_row_with_its_id(void **state)
{
    archai_index_run run = run_in(*state);
    archai_segment a = make(*state, "segment-0-0.h5"), b = make(*state, "segment-1-0.h5");
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32];
    const archai_segment *const both[] = {&a, &b};
    archai_reconciled settled;
    archai_index *x;

    OK(archai_index_open(&x, &run, &err));
    for (int64_t i = 0; i < ROWS; i++)
        OK(sample_commit(&a, i, i, 0, &err));
    assert_int_equal(refresh(x), ROWS);
    commit_test(&b, 3, 0, 0.25);
    assert_int_equal(refresh(x), ROWS);
    assert_tested(*state, ROWS, 3, 0.25, 3);
    commit_test(&b, 3, 1, 0.5); /* of two the first counts */
    commit_test(&b, 280, 2, 0.75);
    assert_int_equal(refresh(x), ROWS);
    assert_tested(*state, ROWS, 3, 0.25, 280);
    assert_tested(*state, ROWS, 280, 0.75, 3);
    archai_index_close(x);

    (void)snprintf(path, sizeof path, "%s/results.h5", (char *)*state);
    for (int i = 0; i < 2; i++) { /* resumed; made again from the segments alone */
        run.is_resume = i == 0;
        if (i == 1)
            assert_int_equal(unlink(path), 0);
        OK(archai_index_open(&x, &run, &err));
        assert_int_equal(refresh(x), ROWS);
        assert_tested(*state, ROWS, 3, 0.25, 280);
        archai_index_close(x);
    }
    /* A later start's test of an earlier one's row is not two runs at the same time. */
    (void)snprintf(path, sizeof path, "%s/reconciled.json", (char *)*state);
    assert_int_equal(archai_reconcile(&settled, *state, both, 2, false, &err), ARCHAI_OK);
    assert_int_equal(settled.n, 0);
    assert_int_not_equal(access(path, F_OK), 0);
    archai_segment_close(&a);
    archai_segment_close(&b);
}

/* A network file system may show the rows of one rank before those of another. */
static void it_may_come_before_its_row(void **state)
{
    archai_index_run run = run_in(*state);
    archai_segment a = make(*state, "segment-0-0.h5"), b = make(*state, "segment-0-1.h5");
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;

    OK(archai_index_open(&x, &run, &err));
    OK(sample_commit(&a, 0, 0, 0, &err));
    OK(sample_commit(&a, 2, 1, 0, &err));
    commit_test(&b, 1, 0, 0.25);
    assert_int_equal(refresh(x), 2);
    OK(sample_commit(&a, 1, 2, 0, &err));
    assert_int_equal(refresh(x), 3);
    assert_tested(*state, 3, 1, 0.25, 1);
    archai_index_close(x);
    archai_segment_close(&a);
    archai_segment_close(&b);
}

static int touch(void *payload, const char *path, archai_err *err)
{
    (void)payload;
    (void)path;
    (void)err;
    return ARCHAI_OK;
}

static void a_resume_sees_it(void **state)
{
    archai_segment a = make(*state, "segment-0-0.h5"), b = make(*state, "segment-0-1.h5");
    archai_err err = ARCHAI_ERR_INIT;
    archai_results head = {0};
    archai_history *h;
    bool got = true;
    int64_t rows = 0;

    for (int64_t i = 0; i < 5; i++)
        OK(sample_commit(&a, i, i, 1, &err));
    commit_test(&b, 3, 0, 0.25);
    commit_test(&b, 9, 1, 0.25); /* of no row */
    OK(archai_history_open(&h, *state, touch, NULL, &head, &err));
    for (;; rows++) {
        archai_trial e = {0};

        OK(archai_history_next(h, &e, &got, &err));
        if (!got)
            break;
        assert_int_equal(e.id, rows);
        assert_false(e.is_test);
        assert_true(e.stored != 0);
        assert_int_equal(archai_trial_is_tested(&e), rows == 3);
        assert_true(archai_measure_get(e.measures, e.n_measures, "val_accuracy") !=
                    0.999);
        archai_trial_fini(&e);
    }
    assert_int_equal(rows, 5);
    archai_history_close(h);
    archai_results_free(&head);
    archai_segment_close(&a);
    archai_segment_close(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_joins_the_row_with_its_id),
        TEST(it_may_come_before_its_row),
        TEST(a_resume_sees_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
