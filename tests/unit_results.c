/* Reading results.h5: whatever it holds, the reader answers with rows or with one line. */
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

#include "io/file/file.h"
#include "io/results/results.h"
#include "samples.h"
#include "tmpdir.h"

enum { ROWS = 30 };

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static char path[TMPDIR_PATH_MAX + 32];

static void make(const char *directory)
{
    char command[2 * TMPDIR_PATH_MAX];

    (void)snprintf(command, sizeof command, "%s %s %d complete all", MAKE_RESULTS, directory,
                   ROWS);
    assert_int_equal(system(command), 0);
    (void)snprintf(path, sizeof path, "%s/results.h5", directory);
}

/* Change the file with h5py: `code` sees it as f. */
static void change(const char *code)
{
    char command[TMPDIR_PATH_MAX + 1024];

    (void)snprintf(
        command, sizeof command,
        "/usr/bin/python3 -c \"import h5py, numpy\nwith h5py.File('%s', 'r+') as f:\n %s\"",
        path, code);
    assert_int_equal(system(command), 0);
}

/* Row `i` of what was read is the sample of this id. */
static void assert_row(const archai_results *r, size_t i, int64_t id)
{
    archai_trial want = sample_evaluation(id);
    const archai_trial *got = &r->rows[i];

    assert_int_equal(got->id, want.id);
    assert_string_equal(got->model.archid, want.model.archid);
    assert_string_equal(got->arch, want.arch);
    assert_int_equal(got->status, want.status);
    assert_string_equal(got->error, want.error);
    assert_string_equal(got->operator_, want.operator_);
    assert_string_equal(got->parents, want.parents);
    assert_string_equal(got->metadata, want.metadata);
    assert_string_equal(got->device, want.device);
    assert_int_equal(got->generation, want.generation);
    assert_int_equal(got->rank, want.rank);
    assert_true(got->budget == want.budget && got->started == want.started &&
                got->seconds == want.seconds);
    assert_int_equal(got->n_encoding, want.n_encoding);
    assert_memory_equal(got->encoding, want.encoding, want.n_encoding * sizeof(float));
    assert_int_equal(got->n_measures, want.n_measures);
    for (size_t k = 0; k < want.n_measures; k++)
        assert_true(archai_results_value(r, i, want.measures[k].name) ==
                    want.measures[k].value);
    archai_trial_fini(&want);
}

static void rows_come_back_as_they_were_written(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_results r;

    make(*state);
    OK(archai_results_read(&r, path, &err));
    assert_int_equal(r.n, ROWS);
    assert_int_equal(r.n_objectives, 2);
    assert_string_equal(r.objectives[0].name, "accuracy");
    assert_string_equal(r.objectives[0].source, "val_accuracy");
    assert_int_equal(r.objectives[0].direction, ARCHAI_MAXIMIZE);
    assert_string_equal(r.objectives[1].unit, "weights");
    for (size_t i = 0; i < r.n; i++)
        assert_row(&r, i, (int64_t)i);
    assert_true(isnan(archai_results_value(&r, 0, "nothing")));
    assert_true(isnan(archai_results_value(&r, ROWS, "params")));
    archai_results_free(&r);
}

static void pieces_hold_the_same_rows(void **state)
{
    static const size_t pieces[][2] = {{0, ROWS}, {0, 7}, {7, 11}, {ROWS - 1, 1}, {ROWS, 0}};
    archai_err err = ARCHAI_ERR_INIT;
    archai_results_reader *x;
    archai_results head, r;

    make(*state);
    OK(archai_results_open(&x, path, &head, &err));
    assert_int_equal(head.n, ROWS);
    assert_null(head.rows);
    assert_string_equal(head.state, "complete");
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
        OK(archai_results_piece(x, pieces[k][0], pieces[k][1], &r, &err));
        assert_int_equal(r.n, pieces[k][1]);
        assert_int_equal(r.n_front, 0);
        for (size_t i = 0; i < r.n; i++)
            assert_row(&r, i, (int64_t)(pieces[k][0] + i));
        archai_results_free(&r);
    }
    assert_int_equal(archai_results_piece(x, ROWS - 1, 2, &r, &err), ARCHAI_EINTERNAL);
    archai_results_close(x);
    archai_results_free(&head);

    change("f['candidates/status'][9] = b'odd'");
    OK(archai_results_open(&x, path, &head, &err));
    OK(archai_results_piece(x, 0, 9, &r, &err));
    archai_results_free(&r);
    assert_int_equal(archai_results_piece(x, 7, 5, &r, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "status: row 9 "));
    archai_results_close(x);
    archai_results_free(&head);
}

static void tensors_come_back_in_the_state_dict_s_order(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_tensor tensors[SAMPLE_TENSORS];
    char buffer[SAMPLE_BYTES];
    archai_tensor *at;
    size_t n;

    make(*state);
    sample_tensors(3, buffer, tensors);
    OK(archai_results_tensors(*state, "L=3, K=1", &at, &n, &err));
    assert_int_equal(n, SAMPLE_TENSORS);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(at[i].name, tensors[i].name);
        assert_int_equal(at[i].dtype, tensors[i].dtype);
        assert_int_equal(at[i].ndim, tensors[i].ndim);
        assert_memory_equal(at[i].shape, tensors[i].shape, sizeof at[i].shape);
        assert_memory_equal(at[i].data, tensors[i].data, tensors[i].bytes);
    }
    archai_results_tensors_free(at, n);
    assert_int_equal(archai_results_tensors(*state, "../candidates", &at, &n, &err),
                     ARCHAI_ENOTFOUND);
    assert_int_equal(archai_results_tensors(*state, "L=6, K=1", &at, &n, &err),
                     ARCHAI_ENOTFOUND);
}

static void damage_is_named(void **state)
{
    static const struct {
        const char *code, *word;
    } harm[] = {
        {"del f['candidates/archid']", "archid is missing"},
        {"del f['candidates']", "candidates is missing"},
        {"del f['pareto/index']", "index is missing"},
        {"del f.attrs['space']", "attribute space is missing"},
        {"f.attrs['format'] = 'else'", "not results of archai-run"},
        {"f.attrs['format_version'] = 2", "format_version is not 1"},
        {"f.attrs['seed'] = 'text'", "attribute seed"},
        {"f['pareto/index'][0] = 99", "outside the table"},
        {"f['pareto/index'][0] = -1", "outside the table"},
        {"f['candidates/status'][3] = b'odd'", "status: row 3"},
        {"f['candidates/archid'].resize((7,))", "archid has 7 rows, expected 30"},
        {"del f['candidates/id']; f['candidates/id'] = numpy.zeros((5, 5))",
         "id has another type"},
        {"del f['candidates/arch']; f['candidates/arch'] = 5", "arch has another type"},
        {"del f['candidates/id']; f['candidates'].create_dataset('id', (1 << 40,), 'i8', "
         "chunks=(1024,))",
         "claims more rows"},
        {"del f['candidates/encoding']; f['candidates'].create_dataset('encoding', (30, 1 << "
         "40), 'f4', "
         "chunks=(1, 1024))",
         "claims more rows"},
        {"f['objectives/accuracy'].attrs['direction'] = 'up'", "direction is \"up\""},
        {"del f['objectives/accuracy'], f['objectives/params']", "0 objectives"},
    };
    archai_err err = ARCHAI_ERR_INIT;
    archai_results r;
    char *whole;
    size_t n;

    make(*state);
    OK(archai_file_read(path, 1 << 30, &whole, &n, &err));
    for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        OK(archai_file_replace(*state, "results.h5", whole, n, &err));
        change(harm[i].code);
        if (archai_results_read(&r, path, &err) != ARCHAI_EFORMAT)
            fail_msg("%s: not refused", harm[i].code);
        if (strstr(err.text, harm[i].word) == NULL || strstr(err.text, path) == NULL ||
            strchr(err.text, '\n') != NULL)
            fail_msg("%s: %s", harm[i].code, err.text);
    }
    free(whole);
}

static void a_tensor_without_its_segment_is_no_zeros(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char segment[TMPDIR_PATH_MAX + 32];
    archai_tensor *at;
    size_t n;

    make(*state);
    (void)snprintf(segment, sizeof segment, "%s/segment-0-0.h5", (char *)*state);
    assert_int_equal(unlink(segment), 0);
    assert_int_equal(archai_results_tensors(*state, "L=3, K=1", &at, &n, &err),
                     ARCHAI_ENOTFOUND);
    assert_non_null(strstr(err.text, "segment-0-0.h5, which is not there"));
}

static void files_cut_anywhere_are_refused(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_results r;
    char *whole;
    size_t n;

    make(*state);
    OK(archai_file_read(path, 1 << 30, &whole, &n, &err));
    for (size_t size = 0; size < n; size += n / 37) {
        OK(archai_file_replace(*state, "results.h5", whole, size, &err));
        assert_int_equal(archai_results_read(&r, path, &err), ARCHAI_EFORMAT);
        assert_non_null(strstr(err.text, path));
    }
    free(whole);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_back_as_they_were_written),
        TEST(pieces_hold_the_same_rows),
        TEST(tensors_come_back_in_the_state_dict_s_order),
        TEST(damage_is_named),
        TEST(a_tensor_without_its_segment_is_no_zeros),
        TEST(files_cut_anywhere_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
