/* A rank's writer: it never waits for a place that was not asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/worker/writer.h"
#include "tmpdir.h"

enum { MIB = 1 << 20 };

static void grant(archai_writer *w, const char *segment, int64_t row, int64_t text,
                  int64_t text_bytes)
{
    const archai_message m = {
        .type = ARCHAI_MSG_GRANT,
        .segment = (char *)(uintptr_t)segment,
        .row = row,
        .n_rows = ARCHAI_SEGMENT_BLOCK_ROWS,
        .text_offset = text,
        .text_bytes = text_bytes,
    };

    archai_writer_grant(w, &m);
}

/* An evaluation whose detail takes a little more than `bytes`. */
static archai_trial large(size_t bytes)
{
    archai_trial e = {.id = 7, .budget = 1};

    e.model.archid = strdup("a");
    e.arch = strdup("{}");
    e.error = malloc(bytes + 1);
    e.operator_ = strdup("random");
    e.parents = strdup("[]");
    e.metadata = strdup("{}");
    e.device = strdup("cpu");
    assert_non_null(e.error);
    memset(e.error, 'x', bytes);
    e.error[bytes] = '\0';
    return e;
}

/* The next grant was asked for when rows were small. */
static void a_row_larger_than_both_grants_asks_for_a_third(void **state)
{
    static const char name[] = "segment-0-0.h5";
    const archai_segment_size size = {.rows = 8 * ARCHAI_SEGMENT_BLOCK_ROWS, .text_bytes = 16 * MIB};
    const char *directory = *state;
    archai_trial e = large(3 * MIB);
    archai_message need = {0};
    archai_writer w;
    bool wanted, done;

    assert_int_equal(archai_segment_create(directory, name, &size, NULL), ARCHAI_OK);
    archai_writer_init(&w, directory);
    grant(&w, name, 0, 0, MIB);
    grant(&w, name, ARCHAI_SEGMENT_BLOCK_ROWS, MIB, MIB);
    assert_int_equal(archai_writer_commit(&w, &e, &done, NULL), ARCHAI_OK);
    assert_false(done);
    archai_writer_need(&w, &wanted, &need);
    assert_true(wanted);
    assert_true(need.text_bytes > 3 * MIB);
    archai_writer_need(&w, &wanted, &need);
    assert_false(wanted); /* one request at a time */
    grant(&w, name, 2 * ARCHAI_SEGMENT_BLOCK_ROWS, 2 * MIB, need.text_bytes);
    assert_int_equal(archai_writer_commit(&w, &e, &done, NULL), ARCHAI_OK);
    assert_true(done);
    assert_int_equal(archai_writer_fini(&w, NULL), ARCHAI_OK);
    archai_trial_fini(&e);
}

/* The segment of a verdict is kept from the moment it is known, whether it is seen yet or not. */
static void a_segment_is_turned_to_at_once_and_opened_when_it_is_seen(void **state)
{
    static const char first[] = "segment-0-0.h5", second[] = "segment-0-1.h5";
    const archai_segment_size size = {.rows = 8 * ARCHAI_SEGMENT_BLOCK_ROWS, .text_bytes = 16 * MIB};
    const char *directory = *state;
    archai_err err = ARCHAI_ERR_INIT;
    archai_writer w;
    bool open;

    assert_int_equal(archai_segment_create(directory, first, &size, NULL), ARCHAI_OK);
    archai_writer_init(&w, directory);
    assert_int_equal(archai_writer_turn_to(&w, first, &err), ARCHAI_EINTERNAL);
    grant(&w, first, 0, 0, MIB);
    assert_int_equal(archai_writer_turn_to(&w, first, NULL), ARCHAI_OK);
    assert_int_equal(archai_writer_turn_to(&w, second, &err), ARCHAI_EINTERNAL);
    assert_string_equal(err.text, "a verdict names segment-0-1.h5, which was not granted");
    grant(&w, second, ARCHAI_SEGMENT_BLOCK_ROWS, 0, MIB);
    assert_int_equal(archai_writer_turn_to(&w, first, NULL), ARCHAI_OK); /* still the one in use */
    assert_int_equal(w.now.row, 0);
    assert_int_equal(archai_writer_turn_to(&w, second, NULL), ARCHAI_OK);
    grant(&w, first, ARCHAI_SEGMENT_BLOCK_ROWS, MIB, MIB);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(archai_writer_open(&w, &open, NULL), ARCHAI_OK);
        assert_false(open);
    }
    assert_string_equal(w.now.name, second);
    assert_int_equal(w.now.row, ARCHAI_SEGMENT_BLOCK_ROWS);
    w.now.open_by = 0;
    assert_int_equal(archai_writer_open(&w, &open, &err), ARCHAI_ENOTFOUND);
    assert_int_equal(archai_segment_create(directory, second, &size, NULL), ARCHAI_OK);
    assert_int_equal(archai_writer_open(&w, &open, NULL), ARCHAI_OK);
    assert_true(open);
    assert_int_equal(archai_writer_fini(&w, NULL), ARCHAI_OK);
}

/* What another process syncs on this node anyway is not waited for where a segment is left. */
static void rank_0_does_not_wait_for_the_disk_between_segments(void **state)
{
    static const char first[] = "segment-0-0.h5", second[] = "segment-0-1.h5";
    const archai_segment_size size = {.rows = 8 * ARCHAI_SEGMENT_BLOCK_ROWS, .text_bytes = 16 * MIB};
    archai_trial e = large(10);
    int pipe_fds[2]; /* cannot be synced */

    assert_int_equal(archai_segment_create(*state, first, &size, NULL), ARCHAI_OK);
    assert_int_equal(pipe(pipe_fds), 0);
    for (int is_root = 0; is_root < 2; is_root++) {
        archai_writer w;
        bool done;

        archai_writer_init(&w, *state);
        w.synced_by_index = is_root == 1;
        grant(&w, first, 0, 0, MIB);
        assert_int_equal(archai_writer_commit(&w, &e, &done, NULL), ARCHAI_OK);
        assert_true(done && w.dirty);
        grant(&w, second, 0, 0, MIB);
        assert_true(dup2(pipe_fds[1], w.now.segment.fd) >= 0);
        assert_int_equal(archai_writer_turn_to(&w, second, NULL),
                         is_root == 1 ? ARCHAI_OK : ARCHAI_EIO);
        assert_int_equal(archai_writer_fini(&w, NULL), ARCHAI_OK);
    }
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
    archai_trial_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_larger_than_both_grants_asks_for_a_third,
                                        tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(
            a_segment_is_turned_to_at_once_and_opened_when_it_is_seen, tmpdir_setup,
            tmpdir_teardown),
        cmocka_unit_test_setup_teardown(rank_0_does_not_wait_for_the_disk_between_segments,
                                        tmpdir_setup, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
