/* runner/coordinator/finish.h - the final output: report.html, the front on standard output, exit_code. */
#ifndef ARCHAI_RUNNER_COORDINATOR_FINISH_H
#define ARCHAI_RUNNER_COORDINATOR_FINISH_H
#include "runner/coordinator/coordinator.h"

/* Rank 0, after the loop (or when setting up failed once the directory was open). exit_code is
 * written last. */
void archai_finish(archai_coordinator *c, int exit_code);
#endif
