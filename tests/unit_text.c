/* Text from outside: what may be stored and shown, and names that HDF5 cannot hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"

static void control_characters_do_not_get_through(void **state)
{
    static const struct {
        const char *text, *one_line, *lines;
    } cases[] = {
        {"plain", "plain", "plain"},
        {"", "", ""},
        {"a\tb\r\nc", "a b  c", "a\tb\r\nc"},
        {"\033[2J\a\b\177", "?[2J???", "?[2J???"},
        {"\xc2\x9b" "2J \xc2\xa0|", "??2J \xc2\xa0|", "??2J \xc2\xa0|"}, /* CSI in one character; a blank that may stay */
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xed\xb0\x80", "???", "???"},      /* a lone surrogate */
        {"caf\xe9 au lait", "caf? au lait", "caf? au lait"},
        {"cut \xe2\x82", "cut ", "cut "},    /* a character that the end cuts off */
        {"cut \xf0\x9f\x98", "cut ", "cut "},
        {"\xff", "?", "?"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *text = archai_strdup(cases[i].text);

        archai_text_clean(text, false);
        assert_string_equal(text, cases[i].one_line);
        assert_true(archai_is_utf8(text));
        free(text);
        text = archai_strdup(cases[i].text);
        archai_text_clean(text, true);
        assert_string_equal(text, cases[i].lines);
        free(text);
    }
}

static void names_are_escaped_and_come_back(void **state)
{
    static const struct {
        const char *name, *link;
    } cases[] = {
        {"model.0.weight", "model.0.weight"},
        {"L=3, K=1", "L=3, K=1"},
        {"dense/kernel", "dense%2Fkernel"},
        {"/", "%2F"},
        {".", "%2E"},
        {"..", "%2E%2E"},
        {"...", "..."},
        {"", "%00"},
        {"100%", "100%"},
        {"a%2Fb", "a%252Fb"},
        {"%%41", "%%2541"},
        {"%2/", "%2%2F"},
        {"a\nb\033", "a%0Ab%1B"},
        {"\xc2\x9b", "%C2%9B"},
        {"caf\xe9", "caf%E9"},
        {"\xc3\xa9", "\xc3\xa9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *link = archai_name_escape(cases[i].name), *name = archai_name_unescape(link);

        assert_string_equal(link, cases[i].link);
        assert_string_equal(name, cases[i].name);
        assert_true(archai_is_utf8(link));
        free(link);
        free(name);
    }
}

/* All names of three of these bytes: they come back, so that no two have one link. */
static void no_two_names_become_one(void **state)
{
    static const char bytes[] = {'%', '/', '.', '2', 'F', 'g', '\n', '\xff', '\0'};
    enum { N = sizeof bytes };

    (void)state;
    for (int i = 0; i < N * N * N; i++) {
        const char name[4] = {bytes[i % N], bytes[i / N % N], bytes[i / N / N], '\0'};
        char *link = archai_name_escape(name), *back = archai_name_unescape(link);

        assert_string_equal(back, name);
        assert_null(strchr(link, '/'));
        assert_true(link[0] != '\0' && strcmp(link, ".") != 0 && strcmp(link, "..") != 0);
        free(back);
        free(link);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_characters_do_not_get_through),
        cmocka_unit_test(names_are_escaped_and_come_back),
        cmocka_unit_test(no_two_names_become_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
