#include "runner/rank/launcher.h"

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* Each of them sets the first variable, if the second is there, too (NULL: always). */
static const struct {
    const char *size, *within, *name;
} launchers[] = {
    {"PMI_SIZE", NULL, "a launcher that speaks PMI"},
    {"OMPI_COMM_WORLD_SIZE", NULL, "Open MPI's mpirun"},
    {"SLURM_STEP_NUM_TASKS", "SLURM_STEP_ID", "srun"},
};

/* What a launcher of this MPI sets for each of its ranks. MPICH and its kin know PMI_SIZE: where they see one rank, it
 * says 1, or they were not started by it. */
static bool started_by_own;

void archai_launcher_note(void)
{
#if defined(OPEN_MPI)
    started_by_own = getenv("OMPI_COMM_WORLD_SIZE") != NULL || getenv("PMIX_RANK") != NULL;
#else
    const char *size = getenv("PMI_SIZE");

    started_by_own = size != NULL && strtol(size, NULL, 10) == 1;
#endif
}

int archai_launcher_check(int size, archai_err *err)
{
    if (size != 1 || started_by_own)
        return ARCHAI_OK;
    for (size_t i = 0; i < sizeof launchers / sizeof launchers[0]; i++) {
        const char *text = getenv(launchers[i].size);
        const long n = text != NULL ? strtol(text, NULL, 10) : 0;

        if (n > 1 && (launchers[i].within == NULL || getenv(launchers[i].within) != NULL))
            return archai_fail(
                err, ARCHAI_EINVAL,
                "%s started %ld processes (%s), but MPI sees this one alone: each would run a search of its "
                "own. Start archai-run with the mpirun of its own MPI, or with srun --mpi=pmix where that MPI "
                "has PMIx; if one search each is meant, unset %s",
                launchers[i].name, n, launchers[i].size, launchers[i].size);
    }
    return ARCHAI_OK;
}
