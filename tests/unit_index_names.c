/* The index shows what it can, whatever names, types and texts candidates brought; what it cannot is left out
 * with a line. h5py reads the rest (py_names.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "io/file/array.h"
#include "io/file/file.h"
#include "io/results/index/index.h"
#include "io/results/results.h"
#include "io/segment/segment.h"
#include "io/wire/message.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static archai_objectives objectives = {
    .at = {{.name = "accuracy", .source = "val/accuracy", .direction = ARCHAI_MAXIMIZE, .expensive = 1, .unit = ""}},
    .n = 1,
    .n_optimised = 1,
};
static const char *const odd_names[] = {"dense/kernel", "a", "a/b", ".", "..", "", "x/", "/x", "\033[31mred", "a%2Fb"};
enum { N_ODD = sizeof odd_names / sizeof odd_names[0], MANY = ARCHAI_TENSORS_MAX + 1, POOL = 1 << 16 };

static archai_segment segment;
static int64_t text_used;

static void commit(archai_trial *e)
{
    archai_buffer detail = {0};
    archai_err err = ARCHAI_ERR_INIT;
    archai_row row;

    archai_trial_fill_texts(e);
    archai_trial_set_measure(e, "val/accuracy", 0.5);
    OK(archai_trial_pack(e, &detail, &err));
    row = archai_segment_row(e, text_used, detail.data, detail.size);
    OK(archai_segment_commit_rows(&segment, e->id, &row, 1, detail.data, detail.size, &err));
    text_used += (int64_t)detail.size;
    archai_buffer_free(&detail);
    archai_trial_fini(e);
}

static archai_trial model(int64_t id, const char *archid, size_t n_tensors)
{
    archai_trial e = {.id = id, .arch = archai_strdup("{}"), .budget = 1, .n_tensors = n_tensors};

    e.model.archid = archai_strdup(archid);
    e.tensors = archai_calloc(n_tensors, sizeof *e.tensors);
    for (size_t i = 0; i < n_tensors; i++)
        e.tensors[i] = (archai_tensor_place){.name = archai_printf("t%zu", i), .ndim = 1, .shape = {2}, .offset = 2 * (int64_t)i % POOL};
    return e;
}

static void rename_tensor(archai_trial *e, size_t i, const char *name)
{
    free(e->tensors[i].name);
    e->tensors[i].name = archai_strdup(name);
}

static void fill(const char *directory)
{
    archai_segment_size size = {.rows = 1024, .text_bytes = 16 << 20};
    archai_err err = ARCHAI_ERR_INIT;
    char long_name[ARCHAI_TENSOR_NAME_MAX + 2];
    archai_trial e;

    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        size.pool[t] = POOL + 2;
    text_used = 0;
    OK(archai_segment_create(directory, "segment-0-0.h5", &size, &err));
    OK(archai_segment_open(&segment, directory, "segment-0-0.h5", true, &err));
    e = model(0, "odd", N_ODD);
    for (size_t i = 0; i < N_ODD; i++)
        rename_tensor(&e, i, odd_names[i]);
    archai_trial_set_measure(&e, ".", 1);
    archai_trial_set_measure(&e, "", 2);
    e.curves = archai_calloc(1, sizeof *e.curves);
    e.n_curves = 1;
    e.curves[0] = (archai_curve){archai_strdup("loss/val"), archai_calloc(3, sizeof(float)), 3};
    commit(&e);
    e = model(1, "types", ARCHAI_DTYPE_COUNT);
    for (int t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        e.tensors[t].dtype = (archai_dtype)t;
        rename_tensor(&e, (size_t)t, archai_dtype_name((archai_dtype)t));
    }
    commit(&e);
    e = model(2, "twins", 2);
    rename_tensor(&e, 1, "t0");
    commit(&e);
    e = model(3, "long", 1);
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    rename_tensor(&e, 0, long_name);
    commit(&e);
    e = model(4, "many", MANY);
    commit(&e);
    e = model(5, "..", 1);
    commit(&e);
    e = model(6, "failed", 0);
    e.status = ARCHAI_STATUS_FAILED;
    e.error = archai_strdup("lone \xed\xb0\x80, ESC \033[2J, cut \xe2\x82");
    commit(&e);
    archai_segment_close(&segment);
}

static void index_of(const char *directory, const char *state, bool resume, char **notes)
{
    const archai_index_run run = {.directory = directory,
                                  .config_text = "",
                                  .space = "cnn",
                                  .software = "test",
                                  .started = "2023-11-14T22:13:20Z",
                                  .ranks = 1,
                                  .is_resume = resume,
                                  .config = sample_config(ARCHAI_WEIGHTS_ALL),
                                  .objectives = &objectives};
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x;
    int64_t rows = 0;

    OK(archai_index_open(&x, &run, &err));
    OK(archai_index_refresh(x, "running", 0, &rows, &err));
    *notes = archai_index_notes(x);
    OK(archai_index_refresh(x, state, 0, &rows, &err));
    assert_int_equal(rows, 7);
    archai_index_close(x);
}

static void what_cannot_be_shown_is_left_out(void **state)
{
    char *notes;

    fill(*state);
    for (int resume = 0; resume < 2; resume++) {
        index_of(*state, "interrupted", resume, &notes);
        assert_non_null(strstr(notes, "the weights of twins (id 2) are not shown: two tensors have the name t0"));
        assert_non_null(strstr(notes, "the weights of long (id 3) are not shown: a tensor's name of 4097 bytes"));
        assert_non_null(strstr(notes, "the weights of many (id 4) are not shown: 32769 tensors, at most 32768"));
        free(notes);
    }
}

static void names_and_types_come_back(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_strings models;
    archai_tensor *at;
    archai_results r;
    char *notes;
    size_t n;

    fill(*state);
    index_of(*state, "complete", false, &notes);
    free(notes);
    OK(archai_results_models(*state, &models, &err));
    assert_int_equal(models.n, 3);
    assert_string_equal(models.at[2], "..");
    archai_strings_free(&models);
    OK(archai_results_tensors(*state, "odd", &at, &n, &err));
    assert_int_equal(n, N_ODD);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(at[i].name, odd_names[i]);
    archai_arrays_free(at, n);
    OK(archai_results_tensors(*state, "types", &at, &n, &err));
    assert_int_equal(n, ARCHAI_DTYPE_COUNT);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(at[i].dtype, i);
    archai_arrays_free(at, n);
    OK(archai_results_tensors(*state, "..", &at, &n, &err));
    archai_arrays_free(at, n);
    OK(archai_results_read(&r, *state, &err));
    assert_true(archai_measure_get(r.rows[0].measures, r.rows[0].n_measures, ".") == 1);
    assert_true(archai_measure_get(r.rows[0].measures, r.rows[0].n_measures, "") == 2);
    assert_true(archai_measure_get(r.rows[0].measures, r.rows[0].n_measures, "val/accuracy") == 0.5);
    assert_string_equal(r.rows[6].error, "lone ???, ESC ?[2J, cut ");
    archai_results_free(&r);
}

static void h5py_reads_it(void **state)
{
    char command[2 * TMPDIR_PATH_MAX + 256], *notes;

    fill(*state);
    index_of(*state, "complete", false, &notes);
    free(notes);
    (void)snprintf(command, sizeof command, "/usr/bin/python3 " ARCHAI_SOURCE_DIR "/tests/py_names.py %s", (char *)*state);
    assert_int_equal(system(command), 0);
}

/* What is copied to a laptop without its segments holds no weights, whatever HDF5 answers. */
static void weights_without_their_segment_are_refused(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *index = archai_file_path(*state, "results.h5"), *segment_path = archai_file_path(*state, "segment-0-0.h5");
    archai_tensor *at, one = {0};
    char *notes;
    size_t n;

    fill(*state);
    index_of(*state, "complete", false, &notes);
    free(notes);
    OK(archai_array_read_group(index, "/models/odd", &at, &n, &err));
    assert_int_equal(n, N_ODD);
    for (size_t i = 0; i < n; i++) /* in order of their links */
        assert_true(strcmp(at[i].name, "dense%2Fkernel") != 0);
    archai_arrays_free(at, n);
    OK(archai_array_read(index, "/models/types/float32", &one, &err));
    archai_array_free(&one);
    assert_int_equal(unlink(segment_path), 0);
    assert_int_equal(archai_array_read_group(index, "/models/odd", &at, &n, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "whose source /pool/float32 in "));
    assert_int_equal(archai_array_read(index, "/models/types/float32", &one, &err), ARCHAI_EFORMAT);
    assert_int_not_equal(archai_results_tensors(*state, "types", &at, &n, &err), ARCHAI_OK);
    assert_non_null(strstr(err.text, "which is not there"));
    free(index);
    free(segment_path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_shown_is_left_out),
        TEST(names_and_types_come_back),
        TEST(h5py_reads_it),
        TEST(weights_without_their_segment_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
