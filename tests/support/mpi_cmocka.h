/* tests/support/mpi_cmocka.h - run a cmocka group under mpiexec.
 *
 * Only rank 0 prints. What all ranks can judge goes through assert_all_ranks: all fail together,
 * so that nobody waits in a collective call for one who has left. Plain asserts are for the time
 * before the first collective call; with more than one rank they abort the job.
 */
#ifndef ARCHAI_TESTS_MPI_CMOCKA_H
#define ARCHAI_TESTS_MPI_CMOCKA_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <mpi.h>

/* MPI_Init, the group, MPI_Finalize; returns the number of failures over all ranks, for main. */
#define RUN_MPI_GROUP(tests) run_mpi_group(#tests, (tests), sizeof(tests) / sizeof((tests)[0]))
int run_mpi_group(const char *name, const struct CMUnitTest *tests, size_t n);

int all_ranks(int local_truth); /* collective over MPI_COMM_WORLD */
#define assert_all_ranks(x) assert_true(all_ranks(x))
#endif
