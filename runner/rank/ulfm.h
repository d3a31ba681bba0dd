/* runner/rank/ulfm.h - what MPI itself knows about dead ranks.
 *
 * An MPI with ULFM (User Level Failure Mitigation: Bland, Bouteiller, Herault, Bosilca, Dongarra 2013,
 * "Post-failure recovery of MPI communication capability"; in Open MPI from 5 on, with mpirun --with-ft
 * ulfm) returns an error from calls that involve a dead rank, and from receives that might match one,
 * until its death is acknowledged. Other MPIs report no such errors, and these functions do nothing.
 * Both are called with the lock of runner/rank/mpi_call.h held. Not collective.
 */
#ifndef ARCHAI_RUNNER_RANK_ULFM_H
#define ARCHAI_RUNNER_RANK_ULFM_H
#include <mpi.h>
#include <stdbool.h>

bool archai_ulfm_is_loss(int mpirc); /* an error that says that some rank is dead */
/* Acknowledge the deaths known so far, so that receives from any rank work again. Calls `tell` with each
 * dead rank, including those told before. */
void archai_ulfm_acknowledge(MPI_Comm comm, void (*tell)(int rank));
#endif
