/* runner/rank/run_private.h - the state of a run on one rank; seen by runner/rank/run*.c alone. */
#ifndef ARCHAI_RUNNER_RANK_RUN_PRIVATE_H
#define ARCHAI_RUNNER_RANK_RUN_PRIVATE_H
#include "runner/coordinator/breath.h"
#include "runner/coordinator/coordinator.h"
#include "runner/rank/comm.h"
#include "runner/rank/node.h"
#include "runner/rank/plan.h"
#include "runner/rank/run.h"
#include "runner/worker/worker.h"

typedef struct archai_rank {
    const archai_arguments *args;
    archai_comm comm;
    archai_plan plan;
    archai_node node;
    archai_worker worker;
    bool has_worker;
    /* rank 0 */
    archai_coordinator coordinator;
    archai_breath breath;
    archai_rundir dir;
    archai_runlog log;
    char *measures; /* owned; those that its machine cannot take, a line each; NULL: it does not evaluate */
    bool *workers; /* [size]; which ranks evaluate; owned */

    int signals_seen;
    bool looping; /* the others count on this rank */
    bool stopped; /* STOP has arrived */
    bool alone;   /* a rank was lost: no collective call any more, not even MPI_Finalize */
    int exit_code;
} archai_rank;

/* Collective: check the input and set everything up, on every rank or on none. *is_over: there is
 * nothing to run (--help, --dry-run, a complete search), and the exit code is 0. */
int archai_run_open(archai_rank *r, int args_rc, const archai_err *args_err, bool *is_over,
                    archai_err *err);
/* Until STOP has arrived and everything posted has been sent. */
int archai_run_loop(archai_rank *r, archai_err *err);
#endif
