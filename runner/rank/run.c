#include "runner/rank/run.h"

#include <mpi.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/alloc.h"
#include "runner/coordinator/finish.h"
#include "runner/process/child.h"
#include "runner/process/clock.h"
#include "runner/rank/pulse.h"
#include "runner/rank/run_private.h"

/* The ranks agree on everything that may fail on one of them before the loop begins. */
static int run(archai_rank *r, int args_rc, const archai_err *args_err, archai_err *err)
{
    bool is_over;

    ARCHAI_TRY(archai_comm_init(&r->comm, MPI_COMM_WORLD, err));
    ARCHAI_TRY(archai_pulse_start(r->comm.comm, err));
    ARCHAI_TRY(archai_run_open(r, args_rc, args_err, &is_over, err));
    if (is_over)
        return ARCHAI_OK;
    r->looping = true;
    if (r->comm.rank == 0)
        archai_breath_init(&r->breath, &r->coordinator, r->has_worker ? &r->worker : NULL,
                           &r->signals_seen);
    ARCHAI_TRY(archai_run_loop(r, err));
    archai_pulse_rest();
    r->looping = false;
    return ARCHAI_OK;
}

/* One line on standard error for each problem. */
static void complain(const archai_err *err)
{
    archai_runlog none = {0};

    archai_runlog_say_lines(&none, 0, err->text);
}

/* Rank 0 has finished. The others need to hear that, but it waits for none of them. */
static void dismiss(archai_rank *r)
{
    static const double patience_s = 2, linger_s = 0.2;
    const double began = archai_clock_s();
    const struct timespec pause = {.tv_nsec = 1000000};

    (void)archai_coordinator_dismiss(&r->coordinator, NULL);
    for (double t = 0; t < linger_s || (t < patience_s && !archai_comm_is_idle(&r->comm));
         t = archai_clock_s() - began) {
        (void)archai_comm_progress(&r->comm, NULL);
        (void)nanosleep(&pause, NULL);
    }
}

/* No other rank can be told, and none may wait for this one. */
static void abort_all(archai_rank *r, int rc, int exit_code, const archai_err *err)
{
    complain(err);
    if (rc != ARCHAI_EMPI && r->dir.path != NULL) /* else it counts as killed */
        (void)archai_rundir_finish(&r->dir, exit_code, NULL);
    archai_pulse_stop();
    archai_children_end();
    (void)MPI_Abort(MPI_COMM_WORLD, exit_code);
}

static void finish_root(archai_rank *r, int rc, int exit_code, const archai_err *err)
{
    if (rc != ARCHAI_OK)
        complain(err);
    if (r->coordinator.comm != NULL)
        archai_finish(&r->coordinator, exit_code);
    else if (r->dir.path != NULL)
        (void)archai_rundir_finish(&r->dir, exit_code, NULL);
    if (r->coordinator.n_lost > 0) {
        r->alone = true;
        dismiss(r);
    }
}

static void close_run(archai_rank *r)
{
    archai_breath_fini(&r->breath);
    if (r->has_worker)
        archai_worker_fini(&r->worker);
    archai_coordinator_fini(&r->coordinator);
    archai_node_fini(&r->node);
    archai_runlog_close(&r->log);
    archai_rundir_close(&r->dir);
    archai_plan_fini(&r->plan);
    if (r->alone)
        for (int i = 0; i < r->comm.size; i++)
            archai_comm_forget(&r->comm, i);
    archai_pulse_stop();
    archai_comm_fini(&r->comm);
    free(r->workers);
    free(r->measures);
    archai_children_end();
}

int archai_run(const archai_arguments *args, int args_rc, const archai_err *args_err,
               bool *alone)
{
    archai_rank *r = archai_calloc(1, sizeof *r);
    archai_err err = ARCHAI_ERR_INIT;
    int rc, exit_code;

    r->args = args;
    r->node = (archai_node)ARCHAI_NODE_INIT;
    rc = run(r, args_rc, args_err, &err);
    exit_code = rc == ARCHAI_OK ? r->exit_code : archai_rc_exit_status(rc);
    if (rc == ARCHAI_EMPI || r->looping)
        abort_all(r, rc, exit_code, &err);
    if (r->comm.rank == 0)
        finish_root(r, rc, exit_code, &err);
    /* no rank leaves before rank 0 has finished */
    if (!r->alone && archai_comm_barrier(r->comm.comm, NULL) != ARCHAI_OK)
        r->alone = true;
    *alone = r->alone;
    close_run(r);
    free(r);
    return exit_code;
}
