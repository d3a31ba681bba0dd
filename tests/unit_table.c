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

#include "core/config/delay.h"
#include "io/table/table.h"

static char *file_with(const char *text)
{
    char *path = strdup("/tmp/archai-table-XXXXXX");
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
    (void)close(fd);
    return path;
}

static archai_table *table_with(const char *text, archai_err *err)
{
    archai_table *t = NULL;
    char *path = file_with(text);

    (void)archai_table_open(&t, path, err);
    (void)unlink(path);
    free(path);
    return t;
}

static void archids_are_keys(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = table_with("archid,accuracy,params,note\r\n\"L=1, K=1, H=16\",0.5,234,\"a \"\"b\"\"\"\n"
                                 "\"L=1, K=1, H=32\",,458,x\n",
                                 &err);
    archai_measure *m;
    size_t n;

    (void)state;
    assert_non_null(t);
    assert_int_equal(archai_table_find(t, "L=1, K=1, H=16", NULL, &m, &n, &err), ARCHAI_OK);
    assert_int_equal(n, 2); /* the note is not a measure */
    assert_true(archai_measure_get(m, n, "accuracy") == 0.5);
    assert_true(archai_measure_get(m, n, "params") == 234);
    archai_measures_free(m, n);
    assert_int_equal(archai_table_find(t, "L=1, K=1, H=32", NULL, &m, &n, &err), ARCHAI_OK);
    assert_true(isnan(archai_measure_get(m, n, "accuracy")));
    archai_measures_free(m, n);
    assert_int_equal(archai_table_find(t, "", NULL, &m, &n, &err), ARCHAI_ENOTFOUND); /* no third row */
    assert_int_equal(archai_table_find(t, "L=9", NULL, &m, &n, &err), ARCHAI_ENOTFOUND);
    assert_non_null(strstr(err.text, "has no row for L=9"));
    archai_table_close(t);
}

static void parameters_are_keys(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = table_with("op,stem.k,wide,accuracy\nconv,3,true,0.9\npool,3.0,false,0.8\n", &err);
    json_t *arch = json_pack("{s:s, s:{s:i}, s:b}", "op", "pool", "stem", "k", 3, "wide", 0);
    archai_measure *m;
    size_t n;

    (void)state;
    assert_non_null(t);
    assert_int_equal(archai_table_find(t, "whatever", arch, &m, &n, &err), ARCHAI_OK);
    assert_int_equal(n, 1);
    assert_true(m[0].value == 0.8);
    archai_measures_free(m, n);
    json_decref(arch);
    archai_table_close(t);
}

static void booleans_meet_in_any_case_and_absent_parameters_are_empty(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = table_with("op,k,wide,accuracy\r\nconv,3,True,0.9\r\npool,,FALSE,0.8\r\n", &err);
    json_t *conv = json_pack("{s:s, s:i, s:b}", "op", "conv", "k", 3, "wide", 1);
    json_t *pool = json_pack("{s:s, s:b}", "op", "pool", "wide", 0);
    archai_measure *m;
    size_t n;

    (void)state;
    assert_non_null(t);
    assert_int_equal(archai_table_find(t, "a", conv, &m, &n, &err), ARCHAI_OK);
    assert_true(n == 1 && m[0].value == 0.9);
    archai_measures_free(m, n);
    assert_int_equal(archai_table_find(t, "b", pool, &m, &n, &err), ARCHAI_OK);
    assert_true(n == 1 && m[0].value == 0.8);
    archai_measures_free(m, n);
    json_decref(conv);
    json_decref(pool);
    archai_table_close(t);
}

static void two_rows_with_one_key_are_refused(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = table_with("k,a\n1,1\n2,1\n1.0,3\n", &err);
    json_t *arch = json_pack("{s:i}", "k", 2);
    archai_measure *m;
    size_t n;

    (void)state;
    assert_non_null(t);
    assert_int_equal(archai_table_choose_keys(t, arch, &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, ": rows 2 and 4 have the same key (1.0 ...)"));
    assert_int_equal(archai_table_find(t, "x", arch, &m, &n, &err), ARCHAI_EFORMAT);
    json_decref(arch);
    archai_table_close(t);
    assert_null(table_with("archid,a\nx,1\ny,1\nx,2\n", &err));
    assert_non_null(strstr(err.text, ": rows 2 and 4 have the same key (x ...)"));
}

static void damage_is_named_with_its_line(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;

    (void)state;
    assert_null(table_with("archid,a\nx,1\ny\n", &err));
    assert_non_null(strstr(err.text, ":3: 1 cells, the header has 2"));
    assert_null(table_with("archid,a\nx,1,2\n", &err));
    assert_non_null(strstr(err.text, ":2: more cells"));
    assert_null(table_with("archid,a\n\"x,1\n", &err));
    assert_non_null(strstr(err.text, ":2: a quote is not closed"));
    assert_null(table_with("archid,,a\n", &err));
    assert_non_null(strstr(err.text, ":1: column 2 has no name"));
    assert_null(table_with("archid,a\n", &err));
    assert_non_null(strstr(err.text, "no rows"));
    assert_null(table_with("", &err));
}

/* As a spreadsheet in another language writes it. */
static void an_objective_s_column_holds_numbers(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_table *t = table_with("k,acc,who,loss\n1,\"0,91\",x,\n\n2,0.93,y,nan\n", &err);

    (void)state;
    assert_non_null(t);
    assert_int_equal(archai_table_check_column(t, "acc", &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, ":2: column 'acc': '0,91' is not a number"));
    assert_int_equal(archai_table_check_column(t, "who", &err), ARCHAI_EFORMAT);
    assert_int_equal(archai_table_check_column(t, "loss", &err), ARCHAI_OK);
    archai_table_close(t);
    t = table_with("k,acc\n1,0.91\n\n2,1.5x\n", &err);
    assert_int_equal(archai_table_check_column(t, "acc", &err), ARCHAI_EFORMAT);
    assert_non_null(strstr(err.text, ":4: column 'acc': '1.5x'"));
    archai_table_close(t);
}

static void delays_have_the_mean_they_promise(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_delay d;
    double sum = 0, log_sum = 0, log_square = 0;
    enum { N = 200000 };

    (void)state;
    assert_int_equal(archai_delay_parse("60ms", &d, &err), ARCHAI_OK);
    assert_true(fabs(archai_delay_draw(&d, 7) - 0.06) < 1e-12);
    assert_int_equal(archai_delay_parse("lognormal 1.5s 0.8", &d, &err), ARCHAI_OK);
    for (int i = 0; i < N; i++) {
        double s = archai_delay_draw(&d, (uint64_t)i);

        sum += s;
        log_sum += log(s);
        log_square += log(s) * log(s);
    }
    /* standard errors: 0.8 % of the mean of a log-normal with sigma 0.8 is 3 of them at this N */
    assert_true(fabs(sum / N - 1.5) < 0.012);
    assert_true(fabs(sqrt(log_square / N - log_sum * log_sum / N / N) - 0.8) < 0.005);
    assert_int_equal(archai_delay_parse("lognormal 1.5s", &d, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_delay_parse("lognormal 1s -1", &d, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_delay_parse("soon", &d, &err), ARCHAI_EINVAL);
    assert_int_equal(archai_delay_parse("2d", &d, &err), ARCHAI_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archids_are_keys),
        cmocka_unit_test(parameters_are_keys),
        cmocka_unit_test(booleans_meet_in_any_case_and_absent_parameters_are_empty),
        cmocka_unit_test(two_rows_with_one_key_are_refused),
        cmocka_unit_test(damage_is_named_with_its_line),
        cmocka_unit_test(an_objective_s_column_holds_numbers),
        cmocka_unit_test(delays_have_the_mean_they_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
