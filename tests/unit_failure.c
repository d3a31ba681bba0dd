/* Failures grouped by kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/search/failure.h"

static void assert_kind(const char *error, const char *expected)
{
    char *kind = archai_failure_kind(error);

    assert_string_equal(kind, expected);
    free(kind);
}

static void numbers_and_paths_are_masked(void **state)
{
    (void)state;
    assert_kind("", "");
    assert_kind("ValueError: bad width 17", "ValueError: bad width N");
    assert_kind("loss -1.5e-3 after 2.5 s", "loss N after N s");
    assert_kind("at 0x7ffe12ab, model 3f2a9c01d4e5", "at N, model N");
    assert_kind("size mismatch: [3, 16] and [3,17]", "size mismatch: [N, N] and [N,N]");
    assert_kind("File \"/home/u/ev.py\", line 12", "File \"PATH\", line N");
    assert_kind("/tmp/a.py:17: error.", "PATH:N: error.");
    assert_kind("cannot open ../data/x.csv: No such file or directory.",
                "cannot open PATH: No such file or directory.");
    assert_kind("read/write of I/O, and/or", "read/write of I/O, and/or");
    assert_kind("\n first line\nsecond 2", "first line");
    assert_kind("stück 3 — größer", "stück N — größer");
    assert_kind("'/' and \"/\" /", "'PATH' and \"PATH\" PATH");
    assert_kind("abc12 abcdef1 abcdef-7x deadbeefdeadbeefg", "abcN abcdefN abcdef-Nx deadbeefdeadbeefg");
    assert_kind("////////", "PATH");
}

static void the_commonest_kind_comes_first(void **state)
{
    archai_failures f = {0};
    char text[64];

    (void)state;
    assert_null(archai_failures_commonest(&f));
    archai_failures_add(&f, "out of memory", 3);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(text, sizeof text, "ValueError: bad width %d", i);
        archai_failures_add(&f, text, 10 + i);
    }
    archai_failures_add(&f, ARCHAI_FAILURE_REPEATED "3: failed", 20);
    assert_int_equal(f.total, 5);
    assert_int_equal(f.n, 2);
    assert_int_equal(archai_failures_commonest(&f)->n, 4);
    archai_failures_sort(&f);
    assert_string_equal(f.at[0].kind, "ValueError: bad width N");
    assert_string_equal(f.at[0].example, "ValueError: bad width 0");
    assert_int_equal(f.at[0].id, 10);
    assert_string_equal(f.at[1].kind, "out of memory");
    archai_failures_free(&f);
}

static void kinds_beyond_the_limit_are_counted_together(void **state)
{
    archai_failures f = {0};
    char text[3] = "aa";

    (void)state;
    for (int i = 0; i < 26 * 26; i++) {
        text[0] = (char)('a' + i / 26);
        text[1] = (char)('a' + i % 26);
        archai_failures_add(&f, text, i);
    }
    assert_int_equal(f.n, ARCHAI_FAILURE_KINDS_MAX);
    assert_int_equal(f.other, 26 * 26 - ARCHAI_FAILURE_KINDS_MAX);
    archai_failures_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_paths_are_masked),
        cmocka_unit_test(the_commonest_kind_comes_first),
        cmocka_unit_test(kinds_beyond_the_limit_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
