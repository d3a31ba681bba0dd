/* What programs do to the guards that would end them, and helpers that no longer get anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/process/child.h"
#include "runner/process/clock.h"
#include "runner/process/watch/vitals.h"

enum { PATIENCE_MS = 30000 }; /* only so that a broken build ends */

static pid_t bystander; /* a child of this process before there were guards */

static void start(archai_child *c, const char *script)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    const archai_child_spec spec = {.argv = argv, .want_stdout = true};
    archai_err err = ARCHAI_ERR_INIT;

    if (archai_child_start(c, &spec, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

static void wait_end(archai_child *c)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (archai_child_poll(c))
            return;
        (void)usleep(1000);
    }
    fail_msg("%s", "the child does not end");
}

/* The number that the script prints. */
static pid_t read_pid(archai_child *c)
{
    char text[32];
    size_t n = 0;

    for (int i = 0; i < PATIENCE_MS && (n == 0 || text[n - 1] != '\n'); i++) {
        (void)archai_child_poll(c);
        n += archai_fd_read(&c->stdout_fd, text + n, sizeof text - 1 - n);
        (void)usleep(1000);
    }
    text[n] = '\0';
    return (pid_t)strtol(text, NULL, 10);
}

static void wait_gone(pid_t pid)
{
    assert_true(pid > 0);
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (kill(pid, 0) != 0 || waitpid(pid, NULL, WNOHANG) == pid) /* it may have become our child */
            return;
        (void)usleep(1000);
    }
    fail_msg("%s", "it lives");
}

static void a_stopped_guard_goes_on(void **state)
{
    archai_child c;

    (void)state;
    start(&c, "kill -STOP $PPID; exit 3");
    wait_end(&c);
    assert_true(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 3);
    archai_child_close(&c);
}

static void a_killed_guard_takes_other_sessions_along(void **state)
{
    archai_child c;
    pid_t stray;

    (void)state;
    start(&c, "setsid sh -c 'echo $$; exec >&- 2>&-; sleep 600' & sleep 0.2; read x < /dev/null; sleep 600");
    stray = read_pid(&c);
    assert_int_equal(kill(c.guard, SIGKILL), 0);
    wait_end(&c);
    wait_gone(stray);
    archai_child_close(&c);
    assert_int_equal(kill(bystander, 0), 0);
}

/* Closed as at the end of a run: nobody polls any more. */
static void a_guard_that_is_stopped_again_and_again_is_killed(void **state)
{
    archai_child c;
    pid_t stopper;

    (void)state;
    start(&c, "g=$PPID; setsid sh -c \"echo \\$\\$; exec >&- 2>&-; while kill -STOP $g; do :; done\" & sleep 600");
    stopper = read_pid(&c);
    archai_child_close(&c);
    archai_children_end();
    wait_gone(stopper);
    assert_int_equal(kill(bystander, 0), 0);
}

static void one_that_is_stopped_hangs_and_one_that_works_does_not(void **state)
{
    archai_vitals v;
    archai_child c;
    char text[160];

    (void)state;
    start(&c, "while :; do :; done");
    while (c.program == 0)
        (void)archai_child_poll(&c);
    archai_vitals_reset(&v);
    (void)archai_vitals_idle(&v, c.program);
    v.since = archai_clock_s() - 1000;
    (void)usleep(300000); /* its processor time is counted in hundredths of a second */
    assert_false(archai_vitals_hung(&v, c.program));
    assert_int_equal(kill(c.program, SIGSTOP), 0);
    (void)usleep(100000);
    v.looked = 0;
    (void)archai_vitals_idle(&v, c.program);
    v.since = archai_clock_s() - 1000;
    v.looked = 0;
    assert_true(archai_vitals_hung(&v, c.program));
    archai_vitals_describe(&v, text, sizeof text);
    assert_non_null(strstr(text, "no sign of work for 1000 s"));
    v.since = archai_clock_s() - 1; /* not yet */
    v.looked = 0;
    assert_false(archai_vitals_hung(&v, c.program));
    archai_child_close(&c);
    archai_children_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_guard_goes_on),
        cmocka_unit_test(a_killed_guard_takes_other_sessions_along),
        cmocka_unit_test(a_guard_that_is_stopped_again_and_again_is_killed),
        cmocka_unit_test(one_that_is_stopped_hangs_and_one_that_works_does_not),
    };
    int failed;

    bystander = fork();
    if (bystander == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)sleep(600);
        _exit(0);
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)kill(bystander, SIGKILL);
    (void)waitpid(bystander, NULL, 0);
    return failed;
}
