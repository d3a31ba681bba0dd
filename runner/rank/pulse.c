#include "runner/rank/pulse.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"
#include "runner/rank/mpi_call.h"
#include "runner/rank/ulfm.h"

enum { TAG = 2, STACK_BYTES = 256 * 1024, STILL_FACTOR = 10 };
static const double tick_max_s = 0.5;
static const double mpi_wait_s = 0.02; /* how long a beat waits for the loop to leave MPI */

static struct pulse {
    MPI_Comm comm;
    int rank, size;
    bool is_on, has_thread;
    pthread_t thread;
    atomic_bool ending;
    _Atomic double every_s, lost_after_s;
    _Atomic double awake;  /* seconds for which this process was awake since the start */
    _Atomic double turned; /* awake time of the loop's last turn; < 0: it has not begun */
    _Atomic double *heard; /* [size], owned: awake times */
    atomic_bool *failed;   /* [size], owned: MPI reported an error */
    /* used only where the beats come from: the thread, or else the loop */
    MPI_Request *requests; /* [size], owned */
    double ticked;         /* clock */
    double sent;           /* awake time */
    double in_mpi;         /* awake time at which the loop was first found in MPI; < 0: it is outside */
    uint64_t entries;      /* of the loop into MPI, at that time */
} p = {.comm = MPI_COMM_NULL};

static double interval(void)
{
    return fmin(p.every_s, p.lost_after_s / 4);
}

static double tick(void)
{
    return fmin(tick_max_s, interval() / 2);
}

/* -- beating ------------------------------------------------------------------------------- */

static void send_to(int rank)
{
    int done = 0, rc = MPI_Test(&p.requests[rank], &done, MPI_STATUS_IGNORE);

    if (rc == MPI_SUCCESS && done && !p.failed[rank])
        rc = MPI_Isend(NULL, 0, MPI_BYTE, rank, TAG, p.comm, &p.requests[rank]);
    if (rc != MPI_SUCCESS) {
        p.requests[rank] = MPI_REQUEST_NULL;
        p.failed[rank] = true;
    }
}

static void send_all(void)
{
    const double turned = p.turned;

    if (turned >= 0 && p.awake - turned > STILL_FACTOR * p.lost_after_s)
        return;
    if (p.rank != 0)
        send_to(0);
    for (int i = 1; p.rank == 0 && i < p.size; i++)
        send_to(i);
}

static void take_all(void)
{
    for (;;) {
        MPI_Message handle;
        MPI_Status status;
        int got = 0;
        const int rc = MPI_Improbe(MPI_ANY_SOURCE, TAG, p.comm, &got, &handle, &status);

        if (archai_ulfm_is_loss(rc))
            archai_pulse_ask_mpi();
        if (rc != MPI_SUCCESS || !got)
            return;
        if (MPI_Mrecv(NULL, 0, MPI_BYTE, &handle, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return;
        archai_pulse_heard(status.MPI_SOURCE);
    }
}

/* MPI calls that wait for a dead rank never return; only this thread can still end the process. */
static void end_if_stuck(void)
{
    if (p.in_mpi < 0 || p.entries != archai_mpi_entries()) { /* not the same call as before */
        p.in_mpi = p.awake;
        p.entries = archai_mpi_entries();
        return;
    }
    if (p.awake - p.in_mpi < p.lost_after_s)
        return;
    (void)fprintf(stderr,
                  "archai-run: rank %d has been waiting in one MPI call for %.0f s: another rank was "
                  "lost; --resume continues from what was committed\n",
                  p.rank, p.awake - p.in_mpi);
    _exit(1);
}

static void beat(void)
{
    const double now = archai_clock_s();
    /* A stopped process or a suspended machine leaves gaps, in which nobody could be heard. */
    const double step = fmin(now - p.ticked, 2 * tick() + 0.1);

    p.ticked = now;
    if (!archai_mpi_try_enter(mpi_wait_s)) {
        p.awake = p.awake + step;
        end_if_stuck();
        return;
    }
    p.in_mpi = -1;
    take_all(); /* before time moves on: what has arrived counts */
    p.awake = p.awake + step;
    if (p.awake - p.sent >= interval()) {
        p.sent = p.awake;
        send_all();
    }
    archai_mpi_leave();
}

static void *run_thread(void *unused)
{
    (void)unused;
    while (!p.ending) {
        const double seconds = tick();
        const struct timespec pause = {.tv_sec = (time_t)seconds,
                                       .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};

        (void)nanosleep(&pause, NULL);
        if (!p.ending)
            beat();
    }
    return NULL;
}

/* -- life ---------------------------------------------------------------------------------- */

static void release(void)
{
    free(p.heard);
    free(p.failed);
    free(p.requests);
    p.heard = NULL;
    p.failed = NULL;
    p.requests = NULL;
}

static int start_thread(archai_err *err)
{
    pthread_attr_t attributes;
    sigset_t all, old;
    int level = MPI_THREAD_SINGLE, e;

    ARCHAI_TRY(archai_mpi(err, MPI_Query_thread(&level)));
    if (level < MPI_THREAD_SERIALIZED)
        return ARCHAI_OK; /* archai_pulse_turn beats */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &old); /* signals are for the loop's thread */
    e = pthread_attr_init(&attributes);
    if (e == 0) {
        (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
        e = pthread_create(&p.thread, &attributes, run_thread, NULL);
        (void)pthread_attr_destroy(&attributes);
    }
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (e != 0)
        return archai_fail(err, ARCHAI_ENOMEM, "cannot start the heartbeat thread: %s", strerror(e));
    p.has_thread = true;
    return ARCHAI_OK;
}

int archai_pulse_start(MPI_Comm comm, archai_err *err)
{
    int rc;

    ARCHAI_TRY(archai_mpi(err, MPI_Comm_rank(comm, &p.rank)));
    ARCHAI_TRY(archai_mpi(err, MPI_Comm_size(comm, &p.size)));
    if (p.size == 1)
        return ARCHAI_OK;
    p.comm = comm;
    p.every_s = 5;
    p.lost_after_s = 60;
    p.awake = p.sent = 0;
    p.turned = p.in_mpi = -1;
    p.ticked = archai_clock_s();
    p.ending = p.has_thread = false;
    p.heard = archai_calloc((size_t)p.size, sizeof *p.heard);
    p.failed = archai_calloc((size_t)p.size, sizeof *p.failed);
    p.requests = archai_calloc((size_t)p.size, sizeof *p.requests);
    for (int i = 0; i < p.size; i++)
        p.requests[i] = MPI_REQUEST_NULL;
    rc = start_thread(err);
    p.is_on = rc == ARCHAI_OK;
    if (rc != ARCHAI_OK)
        release();
    return rc;
}

void archai_pulse_stop(void)
{
    if (!p.is_on)
        return;
    p.ending = true;
    if (p.has_thread)
        (void)pthread_join(p.thread, NULL);
    p.is_on = p.has_thread = false;
    release(); /* MPI keeps the sends to dead ranks; they have no bytes */
}

void archai_pulse_pace(double every_s, double lost_after_s)
{
    p.every_s = every_s;
    p.lost_after_s = lost_after_s;
}

/* -- looking ------------------------------------------------------------------------------- */

void archai_pulse_turn(void)
{
    if (!p.is_on)
        return;
    if (!p.has_thread && archai_clock_s() - p.ticked >= tick())
        beat();
    p.turned = p.awake;
}

void archai_pulse_rest(void)
{
    p.turned = -1;
}

void archai_pulse_heard(int rank)
{
    if (p.heard != NULL)
        p.heard[rank] = p.awake;
}

static void note_death(int rank)
{
    p.failed[rank] = true;
}

void archai_pulse_ask_mpi(void)
{
    if (p.failed != NULL)
        archai_ulfm_acknowledge(p.comm, note_death);
}

/* Awake seconds since the last sign of life. */
static double silence(int rank)
{
    return p.is_on && rank != p.rank ? p.awake - p.heard[rank] : 0;
}

bool archai_pulse_is_lost(int rank)
{
    if (!p.is_on || rank == p.rank || (p.rank != 0 && rank != 0))
        return false;
    return p.failed[rank] || silence(rank) > p.lost_after_s;
}

void archai_pulse_why(int rank, char *text, size_t size)
{
    if (p.is_on && p.failed[rank])
        (void)snprintf(text, size, "MPI reports its death");
    else
        (void)snprintf(text, size, "no sign of life for %.1f s", silence(rank));
}

int archai_pulse_first_lost(void)
{
    for (int i = 0; p.is_on && i < (p.rank == 0 ? p.size : 1); i++)
        if (archai_pulse_is_lost(i))
            return i;
    return -1;
}
