/* runner/process/limit.h - a bound for processes that read results files with HDF5.
 *
 * HDF5 1.10 can crash, run in circles or ask for any amount of memory on a damaged file. Whoever reads
 * files that may have come from anywhere does so in a process of its own, with limits that no whole file
 * comes near.
 */
#ifndef ARCHAI_RUNNER_PROCESS_LIMIT_H
#define ARCHAI_RUNNER_PROCESS_LIMIT_H

/* Limit this process from now on: processor time to 20 s, and a second more for each MiB that
 * the files of `path` (a results directory or one file) have on the disk, then SIGXCPU; data to 4 GiB and
 * 16 times those bytes, then out of memory. May be called again: the time counts anew. */
void archai_limit_reading(const char *path);
/* Does a wait status tell of a crash or of time that ran out, rather than of a signal from outside?
 * What happened, for "HDF5 ... while it read the file"; NULL: neither. Static storage. */
const char *archai_limit_crash(int wait_status);
#endif
