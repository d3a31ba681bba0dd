/* The lines between rank 0 and the indexer: there and back, and nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/wire/index_request.h"

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static void a_run_goes_there_and_back(void **state)
{
    archai_objectives objectives = {
        .at = {{.name = "acc\"uracy",
                .source = "val_accuracy",
                .direction = ARCHAI_MAXIMIZE,
                .expensive = 1,
                .constraint = {(double[]){-INFINITY, 0.1}, 2},
                .unit = "\xc2\xb5s"},
               {.name = "limit", .source = "macs", .direction = ARCHAI_CONSTRAIN, .unit = ""}},
        .n = 2,
        .n_optimised = 1,
    };
    archai_index_run run = {.directory = "runs/x",
                            .config_text = "[search]\nalgorithm = \"x\" ; caf\xe9\n",
                            .space = "cnn",
                            .algorithm = "asha",
                            .schedule = "async",
                            .software = "s",
                            .started = "t",
                            .seed = INT64_MIN,
                            .ranks = 3,
                            .weights = 2,
                            .is_resume = true,
                            .objectives = &objectives};
    archai_err err = ARCHAI_ERR_INIT;
    archai_index_run_parsed p;
    char *line;

    (void)state;
    OK(archai_index_open_format(&run, &line, &err));
    assert_int_equal(strchr(line, '\n') - line, strlen(line) - 1);
    OK(archai_index_open_parse(line, strlen(line), &p, &err));
    free(line);
    assert_string_equal(p.run.directory, run.directory);
    assert_string_equal(p.run.config_text, "[search]\nalgorithm = \"x\" ; caf?\n");
    assert_true(p.run.seed == INT64_MIN);
    assert_int_equal(p.run.ranks, 3);
    assert_int_equal(p.run.weights, 2);
    assert_true(p.run.is_resume);
    assert_int_equal(p.objectives.n, 2);
    assert_int_equal(p.objectives.n_optimised, 1);
    assert_string_equal(p.objectives.at[0].name, "acc\"uracy");
    assert_string_equal(p.objectives.at[0].unit, "\xc2\xb5s");
    assert_true(p.objectives.at[0].constraint.at[0] == -INFINITY);
    assert_true(p.objectives.at[0].constraint.at[1] == 0.1);
    assert_int_equal(p.objectives.at[1].direction, ARCHAI_CONSTRAIN);
    assert_int_equal(p.objectives.at[1].constraint.n, 0);
    archai_index_run_parsed_fini(&p);
}

static void a_directory_that_json_cannot_hold_is_named(void **state)
{
    archai_objectives objectives = {.n = 0};
    archai_index_run run = {.directory = "caf\xe9",
                            .config_text = "",
                            .space = "",
                            .algorithm = "",
                            .schedule = "",
                            .software = "",
                            .started = "",
                            .objectives = &objectives};
    archai_err err = ARCHAI_ERR_INIT;
    char *line;

    (void)state;
    assert_int_equal(archai_index_open_format(&run, &line, &err), ARCHAI_EINVAL);
    assert_non_null(strstr(err.text, "UTF-8"));
}

static void refreshes_and_replies_go_there_and_back(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_index_refresh_request request;
    archai_index_reply reply = {.rows = 5, .seconds = 0.25, .error = ARCHAI_ERR_INIT}, got;
    char *line;

    (void)state;
    OK(archai_index_refresh_format("interrupted", 7, &line, &err));
    OK(archai_index_refresh_parse(line, strlen(line), &request, &err));
    assert_string_equal(request.state, "interrupted");
    assert_int_equal(request.rejected, 7);
    free(line);
    OK(archai_index_reply_format(&reply, &line, &err));
    OK(archai_index_reply_parse(line, strlen(line), &got, &err));
    assert_int_equal(got.rows, 5);
    assert_true(got.seconds == 0.25);
    assert_int_equal(got.error.code, ARCHAI_OK);
    free(line);
    (void)archai_fail(&reply.error, ARCHAI_EIO, "disk \"full\"\n\xff");
    OK(archai_index_reply_format(&reply, &line, &err));
    OK(archai_index_reply_parse(line, strlen(line), &got, &err));
    assert_int_equal(got.error.code, ARCHAI_EIO);
    assert_string_equal(got.error.text, "disk \"full\" ?"); /* an error is one line */
    free(line);
}

static void foreign_lines_are_refused(void **state)
{
    static const char *const lines[] = {
        "",
        "\n",
        "{",
        "[]",
        "{}",
        "{\"refresh\": 1, \"rejected\": 0}",
        "{\"refresh\": \"sometime\", \"rejected\": 0}",
        "{\"refresh\": \"running\", \"rejected\": \"0\"}",
        "{\"rows\": 1.5, \"seconds\": 0}",
        "{\"error\": {\"code\": 0, \"text\": \"\"}}",
        "{\"error\": {\"code\": 99, \"text\": \"\"}}",
        "{\"error\": \"text\"}",
        "{\"directory\": \"x\", \"objectives\": [{}]}",
    };
    archai_err err = ARCHAI_ERR_INIT;
    archai_index_refresh_request request;
    archai_index_run_parsed p;
    archai_index_reply reply;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        size_t n = strlen(lines[i]);

        assert_int_equal(archai_index_refresh_parse(lines[i], n, &request, &err),
                         ARCHAI_EFORMAT);
        assert_int_equal(archai_index_reply_parse(lines[i], n, &reply, &err), ARCHAI_EFORMAT);
        assert_int_equal(archai_index_open_parse(lines[i], n, &p, &err), ARCHAI_EFORMAT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_goes_there_and_back),
        cmocka_unit_test(a_directory_that_json_cannot_hold_is_named),
        cmocka_unit_test(refreshes_and_replies_go_there_and_back),
        cmocka_unit_test(foreign_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
