/* The loop of a rank: messages, signals, a step of the coordinator and of the worker. It never blocks. */
#include "runner/rank/run_private.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "runner/process/clock.h"
#include "runner/rank/pulse.h"
#include "runner/rank/signals.h"

/* An idle rank sleeps for a quarter of the time for which it has been idle: it oversleeps an answer by
 * an eighth of the time that the answer took. (Pauses that double would oversleep by half, on both
 * sides: two ranks waited 12 ms for each other in every evaluation that takes no time.) A blocking MPI
 * receive would burn a core. */
enum { SPINS = 40, MESSAGES_PER_TURN = 256, WAKE_MAX = 8 };
static const double sleep_min_s = 0.00005, sleep_max_s = 0.005;

static int handle(archai_rank *r, int source, archai_message *m, archai_err *err)
{
    if (m->type == ARCHAI_MSG_STOP) {
        r->stopped = true;
        r->alone = m->at_once;
        r->exit_code = m->code;
        return ARCHAI_OK;
    }
    if (archai_message_is_for_worker(m->type, source))
        return r->has_worker ? archai_worker_handle(&r->worker, m, err) : ARCHAI_OK;
    if (r->comm.rank == 0)
        return archai_coordinator_handle(&r->coordinator, source, m, err);
    return archai_fail(err, ARCHAI_EFORMAT, "rank %d was sent a '%s'", r->comm.rank,
                       archai_message_name(m->type));
}

/* An error on rank 0 ends the run in good order: rows are safe, workers leave. */
static int drain_after(archai_rank *r, int rc, archai_err *err)
{
    archai_err cause;

    if (rc == ARCHAI_OK || rc == ARCHAI_EMPI || r->comm.rank != 0 || err == NULL ||
        r->coordinator.phase >= ARCHAI_PHASE_INDEXING)
        return rc;
    cause = *err;
    archai_runlog_say(&r->log, 0, "%s", cause.text);
    return archai_coordinator_drain(&r->coordinator, "failed", archai_rc_exit_status(rc), 0,
                                    err, "%s", cause.text);
}

static int take_messages(archai_rank *r, bool *busy, archai_err *err)
{
    for (int i = 0; i < MESSAGES_PER_TURN; i++) {
        archai_message m = {0};
        int source, rc;
        bool got;

        got = archai_breath_take(&r->breath, &source, &m);
        if (!got)
            ARCHAI_TRY(archai_comm_take(&r->comm, &source, &m, &got, err));
        if (!got)
            return ARCHAI_OK;
        *busy = true;
        rc = handle(r, source, &m, err);
        archai_message_fini(&m);
        ARCHAI_TRY(drain_after(r, rc, err));
    }
    return ARCHAI_OK;
}

/* A signal to any rank stops the run: workers pass it on to rank 0. */
static int check_signals(archai_rank *r, archai_err *err)
{
    const archai_message request = {.type = ARCHAI_MSG_DRAIN};
    const int n = archai_signals_count();

    if (r->comm.rank == 0)
        return archai_breath_check_signals(&r->coordinator, &r->signals_seen, err);
    if (n == r->signals_seen)
        return ARCHAI_OK;
    r->signals_seen = n;
    return archai_comm_post(&r->comm, 0, &request, err);
}

/* Without rank 0 there is no search. What is committed is safe, and --resume continues from it. */
static bool has_lost_root(archai_rank *r)
{
    char why[64];

    if (r->stopped || !archai_pulse_is_lost(0))
        return false;
    archai_pulse_why(0, why, sizeof why);
    (void)fprintf(stderr, "archai-run: rank %d leaves, since rank 0 was lost: %s\n", r->comm.rank,
                  why);
    archai_comm_forget(&r->comm, 0);
    r->stopped = r->alone = true;
    r->exit_code = 75;
    return true;
}

static int turn(archai_rank *r, bool *busy, archai_err *err)
{
    archai_pulse_turn();
    if (has_lost_root(r))
        return ARCHAI_OK;
    ARCHAI_TRY(check_signals(r, err));
    ARCHAI_TRY(archai_comm_progress(&r->comm, err));
    ARCHAI_TRY(take_messages(r, busy, err));
    if (r->comm.rank == 0)
        ARCHAI_TRY(drain_after(r, archai_coordinator_step(&r->coordinator, busy, err), err));
    if (r->has_worker)
        ARCHAI_TRY(archai_worker_step(&r->worker, busy, err));
    return archai_comm_progress(&r->comm, err);
}

/* Sleep until a descriptor is ready, but no longer than this. */
static void rest(archai_rank *r, double seconds)
{
    struct pollfd fds[WAKE_MAX];
    const double now = archai_clock_s();
    double due = now + seconds;
    struct timespec t;
    size_t n = 0;

    if (r->has_worker)
        n = archai_worker_wake(&r->worker, fds, WAKE_MAX, &due);
    if (r->comm.rank == 0) {
        n += archai_index_client_wake(&r->coordinator.index, fds + n, WAKE_MAX - n);
        n += archai_surrogate_client_wake(&r->coordinator.surrogate, fds + n, WAKE_MAX - n);
    }
    seconds = due > now ? due - now : 0;
    t = (struct timespec){.tv_nsec = (long)(seconds * 1e9)};
    (void)ppoll(fds, (nfds_t)n, &t, NULL);
}

int archai_run_loop(archai_rank *r, archai_err *err)
{
    double idle_since = archai_clock_s();
    int spins = 0;

    while (!r->stopped || !archai_comm_is_idle(&r->comm)) {
        bool busy = false;

        ARCHAI_TRY(turn(r, &busy, err));
        if (busy) {
            idle_since = archai_clock_s();
            spins = 0;
        } else if (spins < SPINS) {
            spins++;
        } else {
            rest(r, fmin(fmax(sleep_min_s, (archai_clock_s() - idle_since) / 4), sleep_max_s));
        }
    }
    return ARCHAI_OK;
}
