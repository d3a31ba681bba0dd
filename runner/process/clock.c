#include "runner/process/clock.h"

#include <time.h>

static double read_clock(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double archai_clock_s(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double archai_clock_unix(void)
{
    return read_clock(CLOCK_REALTIME);
}
