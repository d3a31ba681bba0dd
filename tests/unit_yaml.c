/* YAML and JSON documents; expectations are PyYAML's (safe_load and dump) unless a comment says
 * so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/sha1.h"
#include "core/base/yaml.h"

static int parse(const char *text, json_t **out, archai_err *err)
{
    return archai_document_parse(text, strlen(text), out, err);
}

static void assert_means(const char *text, const char *json)
{
    archai_err err = ARCHAI_ERR_INIT;
    json_t *got = NULL, *expected = json_loads(json, JSON_DECODE_ANY, NULL);

    assert_non_null(expected);
    if (parse(text, &got, &err) != 0)
        fail_msg("%s: %s", text, err.text);
    if (!json_equal(got, expected))
        fail_msg("'%s' is not %s", text, json);
    json_decref(got);
    json_decref(expected);
}

static void assert_refused(const char *text, const char *message)
{
    archai_err err = ARCHAI_ERR_INIT;
    json_t *got = NULL;

    assert_int_equal(parse(text, &got, &err), ARCHAI_EFORMAT);
    assert_null(got);
    if (strstr(err.text, message) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, message);
}

static void documents_mean_what_pyyaml_makes_of_them(void **state)
{
    (void)state;
    assert_means("a: 1\nb: [x, 'y', \"z\"]\n", "{\"a\": 1, \"b\": [\"x\", \"y\", \"z\"]}");
    assert_means("- null\n- ~\n-\n- yes\n- Off\n- on\n",
                 "[null, null, null, true, false, true]");
    assert_means("- 12\n- -3\n- 0x1F\n- '12'\n- 1.5\n- -.5\n- 1.\n",
                 "[12, -3, 31, \"12\", 1.5, -0.5, 1.0]");
    assert_means("- y\n- n\n- nil\n- 1.2.3\n- 12a\n- 0x\n- '-'\n",
                 "[\"y\", \"n\", \"nil\", \"1.2.3\", \"12a\", \"0x\", \"-\"]");
    assert_means("{a: {b: [1, 2]}}", "{\"a\": {\"b\": [1, 2]}}");
    assert_means("x: |\n  two\n  lines\n", "{\"x\": \"two\\nlines\\n\"}");
    assert_means("a: &k [1, 2]\nb: *k\n", "{\"a\": [1, 2], \"b\": [1, 2]}");
    assert_means("k: \"\\u00e9\\n\"\n", "{\"k\": \"\\u00e9\\n\"}");
}

/* Where this reader follows YAML 1.2 and JSON: PyYAML has 1e-5 as a string and 010 as 8. */
static void numbers_are_those_of_json(void **state)
{
    (void)state;
    assert_means("- 1e-5\n- 1E3\n- 010\n- 1_000\n- 1:30\n",
                 "[1e-5, 1000.0, \"010\", \"1_000\", \"1:30\"]");
}

static void json_is_read_as_json(void **state)
{
    (void)state;
    assert_means(" {\"a\": [1, 2.5, null, true, \"1e-5\"]}\n",
                 "{\"a\": [1, 2.5, null, true, \"1e-5\"]}");
    assert_refused("{\"a\": 1,\n \"a\": 2}", "2: duplicate object key");
    assert_refused("{\"a\":\n [1, 2", "2: ");
}

static void faults_are_named_with_their_line(void **state)
{
    (void)state;
    assert_refused("", "1: the document is empty");
    assert_refused("# nothing\n", "the document is empty");
    assert_refused("a: 1\na: 2\n", "2: key 'a' appears twice");
    assert_refused("a: 1\n---\nb: 2\n", "a second document");
    assert_refused("a: *b\n", "1: an alias without a (complete) anchor");
    assert_refused("a: &a [*a]\n", "1: an alias without a (complete) anchor");
    assert_refused("? [1]\n: 2\n", "1: a key that is not plain text");
    assert_refused("<<: {a: 1}\n", "1: merge keys");
    assert_refused("a: !!python/tuple [1, 2]\n", "1: tags are not supported");
    assert_refused("a: .inf\n", "1: infinity and NaN");
    assert_refused("a: -.inf\n", "1: infinity and NaN");
    assert_refused("a: 1e999\n", "1: a number too large");
    assert_refused("a: 99999999999999999999\n", "1: a number beyond 64 bits");
    assert_refused("a: \"x\\0y\"\n", "1: a NUL character");
    assert_refused("\"x\\0y\": 1\n", "1: a NUL character");
    assert_refused("a: b: c\n", "1: ");
    assert_refused("a:\n\t- 1\n", "2: a tab; indent with blanks");
    assert_refused("a:\n  b: 1\n \tc: 2\n", "3: a tab; indent with blanks");
    assert_refused("a: {b: x.shape[1]}\n",
                   "1: did not find expected ',' or '}': an expression with brackets, commas or "
                   "quotes stands in quotes");
    assert_refused("a: {b: 'a' if c else 'd'}\n", "commas or quotes stands in quotes");
    assert_refused("a: [x.shape[1]]\n", "commas or quotes stands in quotes");
    assert_refused("a: \x80\n", "1: ");
}

/* Windows editors put one in front. */
static void byte_order_marks_are_skipped(void **state)
{
    json_t *v = NULL;

    (void)state;
    assert_int_equal(parse("\xef\xbb\xbf" "a: 1\n", &v, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(v, "a")), 1);
    json_decref(v);
    assert_int_equal(parse("\xef\xbb\xbf{\"a\": 2}", &v, NULL), 0);
    assert_int_equal(json_integer_value(json_object_get(v, "a")), 2);
    json_decref(v);
    assert_refused("\xef\xbb\xbf", "1: the document is empty");
}

/* Ten levels of ten aliases each would be 10^10 values. */
static void bombs_are_refused_before_they_grow(void **state)
{
    char text[2048];
    size_t n = (size_t)snprintf(text, sizeof text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");

    (void)state;
    for (int i = 1; i < 10; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "*a%d%s", i - 1,
                                  k < 9 ? ", " : "]\n");
    }
    assert_refused(text, "too many values");
}

/* Depth through aliases counts as well: each anchor holds the last one. */
static void depth_is_limited(void **state)
{
    char text[8192], nested[401];
    size_t n = (size_t)snprintf(text, sizeof text, "- &a0 [x]\n");

    (void)state;
    for (int i = 1; i < 200; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "- &a%d [*a%d]\n", i, i - 1);
    assert_refused(text, "nested too deeply");
    memset(nested, '[', 200);
    memset(nested + 200, ']', 200);
    nested[400] = '\0';
    assert_refused(nested, "nested too deeply");
    memset(nested, '-', 400); /* block sequences: "- - - ..." */
    for (int i = 1; i < 400; i += 2)
        nested[i] = ' ';
    assert_refused(nested, "nested too deeply");
}

static void size_is_limited(void **state)
{
    size_t size = ARCHAI_DOCUMENT_MAX_BYTES + 1;
    char *text = malloc(size);
    archai_err err = ARCHAI_ERR_INIT;
    json_t *got = NULL;

    (void)state;
    assert_non_null(text);
    memset(text, ' ', size);
    assert_int_equal(archai_document_parse(text, size, &got, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "more than 16777216"));
    memset(text, '1', size);
    for (size_t i = 1; i < size; i += 2)
        text[i] = ',';
    text[0] = '[';
    assert_int_equal(archai_document_parse(text, size - 1, &got, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, "too many values"));
    free(text);
}

static void files_are_named_in_errors(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char path[] = "/tmp/unit_yaml.XXXXXX";
    json_t *got = NULL;
    int fd;

    (void)state;
    assert_int_equal(archai_document_read("/nowhere/at/all", &got, &err), ARCHAI_ENOTFOUND);
    assert_string_equal(err.text, "/nowhere/at/all: No such file or directory");
    /* A device is refused unread. A file that is too long, sparse or not, is read up to the limit. */
    assert_int_equal(archai_document_read("/dev/zero", &got, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "/dev/zero: is a device or socket, expected a file");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, ARCHAI_DOCUMENT_MAX_BYTES + 1), 0);
    (void)close(fd);
    assert_int_equal(archai_document_read(path, &got, &err), ARCHAI_EFORMAT);
    (void)unlink(path);
    assert_non_null(strstr(err.text, ":1: more than "));
}

static void assert_stands(const archai_lines *l, const json_t *value, int expected)
{
    const char *file;
    int line;

    assert_true(archai_lines_where(l, value, &file, &line));
    assert_string_equal(file, "name.yaml");
    assert_int_equal(line, expected);
}

/* The same members as YAML, JSON and YAML's flow style, each with a key on another line. */
static void values_have_the_line_of_their_key(void **state)
{
    static const struct {
        const char *text;
        int a, b, one, two, c, d, e; /* lines */
    } tests[] = {
        {"# a comment\na:\n  b: [1,\n      \"\\n2\"]\n\n  c:\n\n    d: {}\ne: 5\n", 2, 3, 3, 4, 6,
         8, 9},
        {"{\"a\":\n{\"b\": [1,\n\"\\n\\\\\\\"2\"\n], \"c\": {\n\n\"d\": { }\n}},\n\"e\": 5}", 1, 2,
         2, 3, 4, 6, 8},
        {"{a:\n{b: [1,\n2],\nc: {\nd: {}\n}},\ne: 5}", 1, 2, 2, 3, 4, 5, 7},
    };

    (void)state;
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        archai_lines *l = archai_lines_create();
        archai_err err = ARCHAI_ERR_INIT;
        json_t *v = NULL, *a, *b, *c;

        assert_int_equal(archai_document_parse_lines("name.yaml", tests[i].text,
                                                     strlen(tests[i].text), &v, l, &err), 0);
        assert_stands(l, v, i == 0 ? 2 : 1);
        assert_stands(l, a = json_object_get(v, "a"), tests[i].a);
        assert_stands(l, b = json_object_get(a, "b"), tests[i].b);
        assert_stands(l, json_array_get(b, 0), tests[i].one);
        assert_stands(l, json_array_get(b, 1), tests[i].two);
        assert_stands(l, c = json_object_get(a, "c"), tests[i].c);
        assert_stands(l, json_object_get(c, "d"), tests[i].d);
        assert_stands(l, json_object_get(v, "e"), tests[i].e);
        json_decref(v);
        archai_lines_destroy(l);
    }
}

static void shared_values_and_strangers_have_no_line(void **state)
{
    static const char text[] = "a: [true, null, false]\nb: &k\n  - 1\nc: *k\n";
    archai_lines *l = archai_lines_create();
    json_t *v = NULL, *stranger = json_integer(7), *a;
    const char *file = "";
    int line = 7;

    (void)state;
    assert_int_equal(archai_document_parse_lines("name.yaml", text, strlen(text), &v, l, NULL), 0);
    a = json_object_get(v, "a");
    for (size_t i = 0; i < 3; i++)
        assert_false(archai_lines_where(l, json_array_get(a, i), &file, &line));
    assert_null(file);
    assert_int_equal(line, 0);
    assert_false(archai_lines_where(l, stranger, &file, &line));
    assert_false(archai_lines_where(l, NULL, &file, &line));
    assert_false(archai_lines_where(NULL, v, &file, &line));
    assert_stands(l, json_object_get(v, "c"), 2);
    json_decref(stranger);
    json_decref(v);
    archai_lines_destroy(l);
}

static void documents_keep_their_names(void **state)
{
    archai_lines *l = archai_lines_create();
    json_t *v[2] = {NULL, NULL};
    const char *file;
    int line;

    (void)state;
    assert_int_equal(archai_document_parse_lines("one", "\na: 1", 5, &v[0], l, NULL), 0);
    assert_int_equal(archai_document_parse_lines("two", "{\"a\": 1}", 8, &v[1], l, NULL), 0);
    assert_true(archai_lines_where(l, json_object_get(v[0], "a"), &file, &line));
    assert_string_equal(file, "one");
    assert_int_equal(line, 2);
    json_decref(v[0]);
    assert_true(archai_lines_where(l, json_object_get(v[1], "a"), &file, &line));
    assert_string_equal(file, "two");
    json_decref(v[1]);
    archai_lines_destroy(l);
}

/* As PyYAML's dump(default_flow_style=False) writes them. */
static void writing_is_pyyamls_block_style(void **state)
{
    static const char expected[] =
        "b:\n- 1\n- 1.0e-05\n- 0.5\n- null\n- true\n- 'no'\n- '12'\n- ''\n"
        "- a: x y\n  c:\n  - - 1\nz: {}\n";
    json_t *v = json_loads("{\"z\": {}, \"b\": [1, 1e-5, 0.5, null, true, \"no\", \"12\", \"\","
                           "{\"c\": [[1]], \"a\": \"x y\"}]}",
                           0, NULL);
    json_t *again = NULL;
    char *text;

    (void)state;
    text = archai_yaml_text(v);
    assert_string_equal(text, expected);
    assert_int_equal(parse(text, &again, NULL), 0);
    assert_true(json_equal(v, again));
    json_decref(again);
    json_decref(v);
    free(text);
}

/* FIPS 180: the digest of "abc" and of nothing. */
static void sha1_is_sha1(void **state)
{
    char hex[ARCHAI_SHA1_HEX];

    (void)state;
    assert_int_equal(archai_sha1_hex("abc", 3, hex, NULL), 0);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_int_equal(archai_sha1_hex("", 0, hex, NULL), 0);
    assert_string_equal(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_mean_what_pyyaml_makes_of_them),
        cmocka_unit_test(numbers_are_those_of_json),
        cmocka_unit_test(json_is_read_as_json),
        cmocka_unit_test(faults_are_named_with_their_line),
        cmocka_unit_test(byte_order_marks_are_skipped),
        cmocka_unit_test(bombs_are_refused_before_they_grow),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(files_are_named_in_errors),
        cmocka_unit_test(values_have_the_line_of_their_key),
        cmocka_unit_test(shared_values_and_strangers_have_no_line),
        cmocka_unit_test(documents_keep_their_names),
        cmocka_unit_test(writing_is_pyyamls_block_style),
        cmocka_unit_test(sha1_is_sha1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
