/* Stored weights: what a row holds arrives whole in a safetensors file, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/segment/stored.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

enum { ROWS = 1024, ROW = 700, ID = 4 };

static void places_are_numbers_and_back(void **state)
{
    static const struct {
        const char *name;
        int64_t row;
    } good[] = {{"segment-0-0.h5", 0},
                {"segment-0-0.h5", 1},
                {"segment-3-17.h5", 123456789},
                {"segment-32767-65535.h5", INT64_C(4294967294)}},
      bad[] = {{"segment-0-0.h5", -1},
               {"segment-0-0.h5", INT64_C(4294967295)},
               {"segment-32768-0.h5", 0},
               {"segment-0-65536.h5", 0},
               {"segment-0-0.h5.new", 0},
               {"segment--1-0.h5", 0},
               {"results.h5", 0},
               {"", 0}};
    char name[ARCHAI_SEGMENT_NAME_MAX];
    int64_t row, before = 0;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const int64_t place = archai_segment_place(good[i].name, good[i].row);

        assert_true(place > before);
        before = place;
        assert_true(archai_segment_of_place(place, name, &row));
        assert_string_equal(name, good[i].name);
        assert_true(row == good[i].row);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(archai_segment_place(bad[i].name, bad[i].row) == 0);
    assert_false(archai_segment_of_place(0, name, &row));
    assert_false(archai_segment_of_place(-1, name, &row));
    assert_false(archai_segment_of_place(INT64_MIN, name, &row));
    assert_false(archai_segment_of_place(INT64_C(1) << 32, name, &row));
}

/* Row ROW is evaluation ID with weights, a curve and 2.5 seconds of training; row ROW + 1 has none. */
static archai_segment make(const char *directory)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_segment_size size = sample_segment_size(ROWS);
    archai_trial e = sample_evaluation(ID);
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_segment_create(directory, "segment-2-1.h5", &size, &err));
    OK(archai_segment_open(&s, directory, "segment-2-1.h5", true, &err));
    archai_trial_set_measure(&e, "train_seconds", 2.5);
    OK(sample_commit_as(&s, &e, ROW, 1, &err));
    OK(sample_commit(&s, ID + 1, ROW + 1, 0, &err));
    archai_trial_fini(&e);
    return s;
}

/* In steps of `bytes`. Returns what ended it. */
static int copy(const char *directory, int64_t place, int fd, size_t bytes, size_t *steps,
                archai_err *err)
{
    archai_stored s = ARCHAI_STORED_INIT;
    bool done = false;
    int rc = archai_stored_open(&s, directory, place, err);

    for (*steps = 0; rc == ARCHAI_OK && !done; ++*steps)
        rc = archai_stored_copy(&s, fd, bytes, &done, err);
    archai_stored_close(&s);
    return rc;
}

static void a_row_becomes_a_file(void **state)
{
    archai_segment s = make(*state);
    const int64_t place = archai_segment_place(s.name, ROW);
    archai_trial e = sample_evaluation(ID);
    archai_err err = ARCHAI_ERR_INIT;
    int fd = memfd_create("copy", MFD_CLOEXEC);

    for (size_t bytes = 1; bytes <= 1 << 20; bytes <<= 20) {
        char buffer[SAMPLE_BYTES], name[64];
        archai_tensor want[SAMPLE_TENSORS];
        archai_tensors got = {0};
        const archai_tensor *t;
        size_t steps;
        double seconds;

        OK(copy(*state, place, fd, bytes, &steps, &err));
        assert_true(bytes == 1 ? steps > SAMPLE_TENSORS : steps == 1);
        OK(archai_safetensors_open_fd(&got, fd, &err));
        assert_int_equal(got.n, SAMPLE_TENSORS + e.n_curves + 1);
        sample_tensors(ID, buffer, want);
        for (size_t i = 0; i < SAMPLE_TENSORS; i++) { /* in their order */
            assert_string_equal(got.at[i].name, want[i].name);
            assert_int_equal(got.at[i].dtype, want[i].dtype);
            assert_int_equal(got.at[i].ndim, want[i].ndim);
            assert_int_equal(got.at[i].bytes, want[i].bytes);
            assert_memory_equal(got.at[i].data, want[i].data, want[i].bytes);
        }
        (void)snprintf(name, sizeof name, "archai:curve:%s", e.curves[0].name);
        t = archai_tensors_find(&got, name);
        assert_non_null(t);
        assert_int_equal(t->bytes, e.curves[0].n * sizeof(float));
        assert_memory_equal(t->data, e.curves[0].values, t->bytes);
        t = archai_tensors_find(&got, "archai:seconds");
        assert_non_null(t);
        assert_int_equal(t->bytes, sizeof seconds);
        memcpy(&seconds, t->data, sizeof seconds);
        assert_true(seconds == 2.5);
        archai_tensors_close(&got);
    }
    archai_trial_fini(&e);
    archai_segment_close(&s);
    (void)close(fd);
}

static void assert_refused(const char *directory, int64_t place, int code, const char *words)
{
    archai_err err = ARCHAI_ERR_INIT;
    int fd = memfd_create("copy", MFD_CLOEXEC);
    size_t steps;
    const int rc = copy(directory, place, fd, 1 << 20, &steps, &err);

    if (rc != code || strstr(err.text, words) == NULL)
        fail_msg("code %d, '%s'", rc, err.text);
    (void)close(fd);
}

static void what_is_not_whole_is_refused(void **state)
{
    archai_segment s = make(*state);
    const int64_t place = archai_segment_place(s.name, ROW);
    archai_trial e = {0};
    archai_err err = ARCHAI_ERR_INIT;
    bool valid;
    char byte;

    assert_refused(*state, 0, ARCHAI_EFORMAT, "not a place");
    assert_refused(*state, archai_segment_place("segment-9-9.h5", 0), ARCHAI_ENOTFOUND, "segment-9-9.h5");
    assert_refused(*state, archai_segment_place(s.name, ROW - 1), ARCHAI_EFORMAT, "holds no weights");
    assert_refused(*state, archai_segment_place(s.name, ROW + 1), ARCHAI_EFORMAT, "holds no weights");
    assert_refused(*state, archai_segment_place(s.name, ROWS * 100), ARCHAI_EINVAL, "has no row");
    OK(archai_segment_read(&s, ROW, &valid, &e, &err));
    assert_true(valid);
    for (size_t i = 0; i < e.n_tensors; i++) {
        const archai_tensor_place *p = &e.tensors[i];
        const off_t at = (off_t)(s.pool_at[p->dtype] +
                                 (uint64_t)p->offset * archai_dtype_size(p->dtype) + 1);

        assert_int_equal(pread(s.fd, &byte, 1, at), 1);
        byte ^= 16;
        assert_int_equal(pwrite(s.fd, &byte, 1, at), 1);
        assert_refused(*state, place, ARCHAI_EFORMAT, p->name);
        byte ^= 16;
        assert_int_equal(pwrite(s.fd, &byte, 1, at), 1);
    }
    archai_trial_fini(&e);
    archai_segment_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_numbers_and_back),
        TEST(a_row_becomes_a_file),
        TEST(what_is_not_whole_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
