/* A rank's pen: it never waits for a place that nobody was asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "runner/writer.h"
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

    assert_int_equal(archai_writer_grant(w, &m, NULL), ARCHAI_OK);
}

/* An evaluation whose detail takes a little more than `bytes`. */
static archai_evaluation large(size_t bytes)
{
    archai_evaluation e = {.id = 7, .budget = 1};

    e.archid = strdup("a");
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
    archai_evaluation e = large(3 * MIB);
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
    archai_evaluation_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_larger_than_both_grants_asks_for_a_third,
                                        tmpdir_setup, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
