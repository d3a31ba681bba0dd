/* Segments: what is committed comes back, what is damaged does not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/segment/segment.h"
#include "commit_row.h"
#include "samples.h"
#include "tmpdir.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static const char name[] = "segment-0-0.h5";

static archai_segment make(const char *directory, int64_t rows)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_segment_size size = sample_segment_size(rows);
    archai_err err = ARCHAI_ERR_INIT;

    OK(archai_segment_create(directory, name, &size, &err));
    OK(archai_segment_open(&s, directory, name, true, &err));
    return s;
}

static void committed_rows_come_back(void **state)
{
    archai_segment s = make(*state, 2048);
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e;
    bool valid;
    int64_t i;

    for (i = 0; i < 20; i++)
        OK(sample_commit(&s, i, i * 100, 1, &err));
    for (i = 0; i < 20; i++) {
        archai_trial want = sample_evaluation(i);
        char buffer[SAMPLE_BYTES], got[96];
        archai_tensor tensors[SAMPLE_TENSORS];

        OK(archai_segment_read(&s, i * 100, &valid, &e, &err));
        assert_true(valid);
        assert_int_equal(e.id, i);
        assert_string_equal(e.model.archid, want.model.archid);
        assert_string_equal(e.error, want.error);
        assert_int_equal(e.n_curves, 1);
        assert_int_equal(e.n_tensors, e.status == ARCHAI_STATUS_OK ? SAMPLE_TENSORS : 0);
        if (e.n_tensors > 0) {
            sample_tensors(i, buffer, tensors);
            OK(archai_segment_read_tensor(&s, &e.tensors[0], got, &err));
            assert_memory_equal(got, tensors[0].data, sizeof got);
            assert_int_equal(e.tensors[0].crc, archai_segment_crc(got, sizeof got));
        }
        archai_trial_fini(&want);
        archai_trial_fini(&e);
    }
    OK(archai_segment_read(&s, 1, &valid, &e, &err));
    assert_false(valid);
    archai_segment_close(&s);
}

struct seen {
    int64_t rows[64];
    size_t n;
};

static int see(void *payload, int64_t row, const archai_row *r, archai_err *err)
{
    struct seen *seen = payload;

    (void)r;
    (void)err;
    seen->rows[seen->n++] = row;
    return ARCHAI_OK;
}

static void scan_finds_rows_across_holes(void **state)
{
    archai_segment s = make(*state, 1 << 20);
    archai_err err = ARCHAI_ERR_INIT;
    struct seen seen = {.n = 0};

    OK(sample_commit(&s, 1, 3, 0, &err));
    OK(sample_commit(&s, 2, 500000, 0, &err));
    OK(sample_commit(&s, 3, (1 << 20) - 1, 0, &err));
    OK(archai_segment_scan(&s, 0, 1 << 20, see, &seen, &err));
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.rows[0], 3);
    assert_int_equal(seen.rows[1], 500000);
    assert_int_equal(seen.rows[2], (1 << 20) - 1);
    seen.n = 0;
    OK(archai_segment_scan(&s, 4, 500000, see, &seen, &err));
    assert_int_equal(seen.n, 0);
    archai_segment_close(&s);
}

static void a_flipped_byte_is_no_row(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e;
    struct seen seen = {.n = 0};
    bool valid;
    char byte;

    OK(sample_commit(&s, 1, 0, 0, &err));
    OK(sample_commit(&s, 2, 1, 0, &err));
    OK(sample_commit(&s, 3, 2, 0, &err));
    assert_int_equal(pread(s.fd, &byte, 1, (off_t)s.rows_at + 64 + 9), 1);
    byte ^= 4;
    assert_int_equal(pwrite(s.fd, &byte, 1, (off_t)s.rows_at + 64 + 9), 1);
    assert_int_equal(pread(s.fd, &byte, 1, (off_t)s.text_at + 2 * SAMPLE_TEXT + 40), 1);
    byte ^= 4;
    assert_int_equal(pwrite(s.fd, &byte, 1, (off_t)s.text_at + 2 * SAMPLE_TEXT + 40), 1);
    OK(archai_segment_scan(&s, 0, 1024, see, &seen, &err));
    assert_int_equal(seen.n, 2); /* the detail is not the scan's */
    OK(archai_segment_read(&s, 0, &valid, &e, &err));
    assert_true(valid);
    archai_trial_fini(&e);
    OK(archai_segment_read(&s, 1, &valid, &e, &err));
    assert_false(valid);
    OK(archai_segment_read(&s, 2, &valid, &e, &err));
    assert_false(valid);
    archai_segment_close(&s);
}

/* A row as no worker would write it, but with a checksum that is right. */
static void forge(archai_segment *s, int64_t at, archai_row r)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_trial e;
    bool valid;

    r.crc = archai_segment_crc(&r, offsetof(archai_row, crc));
    assert_int_equal(pwrite(s->fd, &r, sizeof r, (off_t)s->rows_at + at * (off_t)sizeof r),
                     sizeof r);
    OK(archai_segment_read(s, at, &valid, &e, &err));
    assert_false(valid);
}

/* Checksums tell what was damaged, not what a foreign hand wrote: places are checked as well. */
static void a_row_that_points_outside_is_no_row(void **state)
{
    archai_segment s = make(*state, 1024);
    const int64_t end = s.size.text_bytes;
    archai_err err = ARCHAI_ERR_INIT;
    struct seen seen = {.n = 0};
    archai_trial e;
    archai_row r;
    bool valid;

    OK(sample_commit(&s, 1, 0, 0, &err));
    assert_int_equal(pread(s.fd, &r, sizeof r, (off_t)s.rows_at), sizeof r);
    const struct {
        int64_t offset, bytes;
    } places[] = {
        {-1, r.text_bytes},
        {end - r.text_bytes + 1, r.text_bytes},
        {end + 1, 0},
        {INT64_MAX, r.text_bytes},
        {0, -1},
        {0, end + 1},
        {1, INT64_MAX},
    };
    enum { PLACES = sizeof places / sizeof places[0] };

    for (int i = 0; i < PLACES; i++) {
        archai_row wrong = r;

        wrong.text_offset = places[i].offset;
        wrong.text_bytes = places[i].bytes;
        forge(&s, 1 + i, wrong);
    }
    r.status = ARCHAI_STATUS_COUNT;
    forge(&s, PLACES + 1, r);
    r.status = -1;
    forge(&s, PLACES + 2, r);
    r.status = ARCHAI_STATUS_OK;
    r.id = -1;
    forge(&s, PLACES + 3, r);
    OK(archai_segment_scan(&s, 0, 1024, see, &seen, &err));
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.rows[0], 0);
    seen.n = 0;
    OK(archai_segment_scan_damaged(&s, see, &seen, &err));
    assert_int_equal(seen.n, PLACES + 3);
    OK(archai_segment_read(&s, 0, &valid, &e, &err));
    assert_true(valid);
    archai_trial_fini(&e);
    assert_int_equal(archai_segment_read(&s, -1, &valid, &e, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_segment_read(&s, 1024, &valid, &e, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_segment_scan(&s, -1, 1024, see, &seen, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_segment_scan(&s, 0, 1025, see, &seen, &err), ARCHAI_EINVAL);
    archai_segment_close(&s);
}

/* Tensors end where the pool does at the latest, or nothing of the row is believed. */
static void a_tensor_that_lies_outside_its_pool_takes_its_row_along(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_err err = ARCHAI_ERR_INIT;

    for (int64_t beyond = 0; beyond < 2; beyond++) {
        archai_trial e = sample_evaluation(0), back;
        char buffer[SAMPLE_BYTES];
        archai_tensor tensors[SAMPLE_TENSORS];
        bool valid;

        sample_tensors(0, buffer, tensors);
        sample_places(&e, tensors, 0);
        e.tensors[1].offset = s.size.pool[ARCHAI_F32] - 3 + beyond; /* it has 3 elements */
        OK(sample_commit_as(&s, &e, beyond, false, &err));
        OK(archai_segment_read(&s, beyond, &valid, &back, &err));
        assert_int_equal(valid, beyond == 0);
        assert_int_equal(archai_segment_read_tensor(&s, &e.tensors[1], buffer, &err),
                         beyond == 0 ? ARCHAI_OK : ARCHAI_EFORMAT);
        if (valid)
            archai_trial_fini(&back);
        e.tensors[1].offset = -1;
        assert_false(archai_segment_holds(&s, &e.tensors[1], NULL));
        archai_trial_fini(&e);
    }
    archai_segment_close(&s);
}

static void pools_of_many_gib_cost_no_disk(void **state)
{
    archai_segment_size size = {.rows = 1 << 20, .text_bytes = INT64_C(4) << 30};
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_err err = ARCHAI_ERR_INIT;
    struct stat st;
    int t;

    for (t = 0; t < ARCHAI_DTYPE_COUNT; t++)
        size.pool[t] = INT64_C(1) << 30;
    OK(archai_segment_create(*state, name, &size, &err));
    OK(archai_segment_open(&s, *state, name, true, &err));
    assert_int_equal(fstat(s.fd, &st), 0);
    assert_true(st.st_size > INT64_C(27) << 30);
    assert_true(st.st_blocks * 512 < 1 << 20);
    for (t = 0; t < ARCHAI_DTYPE_COUNT; t++) {
        assert_int_equal(s.size.pool[t], INT64_C(1) << 30);
        assert_int_equal(s.pool_at[t] % ARCHAI_SEGMENT_ALIGNMENT, 0);
    }
    assert_int_equal(s.rows_at % ARCHAI_SEGMENT_ALIGNMENT, 0);
    assert_int_equal(s.text_at % ARCHAI_SEGMENT_ALIGNMENT, 0);
    archai_segment_close(&s);
    assert_int_equal(archai_segment_create(*state, name, &size, &err), ARCHAI_EEXIST);
}

static void metadata_never_changes(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_err err = ARCHAI_ERR_INIT;
    char *before = malloc(s.rows_at), *after = malloc(s.rows_at);
    int64_t i;

    assert_int_equal(pread(s.fd, before, s.rows_at, 0), s.rows_at);
    for (i = 0; i < 100; i++)
        OK(sample_commit(&s, i, i, 1, &err));
    OK(archai_segment_sync(&s, &err));
    assert_int_equal(pread(s.fd, after, s.rows_at, 0), s.rows_at);
    assert_memory_equal(before, after, s.rows_at);
    free(before);
    free(after);
    archai_segment_close(&s);
}

static void what_has_no_place_is_refused(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_trial e = sample_evaluation(0);
    archai_err err = ARCHAI_ERR_INIT;
    char buffer[SAMPLE_BYTES];
    archai_tensor tensors[SAMPLE_TENSORS];
    archai_tensor_place *p;

    sample_tensors(0, buffer, tensors);
    sample_places(&e, tensors, 1023);
    p = &e.tensors[0];
    OK(archai_segment_write_piece(&s, p, 0, tensors[0].data, tensors[0].bytes, &err));
    assert_int_equal(archai_segment_write_piece(&s, p, 1, tensors[0].data, tensors[0].bytes, &err),
                     ARCHAI_EINTERNAL);
    assert_int_equal(archai_segment_write_piece(&s, p, SIZE_MAX, "x", 1, &err), ARCHAI_EINTERNAL);
    e.tensors[0].offset += 1000;
    assert_int_equal(archai_segment_write_piece(&s, p, 0, tensors[0].data, tensors[0].bytes, &err),
                     ARCHAI_EINTERNAL);
    e.tensors[0].offset = INT64_MAX;
    e.tensors[0].shape[0] = INT64_MAX;
    assert_false(archai_segment_holds(&s, &e.tensors[0], NULL));
    assert_int_equal(commit_row(&s, -1, 0, "x", 1, &e, &err), ARCHAI_EINTERNAL);
    assert_int_equal(commit_row(&s, 0, -1, "x", 1, &e, &err), ARCHAI_EINTERNAL);
    assert_int_equal(commit_row(&s, 0, s.size.text_bytes + 1, "", 0, &e, &err), ARCHAI_EINTERNAL);
    assert_int_equal(commit_row(&s, 1024, 0, "x", 1, &e, &err), ARCHAI_EINTERNAL);
    assert_int_equal(commit_row(&s, 0, s.size.text_bytes - 1, "xy", 2, &e, &err), ARCHAI_EINTERNAL);
    archai_trial_fini(&e);
    archai_segment_close(&s);
}

static void foreign_files_are_refused(void **state)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
    assert_int_equal(archai_segment_open(&s, *state, name, false, &err), ARCHAI_ENOTFOUND);
    f = fopen(path, "w");
    (void)fputs("not HDF5", f);
    (void)fclose(f);
    assert_int_equal(archai_segment_open(&s, *state, name, false, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, name));
    (void)unlink(path);
    s = make(*state, 1024);
    archai_segment_close(&s);
    assert_int_equal(truncate(path, 70000), 0);
    assert_int_equal(archai_segment_open(&s, *state, name, false, &err), ARCHAI_EFORMAT);
}

/* A file size limit stands for the full disk: EFBIG instead of ENOSPC. */
static void a_full_disk_is_named_with_its_bytes(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_err err = ARCHAI_ERR_INIT;
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct rlimit limit = {100, 100};
        archai_trial e = sample_evaluation(0);

        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        _exit(commit_row(&s, 0, 0, "0123456789", 10, &e, &err) == ARCHAI_EIO &&
                      strstr(err.text, name) != NULL &&
                      strstr(err.text, "disk full writing 10 bytes") != NULL
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    archai_segment_close(&s);
}

static void the_list_is_sorted_and_only_segments(void **state)
{
    archai_segment_size size = sample_segment_size(1024);
    archai_strings names;
    archai_err err = ARCHAI_ERR_INIT;
    char path[TMPDIR_PATH_MAX + 32];

    OK(archai_segment_create(*state, "segment-1-0.h5", &size, &err));
    OK(archai_segment_create(*state, "segment-0-1.h5", &size, &err));
    (void)snprintf(path, sizeof path, "%s/.segment-2-0.h5.new", (char *)*state);
    (void)close(open(path, O_CREAT | O_WRONLY, 0600));
    OK(archai_segment_list(*state, &names, &err));
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0], "segment-0-1.h5");
    assert_string_equal(names.at[1], "segment-1-0.h5");
    archai_strings_free(&names);
}

static void h5py_reads_rows_and_pools(void **state)
{
    archai_segment s = make(*state, 1024);
    archai_err err = ARCHAI_ERR_INIT;
    char command[TMPDIR_PATH_MAX + 256];

    OK(sample_commit(&s, 5, 5, 1, &err));
    archai_segment_close(&s);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " ARCHAI_SOURCE_DIR "/tests/py_segment.py %s/%s",
                   (char *)*state, name);
    assert_int_equal(system(command), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_setup, tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(committed_rows_come_back),
        TEST(scan_finds_rows_across_holes),
        TEST(a_flipped_byte_is_no_row),
        TEST(a_row_that_points_outside_is_no_row),
        TEST(a_tensor_that_lies_outside_its_pool_takes_its_row_along),
        TEST(pools_of_many_gib_cost_no_disk),
        TEST(metadata_never_changes),
        TEST(what_has_no_place_is_refused),
        TEST(foreign_files_are_refused),
        TEST(a_full_disk_is_named_with_its_bytes),
        TEST(the_list_is_sorted_and_only_segments),
        TEST(h5py_reads_rows_and_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
