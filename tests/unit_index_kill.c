/* SIGKILL at any instant: results.h5 is always valid, and no committed row is ever lost.
 *
 * Each round is a start of a run in the same directory: WRITERS processes commit rows with
 * weights to a shared segment and say so through a pipe after each, another refreshes the index
 * without a pause; all are killed at a random instant. Then results.h5 is held against its
 * contract as it lies there, and a resumed index against the pipe. ARCHAI_KILL_ROUNDS (20)
 * makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/config/config.h"
#include "io/results/index/index.h"
#include "io/results/results.h"
#include "io/segment/segment.h"
#include "samples.h"
#include "tmpdir.h"

enum { WRITERS = 3, ROWS = 1 << 16, IDS = 1 << 18 };

#define OK(call)                                                                               \
    do {                                                                                       \
        if ((call) != ARCHAI_OK)                                                               \
            fail_msg("%s: %s", #call, err.text);                                               \
    } while (0)

static archai_objectives objectives = {
    .at = {{.name = "accuracy",
            .source = "val_accuracy",
            .direction = ARCHAI_MAXIMIZE,
            .expensive = 1,
            .unit = ""},
           {.name = "params",
            .source = "params",
            .direction = ARCHAI_MINIMIZE,
            .constraint = {(double[]){0, 2000}, 2},
            .unit = "weights"}},
    .n = 2,
    .n_optimised = 2,
};

static archai_index *open_index(const char *directory, bool is_resume)
{
    archai_index_run run = {.directory = directory,
                            .config_text = "",
                            .space = "cnn",
                            .software = "test",
                            .started = "2023-11-14T22:13:20Z",
                            .ranks = WRITERS,
                            .config = sample_config(ARCHAI_WEIGHTS_PARETO),
                            .is_resume = is_resume,
                            .objectives = &objectives};
    archai_err err = ARCHAI_ERR_INIT;
    archai_index *x = NULL;

    if (archai_index_open(&x, &run, &err) != ARCHAI_OK)
        (void)fprintf(stderr, "%s\n", err.text);
    return x;
}

/* Commit the ids that are not `done`, every WRITERS-th of them, and say so. */
static void write_rows(const char *directory, const char *name, const bool *done, int who,
                       int64_t most, int pipe_fd)
{
    archai_segment s = ARCHAI_SEGMENT_INIT;
    archai_err err = ARCHAI_ERR_INIT;
    int64_t row = who * (ROWS / WRITERS), count = 0;

    if (archai_segment_open(&s, directory, name, true, &err) != ARCHAI_OK)
        _exit(1);
    for (int64_t id = 0; id < IDS && count < most; id++) {
        if (done[id] || count++ % WRITERS != who)
            continue;
        if (sample_commit(&s, id, row++, 1, &err) != ARCHAI_OK) {
            (void)fprintf(stderr, "%s\n", err.text);
            _exit(1);
        }
        if (write(pipe_fd, &id, sizeof id) != sizeof id)
            _exit(1);
        (void)usleep(200); /* many kills over few rows, not few over many */
    }
    _exit(0);
}

static void refresh_for_ever(const char *directory, bool is_resume)
{
    archai_index *x = open_index(directory, is_resume);
    archai_err err = ARCHAI_ERR_INIT;
    int64_t rows;

    while (x != NULL && archai_index_refresh(x, "running", 0, &rows, &err) == ARCHAI_OK)
        continue;
    (void)fprintf(stderr, "%s\n", err.text);
    _exit(1);
}

static int python(const char *script, const char *directory, const char *rest)
{
    char command[TMPDIR_PATH_MAX + 512];

    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 " ARCHAI_SOURCE_DIR
                   "/tests/%s %s/results.h5 %s > /dev/null",
                   script, directory, rest);
    return system(command);
}

/* What the writers said until they died. */
static void take_reports(int fd, bool *said)
{
    int64_t id;

    while (read(fd, &id, sizeof id) == sizeof id)
        said[id] = true;
}

static int64_t resume_and_compare(const char *directory, const bool *said, bool *done)
{
    archai_index *x = open_index(directory, true);
    archai_err err = ARCHAI_ERR_INIT;
    archai_results r;
    int64_t rows, known = 0;

    assert_non_null(x);
    OK(archai_index_refresh(x, "interrupted", 0, &rows, &err));
    archai_index_close(x);
    OK(archai_results_read(&r, directory, &err));
    assert_int_equal(r.n, rows);
    memset(done, 0, IDS);
    for (size_t i = 0; i < r.n; i++)
        done[r.rows[i].id] = true;
    archai_results_free(&r);
    for (int64_t id = 0; id < IDS; id++) {
        if (said[id] && !done[id])
            fail_msg("row %lld was committed and is lost", (long long)id);
        known += done[id];
    }
    return known;
}

static void round_of(const char *directory, int number, bool *said, bool *done, int64_t most)
{
    archai_segment_size size = sample_segment_size(ROWS);
    archai_err err = ARCHAI_ERR_INIT;
    char name[64];
    pid_t pids[WRITERS + 1];
    int pipe_fds[2];
    bool to_the_end = most > 0;

    (void)snprintf(name, sizeof name, "segment-%d-0.h5", number);
    OK(archai_segment_create(directory, name, &size, &err));
    assert_int_equal(pipe(pipe_fds), 0);
    for (int i = 0; i <= WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0 && i < WRITERS)
            write_rows(directory, name, done, i, to_the_end ? most : IDS, pipe_fds[1]);
        if (pids[i] == 0)
            refresh_for_ever(directory, number > 0);
    }
    (void)close(pipe_fds[1]);
    if (!to_the_end)
        (void)usleep((useconds_t)(rand() % 120000));
    for (int i = 0; i <= WRITERS; i++) {
        int status;

        if (!to_the_end || i == WRITERS)
            (void)kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        if (WIFEXITED(status) && !to_the_end)
            fail_msg("process %d of round %d ended by itself", i, number);
    }
    take_reports(pipe_fds[0], said);
    (void)close(pipe_fds[0]);
}

static void sigkill_loses_nothing(void **state)
{
    static bool said[IDS], done[IDS];
    const char *rounds_text = getenv("ARCHAI_KILL_ROUNDS");
    int rounds = rounds_text != NULL ? atoi(rounds_text) : 20;
    char path[TMPDIR_PATH_MAX + 32], rest[64];
    int64_t n = 0, missing = 0, highest = -1;

    srand(1);
    (void)snprintf(path, sizeof path, "%s/results.h5", (char *)*state);
    for (int i = 0; i < rounds; i++) {
        round_of(*state, i, said, done, 0);
        if (access(path, F_OK) == 0)
            assert_int_equal(python("support/contract.py", *state, "--weights pareto"), 0);
        n = resume_and_compare(*state, said, done);
    }
    for (int64_t id = 0; id < IDS; id++)
        highest = done[id] ? id : highest;
    for (int64_t id = 0; id < highest; id++)
        missing += !done[id];
    if (missing > 0)
        round_of(*state, rounds, said, done, missing);
    n = resume_and_compare(*state, said, done);
    assert_int_equal(n, highest + 1);
    (void)snprintf(rest, sizeof rest, "%lld interrupted pareto", (long long)n);
    assert_int_equal(python("py_index.py", *state, rest), 0);
    print_message("%lld rows over %d kills\n", (long long)n, rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sigkill_loses_nothing, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
