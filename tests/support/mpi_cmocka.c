#include "mpi_cmocka.h"
#include <stdio.h>
#include <stdlib.h>

int all_ranks(int local_truth)
{
    int mine = local_truth != 0, all = 0;

    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
    return all;
}

int run_mpi_group(const char *name, const struct CMUnitTest *tests, size_t n)
{
    int rank, size, failed, total;

    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size > 1)
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* one rank alone that fails must not hang the rest */
    if (rank != 0 && freopen("/dev/null", "w", stdout) == NULL)
        MPI_Abort(MPI_COMM_WORLD, 2);
    failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
    MPI_Allreduce(&failed, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return total;
}
