/* runner/rank/run.h - a search from the first MPI call to the last. */
#ifndef ARCHAI_RUNNER_RANK_RUN_H
#define ARCHAI_RUNNER_RANK_RUN_H
#include <stdbool.h>
#include "runner/rank/arguments.h"

/* Collective over MPI_COMM_WORLD, between MPI_Init and MPI_Finalize. `args` must be the same on every
 * rank; `args_rc` and `args_err` are the outcome of parsing them. Every rank returns the same exit code.
 * *alone: ranks were lost; leave without MPI_Finalize, which would wait for them. */
int archai_run(const archai_arguments *args, int args_rc, const archai_err *args_err,
               bool *alone);
#endif
