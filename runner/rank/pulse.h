/* runner/rank/pulse.h - heartbeats between the ranks, and which ranks have gone silent.
 *
 * Most MPIs do not say that a rank has died: sends to it succeed, receives wait (runner/rank/ulfm.h is
 * for those that do). So each worker rank sends an empty message to rank 0 now and then, and rank 0 to
 * each of them, from a separate thread: a rank that waits for a disk still shows that it is alive. Any
 * other message counts as well.
 *
 * The thread and the loop take turns in MPI (archai_mpi takes the lock of runner/rank/mpi_call.h), so
 * MPI_THREAD_SERIALIZED is enough; with less than that, the loop does the thread's work.
 *
 * Silence is measured in the time for which this process was awake: one that was stopped or suspended
 * does not take the others for lost afterwards. There is one pulse per process, as there is one MPI.
 */
#ifndef ARCHAI_RUNNER_RANK_PULSE_H
#define ARCHAI_RUNNER_RANK_PULSE_H
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include "core/base/err.h"

/* Begin on `comm`, which must outlive it. Not collective. */
int archai_pulse_start(MPI_Comm comm, archai_err *err);
void archai_pulse_stop(void); /* idempotent */
/* Send every `every_s`, and at least four times in `lost_after_s`. Until then: 5 s and 60 s. */
void archai_pulse_pace(double every_s, double lost_after_s);
/* Called in each turn of the loop. From the first call on, a loop that hangs for 10 * lost_after makes
 * its rank fall silent: what it waits for will not come. */
void archai_pulse_turn(void);
void archai_pulse_rest(void);      /* the loop has ended */
void archai_pulse_heard(int rank); /* a message has arrived from it */
void archai_pulse_ask_mpi(void);   /* a call said that some rank is dead (runner/rank/ulfm.h): find out
                                      which; with the lock held */
/* Silent for lost_after, or reported dead by MPI. A rank may come back. Workers only hear rank 0. */
bool archai_pulse_is_lost(int rank);
/* "no sign of life for 60.1 s", "MPI reports its death" */
void archai_pulse_why(int rank, char *text, size_t size);
int archai_pulse_first_lost(void); /* the lowest lost rank; -1: none, or no pulse */
#endif
