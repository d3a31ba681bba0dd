/* JSON values as CPython writes them (tests/data/python_text.json, made by make_python_text.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/python_text.h"
#include "json_data.h"

static const char *field(const json_t *c, const char *key)
{
    return json_string_value(json_object_get(c, key));
}

static json_t *value_of(const json_t *c)
{
    json_t *value = json_loads(field(c, "input"), JSON_DECODE_ANY, NULL);

    assert_non_null(value);
    return value;
}

static void json_is_that_of_dumps(void **state)
{
    json_t *cases = load_json_data("python_text.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(cases, i, c)
    {
        json_t *value = value_of(c);
        char *text;

        text = archai_python_json(value, false);
        assert_string_equal(text, field(c, "dumps"));
        free(text);
        text = archai_python_json(value, true);
        assert_string_equal(text, field(c, "sorted"));
        free(text);
        json_decref(value);
    }
    json_decref(cases);
}

static void repr_is_that_of_the_loaded_value(void **state)
{
    json_t *cases = load_json_data("python_text.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(cases, i, c)
    {
        json_t *value = value_of(c);
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        archai_python_repr(value, out);
        assert_int_equal(fclose(out), 0);
        assert_string_equal(text, field(c, "repr"));
        free(text);
        json_decref(value);
    }
    json_decref(cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_that_of_dumps),
        cmocka_unit_test(repr_is_that_of_the_loaded_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
