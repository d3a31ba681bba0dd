/* tests/bench/bench_slots.c - what it takes rank 0 to look at all workers once.
 *
 * It does so a few times in each turn of its loop, however little happened. Prints for growing
 * numbers of workers: workers, nanoseconds for each of them.
 */
#include <stdio.h>
#include <time.h>

#include "runner/slots.h"

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void)
{
    enum { LOOKS = 4000000 }; /* at one worker each */

    for (int n = 100; n <= 10000; n *= 10) {
        archai_slots slots;
        archai_err err = ARCHAI_ERR_INIT;
        double began;
        long alive = 0;

        if (archai_slots_init(&slots, n, &err) != ARCHAI_OK) {
            fprintf(stderr, "bench_slots: %s\n", err.text);
            return 1;
        }
        for (int i = 0; i < n; i++)
            slots.at[i].exists = true;
        began = seconds();
        for (int turn = 0; turn < LOOKS / n; turn++)
            alive += archai_slots_alive(&slots);
        began = seconds() - began;
        if (alive != LOOKS) /* keeps the work from being left out, too */
            return 1;
        printf("%d,%.3f\n", n, 1e9 * began / LOOKS);
        archai_slots_fini(&slots);
    }
    return 0;
}
