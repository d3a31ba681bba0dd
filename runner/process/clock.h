/* runner/process/clock.h - the two clocks. */
#ifndef ARCHAI_RUNNER_PROCESS_CLOCK_H
#define ARCHAI_RUNNER_PROCESS_CLOCK_H

double archai_clock_s(void);    /* seconds that only grow: for durations and limits */
double archai_clock_unix(void); /* Unix time, seconds: for timestamps */
#endif
