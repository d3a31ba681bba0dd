/* Paths in a configuration: what is not here is taken from beside the INI file, and nothing else is touched. */
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

#include "core/base/alloc.h"
#include "core/config/paths.h"
#include "tmpdir.h"

/* The folder that the INI file is in; the test stands in another. */
static void make(const char *folder, const char *name)
{
    char *path = archai_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    free(path);
}

/* With %s for the folder. */
static const struct {
    const char *section, *key, *value, *expected;
    bool noted;
} cases[] = {
    {"evaluator", "command", "python3 eval.py --epochs 3.5", "python3 %s/eval.py --epochs 3.5", true},
    {"measure.latency", "command", "./phone \"a b.py\" \"x\\\"y\"", "%s/./phone \"%s/a b.py\" \"x\\\"y\"", true},
    {"evaluator", "command", "phone data -eval.py", "phone data -eval.py", false}, /* bare names are no files */
    {"evaluator", "command", "python3 ./folder here.py missing.py", "python3 ./folder here.py missing.py", false},
    {"search", "initial_population_paths", "eval.py \"a b.py\" missing", "%s/eval.py \"%s/a b.py\" missing", true},
    {"search", "from", "folder", "%s/folder", true},
    {"evaluator", "table", "eval.py", "%s/eval.py", true},
    {"evaluator", "kind", "eval.py", "eval.py", false},
};

static void what_is_beside_is_taken(void **state)
{
    char *beside = archai_printf("%s/beside", (char *)*state), *file = archai_printf("%s/a.ini", beside);
    char *cwd = getcwd(NULL, 0), *here = archai_printf("%s/here", (char *)*state), *folder = archai_printf("%s/folder", beside);

    assert_int_equal(mkdir(beside, 0700), 0);
    assert_int_equal(mkdir(here, 0700), 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    make(beside, "eval.py");
    make(beside, "phone");
    make(beside, "data");
    make(beside, "a b.py");
    make(beside, "here.py");
    make(here, "here.py");
    assert_int_equal(chdir(here), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int given = 0; given < 2; given++) { /* in the file, and by --set, which counts from here alone */
            char *text = archai_printf("[%s]\n%s = %s\n", cases[i].section, cases[i].key, given ? "x" : cases[i].value);
            char *set = archai_printf("%s.%s=%s", cases[i].section, cases[i].key, cases[i].value);
            char *expected = archai_printf(cases[i].expected, beside, beside), *notes = NULL;
            archai_ini ini = {0};
            size_t size = 0;
            FILE *out = open_memstream(&notes, &size);
            const char *got;

            assert_int_equal(archai_ini_parse(&ini, file, text, strlen(text), NULL), ARCHAI_OK);
            if (given)
                assert_int_equal(archai_ini_set(&ini, set, NULL), ARCHAI_OK);
            archai_paths_resolve(&ini, NULL, out);
            assert_int_equal(fclose(out), 0);
            got = archai_ini_find(&ini, cases[i].section, cases[i].key)->value;
            if (strcmp(got, given && strcmp(cases[i].key, "command") == 0 ? cases[i].value : given ? got : expected) != 0)
                fail_msg("%s.%s = %s became %s", cases[i].section, cases[i].key, cases[i].value, got);
            if ((notes[0] != '\0') != (cases[i].noted && !given))
                fail_msg("%s: it was said '%s'", cases[i].value, notes);
            free(notes);
            free(expected);
            free(set);
            free(text);
            archai_ini_free(&ini);
        }
    assert_int_equal(chdir(cwd), 0);
    free(folder);
    free(here);
    free(cwd);
    free(file);
    free(beside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_beside_is_taken, tmpdir_setup, tmpdir_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
