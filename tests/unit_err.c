#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/base/err.h"

static void first_detection_is_recorded(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_int_equal(archai_fail(&err, ARCHAI_EIO, "%d bytes missing", 7), ARCHAI_EIO);
    assert_int_equal(err.code, ARCHAI_EIO);
    assert_string_equal(err.text, "7 bytes missing");
    assert_string_equal(err.file, "unit_err.c");
    assert_true(err.line > 0);
}

static void context_goes_in_front(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    int rc = archai_fail(&err, ARCHAI_EINVAL, "too large"), line = err.line;

    (void)state;
    assert_int_equal(archai_err_wrap(&err, rc, "%s: ", "train.epochs"), ARCHAI_EINVAL);
    assert_string_equal(err.text, "train.epochs: too large");
    assert_int_equal(err.line, line);
}

static void a_null_error_keeps_the_code(void **state)
{
    (void)state;
    assert_int_equal(archai_fail(NULL, ARCHAI_ENOMEM, "x"), ARCHAI_ENOMEM);
    assert_int_equal(archai_err_wrap(NULL, ARCHAI_ENOMEM, "x: "), ARCHAI_ENOMEM);
    assert_int_equal(archai_err_also(NULL, ARCHAI_OK, ARCHAI_EIO, NULL), ARCHAI_EIO);
}

static void text_never_overflows(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char big[3 * ARCHAI_ERR_TEXT_MAX];

    (void)state;
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    (void)archai_fail(&err, ARCHAI_EINVAL, "%s", big);
    for (int i = 0; i < 100; i++)
        (void)archai_err_wrap(&err, ARCHAI_EINVAL, "%s: ", big);
    assert_int_equal(strlen(err.text), ARCHAI_ERR_TEXT_MAX - 1);
}

static void quoted_input_makes_no_lines_and_no_escapes(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    int rc = archai_fail(&err, ARCHAI_EINVAL, "%s: unknown key", "a\nb\x1b[31m\x7f\xc3\xa9");

    (void)state;
    (void)archai_err_wrap(&err, rc, "%s: ", "file\r\n");
    assert_string_equal(err.text, "file  : a b?[31m?\xc3\xa9: unknown key");
}

static void several_problems_stand_on_lines_of_their_own(void **state)
{
    archai_err all = ARCHAI_ERR_INIT, one = ARCHAI_ERR_INIT;
    int rc = ARCHAI_OK;

    (void)state;
    rc = archai_err_also(&all, rc, ARCHAI_OK, &one);
    assert_int_equal(rc, ARCHAI_OK);
    rc = archai_err_also(&all, rc, archai_fail(&one, ARCHAI_ENOTFOUND, "first"), &one);
    rc = archai_err_also(&all, rc, archai_fail(&one, ARCHAI_EINVAL, "second"), &one);
    assert_int_equal(rc, ARCHAI_ENOTFOUND);
    assert_string_equal(all.text, "first\nsecond");
    for (int i = 0; i < 1000; i++)
        rc = archai_err_also(&all, rc, ARCHAI_EINVAL, &one);
    assert_true(strlen(all.text) < ARCHAI_ERR_TEXT_MAX);
}

static void exit_codes_follow_the_contract(void **state)
{
    (void)state;
    assert_int_equal(archai_rc_exit_status(ARCHAI_OK), 0);
    assert_int_equal(archai_rc_exit_status(ARCHAI_EINVAL), 2);
    assert_int_equal(archai_rc_exit_status(ARCHAI_ENOTFOUND), 2);
    assert_int_equal(archai_rc_exit_status(ARCHAI_EIO), 74);
    assert_int_equal(archai_rc_exit_status(ARCHAI_EINTR), 75);
    assert_int_equal(archai_rc_exit_status(ARCHAI_EMPI), 1);
    assert_int_equal(archai_rc_exit_status(4711), 1);
    assert_int_equal(archai_rc_exit_status(-1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_detection_is_recorded),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(a_null_error_keeps_the_code),
        cmocka_unit_test(text_never_overflows),
        cmocka_unit_test(quoted_input_makes_no_lines_and_no_escapes),
        cmocka_unit_test(several_problems_stand_on_lines_of_their_own),
        cmocka_unit_test(exit_codes_follow_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
