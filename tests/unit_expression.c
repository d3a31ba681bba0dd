/* Expressions of a network's file. What the table of values expects is what Python 3.11 computes for the same text
 * and the same names (true and null are written True and None there). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/network/file/expression/expression.h"

static const char names[] =
    "{\"width\": 24, \"expand\": 1.5, \"first\": true, \"op\": \"conv\", \"none\": null, \"ks\": [3, 5, 7],"
    " \"in\": 16, \"stage\": {\"kernel\": 5, \"widths\": [8, 16]}, \"big\": 9223372036854775807, \"huge\": 1e308,"
    " \"stages\": [{\"kernel\": 3}, {\"kernel\": 7}], \"indexed\": 4}";

typedef struct scope {
    archai_expression_scope base;
    json_t *values;
} scope;

static int find(archai_expression_scope *base, const char *name, archai_datum *out, archai_err *err)
{
    static const archai_datum shape[] = {{.type = ARCHAI_DATUM_BATCH},
                                         {.type = ARCHAI_DATUM_WHOLE, .whole = 64},
                                         {.type = ARCHAI_DATUM_WHOLE, .whole = 32},
                                         {.type = ARCHAI_DATUM_WHOLE, .whole = 30}};
    static const archai_datum_place place = {2, 3};
    scope *s = (scope *)base;
    json_t *v = json_object_get(s->values, name);

    if (strcmp(name, "x") == 0) {
        *out = (archai_datum){.type = ARCHAI_DATUM_TENSOR, .list = {shape, 4, 0}};
        return ARCHAI_OK;
    }
    if (v == NULL)
        return archai_fail(err, ARCHAI_ENOTFOUND, "there is no '%s'", name);
    if (!archai_datum_from_json(v, s->base.arena, &s->base.work, out))
        return archai_fail(err, ARCHAI_EINVAL, "too much to compute");
    if (strcmp(name, "stage") == 0)
        out->place = &place;
    return ARCHAI_OK;
}

static int evaluate_json(const json_t *document, int64_t work, archai_datum_words *out, archai_err *err)
{
    archai_arena arena = {.last = NULL};
    scope s = {{find, &arena, work}, json_loads(names, 0, NULL)};
    archai_expression *e = NULL;
    archai_datum v;
    int rc;

    assert_non_null(s.values);
    rc = archai_expression_create(&e, document, err);
    if (rc == ARCHAI_OK)
        rc = archai_expression_evaluate(e, &s.base, &v, err);
    if (rc == ARCHAI_OK)
        *out = archai_datum_describe(&v);
    archai_expression_destroy(e);
    archai_arena_free(&arena);
    json_decref(s.values);
    return rc;
}

static int evaluate(const char *text, archai_datum_words *out, archai_err *err)
{
    json_t *document = json_string(text);
    int rc = evaluate_json(document, 10000, out, err);

    json_decref(document);
    return rc;
}

static void values_are_pythons(void **state)
{
    static const struct {
        const char *text, *value;
    } table[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"7 // 2", "3"},
        {"-7 // 2", "-4"},
        {"7 // -2", "-4"},
        {"-7 % 3", "2"},
        {"7 % -3", "-2"},
        {"-7.5 % 2", "0.5"},
        {"7.5 % -2", "-0.5"},
        {"7.5 // 2", "3.0"},
        {"-7.5 // 2", "-4.0"},
        {"6 / 2", "3.0"},
        {"7 / 2", "3.5"},
        {"2 ** 10", "1024"},
        {"2 ** 3 ** 2", "512"},
        {"-2 ** 2", "-4"},
        {"2 ** -1", "0.5"},
        {"(-1) ** 999999999999", "-1"},
        {"0 ** 0", "1"},
        {"2 ** 0.5", "1.4142135623730951"},
        {"10 - 4 - 3", "3"},
        {"100 / 10 / 5", "2.0"},
        {"100 // 7 % 4", "2"},
        {"+3 - -4", "7"},
        {"1e3", "1000.0"},
        {".5 + 1.", "1.5"},
        {"1e-05", "1e-05"},
        {"width * 2", "48"},
        {"width * expand", "36.0"},
        {"int(width * expand)", "36"},
        {"in * 4", "64"},
        {"2 if first else 1", "2"},
        {"2 if not first else 1", "1"},
        {"1 if width > 100 else 2 if width > 20 else 3", "2"},
        {"(1 if width > 100 else 2) + 1", "3"},
        {"first + 1", "2"},
        {"op == 'conv'", "true"},
        {"op != \"conv\"", "false"},
        {"op + '2d'", "'conv2d'"},
        {"none == null", "true"},
        {"none or 5", "5"},
        {"0 or none", "null"},
        {"3 or none", "3"},
        {"0 and 5", "0"},
        {"width and expand", "1.5"},
        {"[] or 3", "3"},
        {"not width", "false"},
        {"not 1 == 2", "true"},
        {"1 == 1.0", "true"},
        {"true == 1", "true"},
        {"[1, 2] == [1, 2.0]", "true"},
        {"[1, 2] == [1]", "false"},
        {"3 < 4 and 4 <= 4", "true"},
        {"5 >= 6 or 5 > 4.5", "true"},
        {"'a' < 'b'", "true"},
        {"ks[1]", "5"},
        {"ks[-1]", "7"},
        {"ks[0] + len(ks)", "6"},
        {"ks + [9]", "[3, 5, 7, 9]"},
        {"[width, 'a', [none]]", "[24, 'a', [null]]"},
        {"stage.kernel // 2", "2"},
        {"stage.widths[1]", "16"},
        {"stages[1].kernel", "7"},
        {"len(stages)", "2"},
        {"max(3, width, 7)", "24"},
        {"min(ks)", "3"},
        {"max(1, 1.5)", "1.5"},
        {"sum(ks)", "15"},
        {"sum([])", "0"},
        {"abs(-3)", "3"},
        {"abs(-3.5)", "3.5"},
        {"ceil(7 / 2)", "4"},
        {"floor(-3.5)", "-4"},
        {"round(2.5)", "2"},
        {"round(3.5)", "4"},
        {"int(-3.9)", "-3"},
        {"sqrt(16)", "4.0"},
        {"str(3) + 'x'", "'3x'"},
        {"len('conv')", "4"},
        {"9223372036854775807 - 1", "9223372036854775806"},
        {"2 ** 62", "4611686018427387904"},
        {"True", "true"},
        {"None", "null"},
        {"truer or 1 if false else 2", "2"},
        {"indexed", "4"},
        /* no Python: the shape of a value, and where an element of a loop stands */
        {"x.shape[1]", "64"},
        {"x.shape[-1]", "30"},
        {"x.shape[2] * x.shape[3]", "960"},
        {"len(x.shape)", "4"},
        {"stage.index", "2"},
        {"stage.last and not stage.first", "true"},
        {"stage.count", "3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_datum_words got = {""};

        if (evaluate(table[i].text, &got, &err) != ARCHAI_OK)
            fail_msg("%s: %s", table[i].text, err.text);
        if (strcmp(got.text, table[i].value) != 0)
            fail_msg("%s is %s, expected %s", table[i].text, got.text, table[i].value);
    }
}

/* round_to(v, m) is torchvision.models._utils._make_divisible(v, m); the numbers are its own. */
static void round_to_is_make_divisible(void **state)
{
    static const struct {
        const char *text, *value;
    } table[] = {{"round_to(16, 8)", "16"},       {"round_to(16 * 1.5, 8)", "24"}, {"round_to(18, 8)", "24"},
                 {"round_to(17, 8)", "16"},       {"round_to(3, 8)", "8"},         {"round_to(11, 8)", "16"},
                 {"round_to(32 * 1.1, 8)", "32"}, {"round_to(72 / 4, 8)", "24"},   {"round_to(1000 * 0.35, 8)", "352"},
                 {"round_to(20, 8)", "24"}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        archai_datum_words got = {""};

        assert_int_equal(evaluate(table[i].text, &got, NULL), ARCHAI_OK);
        if (strcmp(got.text, table[i].value) != 0)
            fail_msg("%s is %s, expected %s", table[i].text, got.text, table[i].value);
    }
}

static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *message;
    } table[] = {
        {"", "'': it ends where a value is expected"},
        {"1 +", "'1 +': it ends where a value is expected"},
        {"1 2", "'1 2': expected an operation or the end at '2'"},
        {"max(1", "'max(1': it ends where ',' or ')' is expected: between {} or [] YAML wants quotes around a text "
                  "with a comma"},
        {"(1", "'(1': it ends where ')' (a list is [3, 3]) is expected"},
        {"(1, 2)", "'(1, 2)': expected ')' (a list is [3, 3]) at ', 2)'"},
        {"(1 2)", "'(1 2)': expected ')' at '2)'"},
        {"[1 2]", "'[1 2]': expected ',' or ']' at '2]'"},
        {"3x", "'3x': '3x' is neither a number nor a name"},
        {"'abc", "''abc': a text without its closing '"},
        {"a.", "'a.': it ends where a name is expected"},
        {"1 if 2", "'1 if 2': it ends where 'else' is expected"},
        {"width if else 2", "'width if else 2': expected a value at 'else 2'"},
        {"1 < 2 < 3", "'1 < 2 < 3': a comparison of a comparison; join two with 'and'"},
        {"ruond_to(3, 8)", "'ruond_to(3, 8)': there is no function 'ruond_to'; did you mean 'round_to'?"},
        {"round_to(3)", "'round_to(3)': round_to takes 2 arguments, got 1"},
        {"max()", "'max()': max takes 1 argument or more, got 0"},
        {"width = 3", "'width = 3': expected an operation or the end at '= 3'"},
        {"kernl * 2", "'kernl * 2': there is no 'kernl'"},
        {"stage.kernl", "'stage.kernl': a group of parameters has no 'kernl' here"},
        {"width.kernel", "'width.kernel': 24 has no 'kernel'"},
        {"ks[3]", "'ks[3]': [3] of a list of 3"},
        {"ks[-4]", "'ks[-4]': [-4] of a list of 3"},
        {"ks[0.0]", "'ks[0.0]': the index 0.0 is not a whole number"},
        {"width[0]", "'width[0]': 24 is not a list"},
        {"op * 2", "'op * 2': 'conv' is not a number"},
        {"none + 1", "'none + 1': null is not a number"},
        {"ks + 1", "'ks + 1': [3, 5, 7] is not a number"},
        {"op < 3", "'op < 3': 'conv' is not a number"},
        {"-op", "'-op': 'conv' is not a number"},
        {"width // 0", "'width // 0': division by zero"},
        {"width % 0", "'width % 0': division by zero"},
        {"1 / (width - 24)", "'1 / (width - 24)': division by zero"},
        {"0 ** -1", "'0 ** -1': division by zero"},
        {"big + 1", "'big + 1': the result is too large"},
        {"-big - 2", "'-big - 2': the result is too large"},
        {"big * 2", "'big * 2': the result is too large"},
        {"(-big - 1) // -1", "'(-big - 1) // -1': the result is too large"},
        {"abs(-big - 1)", "'abs(-big - 1)': the result is too large"},
        {"-(-big - 1)", "'-(-big - 1)': the result is too large"},
        {"2 ** 63", "'2 ** 63': the result is too large"},
        {"huge * 10", "'huge * 10': the result is too large"},
        {"int(huge)", "'int(huge)': the result is too large"},
        {"1e999", "'1e999': the result is too large"},
        {"9223372036854775808", "'9223372036854775808': 9223372036854775808 is too large"},
        {"(-1) ** 0.5", "'(-1) ** 0.5': a root of a negative number"},
        {"sqrt(-1)", "'sqrt(-1)': sqrt of a negative number"},
        {"min([])", "'min([])': min of nothing"},
        {"sum(3)", "'sum(3)': sum: expected a list, got 3"},
        {"len(3)", "'len(3)': len: expected a list, got 3"},
        {"str(ks)", "'str(ks)': str: expected a number or a text, got [3, 5, 7]"},
        {"round_to(3, 0)", "'round_to(3, 0)': round_to: expected a multiple of 1 or more, got 0"},
        {"x + 1", "'x + 1': a value of the network is not a number"},
        {"x.shape[0] * 2", "'x.shape[0] * 2': the unknown size of the batch is not a number"},
        {"2 ** width if first else", "'2 ** width if first else': it ends where a value is expected"},
        {"\xc3\xa4 + 1", "'\xc3\xa4 + 1': expected a value at '\xc3\xa4 + 1'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_datum_words got = {""};
        int rc = evaluate(table[i].text, &got, &err);

        if (rc == ARCHAI_OK)
            fail_msg("%s is %s, expected an error", table[i].text, got.text);
        assert_string_equal(err.text, table[i].message);
    }
}

static void what_is_too_large_is_refused(void **state)
{
    char *deep = archai_calloc(1, 20000);
    archai_err err = ARCHAI_ERR_INIT;
    archai_datum_words got;

    (void)state;
    memset(deep, '(', 1000);
    assert_int_equal(evaluate(deep, &got, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "nested too deeply"));
    for (int i = 0; i < 1000; i++)
        memcpy(deep + 2 * i, "1+", 3);
    strcat(deep, "1");
    assert_int_equal(evaluate(deep, &got, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "too long or nested too deeply"));
    memset(deep, '-', 1000);
    assert_int_equal(evaluate(deep, &got, &err), ARCHAI_EINVAL);
    memset(deep, ' ', 5000);
    assert_int_equal(evaluate(deep, &got, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "more than 4000 characters"));
    free(deep);
}

static void work_is_bounded(void **state)
{
    json_t *document = json_string("sum(ks + ks + ks)");
    archai_err err = ARCHAI_ERR_INIT;
    archai_datum_words got;

    (void)state;
    assert_int_equal(evaluate_json(document, 1000, &got, NULL), ARCHAI_OK);
    assert_string_equal(got.text, "45");
    for (int64_t work = 0; work < 20; work++)
        assert_int_equal(evaluate_json(document, work, &got, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "'sum(ks + ks + ks)': too much to compute");
    json_decref(document);
}

/* Documents hold numbers and lists, too; the texts in a list are expressions. */
static void documents_values_are_read(void **state)
{
    static const struct {
        const char *json, *value;
    } table[] = {{"3", "3"},       {"0.5", "0.5"},
                 {"true", "true"}, {"null", "null"},
                 {"[]", "[]"},     {"[\"width // 2\", 1, [\"op\"], \"'op'\"]", "[12, 1, ['conv'], 'op']"}};
    archai_err err = ARCHAI_ERR_INIT;
    archai_datum_words got;
    json_t *v;

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        v = json_loads(table[i].json, JSON_DECODE_ANY, NULL);
        assert_int_equal(evaluate_json(v, 1000, &got, &err), ARCHAI_OK);
        assert_string_equal(got.text, table[i].value);
        json_decref(v);
    }
    v = json_loads("[{\"a\": 1}]", 0, NULL);
    assert_int_equal(evaluate_json(v, 1000, &got, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "'[{\"a\":1}]': expected a number, a text or a list");
    json_decref(v);
}

static int collect(void *data, const archai_expression_mention *m, archai_err *err)
{
    char *out = data;

    (void)err;
    for (size_t i = 0; i < m->n; i++)
        sprintf(out + strlen(out), "%s%s", i > 0 ? "." : "", m->parts[i]);
    strcat(out, m->whole ? "! " : " ");
    return ARCHAI_OK;
}

static void names_are_found(void **state)
{
    static const struct {
        const char *text, *names;
    } table[] = {{"1 + 2", ""},
                 {"width", "width! "},
                 {"a.b.c * d", "a.b.c! d! "},
                 {"stages[i].kernel", "i! stages.kernel! "},
                 {"stages[n[0]][1].k", "n! stages.k! "},
                 {"len(stages) + max(a, b.c)", "stages a! b.c! "},
                 {"len(stages[0])", "stages! "},
                 {"len(stages + more)", "stages! more! "},
                 {"[p, 'q', r if s else t]", "p! s! r! t! "},
                 {"(a if b else c).d", "b! a! c! "}};

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char got[256] = "";
        archai_expression *e = NULL;

        assert_int_equal(archai_expression_parse(&e, table[i].text, NULL), ARCHAI_OK);
        assert_int_equal(archai_expression_names(e, collect, got, NULL), ARCHAI_OK);
        assert_string_equal(got, table[i].names);
        archai_expression_destroy(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_pythons), cmocka_unit_test(round_to_is_make_divisible),
        cmocka_unit_test(mistakes_are_named), cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(work_is_bounded),    cmocka_unit_test(documents_values_are_read),
        cmocka_unit_test(names_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
