/* Option tables: parsing, ranges, defaults and back to text; floats against Python's repr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "core/config/option.h"
#include "json_data.h"

typedef struct things {
    int64_t count, threads, bytes;
    double share, seconds;
    bool on;
    char *text;
    int color;
    archai_ints ints;
    archai_doubles doubles;
    archai_strings words;
} things;

/* clang-format off */
static const archai_option table[] = {
    {"count",   ARCHAI_OPT_INT,     offsetof(things, count),   1, 1000,    "7",     "models", NULL,            "how many"},
    {"threads", ARCHAI_OPT_INT,     offsetof(things, threads), 1, 64,      "auto",  "",       "auto=0",        "threads"},
    {"bytes",   ARCHAI_OPT_BYTES,   offsetof(things, bytes),   1, 0x1p62,  "4K",    "bytes",  "none=0",        "memory"},
    {"share",   ARCHAI_OPT_DOUBLE,  offsetof(things, share),   0, 0.9,     "0.1",   "",       NULL,            "a share"},
    {"seconds", ARCHAI_OPT_SECONDS, offsetof(things, seconds), 0, INFINITY,"none",  "",       "none=inf",      "a time"},
    {"on",      ARCHAI_OPT_BOOL,    offsetof(things, on),      0, 0,       "yes",   "",       NULL,            "a switch"},
    {"text",    ARCHAI_OPT_STRING,  offsetof(things, text),    0, 0,       "",      "",       NULL,            "a text"},
    {"color",   ARCHAI_OPT_CHOICE,  offsetof(things, color),   0, 0,       NULL,    "",       "red green blue","a color"},
    {"ints",    ARCHAI_OPT_INTS,    offsetof(things, ints),    1, 9,       "1 3 5", "",       NULL,            "integers"},
    {"doubles", ARCHAI_OPT_DOUBLES, offsetof(things, doubles), -1e9, 1e9,  "",      "",       NULL,            "numbers"},
    {"words",   ARCHAI_OPT_STRINGS, offsetof(things, words),   0, 0,       "a b",   "",       NULL,            "words"},
    ARCHAI_OPTION_END,
};
/* clang-format on */

static void make(things *t)
{
    memset(t, 0, sizeof *t);
    assert_int_equal(archai_option_defaults(table, t, NULL), 0);
}

static void defaults_come_from_the_table(void **state)
{
    things t;

    (void)state;
    make(&t);
    assert_int_equal(t.count, 7);
    assert_int_equal(t.threads, 0);
    assert_int_equal(t.bytes, 4096);
    assert_true(t.share == 0.1 && isinf(t.seconds) && t.on);
    assert_string_equal(t.text, "");
    assert_int_equal(t.ints.n, 3);
    assert_int_equal(t.ints.at[2], 5);
    assert_int_equal(t.doubles.n, 0);
    assert_string_equal(t.words.at[1], "b");
    archai_option_free(table, &t);
    archai_option_free(table, &t); /* twice is allowed */
}

static void values_are_parsed_and_formatted_back(void **state)
{
    static const struct {
        const char *key, *text, *formatted;
    } cases[] = {
        {"count", "12", "12"},
        {"count", "1e3", "1000"},
        {"count", "+5", "5"},
        {"threads", "8", "8"},
        {"threads", "auto", "auto"},
        {"bytes", "512", "512"},
        {"bytes", "2G", "2G"},
        {"bytes", "1536", "1536"},
        {"bytes", "1.5K", "1536"},
        {"bytes", "none", "none"},
        {"share", "1e-2", "0.01"},
        {"share", "0.30000000000000004", "0.30000000000000004"},
        {"seconds", "250ms", "0.25s"},
        {"seconds", "90", "90s"},
        {"seconds", "90m", "90m"},
        {"seconds", "7200", "2h"},
        {"seconds", "1d", "1d"},
        {"seconds", "0.5h", "30m"},
        {"seconds", "none", "none"},
        {"seconds", "60ms", "0.06s"},
        {"seconds", "0", "0s"},
        {"on", "off", "no"},
        {"on", "true", "yes"},
        {"text", "a \"b\"  c", "a \"b\"  c"},
        {"color", "blue", "blue"},
        {"ints", "3, 5,7", "3 5 7"},
        {"ints", "", ""},
        {"doubles", "0 200000", "0.0 200000.0"},
        {"words", "x,y z", "x y z"},
    };
    things t;

    (void)state;
    make(&t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const archai_option *o = archai_option_find(table, cases[i].key);
        char *text;

        for (int twice = 0; twice < 2; twice++) { /* what is written reads back to the same */
            archai_err err = ARCHAI_ERR_INIT;
            const char *input = twice == 0 ? cases[i].text : cases[i].formatted;

            if (archai_option_set(o, &t, input, &err) != 0)
                fail_msg("%s", err.text);
            text = archai_option_format(o, &t);
            assert_string_equal(text, cases[i].formatted);
            free(text);
        }
    }
    archai_option_free(table, &t);
}

static void bad_values_leave_the_field_and_say_why(void **state)
{
    static const struct {
        const char *key, *text, *message;
    } cases[] = {
        {"count", "0", "count: 0 is outside 1..1000"},
        {"count", "1001", "outside"},
        {"count", "1.5", "count: 1.5 is not a whole number"},
        {"count", "", "not a number"},
        {"count", "12x", "not a number"},
        {"count", "0x10", "not a number"},
        {"count", "nan", "not a number"},
        {"count", "99999999999999999999", "too large"},
        {"count", "1e999", "too large"},
        {"threads", "0", "threads: 0 is outside 1..64"},
        {"threads", "aut", "not a number"},
        {"bytes", "4X", "unknown unit"},
        {"bytes", "0.3", "whole number of bytes"},
        {"bytes", "-1K", "below the least value 1"},
        {"share", "0.95", "share: 0.95 is outside 0..0.9"},
        {"share", "nan", "not a number"},
        {"share", "1e999", "too large"},
        {"seconds", "5 minutes", "unknown unit"},
        {"seconds", "-1s", "below"},
        {"seconds", "soon", "not a duration"},
        {"on", "maybe", "on: 'maybe' is neither yes nor no"},
        {"color", "yellow", "color: unknown 'yellow', expected one of: red green blue"},
        {"color", "", "unknown ''"},
        {"color", "gree", "unknown 'gree'"},
        {"ints", "1 2 x", "'x' is not a number"},
        {"ints", "1 10", "10 is outside 1..9"},
    };
    things t, before;

    (void)state;
    make(&t);
    before = t;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        int rc = archai_option_set(archai_option_find(table, cases[i].key), &t, cases[i].text, &err);

        assert_int_equal(archai_rc_exit_status(rc), 2);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
        assert_memory_equal(&t, &before, sizeof t);
    }
    archai_option_free(table, &t);
}

static void a_default_may_be_written_in_other_words(void **state)
{
    static const struct {
        const char *key, *text;
        bool same;
    } cases[] = {
        {"count", "7.0", true},      {"count", "8", false}, {"threads", "auto", true},
        {"bytes", "4096", true},     {"on", "1", true},     {"on", "no", false},
        {"ints", "1, 3,5", true},    {"text", "", true},    {"text", "x", false},
        {"seconds", "none", true},   {"words", "a", false}, {"color", "red", false}, /* required */
    };
    bool same;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const archai_option *o = archai_option_find(table, cases[i].key);

        assert_int_equal(archai_option_is_default(o, cases[i].text, &same, NULL), ARCHAI_OK);
        assert_int_equal(same, cases[i].same);
    }
    assert_null(archai_option_find(table, "colour"));
    assert_int_equal(archai_option_is_default(table, "many", &same, NULL), ARCHAI_EINVAL);
}

static void a_wrong_default_is_our_own_fault(void **state)
{
    static const archai_option wrong[] = {
        {"count", ARCHAI_OPT_INT, offsetof(things, count), 1, 2, "3", "", NULL, ""},
        ARCHAI_OPTION_END,
    };
    things t = {.count = 0};
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_int_equal(archai_option_defaults(wrong, &t, &err), ARCHAI_EINTERNAL);
}

static double from_hex(const char *hex)
{
    uint64_t bits = strtoull(hex, NULL, 16);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static void floats_are_written_as_python_writes_them(void **state)
{
    json_t *floats = load_json_data("floats.json"), *pair;
    size_t i;

    (void)state;
    json_array_foreach(floats, i, pair)
    {
        char text[32];

        archai_format_double(from_hex(json_string_value(json_array_get(pair, 0))), text);
        assert_string_equal(text, json_string_value(json_array_get(pair, 1)));
    }
    assert_true(i > 500);
    json_decref(floats);
}

static void the_nearest_word_is_found(void **state)
{
    static const char *const words[] = {"epochs", "batch_size", "learning_rate", "seed"};

    (void)state;
    assert_string_equal(archai_nearest("epoch", words, 4), "epochs");
    assert_string_equal(archai_nearest("batchsize", words, 4), "batch_size");
    assert_string_equal(archai_nearest("learning-rate", words, 4), "learning_rate");
    assert_string_equal(archai_nearest("sead", words, 4), "seed");
    assert_string_equal(archai_nearest("rate", words, 4), "learning_rate");
    assert_null(archai_nearest("x", words, 4));
    assert_null(archai_nearest("", words, 4));
    assert_null(archai_nearest(
        "something_else_altogether_that_is_longer_than_any_key_can_be_here", words, 4));
}

static void help_and_markdown_name_every_key(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    archai_option_markdown(table, "things", out);
    archai_option_help(table, out);
    (void)fclose(out);
    assert_non_null(
        strstr(text, "| `things.count` | integer | `7` | 1..1000 | how many (models) |"));
    assert_non_null(
        strstr(text, "| `things.threads` | integer | `auto` | 1..64 or auto | threads |"));
    assert_non_null(
        strstr(text, "| `things.color` | choice | required | red green blue | a color |"));
    assert_non_null(
        strstr(text, "| `things.seconds` | time | `none` | from 0 or none | a time |"));
    assert_non_null(strstr(text, "how many (models); default 7; 1..1000"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_come_from_the_table),
        cmocka_unit_test(values_are_parsed_and_formatted_back),
        cmocka_unit_test(bad_values_leave_the_field_and_say_why),
        cmocka_unit_test(a_default_may_be_written_in_other_words),
        cmocka_unit_test(a_wrong_default_is_our_own_fault),
        cmocka_unit_test(floats_are_written_as_python_writes_them),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(help_and_markdown_name_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
