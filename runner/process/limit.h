/* runner/process/limit.h - limits of processes that read results files with HDF5.
 *
 * On a damaged file HDF5 1.10 can crash, loop for ever or ask for any amount of memory. Files that
 * may be damaged are read in a separate process, with limits that no intact file comes near.
 */
#ifndef ARCHAI_RUNNER_PROCESS_LIMIT_H
#define ARCHAI_RUNNER_PROCESS_LIMIT_H
#include <stddef.h>


/* Limit this process from now on: processor time to 20 s for each of the n paths and a second more for each
 * MiB that the files of `paths` (each a results directory or one file) take on disk, then SIGXCPU; data to
 * 4 GiB and 16 times those bytes, then out of memory. May be called again: the time then begins anew. */
void archai_limit_reading(const char *const *paths, size_t n);
/* All is read: what the process computes from it takes as long as it takes. */
void archai_limit_time_end(void);
/* If a wait status says that the process crashed or ran out of time: what happened, for "HDF5 ...
 * while it read the file". NULL: neither; a signal from outside does not count. Static storage. */
const char *archai_limit_crash(int wait_status);
#endif
