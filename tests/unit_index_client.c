/* rank 0's client and the real archai-indexer: what is said of a run arrives in results.h5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/results/results.h"
#include "runner/indexer/index_client.h"
#include "runner/process/clock.h"
#include "tmpdir.h"

static const double limit_s = 60; /* ends a hang, measures nothing */

static char config[] =
    "[search]\nalgorithm = random_search\nmax_evaluations = 5\nseed = 11\n"
    "[space]\nname = cnn\n[evaluator]\nkind = null\n[output]\ndirectory = caf\xe9\nweights = none\n"
    "[objective.macs]\ndirection = maximize\nunit = \xc2\xb5s\nconstraint = -inf 0.1\n"
    "[objective.params]\ndirection = minimize\n[objective.flops]\ndirection = none\nconstraint = 1 2\n";

static char space[] = "cnn", software[] = "archai-run test", started[] = "2023-11-14T22:13:20Z";

/* Until nothing is under way or something has failed; the failures so far. */
static int settle(archai_index_client *c)
{
    const double end = archai_clock_s() + limit_s;
    const int before = c->failures;
    bool busy = false;

    do {
        struct pollfd fds[4];

        archai_index_client_step(c, &busy);
        (void)poll(fds, (nfds_t)archai_index_client_wake(c, fds, 4), 5);
        assert_true(archai_clock_s() < end);
    } while (c->failures <= before && (c->unanswered > 0 || !c->running));
    return c->failures;
}

static archai_message run_in(char *directory)
{
    return (archai_message){.type = ARCHAI_MSG_INDEX,
                            .directory = directory,
                            .text = config,
                            .space = space,
                            .software = software,
                            .started = started,
                            .ranks = 3};
}

static void a_run_arrives_in_its_results(void **state)
{
    char directory[TMPDIR_PATH_MAX + 8];
    archai_message run = run_in(directory);
    archai_err err = ARCHAI_ERR_INIT;
    archai_index_client c;
    archai_results r;

    (void)snprintf(directory, sizeof directory, "%s/caf\xe9", (const char *)*state);
    assert_int_equal(mkdir(directory, 0777), 0);
    archai_index_client_init(&c, &run);
    assert_false(archai_index_client_is_free(&c, archai_clock_s(), true));
    if (settle(&c) != 0)
        fail_msg("%s", c.error.text);
    assert_true(archai_index_client_is_free(&c, archai_clock_s(), false));
    assert_int_equal(archai_index_client_refresh(&c, "interrupted", 7, NULL), ARCHAI_OK);
    assert_false(archai_index_client_is_free(&c, archai_clock_s(), true));
    if (settle(&c) != 0)
        fail_msg("%s", c.error.text);
    assert_int_equal(c.refreshes, 1);
    assert_string_equal(c.published, "interrupted");
    assert_false(archai_index_client_is_free(&c, archai_clock_s(), false)); /* the pause */
    archai_index_client_close(&c);

    if (archai_results_read(&r, directory, &err) != ARCHAI_OK)
        fail_msg("%s", err.text);
    assert_string_equal(r.state, "interrupted");
    assert_string_equal(r.algorithm, "random_search");
    assert_string_equal(r.schedule, "async");
    assert_string_equal(r.space, "cnn");
    assert_string_equal(r.software, "archai-run test");
    assert_string_equal(r.started, "2023-11-14T22:13:20Z");
    assert_non_null(strstr(r.config, "directory = caf?\n")); /* an attribute is UTF-8 */
    assert_true(r.seed == 11 && r.ranks == 3 && r.rejected == 7);
    assert_int_equal(r.n_objectives, 2);
    assert_string_equal(r.objectives[0].name, "macs");
    assert_int_equal(r.objectives[0].direction, ARCHAI_MAXIMIZE);
    archai_results_free(&r);
}

static void a_run_that_cannot_be_indexed_is_a_failure(void **state)
{
    static char many[] = "[search]\nseed = many\n";
    archai_message run = run_in(*state);
    archai_index_client c;

    run.text = many;
    archai_index_client_init(&c, &run);
    assert_int_equal(settle(&c), 1);
    assert_int_equal(c.error.code, ARCHAI_EINVAL);
    assert_non_null(strstr(c.error.text, "search.seed"));
    archai_index_client_close(&c);
}

static void a_failed_refresh_may_be_repeated(void **state)
{
    char gone[TMPDIR_PATH_MAX + 8];
    archai_message run = run_in(gone);
    archai_index_client c;

    (void)snprintf(gone, sizeof gone, "%s/gone", (const char *)*state);
    assert_int_equal(mkdir(gone, 0777), 0);
    archai_index_client_init(&c, &run);
    assert_int_equal(settle(&c), 0);
    assert_int_equal(rmdir(gone), 0);
    assert_int_equal(archai_index_client_refresh(&c, "running", 0, NULL), ARCHAI_OK);
    assert_int_equal(settle(&c), 1);
    assert_int_equal(c.error.code, ARCHAI_ENOTFOUND);
    assert_true(c.running && archai_index_client_is_free(&c, archai_clock_s(), true));
    assert_int_equal(mkdir(gone, 0777), 0);
    c.failures = 0;
    assert_int_equal(archai_index_client_refresh(&c, "running", 0, NULL), ARCHAI_OK);
    if (settle(&c) != 0)
        fail_msg("%s", c.error.text);
    assert_int_equal(c.refreshes, 1);
    archai_index_client_close(&c);
}

/* A killed indexer is started again after a pause. That it starts does not end the row of failures. */
static void a_killed_indexer_is_started_again(void **state)
{
    archai_message run = run_in(*state);
    archai_index_client c;

    archai_index_client_init(&c, &run);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(settle(&c), i);
        assert_true(archai_index_client_is_free(&c, archai_clock_s(), true));
        assert_int_equal(kill(c.peer.child.program, SIGSTOP), 0); /* or it might answer first */
        assert_int_equal(archai_index_client_refresh(&c, "running", 0, NULL), ARCHAI_OK);
        assert_int_equal(kill(c.peer.child.program, SIGKILL), 0);
        assert_int_equal(settle(&c), i + 1);
        assert_string_equal(c.error.text, "archai-indexer killed by signal 9 (Killed)");
        assert_false(c.running);
    }
    assert_int_equal(settle(&c), 2);
    assert_int_equal(archai_index_client_refresh(&c, "running", 0, NULL), ARCHAI_OK);
    assert_int_equal(settle(&c), 0);
    assert_int_equal(c.refreshes, 1);
    archai_index_client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_arrives_in_its_results, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(a_run_that_cannot_be_indexed_is_a_failure, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(a_failed_refresh_may_be_repeated, tmpdir_setup,
                                        tmpdir_teardown),
        cmocka_unit_test_setup_teardown(a_killed_indexer_is_started_again, tmpdir_setup,
                                        tmpdir_teardown),
    };

    (void)signal(SIGPIPE, SIG_IGN); /* as archai-run does */
    return cmocka_run_group_tests_name("index client", tests, NULL, NULL);
}
