/* running.json: what is written is read, what is something else is refused, a link is not followed. */
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

#include "core/base/alloc.h"
#include "runner/directory/running.h"
#include "tmpdir.h"

static char directory[TMPDIR_PATH_MAX];

static int make(void **state)
{
    (void)state;
    return tmpdir_create(directory);
}

static int drop(void **state)
{
    (void)state;
    return tmpdir_remove(directory);
}

static void put(const char *text)
{
    char *path = archai_printf("%s/running.json", directory);
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    free(path);
}

static void what_is_written_is_read(void **state)
{
    archai_measure measures[] = {{(char *)(uintptr_t) "val/loss \"x\"", 0.25}, {(char *)(uintptr_t) "b", NAN}};
    const archai_running at[] = {
        {.id = 7, .rank = 3, .archid = (char *)(uintptr_t) "L=3, K=1", .since = 100.5, .at = 3, .by_epoch = true, .epochs = 20,
         .measures = measures, .n_measures = 2},
        {.id = -1},
        {.id = 8, .archid = (char *)(uintptr_t) "b", .at = 1e6},
    };
    archai_running *out = NULL;
    size_t n = 0;

    (void)state;
    assert_int_equal(archai_running_write(directory, 1, at, 3, NULL), 0);
    assert_int_equal(archai_running_read(directory, &out, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_true(out[0].id == 7 && out[0].rank == 3 && out[0].since == 100.5 && out[0].at == 3 && out[0].by_epoch && out[0].epochs == 20);
    assert_string_equal(out[0].archid, "L=3, K=1");
    assert_int_equal(out[0].n_measures, 1); /* JSON has no NaN */
    assert_string_equal(out[0].measures[0].name, "val/loss \"x\"");
    assert_true(out[0].measures[0].value == 0.25);
    assert_true(out[1].id == 8 && !out[1].by_epoch && out[1].at == 1e6 && out[1].epochs == 0);
    for (size_t i = 0; i < n; i++)
        archai_running_fini(&out[i]);
    free(out);
    archai_running_remove(directory);
    assert_int_equal(archai_running_read(directory, &out, &n, NULL), ARCHAI_ENOTFOUND);
}

static void what_is_something_else_is_refused_or_passed_over(void **state)
{
    static const char *const bad[] = {"", "[", "[]", "{}", "{\"candidates\": 3}"};
    archai_running *out = NULL;
    size_t n = 9;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        put(bad[i]);
        assert_int_equal(archai_running_read(directory, &out, &n, NULL), ARCHAI_EFORMAT);
    }
    put("{\"candidates\": [1, {}, {\"id\": -1, \"archid\": \"a\"}, {\"id\": \"1\", \"archid\": \"a\"}, {\"id\": 2, \"archid\": \"a\", "
        "\"rank\": 1e300, \"epochs\": \"x\", \"measures\": [1]}]}");
    assert_int_equal(archai_running_read(directory, &out, &n, NULL), 0);
    assert_int_equal(n, 1);
    assert_true(out[0].id == 2 && out[0].rank == 0 && isnan(out[0].at));
    archai_running_fini(&out[0]);
    free(out);
}

static void a_link_is_not_followed(void **state)
{
    char *beside = archai_printf("%s/.running.json.new", directory), *foreign = archai_printf("%s/foreign", directory);

    (void)state;
    assert_int_equal(symlink(foreign, beside), 0);
    assert_int_equal(archai_running_write(directory, 1, NULL, 0, NULL), 0);
    assert_int_not_equal(access(foreign, F_OK), 0);
    free(beside);
    free(foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, make, drop),
        cmocka_unit_test_setup_teardown(what_is_something_else_is_refused_or_passed_over, make, drop),
        cmocka_unit_test_setup_teardown(a_link_is_not_followed, make, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
