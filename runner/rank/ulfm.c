#include "runner/rank/ulfm.h"

#include <stdlib.h>

#include "core/base/alloc.h"

#if defined OPEN_MPI && defined __has_include
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif
#endif

#ifdef MPIX_ERR_PROC_FAILED

bool archai_ulfm_is_loss(int mpirc)
{
    int class = MPI_SUCCESS;

    return mpirc != MPI_SUCCESS && MPI_Error_class(mpirc, &class) == MPI_SUCCESS &&
           (class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING);
}

static void tell_all(MPI_Comm comm, MPI_Group dead, void (*tell)(int rank))
{
    MPI_Group all = MPI_GROUP_NULL;
    int *here, *there;
    int n = 0;

    if (MPI_Group_size(dead, &n) != MPI_SUCCESS || n == 0 ||
        MPI_Comm_group(comm, &all) != MPI_SUCCESS)
        return;
    here = archai_calloc(2 * (size_t)n, sizeof *here);
    there = here + n;
    for (int i = 0; i < n; i++)
        here[i] = i;
    if (MPI_Group_translate_ranks(dead, n, here, all, there) == MPI_SUCCESS)
        for (int i = 0; i < n; i++)
            if (there[i] != MPI_UNDEFINED)
                tell(there[i]);
    free(here);
    (void)MPI_Group_free(&all);
}

void archai_ulfm_acknowledge(MPI_Comm comm, void (*tell)(int rank))
{
    MPI_Group dead = MPI_GROUP_NULL;

    if (MPIX_Comm_failure_ack(comm) != MPI_SUCCESS ||
        MPIX_Comm_failure_get_acked(comm, &dead) != MPI_SUCCESS)
        return;
    tell_all(comm, dead, tell);
    (void)MPI_Group_free(&dead);
}

#else

bool archai_ulfm_is_loss(int mpirc)
{
    (void)mpirc;
    return false;
}

void archai_ulfm_acknowledge(MPI_Comm comm, void (*tell)(int rank))
{
    (void)comm;
    (void)tell;
}

#endif
