/* Programs that evaluate many candidates: lines in pieces, what a line says, and what an evaluator makes of
 * programs that answer, talk, crash, fall silent or do not listen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runner/evaluator/command/command.h"
#include "runner/evaluator/command/said.h"
#include "program_bench.h"

static double measure(const archai_trial *e, const char *name)
{
    return archai_measure_get(e->measures, e->n_measures, name);
}

/* -- lines ------------------------------------------------------------------------------- */

static void assert_line(archai_spoken *l, const char *expected)
{
    const char *line = archai_spoken_next(l);

    if (expected == NULL)
        assert_null(line);
    else if (line == NULL || strcmp(line, expected) != 0)
        fail_msg("'%s', expected '%s'", line != NULL ? line : "(none)", expected);
}

static void lines_come_in_pieces(void **state)
{
    archai_spoken l = {.data = NULL};

    (void)state;
    archai_spoken_add(&l, "{\"a\"", 4);
    assert_line(&l, NULL);
    archai_spoken_add(&l, ": 1}\nb\r\r\n \t\n\033[31mc\033[0m\nd", 24);
    assert_line(&l, "{\"a\": 1}");
    assert_line(&l, "b");
    assert_line(&l, "c");
    assert_line(&l, NULL);
    archai_spoken_add(&l, "\0e\n", 3);
    assert_line(&l, "d e");
    assert_line(&l, NULL);
    archai_spoken_add(&l, "rest", 4);
    assert_line(&l, NULL);
    assert_string_equal(archai_spoken_rest(&l), "rest");
    assert_null(archai_spoken_rest(&l));
    archai_spoken_fini(&l);
}

static void a_line_has_a_bound(void **state)
{
    static char data[ARCHAI_SPOKEN_MAX / 2];
    archai_spoken l = {.data = NULL};

    (void)state;
    memset(data, 'x', sizeof data);
    for (int i = 0; i < 2; i++) {
        archai_spoken_add(&l, data, sizeof data);
        assert_line(&l, NULL);
        assert_false(archai_spoken_too_long(&l));
    }
    archai_spoken_add(&l, "x", 1);
    assert_line(&l, NULL);
    assert_true(archai_spoken_too_long(&l));
    archai_spoken_fini(&l);
}

/* -- what is said ------------------------------------------------------------------------ */

static archai_said said_of(const char *line)
{
    archai_err err = ARCHAI_ERR_INIT;
    archai_said s;

    if (archai_said_read(line, 7, &s, &err) != ARCHAI_OK)
        fail_msg("%s: %s", line, err.text);
    return s;
}

static void progress_has_an_epoch_or_a_step(void **state)
{
    archai_said s = said_of("{\"epoch\": 3, \"epochs\": 20, \"val_accuracy\": 0.91, \"val/loss\": NaN}");

    (void)state;
    assert_int_equal(s.kind, ARCHAI_SAID_PROGRESS);
    assert_true(s.is_epoch && s.at == 3 && s.epochs == 20);
    assert_int_equal(s.measured->n_measures, 2);
    assert_true(measure(s.measured, "val_accuracy") == 0.91 && isnan(measure(s.measured, "val/loss")));
    archai_said_fini(&s);
    s = said_of("\xef\xbb\xbf{\"id\": 7, \"step\": 100, \"loss\": 1}");
    assert_true(!s.is_epoch && s.at == 100 && isnan(s.epochs));
    assert_int_equal(s.measured->n_measures, 1);
    archai_said_fini(&s);
    s = said_of("{\"epoch\": 2, \"step\": 500, \"loss\": 1}");
    assert_true(s.is_epoch && s.at == 2 && measure(s.measured, "step") == 500);
    archai_said_fini(&s);
    s = said_of("{\"epoch\": 1, \"a\\u0000b\": 1, \"\\udcff\": 2, \"\\ud83d\\ude00\": 3, \"\xe9\": nan, \"\t\": -inf, \"x\": 4}");
    assert_true(s.at == 1 && measure(s.measured, "x") == 4 && measure(s.measured, "\xf0\x9f\x98\x80") == 3);
    assert_int_equal(s.measured->n_measures, 6);
    archai_said_fini(&s);
    s = said_of("{}");
    assert_true(s.kind == ARCHAI_SAID_PROGRESS && isnan(s.at));
    archai_said_fini(&s);
}

static void a_result_ends_a_candidate(void **state)
{
    archai_said s = said_of("{\"result\": {\"val_accuracy\": 0.9, \"epoch\": 3, \"curve\": [1, 2]}}");

    (void)state;
    assert_int_equal(s.kind, ARCHAI_SAID_RESULT);
    assert_true(measure(s.measured, "val_accuracy") == 0.9 && measure(s.measured, "epoch") == 3);
    assert_int_equal(s.measured->n_curves, 1);
    archai_said_fini(&s);
    s = said_of("{\"result\": null, \"error\": \"no\\nmemory\"}");
    assert_int_equal(s.kind, ARCHAI_SAID_ERROR);
    assert_string_equal(s.error, "no memory");
    archai_said_fini(&s);
    s = said_of("{\"result\": null}");
    assert_string_equal(s.error, "no reason was given");
    archai_said_fini(&s);
    s = said_of("{\"id\": 6, \"result\": {}}");
    assert_int_equal(s.kind, ARCHAI_SAID_OF_ANOTHER);
    archai_said_fini(&s);
}

static void everything_else_is_refused(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"Epoch 1", "not a JSON object"},
        {"[1]", "not a JSON object"},
        {"{\"epoch\": 1", "not a JSON object"},
        {"{\"result\": 0.9}", "'result' is no object of measures"},
        {"{\"result\": [1]}", "'result' is no object of measures"},
        {"{\"result\": true}", "'result' is no object of measures"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        archai_err err = ARCHAI_ERR_INIT;
        archai_said s = {.measured = NULL};

        assert_int_equal(archai_said_read(cases[i].line, 7, &s, &err), ARCHAI_EFORMAT);
        if (strstr(err.text, cases[i].message) == NULL)
            fail_msg("'%s' lacks '%s'", err.text, cases[i].message);
        archai_said_fini(&s);
    }
}

/* Looked at once, not once for each of its digits: that took minutes. */
static void a_long_word_is_refused_at_once(void **state)
{
    enum { SIZE = 8 << 20 };
    archai_said s = {.measured = NULL};
    char *line = malloc(SIZE + 2);

    (void)state;
    assert_non_null(line);
    memset(line, '1', SIZE);
    memcpy(line + SIZE, "a", 2);
    assert_int_equal(archai_said_read(line, 7, &s, NULL), ARCHAI_EFORMAT);
    free(line);
}

/* -- the evaluator ----------------------------------------------------------------------- */

/* A shell reads one request a line; $line is it, $$ its process. */
#define LOOP(body) "/bin/sh -c \"while read -r line; do " body "; done\""

static void open_persistent(bench *b, const char *command)
{
    archai_evaluator_event e;

    open_bench(b, command, true);
    e = next_event(b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_READY);
}

static double result_of(bench *b, int64_t id, const char *name)
{
    archai_evaluator_event e;
    double value;

    begin(b, id);
    e = next_event(b);
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("candidate %lld: %d %s", (long long)id, e.kind, e.text);
    value = measure(e.result, name);
    archai_evaluator_event_fini(&e);
    return value;
}

static void one_process_takes_many(void **state)
{
    double process;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("case $line in *'\\\"params\\\": {\\\"op\\\": \\\"pool\\\"}, \\\"weights\\\": \\\"/proc/'*) "
                             "echo '{\\\"result\\\": {\\\"pid\\\": '$$'}}';; esac"));
    process = result_of(&b, 0, "pid");
    for (int id = 1; id < 20; id++)
        assert_true(result_of(&b, id, "pid") == process);
    close_bench(&b);
}

static void progress_is_told_while_it_works(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("echo '{\\\"epoch\\\": 1, \\\"epochs\\\": 2, \\\"a\\\": 0.5}'; echo '{\\\"id\\\": 99, \\\"epoch\\\": 7}'; "
                             "echo '{\\\"step\\\": 2}'; echo '{\\\"result\\\": {\\\"a\\\": 1}}'"));
    begin(&b, 7);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_PROGRESS);
    assert_true(e.by_epoch && e.at == 1 && e.epoch == 1 && e.epochs == 2);
    assert_true(measure(e.result, "a") == 0.5);
    archai_evaluator_event_fini(&e);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_PROGRESS);
    assert_true(!e.by_epoch && e.at == 2 && e.epochs == 0);
    archai_evaluator_event_fini(&e);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_MEASURED);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* What goes wrong costs one candidate; the next one finds a program. */
static void assert_one_fails(const char *body, archai_evaluator_event_kind kind, const char *text, bool same_process)
{
    char command[2000];
    archai_evaluator_event e;
    double process;
    bench b;

    (void)snprintf(command, sizeof command,
                   LOOP("case $line in *'\\\"id\\\": 7,'*) %s;; *) echo '{\\\"result\\\": {\\\"pid\\\": '$$'}}';; esac"), body);
    open_persistent(&b, command);
    process = result_of(&b, 6, "pid");
    begin(&b, 7);
    e = next_event(&b);
    if (e.kind != kind || strstr(e.text, text) == NULL)
        fail_msg("%s: %d '%s' lacks '%s'", body, e.kind, e.text, text);
    assert_null(e.result);
    if (e.kind == ARCHAI_EVALUATOR_GONE) { /* the worker closes it and opens it again */
        b.evaluator->ops->close(b.evaluator);
        assert_int_equal(b.evaluator->ops->open(b.evaluator, NULL), 0);
        assert_int_equal(next_event(&b).kind, ARCHAI_EVALUATOR_READY);
    }
    if ((result_of(&b, 8, "pid") == process) != same_process)
        fail_msg("%s: %s process", body, same_process ? "another" : "the same");
    close_bench(&b);
}

static void what_goes_wrong_costs_one_candidate(void **state)
{
    (void)state;
    assert_one_fails("echo Epoch 1", ARCHAI_EVALUATOR_FAILED,
                     "it wrote 'Epoch 1', expected lines of JSON on standard output", false);
    assert_one_fails("echo oh no >&2; exit 3", ARCHAI_EVALUATOR_FAILED, "command exited with 3: oh no", false);
    assert_one_fails("exit 0", ARCHAI_EVALUATOR_FAILED, "command exited with 0 before it gave a \"result\"", false);
    assert_one_fails("kill -9 $$", ARCHAI_EVALUATOR_GONE, "killed by signal 9", false);
    assert_one_fails("echo '{\\\"result\\\": null, \\\"error\\\": \\\"no such layer\\\"}'", ARCHAI_EVALUATOR_FAILED,
                     "command: no such layer", true);
}

/* Its own words are about this candidate, not about an earlier one. */
static void last_words_are_not_those_of_another_candidate(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("case $line in *'\\\"id\\\": 7,'*) exit 3;; *) echo early >&2; echo '{\\\"result\\\": {\\\"a\\\": 1}}';; esac"));
    assert_true(result_of(&b, 6, "a") == 1);
    begin(&b, 7);
    e = next_event(&b);
    assert_string_equal(e.text, "command exited with 3");
    close_bench(&b);
}

/* One that ends between two candidates costs none, also where the next one was sent to it already. */
static void a_program_may_leave_after_each(void **state)
{
    bench b;

    (void)state;
    open_persistent(&b, "/bin/sh -c \"read -r line; echo '{\\\"result\\\": {\\\"a\\\": 1}}'\"");
    for (int id = 0; id < 5; id++)
        assert_true(result_of(&b, id, "a") == 1);
    close_bench(&b);
    open_persistent(&b, "/bin/sh -c \"read -r line; echo '{\\\"result\\\": {\\\"a\\\": 1}}'; read -r line; exit 0\"");
    for (int id = 0; id < 5; id++) /* each but the first went to one that left */
        assert_true(result_of(&b, id, "a") == 1);
    close_bench(&b);
    open_persistent(&b, "/bin/sh -c \"read -r line; echo '{\\\"result\\\": {\\\"a\\\": 1}}'; exit 7\"");
    for (int id = 0; id < 5; id++) /* it read nothing of the next one, however it ended */
        assert_true(result_of(&b, id, "a") == 1);
    close_bench(&b);
}

/* A line need not have an id. */
static void a_second_result_is_not_the_next_candidates(void **state)
{
    bench b;

    (void)state;
    open_persistent(&b, LOOP("n=$((n + 1)); printf '{\\\"result\\\": {\\\"a\\\": %d}}\\n{\\\"result\\\": {\\\"a\\\": 1000}}\\nbye\\n' $n"));
    for (int id = 0; id < 5; id++)
        assert_true(result_of(&b, id, "a") == id + 1);
    close_bench(&b);
}

/* Lines about another candidate, faster than they are looked at: they wait in the pipe, not in memory. */
static void a_flood_of_lines_is_not_kept(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("yes '{\\\"id\\\": 99}' | head -n 100000; echo '{\\\"result\\\": {\\\"a\\\": 1}}'"));
    begin(&b, 7);
    do {
        e = (archai_evaluator_event){.kind = ARCHAI_EVALUATOR_NOTHING};
        assert_int_equal(b.evaluator->ops->poll(b.evaluator, &e, NULL), 0);
        assert_true(((archai_command *)b.evaluator)->lines.capacity <= 1 << 17);
    } while (e.kind == ARCHAI_EVALUATOR_NOTHING);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_MEASURED);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

static void its_last_line_may_lack_an_end(void **state)
{
    bench b;

    (void)state;
    open_persistent(&b, "/bin/sh -c \"read -r line; printf '{\\\"result\\\": {\\\"a\\\": 1}}'\"");
    assert_true(result_of(&b, 0, "a") == 1);
    close_bench(&b);
}

/* A stop goes in while it works, and the candidate still ends with a result. */
static void a_stop_is_a_line(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("echo '{\\\"epoch\\\": 1}'; read -r line; "
                             "test \\\"$line\\\" = '{\\\"stop\\\": 7}' && echo '{\\\"result\\\": {\\\"a\\\": 2}}'"));
    begin(&b, 7);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_PROGRESS);
    archai_evaluator_event_fini(&e);
    assert_int_equal(b.evaluator->ops->stop(b.evaluator, NULL), 0);
    e = next_event(&b);
    if (e.kind != ARCHAI_EVALUATOR_MEASURED)
        fail_msg("%d %s", e.kind, e.text);
    assert_true(measure(e.result, "a") == 2);
    archai_evaluator_event_fini(&e);
    close_bench(&b);
}

/* What it says between candidates is about none, however much it is. */
static void talk_between_candidates_is_passed_over(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("echo '{\\\"result\\\": {\\\"a\\\": 1}}'; head -c 3000000 /dev/zero; echo bye; seq 1 1000"));
    assert_true(result_of(&b, 0, "a") == 1);
    for (int i = 0; i < 200; i++) {
        e = (archai_evaluator_event){.kind = ARCHAI_EVALUATOR_NOTHING};
        assert_int_equal(b.evaluator->ops->poll(b.evaluator, &e, NULL), 0);
        assert_int_equal(e.kind, ARCHAI_EVALUATOR_NOTHING);
        (void)usleep(1000);
    }
    assert_true(result_of(&b, 1, "a") == 1);
    close_bench(&b);
}

static void a_flood_without_a_line_is_ended(void **state)
{
    archai_evaluator_event e;
    bench b;

    (void)state;
    open_persistent(&b, LOOP("cat /dev/zero"));
    begin(&b, 7);
    e = next_event(&b);
    assert_int_equal(e.kind, ARCHAI_EVALUATOR_FAILED);
    assert_string_equal(e.text, "command: a line of output is longer than 1 MiB");
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_in_pieces),
        cmocka_unit_test(a_line_has_a_bound),
        cmocka_unit_test(progress_has_an_epoch_or_a_step),
        cmocka_unit_test(a_result_ends_a_candidate),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(a_long_word_is_refused_at_once),
        cmocka_unit_test(one_process_takes_many),
        cmocka_unit_test(progress_is_told_while_it_works),
        cmocka_unit_test(what_goes_wrong_costs_one_candidate),
        cmocka_unit_test(last_words_are_not_those_of_another_candidate),
        cmocka_unit_test(a_program_may_leave_after_each),
        cmocka_unit_test(a_second_result_is_not_the_next_candidates),
        cmocka_unit_test(a_flood_of_lines_is_not_kept),
        cmocka_unit_test(its_last_line_may_lack_an_end),
        cmocka_unit_test(a_stop_is_a_line),
        cmocka_unit_test(talk_between_candidates_is_passed_over),
        cmocka_unit_test(a_flood_without_a_line_is_ended),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as every program here does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
