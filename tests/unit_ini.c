/* The INI reader: what it takes, what it refuses and where it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config/ini.h"

static void parse(archai_ini *ini, const char *text)
{
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_ini_parse(ini, "t.ini", text, strlen(text), &err) != 0)
        fail_msg("%s", err.text);
}

static void assert_value(const archai_ini *ini, const char *section, const char *key, int line,
                         const char *value)
{
    const archai_ini_entry *e = archai_ini_find(ini, section, key);

    assert_non_null(e);
    assert_string_equal(e->value, value);
    assert_int_equal(e->line, line);
    assert_string_equal(e->file, "t.ini");
    assert_false(e->used);
}

static void sections_keys_comments_and_quotes(void **state)
{
    archai_ini ini;

    (void)state;
    parse(&ini, "\xef\xbb\xbf; head\r\n"
                "# head\n"
                "  [search]  ; the section\n"
                "seed = 1\n"
                "max_time\t=\t2h # not 2h#\n"
                "\n"
                "[objective.accuracy]\n"
                "source=val_accuracy;no comment\n"
                "unit = \"a ; b # \\\"c\\\" \\\\ \" ; comment\n"
                "command = python3 \"my script.py\" --x ; comment\n"
                "two = \"a\" \"b ; c\"\n"
                "empty =\n"
                "quoted = \"\"\n"
                "equals = a=b=c\n"
                "last = no newline");
    assert_true(archai_ini_has_section(&ini, "search"));
    assert_false(archai_ini_has_section(&ini, "space"));
    assert_value(&ini, "search", "seed", 4, "1");
    assert_value(&ini, "search", "max_time", 5, "2h");
    assert_value(&ini, "objective.accuracy", "source", 8, "val_accuracy;no comment");
    assert_value(&ini, "objective.accuracy", "unit", 9, "a ; b # \"c\" \\ ");
    assert_value(&ini, "objective.accuracy", "command", 10, "python3 \"my script.py\" --x");
    assert_value(&ini, "objective.accuracy", "two", 11, "\"a\" \"b ; c\"");
    assert_value(&ini, "objective.accuracy", "empty", 12, "");
    assert_value(&ini, "objective.accuracy", "quoted", 13, "");
    assert_value(&ini, "objective.accuracy", "equals", 14, "a=b=c");
    assert_value(&ini, "objective.accuracy", "last", 15, "no newline");
    assert_null(archai_ini_find(&ini, "search", "source"));
    archai_ini_free(&ini);
    archai_ini_free(&ini); /* twice is allowed */
}

static void faults_are_named_with_file_and_line(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"seed = 1\n", "t.ini:1: seed: comes before the first [section]"},
        {"[a]\nb = 1\n\nb = 2\n", "t.ini:4: a.b: already given in line 2"},
        {"[a]\n[b]\n[a]\n", "t.ini:3: [a] is already defined in line 1"},
        {"[a\n", "t.ini:1: '[a' lacks its ']'"},
        {"[]\n", "t.ini:1: '[]' is not a section name"},
        {"[a b]\n", "not a section name"},
        {"[a]\nnonsense\n", "t.ini:2: 'nonsense' is neither [section] nor key = value"},
        {"[a]\n= 3\n", "t.ini:2: '' is not a key"},
        {"[a]\nb c = 3\n", "t.ini:2: 'b c' is not a key"},
        {"[a]\nb = \"open\n", "t.ini:2: a \" is never closed"},
        {"[a]\nb = \x01\n", "t.ini:2: control character 0x01 in column 5"},
        {"[a]\n\x7f"
         "ELF\n",
         "t.ini:2: control character 0x7f"},
    };
    archai_ini ini = {.n = 0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        int rc = archai_ini_parse(&ini, "t.ini", cases[i].text, strlen(cases[i].text), &err);

        assert_int_equal(rc, ARCHAI_EFORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
        assert_int_equal(ini.n, 0);
    }
}

static void several_faults_are_named_at_once(void **state)
{
    static const char text[] = "x = 1\n[a]\nb\n\nc = 1\nc = 2\n[d\nc = 3\n";
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, strlen(text), &err), ARCHAI_EFORMAT);
    assert_string_equal(err.text, "t.ini:1: x: comes before the first [section]\n"
                                  "t.ini:3: 'b' is neither [section] nor key = value\n"
                                  "t.ini:6: a.c: already given in line 5\n"
                                  "t.ini:7: '[d' lacks its ']'");
}

static void a_nul_byte_is_refused(void **state)
{
    static const char text[] = "[a]\nb = 1\0 2\n";
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, sizeof text - 1, &err),
                     ARCHAI_EFORMAT);
    assert_string_equal(err.text, "t.ini:2: control character 0x00 in column 6");
}

static void long_lines_are_read_whole_or_refused(void **state)
{
    const size_t head = strlen("[a]\nb="), most = ARCHAI_INI_LINE_MAX - 2;
    char *text = malloc(head + 2 * ARCHAI_INI_LINE_MAX);
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    memset(text, 'x', head + 2 * ARCHAI_INI_LINE_MAX);
    memcpy(text, "[a]\nb=", head);
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, head + most, &err), 0);
    assert_int_equal(strlen(archai_ini_find(&ini, "a", "b")->value), most);
    archai_ini_free(&ini);
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, head + most + 1, &err),
                     ARCHAI_EFORMAT);
    assert_string_equal(err.text, "t.ini:2: line of 65537 bytes, at most 65536 are read");
    free(text);
}

static void a_flood_of_keys_is_refused(void **state)
{
    const size_t n = 20000;
    char *text = malloc(16 * n + 8);
    size_t size = (size_t)sprintf(text, "[a]\n");
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    for (size_t i = 0; i < n; i++)
        size += (size_t)sprintf(text + size, "k%zu=1\n", i);
    assert_int_equal(archai_ini_parse(&ini, "t.ini", text, size, &err), ARCHAI_EFORMAT);
    free(text);
}

static void the_command_line_overrides(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_ini ini;

    (void)state;
    parse(&ini, "[search]\nseed = 1\n[space]\nname = cnn\n");
    assert_int_equal(archai_ini_set(&ini, "search.seed = 7", &err), 0);
    assert_int_equal(archai_ini_set(&ini, "search.max_time=\"2h\"", &err), 0);
    assert_int_equal(archai_ini_set(&ini, "objective.a.b.source=x=y", &err), 0);
    assert_string_equal(archai_ini_find(&ini, "search", "seed")->value, "7");
    assert_string_equal(archai_ini_find(&ini, "search", "seed")->file, "--set");
    assert_string_equal(archai_ini_find(&ini, "search", "max_time")->value, "2h");
    assert_string_equal(archai_ini_find(&ini, "objective.a.b", "source")->value, "x=y");
    assert_string_equal(ini.at[2].key, "max_time"); /* among its section */
    assert_int_equal(archai_ini_set(&ini, "seed=7", &err), ARCHAI_EINVAL);
    assert_int_equal(archai_ini_set(&ini, "search.seed", &err), ARCHAI_EINVAL);
    assert_int_equal(archai_ini_set(&ini, "search.=1", &err), ARCHAI_EINVAL);
    assert_int_equal(archai_ini_set(&ini, ".seed=1", &err), ARCHAI_EINVAL);
    assert_int_equal(archai_ini_set(&ini, "search.seed=1\n2", &err), ARCHAI_EFORMAT);
    archai_ini_free(&ini);
}

static void quoted_values_read_back(void **state)
{
    static const char *const values[] = {
        "",        "plain", " lead", "trail ",      "a ; b",       "a;b",
        "# a",     "\"a\"", "a\"b",  "\"a\" b",     "back\\slash", "a\\\" b",
        "\" ; \"", "\"",    "\\",    "\"a\" \"b\"", "x \"; y\""};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char *quoted = archai_ini_quote(values[i]), text[256];
        archai_ini ini;

        (void)snprintf(text, sizeof text, "[a]\nb = %s\n", quoted);
        parse(&ini, text);
        assert_value(&ini, "a", "b", 2, values[i]);
        archai_ini_free(&ini);
        free(quoted);
    }
}

static void files_are_read(void **state)
{
    char path[] = "/tmp/archai-ini-XXXXXX";
    archai_err err = ARCHAI_ERR_INIT;
    int fd = mkstemp(path), rc;
    archai_ini ini;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[a]\nb = 1\n", 10), 10);
    assert_int_equal(archai_ini_read(&ini, path, &err), 0);
    assert_string_equal(archai_ini_find(&ini, "a", "b")->value, "1");
    assert_string_equal(archai_ini_find(&ini, "a", "b")->file, path);
    archai_ini_free(&ini);
    (void)close(fd);
    (void)unlink(path);
    rc = archai_ini_read(&ini, path, &err);
    assert_int_equal(archai_rc_exit_status(rc), 2);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(archai_rc_exit_status(archai_ini_read(&ini, "/", &err)), 2);
}

static void an_error_that_names_a_key_gets_its_place(void **state)
{
    archai_ini ini = {0};
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    parse(&ini, "[data]\nfile = a\n[empty]\n");
    assert_int_equal(archai_ini_locate(&ini, archai_fail(&err, ARCHAI_EINVAL, "data.file: a: no"), &err),
                     ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, ":2: data.file: a: no"));
    (void)archai_ini_locate(&ini, ARCHAI_EINVAL, &err); /* never twice */
    assert_null(strstr(strstr(err.text, ":2: ") + 1, ":2: "));
    (void)archai_ini_locate(&ini, archai_fail(&err, ARCHAI_EINVAL, "data.files: no"), &err);
    assert_string_equal(err.text, "data.files: no");
    (void)archai_ini_locate(&ini, archai_fail(&err, ARCHAI_EINVAL, "empty.file: no"), &err);
    assert_string_equal(err.text, "empty.file: no");
    archai_ini_free(&ini);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_keys_comments_and_quotes),
        cmocka_unit_test(an_error_that_names_a_key_gets_its_place),
        cmocka_unit_test(faults_are_named_with_file_and_line),
        cmocka_unit_test(several_faults_are_named_at_once),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(long_lines_are_read_whole_or_refused),
        cmocka_unit_test(a_flood_of_keys_is_refused),
        cmocka_unit_test(the_command_line_overrides),
        cmocka_unit_test(quoted_values_read_back),
        cmocka_unit_test(files_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
