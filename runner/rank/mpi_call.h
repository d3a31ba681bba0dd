/* runner/rank/mpi_call.h - one MPI call at a time, and its failure as an error value.
 *
 * The heartbeats (runner/rank/pulse.h) run in a second thread: every MPI call between archai_comm_init and
 * archai_comm_fini is made with the lock that both threads share.
 */
#ifndef ARCHAI_RUNNER_RANK_MPI_CALL_H
#define ARCHAI_RUNNER_RANK_MPI_CALL_H
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include "core/base/err.h"

/* Call MPI; on failure record the MPI library's message. */
#define archai_mpi(err, call)                                                                      \
    (archai_mpi_enter(), archai_mpi_check_((err), (call), #call, __FILE__, __LINE__))
void archai_mpi_enter(void);
bool archai_mpi_try_enter(double seconds); /* wait for less than a second; one thread only */
void archai_mpi_leave(void);
uint64_t archai_mpi_entries(void); /* calls so far; one that hangs adds none */
int archai_mpi_check_(archai_err *err, int mpirc, const char *what, const char *file, int line);
#endif
