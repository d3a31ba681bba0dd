/* Programs of the user's own: the texts that are exchanged, and what an evaluator makes of
 * programs that do well, badly or nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/evaluator/command_text.h"
#include "program_bench.h"

/* -- the command line -------------------------------------------------------------------- */

static void assert_split(const char *text, const char *const *words)
{
    char **argv;
    size_t i = 0;

    assert_int_equal(archai_command_split(text, &argv, NULL), 0);
    for (; words[i] != NULL; i++)
        assert_string_equal(argv[i], words[i]);
    assert_null(argv[i]);
    archai_command_free(argv);
}

static void commands_are_split_at_blanks_and_nothing_else(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char **argv;

    (void)state;
    assert_split(" a  b\tc ", (const char *const[]){"a", "b", "c", NULL});
    assert_split("a \"b c\" d\"e f\"g \"\"",
                 (const char *const[]){"a", "b c", "de fg", "", NULL});
    assert_split("a \"x\\\"y\\\\z\\n\" \\q",
                 (const char *const[]){"a", "x\"y\\z\\n", "\\q", NULL});
    assert_split(
        "a $HOME * `b` ; c | d 'e f'",
        (const char *const[]){"a", "$HOME", "*", "`b`", ";", "c", "|", "d", "'e", "f'", NULL});
    assert_int_equal(archai_command_split("a \"b", &argv, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "a quote is not closed");
    assert_int_equal(archai_command_split("  ", &argv, &err), ARCHAI_EINVAL);
    assert_string_equal(err.text, "names no program");
}

static void programs_are_found_as_a_shell_finds_them(void **state)
{
    archai_err err = ARCHAI_ERR_INIT;
    char *path;

    (void)state;
    assert_int_equal(archai_command_find("/bin/sh", &path, NULL), 0);
    assert_string_equal(path, "/bin/sh");
    free(path);
    assert_int_equal(archai_command_find("sh", &path, NULL), 0);
    assert_true(access(path, X_OK) == 0);
    free(path);
    assert_int_equal(archai_command_find("no-such-program-here", &path, &err),
                     ARCHAI_ENOTFOUND);
    assert_string_equal(err.text, "'no-such-program-here' is not in $PATH");
    assert_int_equal(archai_command_find("/nowhere/x", &path, &err), ARCHAI_ENOTFOUND);
    assert_string_equal(err.text, "/nowhere/x: No such file or directory");
    assert_int_equal(archai_command_find("/tmp", &path, &err), ARCHAI_ENOTFOUND);
    assert_string_equal(err.text, "/tmp: not a program that may be executed");
}

/* -- results ----------------------------------------------------------------------------- */

static double measure(const archai_trial *e, const char *name)
{
    return archai_measure_get(e->measures, e->n_measures, name);
}

static void a_budget_that_json_cannot_write_is_refused(void **state)
{
    archai_trial c = {.model = {.archid = (char *)(uintptr_t) "a"},
                      .arch = (char *)(uintptr_t) "{}",
                      .budget = INFINITY};
    archai_err err = ARCHAI_ERR_INIT;
    char *line = NULL;

    (void)state;
    assert_int_equal(archai_command_request(NULL, &c, NULL, &line, &err), ARCHAI_EFORMAT);
    assert_null(line);
}

static void results_are_what_python_writes(void **state)
{
    archai_trial e = {0};

    (void)state;
    assert_int_equal(
        archai_command_result("{\"a\": 0.5, \"b\": NaN, \"c\": -Infinity, \"d\": true, "
                              "\"e\": null, \"x NaN \\\" Infinity\": Infinity, "
                              "\"curve\": [1, 0.5, NaN], \"none\": []}",
                              &e, NULL),
        0);
    assert_int_equal(e.n_measures, 5);
    assert_true(measure(&e, "a") == 0.5);
    assert_true(isnan(measure(&e, "b")));
    assert_true(measure(&e, "c") == -INFINITY);
    assert_true(measure(&e, "d") == 1.0);
    assert_true(measure(&e, "x NaN \" Infinity") == INFINITY);
    assert_int_equal(e.n_curves, 1);
    assert_string_equal(e.curves[0].name, "curve");
    assert_int_equal(e.curves[0].n, 3);
    assert_true(e.curves[0].values[1] == 0.5f && isnan(e.curves[0].values[2]));
    archai_trial_fini(&e);
}

static void other_results_are_refused(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"0.93", "not a JSON object of measures"},
        {"[1]", "not a JSON object of measures (it is a list)"},
        {"{\"a\": 1", "not a JSON object of measures"},
        {"{\"a\": 1, \"a\": 2}", "duplicate"},
        {"{\"a\": 01}", "not a JSON object"},
        {"{\"a\": NaNa}", "not a JSON object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_trial e = {0};

        assert_int_equal(archai_command_result(cases[i].line, &e, &err), ARCHAI_EFORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
        archai_trial_fini(&e);
    }
}

/* An extra measure may not cost the others; what was left out is told. */
static void what_is_no_measure_is_left_out(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"{\"x\": 2, \"a\": \"high\"}", "a: expected a number"},
        {"{\"a\": {\"b\": 1}, \"x\": 2}", "a: expected a number"},
        {"{\"a\": [1, \"x\"], \"x\": 2}", "a: a value of the curve is not a number"},
        {"{\"a\": \"\\u001b[2J\", \"x\": 2, \"b\": []}", "a: expected a number"},
        {"{\"a\": \"1\", \"b\": \"2\", \"c\": \"3\", \"x\": 2}", "a: expected a number; and 2 more"},
    };
    char name[300], line[400];
    archai_trial e = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;

        assert_int_equal(archai_command_result(cases[i].line, &e, &err), ARCHAI_OK);
        assert_string_equal(e.error, cases[i].message);
        assert_int_equal(e.n_measures, 1);
        assert_true(measure(&e, "x") == 2);
        archai_trial_fini(&e);
    }
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(line, sizeof line, "{\"%s\": 1, \"x\": 2}", name);
    assert_int_equal(archai_command_result(line, &e, NULL), ARCHAI_OK);
    assert_int_equal(e.n_measures, 1);
    assert_non_null(strstr(e.error, "the name has 299 bytes"));
    archai_trial_fini(&e);
}

/* Names of any kind, numbers of any size, a byte order mark. */
static void names_and_numbers_are_free(void **state)
{
    archai_trial e = {0};

    (void)state;
    assert_int_equal(archai_command_result("\xef\xbb\xbf{\"val/loss\": 9223372036854775808, \"../a\": "
                                           "-100000000000000000000000000000000000000, \"\": 1e400, "
                                           "\"a\\tb\\u009b\": 12345678901234567890, \"small\": 1e-400, "
                                           "\"list\": [18446744073709551616, -1.5e3]}",
                                           &e, NULL),
                     0);
    assert_null(e.error);
    assert_int_equal(e.n_measures, 5);
    assert_true(measure(&e, "val/loss") == 0x1p63);
    assert_true(measure(&e, "../a") == -1e38);
    assert_true(measure(&e, "") == INFINITY);
    assert_true(measure(&e, "a b??") == 12345678901234567890.0);
    assert_true(measure(&e, "small") == 0);
    assert_true(e.curves[0].values[0] == 0x1p64f && e.curves[0].values[1] == -1500);
    archai_trial_fini(&e);
}

/* -- the evaluator ----------------------------------------------------------------------- */

static archai_evaluator_event run(bench *b, const char *command)
{
    archai_evaluator_event e;

    open_bench(b, command, false);
    e = next_event(b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_READY);
    assert_string_equal(e.text, "cpu");
    begin(b, 7);
    return next_event(b);
}

static void a_program_reads_its_candidate_and_answers(void **state)
{
    bench b;
    archai_evaluator_event e =
        run(&b, "/bin/sh -c \"read line; echo talk; test \\\"$line\\\" = "
                "'{\\\"archid\\\": \\\"abc\\\", \\\"arch\\\": {\\\"op\\\": \\\"pool\\\", "
                "\\\"k\\\": 5}, \\\"id\\\": 7, "
                "\\\"seed\\\": 123456789012, \\\"budget\\\": 2.5, \\\"params\\\": {\\\"op\\\": "
                "\\\"pool\\\"}}' || exit 9; "
                "test $ARCHAI_DEVICE,$ARCHAI_SEED,$ARCHAI_BUDGET,$OMP_NUM_THREADS = "
                "cpu,123456789012,2.5,3 || exit 8; "
                "echo '{\\\"val_accuracy\\\": 0.75}'; echo; echo ' '\"");

    (void)state;
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_true(measure(e.result, "val_accuracy") == 0.75);
    assert_int_equal(e.result->n_tensors, 0);
    archai_evaluator_event_fini(&e);
    begin(&b, 7); /* and another one */
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_MEASURED);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

static void assert_failed(const char *command, archai_evaluator_event_kind kind,
                          const char *text)
{
    bench b;
    archai_evaluator_event e = run(&b, command);

    if (e.kind != kind || strstr(e.text, text) == NULL)
        fail_msg("%s: %d '%s' lacks '%s'", command, e.kind, e.text, text);
    assert_null(e.result);
    close_bench(&b);
}

static void what_goes_wrong_is_told(void **state)
{
    (void)state;
    assert_failed("/bin/sh -c \"echo no such layer >&2; exit 3\"", ARCHAI_EVALUATOR_FAILED,
                  "command exited with 3: no such layer");
    assert_failed("/bin/sh -c \"echo 0.5\"", ARCHAI_EVALUATOR_FAILED,
                  "command: last line of output: not a JSON object");
    assert_failed("/bin/true", ARCHAI_EVALUATOR_FAILED,
                  "command: wrote nothing to standard output");
    assert_failed("/bin/sh -c \"kill -SEGV $$\"", ARCHAI_EVALUATOR_GONE, "killed by signal 11");
    assert_failed("/bin/sh -c \"echo {} ; printf x > $ARCHAI_WEIGHTS\"",
                  ARCHAI_EVALUATOR_FAILED, "command: weights: ");
    assert_failed("/bin/sh -c \"head -c 3000000 /dev/zero | tr '\\\\0' x\"",
                  ARCHAI_EVALUATOR_FAILED, "last line of output is longer than 1048576 bytes");
}

/* A progress bar writes over its line, and colours it. */
static void terminals_are_understood(void **state)
{
    bench b;
    archai_evaluator_event e =
        run(&b, "/bin/sh -c \"printf '10%%\\r50%%\\r\\033[32m{\\\"a\\\": 3}\\033[0m\\r\\n\\033[?25h\\033]0;title\\007\\r  '\"");

    (void)state;
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_true(measure(e.result, "a") == 3);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* Its file lies in the rank's memory: also a hole, and also while the program runs. */
static void large_weights_are_not_taken(void **state)
{
    static const char *const commands[] = {
        "/bin/sh -c \"truncate -s 1G $ARCHAI_WEIGHTS; echo {}\"",
        "/bin/sh -c \"truncate -s 1G $ARCHAI_WEIGHTS; exec sleep 600\"",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        archai_evaluator_event e;
        bench b;

        open_bench(&b, commands[i], false);
        b.config.evaluator.weights_limit = 1 << 20;
        e = next_event(&b);
        begin(&b, 7);
        e = next_event(&b);
        assert_int_equal(e.kind, ARCHAI_EVALUATOR_FAILED);
        assert_string_equal(e.text, "command: wrote weights of 1 GiB, at most 1 MiB are taken "
                                    "(evaluator.weights_limit)");
        close_bench(&b);
    }
}

/* Weights that cannot be kept do not cost the measures. */
static void unknown_weights_are_left_out(void **state)
{
    bench b;
    archai_evaluator_event e = run(
        &b, "/bin/sh -c \"printf '\\074\\0\\0\\0\\0\\0\\0\\0%s' "
            "'{\\\"w\\\": {\\\"dtype\\\": \\\"F4\\\", \\\"shape\\\": [2], \\\"data_offsets\\\": [0, 1]}}x' "
            "> $ARCHAI_WEIGHTS; echo '{\\\"a\\\": 1}'\"");

    (void)state;
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_int_equal(e.result->n_tensors, 0);
    assert_non_null(strstr(e.result->error, "the weights are not kept: tensor 'w': type 'F4'"));
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* NaN is what results.h5 shows where a segment is missing: it is not stored. */
static void weights_that_are_not_finite_are_left_out(void **state)
{
    bench b;
    archai_evaluator_event e = run(
        &b, "/bin/sh -c \"printf '\\074\\0\\0\\0\\0\\0\\0\\0%s\\0\\0\\200\\077\\0\\0\\300\\177' "
            "'{\\\"w\\\": {\\\"dtype\\\":\\\"F32\\\", \\\"shape\\\": [2], \\\"data_offsets\\\": [0, 8]}}' "
            "> $ARCHAI_WEIGHTS; echo '{\\\"a\\\": 1}'\"");

    (void)state;
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_int_equal(e.result->n_tensors, 0);
    assert_string_equal(e.result->error, "the weights are not kept: tensor 'w': has values that are not finite");
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* A flood of output is read and forgotten; only the last line counts. */
static void only_the_last_line_counts(void **state)
{
    bench b;
    archai_evaluator_event e = run(&b, "/bin/sh -c \"seq 1 300000; head -c 3000000 /dev/zero; "
                                       "echo; printf '{\\\"a\\\": 1}'\"");

    (void)state;
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_true(measure(e.result, "a") == 1.0);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* Python without any package: the format is a length, a JSON header and bytes. */
static void weights_come_as_safetensors(void **state)
{
    static const char script[] =
        "import json, os, struct, sys\n"
        "header = json.dumps({'a.weight': {'dtype': 'F32', 'shape': [2, 1], 'data_offsets': "
        "[0, 8]},\n"
        "                     'a.steps': {'dtype': 'I64', 'shape': [], 'data_offsets': [8, "
        "16]}}).encode()\n"
        "header += b' ' * (-len(header) % 8)\n"
        "with open(os.environ['ARCHAI_WEIGHTS'], 'wb') as f:\n"
        "    f.write(struct.pack('<Q', len(header)) + header + struct.pack('<ffq', 1.5, -2.0, "
        "7))\n"
        "print(json.dumps({'n': len(json.load(sys.stdin)['arch']), 'x': float('nan')}))\n";
    archai_tensors t = {0};
    archai_evaluator_event e;
    char path[TMPDIR_PATH_MAX], command[TMPDIR_PATH_MAX + 32], directory[TMPDIR_PATH_MAX];
    bench b;

    (void)state;
    if (access("/usr/bin/python3", X_OK) != 0)
        skip();
    assert_int_equal(tmpdir_create(directory), 0);
    write_file(directory, "evaluate.py", script, path);
    (void)snprintf(command, sizeof command, "/usr/bin/python3 \"%s\"", path);
    e = run(&b, command);
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_true(measure(e.result, "n") == 2.0);
    assert_true(isnan(measure(e.result, "x")));
    assert_int_equal(e.result->n_tensors, 2);
    assert_int_equal(
        archai_safetensors_open_fd(&t, b.evaluator->ops->weights_fd(b.evaluator), NULL), 0);
    assert_true(((const float *)archai_tensors_find(&t, "a.weight")->data)[1] == -2.0f);
    assert_int_equal(archai_tensors_find(&t, "a.steps")->ndim, 0);
    archai_tensors_close(&t);
    archai_evaluator_event_fini(&e);
    begin(&b, 7); /* what was offered is gone then */
    e = next_event(&b);
    assert_int_equal(e.result->n_tensors, 2);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
    assert_int_equal(tmpdir_remove(directory), 0);
}

static void a_program_that_cannot_be_started_is_said_each_time(void **state)
{
    char path[TMPDIR_PATH_MAX], directory[TMPDIR_PATH_MAX];
    archai_evaluator_event e;
    bench b;

    (void)state;
    assert_int_equal(tmpdir_create(directory), 0);
    write_file(directory, "text", "no program\n", path);
    open_bench(&b, path, false); /* may not be executed */
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_NOT_STARTED);
    assert_non_null(strstr(e.text, "not a program that may be executed"));
    close_bench(&b);
    assert_int_equal(chmod(path, 0700), 0);
    e = run(&b, path); /* has no interpreter */
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_NOT_STARTED);
    assert_non_null(strstr(e.text, "Exec format error"));
    b.evaluator->ops->close(b.evaluator);
    assert_int_equal(b.evaluator->ops->open(b.evaluator, NULL), 0);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_NOT_STARTED);
    close_bench(&b);
    assert_int_equal(tmpdir_remove(directory), 0);
}

static pid_t wait_for_pid(bench *b, const char *path)
{
    archai_evaluator_event e = {.kind = ARCHAI_EVALUATOR_NOTHING};
    int pid = 0;

    for (int i = 0; i < PATIENCE_MS && pid == 0; i++) {
        FILE *in = fopen(path, "r");

        assert_int_equal(b->evaluator->ops->poll(b->evaluator, &e, NULL), 0);
        assert_int_equal(e.kind, ARCHAI_EVALUATOR_NOTHING);
        if (in != NULL && fscanf(in, "%d", &pid) != 1)
            pid = 0;
        if (in != NULL)
            (void)fclose(in);
        (void)usleep(1000);
    }
    assert_true(pid > 0);
    return pid;
}

static void closing_ends_the_program(void **state)
{
    char command[TMPDIR_PATH_MAX + 64], directory[TMPDIR_PATH_MAX], path[TMPDIR_PATH_MAX];
    archai_evaluator_event e;
    bench b;
    pid_t pid;

    (void)state;
    assert_int_equal(tmpdir_create(directory), 0);
    write_file(directory, "pid", "", path);
    (void)snprintf(command, sizeof command, "/bin/sh -c \"echo $$ > %s; exec sleep 1000\"",
                   path);
    open_bench(&b, command, false);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_READY);
    begin(&b, 7);
    pid = wait_for_pid(&b, path);
    b.evaluator->ops->close(b.evaluator);
    for (int i = 0; i < PATIENCE_MS && kill(pid, 0) == 0; i++)
        (void)usleep(1000);
    assert_int_not_equal(kill(pid, 0), 0);
    close_bench(&b);
    assert_int_equal(tmpdir_remove(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_split_at_blanks_and_nothing_else),
        cmocka_unit_test(programs_are_found_as_a_shell_finds_them),
        cmocka_unit_test(a_budget_that_json_cannot_write_is_refused),
        cmocka_unit_test(results_are_what_python_writes),
        cmocka_unit_test(other_results_are_refused),
        cmocka_unit_test(a_program_reads_its_candidate_and_answers),
        cmocka_unit_test(what_goes_wrong_is_told),
        cmocka_unit_test(only_the_last_line_counts),
        cmocka_unit_test(weights_come_as_safetensors),
        cmocka_unit_test(what_is_no_measure_is_left_out),
        cmocka_unit_test(names_and_numbers_are_free),
        cmocka_unit_test(terminals_are_understood),
        cmocka_unit_test(large_weights_are_not_taken),
        cmocka_unit_test(unknown_weights_are_left_out),
        cmocka_unit_test(weights_that_are_not_finite_are_left_out),
        cmocka_unit_test(a_program_that_cannot_be_started_is_said_each_time),
        cmocka_unit_test(closing_ends_the_program),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as in a rank: a program may end before it has read its request */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
