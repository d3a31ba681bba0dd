/* runner/rank/launcher.h - was this program started by a launcher of its own MPI?
 *
 * srun without PMIx, or another MPI's mpiexec, starts N programs each of which is the only rank of a world of its
 * own: N searches where one was meant. Reads the environment only.
 */
#ifndef ARCHAI_RUNNER_RANK_LAUNCHER_H
#define ARCHAI_RUNNER_RANK_LAUNCHER_H
#include "core/base/err.h"

/* Before MPI_Init, which sets some of a launcher's variables itself. */
void archai_launcher_note(void);
/* `size`: of MPI_COMM_WORLD. ARCHAI_EINVAL, a sentence: a launcher says that there are more processes, and none of
 * this MPI's is there. SLURM_NTASKS alone says nothing: every batch script has it. */
int archai_launcher_check(int size, archai_err *err);
#endif
