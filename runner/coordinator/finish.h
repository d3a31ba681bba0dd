/* runner/coordinator/finish.h - the final output: report.html, the front on standard output, exit_code. */
#ifndef ARCHAI_RUNNER_COORDINATOR_FINISH_H
#define ARCHAI_RUNNER_COORDINATOR_FINISH_H
#include "runner/coordinator/coordinator.h"

/* Rank 0, after the loop (or when setting up failed once the directory was open). exit_code is
 * written last. */
void archai_finish(archai_coordinator *c, int exit_code);
/* Run `archai-inspect DIRECTORY COMMAND` and wait for it, unless it shows no sign of work for long, or a second signal
 * comes (`stops`: how many came before). `said` (may be NULL): the last line of its output. */
int archai_finish_inspect(const char *directory, const char *command, int stops, char *said, size_t size,
                          archai_err *err);
#endif
