/* A child of a rank that uses MPI itself: it must neither join nor hang the job. */
#include "mpi_cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/process/child.h"

static void run(char *const *argv, archai_child *c)
{
    const archai_child_spec spec = {.argv = argv};

    assert_int_equal(archai_child_start(c, &spec, NULL), ARCHAI_OK);
    while (!archai_child_poll(c))
        (void)usleep(1000);
}

static void a_child_that_imports_mpi4py_is_alone(void **state)
{
    char *present[] = {(char *)"/usr/bin/python3", (char *)"-c", (char *)"import mpi4py", NULL};
    char *script[] = {(char *)"/usr/bin/python3", (char *)"-c",
                      (char *)"from mpi4py import MPI; import sys; print(MPI.COMM_WORLD.size, "
                              "flush=True); sys.exit(40 + MPI.COMM_WORLD.size)",
                      NULL};
    archai_child c;
    char text[600];
    bool there, alone;

    (void)state;
    run(present, &c);
    there = c.started && WIFEXITED(c.status) && WEXITSTATUS(c.status) == 0;
    archai_child_close(&c);
    if (!all_ranks(there)) {
        print_message("skipped: no mpi4py for /usr/bin/python3\n");
        skip();
    }
    run(script, &c);
    archai_child_describe(&c, text, sizeof text);
    alone = WIFEXITED(c.status) && WEXITSTATUS(c.status) == 41;
    if (!alone)
        print_error("%s\n", text);
    archai_child_close(&c);
    assert_all_ranks(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_that_imports_mpi4py_is_alone),
    };

    return RUN_MPI_GROUP(tests);
}
