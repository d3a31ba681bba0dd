/* Children and what they leave behind: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/process/child.h"

enum { PATIENCE_MS = 30000 }; /* only so that a broken build ends */

static void start_script(archai_child *c, const char *script, archai_child_spec spec)
{
    char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)script, NULL};
    archai_err err = ARCHAI_ERR_INIT;

    spec.argv = argv;
    if (archai_child_start(c, &spec, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
}

static void wait_end(archai_child *c)
{
    bool ended = false;

    for (int i = 0; i < PATIENCE_MS && !ended; i++) {
        ended = archai_child_poll(c);
        if (!ended)
            (void)usleep(1000);
    }
    assert_true(ended);
}

/* All that comes, until the other side closes. */
static size_t read_all(int fd, char *text, size_t size)
{
    size_t n = 0;

    for (int i = 0; i < PATIENCE_MS && n + 1 < size; i++) {
        const ssize_t k = read(fd, text + n, size - 1 - n);

        if (k == 0)
            break;
        if (k > 0)
            n += (size_t)k;
        else
            (void)usleep(1000);
    }
    text[n] = '\0';
    return n;
}

/* Gone, or a zombie that only its (foreign) parent can reap. */
static bool is_gone(pid_t pid)
{
    char path[64], text[512];
    const char *state;
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (f == NULL)
        return true;
    n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    state = strrchr(text, ')');
    return n == 0 || state == NULL || state[2] == 'Z' || state[2] == 'X';
}

static void assert_goes(pid_t pid)
{
    assert_true(pid > 0);
    for (int i = 0; i < PATIENCE_MS && !is_gone(pid); i++)
        (void)usleep(1000);
    assert_true(is_gone(pid));
}

static void assert_described(const archai_child *c, const char *expected)
{
    char text[600];

    archai_child_describe(c, text, sizeof text);
    assert_string_equal(text, expected);
}

static void exit_status_and_last_words(void **state)
{
    archai_child c;

    (void)state;
    start_script(&c,
                 "echo first; printf 'no \\033such\\tlayer \\303\\274 \\377\\n\\n' >&2; exit 3",
                 (archai_child_spec){0});
    wait_end(&c);
    assert_true(c.started);
    assert_described(&c, "exited with 3: no ?such layer \xc3\xbc ?");
    archai_child_close(&c);
}

static void a_signal_is_named(void **state)
{
    archai_child c;

    (void)state;
    start_script(&c, "kill -SEGV $$", (archai_child_spec){0});
    wait_end(&c);
    assert_described(&c, "killed by signal 11 (Segmentation fault)");
    archai_child_close(&c);
}

static void a_failed_exec_is_reported(void **state)
{
    char *argv[] = {(char *)"/nonexistent/program", NULL};
    archai_child_spec spec = {.argv = argv};
    archai_child c;

    (void)state;
    assert_int_equal(archai_child_start(&c, &spec, NULL), ARCHAI_OK);
    wait_end(&c);
    assert_false(c.started);
    assert_int_equal(c.exec_errno, ENOENT);
    assert_described(&c, "cannot be started: No such file or directory");
    archai_child_close(&c);
}

static void a_flood_of_output_is_bounded(void **state)
{
    archai_child c;

    (void)state;
    start_script(&c, "exec yes 0123456789012345678901234567890", (archai_child_spec){0});
    for (int i = 0; i < 200; i++) {
        assert_false(archai_child_poll(&c));
        (void)usleep(1000);
    }
    assert_int_equal(c.tail_n, sizeof c.tail);
    archai_child_kill(&c);
    wait_end(&c);
    assert_true(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGKILL);
    archai_child_close(&c);
}

static void the_launchers_variables_stay_behind(void **state)
{
    const char *extra[] = {"OMP_NUM_THREADS=7", "ARCHAI_SEED=5", NULL};
    char text[65536];
    archai_child c;

    (void)state;
    setenv("OMPI_COMM_WORLD_RANK", "3", 1);
    setenv("PMIX_RANK", "3", 1);
    setenv("SLURM_PROCID", "3", 1);
    setenv("SLURM_JOB_ID", "77", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    start_script(&c, "exec env", (archai_child_spec){.env = extra, .want_stdout = true});
    assert_true(read_all(c.stdout_fd, text, sizeof text) > 0);
    wait_end(&c);
    assert_null(strstr(text, "OMPI_"));
    assert_null(strstr(text, "PMIX_"));
    assert_null(strstr(text, "SLURM_PROCID"));
    assert_non_null(strstr(text, "SLURM_JOB_ID=77\n"));
    assert_non_null(strstr(text, "OMP_NUM_THREADS=7\n"));
    assert_null(strstr(text, "OMP_NUM_THREADS=1\n"));
    assert_non_null(strstr(text, "ARCHAI_SEED=5\n"));
    archai_child_close(&c);
}

static void only_named_descriptors_arrive(void **state)
{
    /* A gap at 3; 4 is the write end of a pipe; and descriptors that must not be seen. */
    char text[256];
    archai_child c;
    int fds[2], loose[40];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 40; i++)
        loose[i] = dup(fds[0]);
    start_script(&c, "cd /proc/$$/fd && echo * >&4",
                 (archai_child_spec){.fds = {-1, fds[1]}, .n_fds = 2});
    (void)close(fds[1]);
    assert_true(read_all(fds[0], text, sizeof text) > 0);
    /* the shell may hold a saved descriptor of its own (10 and up) */
    assert_memory_equal(text, "0 1 ", 4);
    assert_non_null(strstr(text, " 2 "));
    assert_non_null(strstr(text, " 4"));
    for (int i = 5; i < 10; i++) {
        const char word[] = {' ', (char)('0' + i), '\0'};

        assert_null(strstr(text, word));
    }
    assert_true(strlen(text) < 20);
    wait_end(&c);
    assert_described(&c, "exited with 0");
    archai_child_close(&c);
    (void)close(fds[0]);
    for (int i = 0; i < 40; i++)
        (void)close(loose[i]);
}

/* What the guard and its keeper open for themselves must not lie there. */
static void gaps_of_any_size_do_no_harm(void **state)
{
    (void)state;
    for (size_t n = 0; n <= ARCHAI_CHILD_FDS; n++) {
        archai_child_spec spec = {.n_fds = n};
        archai_child c;

        for (size_t i = 0; i < n; i++)
            spec.fds[i] = -1;
        start_script(&c, "sleep 0.1; exit 7", spec);
        wait_end(&c);
        assert_described(&c, "exited with 7");
        archai_child_close(&c);
    }
}

static void standard_input_arrives(void **state)
{
    char text[64];
    archai_child c;

    (void)state;
    start_script(&c, "exec cat", (archai_child_spec){.want_stdin = true, .want_stdout = true});
    assert_int_equal(write(c.stdin_fd, "{\"id\": 1}\n", 10), 10);
    (void)close(c.stdin_fd);
    c.stdin_fd = -1;
    assert_int_equal(read_all(c.stdout_fd, text, sizeof text), 10);
    assert_string_equal(text, "{\"id\": 1}\n");
    wait_end(&c);
    archai_child_close(&c);
}

static void the_oom_killer_takes_the_child_first(void **state)
{
    char text[64];
    archai_child c;

    (void)state;
    start_script(&c, "cat /proc/$$/oom_score_adj", (archai_child_spec){.want_stdout = true});
    (void)read_all(c.stdout_fd, text, sizeof text);
    assert_string_equal(text, "1000\n");
    wait_end(&c);
    archai_child_close(&c);
}

/* A child, a background grandchild, and one that leaves the session. Prints their pids. */
static const char family[] = "sleep 1000 & echo $!; "
                             "setsid sh -c 'echo $$; exec sleep 1000' & "
                             "sleep 1000 & echo $!; echo $$; exec sleep 1000";

static void read_pids(int fd, pid_t *pids, size_t n)
{
    char text[256];
    size_t have = 0, lines = 0;
    const char *at = text;

    for (int i = 0; i < PATIENCE_MS && lines < n; i++) {
        const ssize_t k = read(fd, text + have, sizeof text - 1 - have);

        if (k > 0)
            have += (size_t)k;
        else
            (void)usleep(1000);
        lines = 0;
        for (size_t j = 0; j < have; j++)
            lines += text[j] == '\n';
    }
    text[have] = '\0';
    assert_int_equal(lines, n);
    for (size_t i = 0; i < n; i++) {
        pids[i] = (pid_t)atoi(at);
        at = strchr(at, '\n') + 1;
    }
}

static void killing_takes_the_whole_family(void **state)
{
    pid_t pids[4];
    archai_child c;

    (void)state;
    start_script(&c, family, (archai_child_spec){.want_stdout = true});
    read_pids(c.stdout_fd, pids, 4);
    archai_child_kill(&c);
    wait_end(&c);
    for (int i = 0; i < 4; i++)
        assert_true(is_gone(pids[i])); /* nothing is left when the end is reported */
    archai_child_close(&c);
}

static void an_end_takes_the_family_along(void **state)
{
    pid_t pids[2];
    archai_child c;

    (void)state;
    start_script(&c,
                 "setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; "
                 "read line; exit 5",
                 (archai_child_spec){.want_stdin = true, .want_stdout = true});
    read_pids(c.stdout_fd, pids, 2);
    assert_int_equal(write(c.stdin_fd, "\n", 1), 1);
    wait_end(&c);
    assert_true(is_gone(pids[0]));
    assert_true(is_gone(pids[1]));
    assert_described(&c, "exited with 5");
    archai_child_close(&c);
}

/* The way of a rank that is SIGKILLed: no handler runs, yet nothing stays. */
static void a_killed_parent_leaves_nothing(void **state)
{
    pid_t pids[4], parent;
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)(uintptr_t)family, NULL};
        archai_child_spec spec = {.argv = argv, .want_stdout = true};
        archai_child c;
        char text[256];
        ssize_t n;

        if (archai_child_start(&c, &spec, NULL) != ARCHAI_OK)
            _exit(1);
        for (;;) {
            n = read(c.stdout_fd, text, sizeof text);
            if (n > 0 && write(fds[1], text, (size_t)n) != n)
                _exit(1);
            (void)usleep(1000);
        }
    }
    (void)close(fds[1]);
    read_pids(fds[0], pids, 4);
    assert_int_equal(kill(parent, SIGKILL), 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    for (int i = 0; i < 4; i++)
        assert_goes(pids[i]);
    (void)close(fds[0]);
}

static void a_killed_guard_is_the_childs_end(void **state)
{
    char text[64];
    archai_child c;
    pid_t program;

    (void)state;
    start_script(&c, "echo up; exec sleep 1000", (archai_child_spec){.want_stdout = true});
    while (read(c.stdout_fd, text, sizeof text) <= 0)
        (void)usleep(1000);
    while (c.program == 0)
        assert_false(archai_child_poll(&c));
    program = c.program;
    assert_int_equal(kill(c.guard, SIGKILL), 0);
    wait_end(&c);
    assert_described(&c, "killed by signal 9 (Killed)");
    assert_goes(program);
    archai_child_close(&c);
}

/* The death signal reaches the program alone; what that had started in its group goes as well. */
static void a_killed_guard_takes_the_group_along(void **state)
{
    pid_t pids[2];
    archai_child c;

    (void)state;
    start_script(&c, "sleep 1000 & echo $!; echo $$; exec sleep 1000",
                 (archai_child_spec){.want_stdout = true});
    read_pids(c.stdout_fd, pids, 2);
    assert_int_equal(kill(c.guard, SIGKILL), 0);
    wait_end(&c);
    assert_goes(pids[0]);
    assert_goes(pids[1]);
    archai_child_close(&c);
}

static void closing_twice_is_allowed(void **state)
{
    archai_child c = ARCHAI_CHILD_INIT;
    pid_t program;

    (void)state;
    archai_child_close(&c);
    start_script(&c, "exec sleep 1000", (archai_child_spec){0});
    while (!c.started)
        assert_false(archai_child_poll(&c));
    program = c.program;
    archai_child_close(&c);
    archai_child_close(&c);
    assert_goes(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_and_last_words),
        cmocka_unit_test(a_signal_is_named),
        cmocka_unit_test(a_failed_exec_is_reported),
        cmocka_unit_test(a_flood_of_output_is_bounded),
        cmocka_unit_test(the_launchers_variables_stay_behind),
        cmocka_unit_test(only_named_descriptors_arrive),
        cmocka_unit_test(gaps_of_any_size_do_no_harm),
        cmocka_unit_test(standard_input_arrives),
        cmocka_unit_test(the_oom_killer_takes_the_child_first),
        cmocka_unit_test(killing_takes_the_whole_family),
        cmocka_unit_test(an_end_takes_the_family_along),
        cmocka_unit_test(a_killed_parent_leaves_nothing),
        cmocka_unit_test(a_killed_guard_is_the_childs_end),
        cmocka_unit_test(a_killed_guard_takes_the_group_along),
        cmocka_unit_test(closing_twice_is_allowed),
    };

    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
