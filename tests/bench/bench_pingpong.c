/* tests/bench/bench_pingpong.c - how many messages MPI alone carries to workers and back.
 *
 *   mpirun -n RANKS bench_pingpong OUT_BYTES BACK_BYTES EXCHANGES [--busy]
 *
 * Rank 0 sends each other rank a message of OUT_BYTES; a rank that answers, with BACK_BYTES, gets the
 * next one, until EXCHANGES were answered. Messages are sent and received as in runner/rank/comm.c
 * (MPI_Isend, MPI_Improbe, MPI_Mrecv), and an idle rank waits as in runner/rank/run.c: it polls 40
 * times, then sleeps for a quarter of the time in which nothing came, 50 us to 5 ms. With --busy no
 * rank sleeps. Prints JSON: seconds, and the CPU seconds of rank 0.
 */
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG = 1, SPINS = 40, WARM_UP = 10 /* exchanges with each rank, not counted */ };
static const double sleep_min_s = 0.00005, sleep_max_s = 0.005;

static bool busy_waiting;

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void rest(int *spins, double idle_since)
{
    double pause;
    struct timespec t;

    if (busy_waiting || (*spins)++ < SPINS)
        return;
    pause = (seconds_of(CLOCK_MONOTONIC) - idle_since) / 4;
    pause = pause < sleep_min_s ? sleep_min_s : pause < sleep_max_s ? pause : sleep_max_s;
    t = (struct timespec){.tv_nsec = (long)(pause * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* Receive the next message of any rank; returns its source. */
static int take(char *buffer, int size, int *bytes)
{
    const double idle_since = seconds_of(CLOCK_MONOTONIC);
    int spins = 0, got = 0;
    MPI_Message handle;
    MPI_Status status;

    for (;;) {
        (void)MPI_Improbe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &got, &handle, &status);
        if (got)
            break;
        rest(&spins, idle_since);
    }
    (void)MPI_Mrecv(buffer, size, MPI_BYTE, &handle, &status);
    (void)MPI_Get_count(&status, MPI_BYTE, bytes);
    return status.MPI_SOURCE;
}

static void send(const char *buffer, int bytes, int to, MPI_Request *request)
{
    (void)MPI_Wait(request, MPI_STATUS_IGNORE); /* done long ago: the answer has come */
    (void)MPI_Isend(buffer, bytes, MPI_BYTE, to, TAG, MPI_COMM_WORLD, request);
}

/* Each of the other ranks has one message at any time. */
static void exchange(const char *out, int bytes, char *in, int back, int size, long n,
                     MPI_Request *requests)
{
    long sent = 0;
    int got;

    for (int i = 1; i < size && sent < n; i++, sent++)
        send(out, bytes, i, &requests[i]);
    for (long answered = 0; answered < n; answered++) {
        const int source = take(in, back, &got);

        if (sent < n) {
            send(out, bytes, source, &requests[source]);
            sent++;
        }
    }
}

static void lead(const char *out, int bytes, char *in, int back, int size, long n,
                 MPI_Request *requests)
{
    double began, cpu;

    exchange(out, bytes, in, back, size, (long)WARM_UP * (size - 1), requests);
    began = seconds_of(CLOCK_MONOTONIC);
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    exchange(out, bytes, in, back, size, n, requests);
    began = seconds_of(CLOCK_MONOTONIC) - began;
    cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    for (int i = 1; i < size; i++)
        send(out, 0, i, &requests[i]); /* empty: the end */
    (void)MPI_Waitall(size, requests, MPI_STATUSES_IGNORE);
    printf("{\"ranks\": %d, \"out\": %d, \"back\": %d, \"exchanges\": %ld, \"busy\": %s, "
           "\"seconds\": %.6f, \"cpu\": %.6f}\n",
           size, bytes, back, n, busy_waiting ? "true" : "false", began, cpu);
}

static void follow(const char *out, int back, char *in, int bytes, MPI_Request *requests)
{
    int got;

    for (;;) {
        (void)take(in, bytes, &got);
        if (got == 0)
            break;
        send(out, back, 0, &requests[0]);
    }
    (void)MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
}

int main(int argc, char **argv)
{
    int rank, size, level, bytes, back, largest;
    MPI_Request *requests;
    char *out, *in;
    long n;

    /* The same level as archai-run, so that calls take the same locks. */
    (void)MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &level);
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
    bytes = argc >= 4 ? atoi(argv[1]) : 0;
    back = argc >= 4 ? atoi(argv[2]) : 0;
    n = argc >= 4 ? atol(argv[3]) : 0;
    busy_waiting = argc == 5 && strcmp(argv[4], "--busy") == 0;
    if (size < 2 || bytes < 1 || back < 1 || n < 1 || argc != 4 + busy_waiting) {
        if (rank == 0)
            fprintf(stderr, "usage: mpirun -n RANKS bench_pingpong OUT_BYTES BACK_BYTES "
                            "EXCHANGES [--busy], two ranks at least\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
        return 2;
    }
    largest = bytes > back ? bytes : back;
    out = calloc(1, (size_t)largest);
    in = calloc(1, (size_t)largest);
    requests = malloc((size_t)size * sizeof(MPI_Request));
    if (out == NULL || in == NULL || requests == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 1);
        return 1;
    }
    for (int i = 0; i < size; i++)
        requests[i] = MPI_REQUEST_NULL;
    if (rank == 0)
        lead(out, bytes, in, back, size, n, requests);
    else
        follow(out, back, in, bytes, requests);
    free(requests);
    free(in);
    free(out);
    (void)MPI_Finalize();
    return 0;
}
