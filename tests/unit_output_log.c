/* What a program printed: the beginning and the end of it, in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file/file.h"
#include "runner/process/watch/output_log.h"
#include "tmpdir.h"

enum { ALL = ARCHAI_LOG_FIRST + ARCHAI_LOG_LAST };

static char letter(size_t i)
{
    return (char)('a' + (i * 7 + i / 26) % 26);
}

/* `total` letters in pieces of `piece`; the file must be their beginning, a gap, and their end. */
static void keeps_both_ends(const char *directory, size_t total, size_t piece)
{
    char *data = malloc(total + 1), *read = NULL, *name, *path;
    archai_output_log l = {0};
    const char *gap;
    size_t n;

    for (size_t i = 0; i < total; i++)
        data[i] = letter(i);
    archai_output_log_add(&l, "of another candidate", 20);
    archai_output_log_clear(&l);
    assert_true(archai_output_log_is_empty(&l));
    for (size_t at = 0; at < total; at += piece)
        archai_output_log_add(&l, data + at, total - at < piece ? total - at : piece);
    name = archai_output_log_write(&l, directory, 12);
    assert_string_equal(name, "logs/12.log");
    path = archai_file_path(directory, name);
    assert_int_equal(archai_file_read(path, 2 * ALL, &read, &n, NULL), 0);
    if (total <= ALL) {
        assert_int_equal(n, total);
        assert_memory_equal(read, data, total);
    } else {
        char words[96];

        (void)snprintf(words, sizeof words, "\n[... %zu bytes are left out here ...]\n", total - ALL);
        assert_memory_equal(read, data, ARCHAI_LOG_FIRST);
        gap = read + ARCHAI_LOG_FIRST;
        assert_memory_equal(gap, words, strlen(words));
        assert_int_equal(n, ALL + strlen(words));
        assert_memory_equal(gap + strlen(words), data + total - ARCHAI_LOG_LAST, ARCHAI_LOG_LAST);
    }
    archai_output_log_remove(directory, 12);
    assert_int_not_equal(access(path, F_OK), 0);
    archai_output_log_fini(&l);
    free(data);
    free(read);
    free(name);
    free(path);
}

static void both_ends_are_kept(void **state)
{
    const size_t sizes[] = {1, 100, ARCHAI_LOG_FIRST, ARCHAI_LOG_FIRST + 1, ALL - 1, ALL, ALL + 1,
                            ALL + ARCHAI_LOG_LAST, 5 * ALL + 12345};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        keeps_both_ends(*state, sizes[i], sizes[i]);
        keeps_both_ends(*state, sizes[i], 4099);
    }
}

static void where_nothing_can_be_written_there_is_none(void **state)
{
    archai_output_log l = {0};

    archai_output_log_add(&l, "x", 1);
    assert_null(archai_output_log_write(&l, "/nowhere", 1));
    archai_output_log_fini(&l);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ends_are_kept, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test(where_nothing_can_be_written_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
