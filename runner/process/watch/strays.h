/* runner/process/watch/strays.h - what a child leaves to this process when its guard is killed.
 *
 * archai-guard ends everything below its program. A hostile or unlucky program can kill its guard, or stop it. This
 * process is therefore a subreaper, too: what loses its guard becomes its own child, whatever session or group it
 * chose, and is killed here. Only children that were there before the first guard, and the guards themselves, are
 * spared (Open MPI starts a process of its own in a run without mpirun). Not thread-safe.
 */
#ifndef ARCHAI_RUNNER_PROCESS_WATCH_STRAYS_H
#define ARCHAI_RUNNER_PROCESS_WATCH_STRAYS_H
#include <stdbool.h>
#include <sys/types.h>

/* Before the first guard is started; later calls do nothing. */
void archai_strays_begin(void);
void archai_strays_spare(pid_t guard);  /* a guard that was started */
void archai_strays_forget(pid_t guard); /* and reaped */
/* Kill and reap every stray, and what is left of `session` (0: none), which a guard had opened. Does not wait: call it
 * again while it returns true, which says that some are still dying. */
bool archai_strays_sweep(pid_t session);
/* Does /proc have the numbers that processes have here? In a container that was given the /proc of its host they mean other
 * processes. */
bool archai_strays_sees_pids(void);
#endif
