/* runner/rank/pulse.h - signs of life between the ranks, and who gives none any more.
 *
 * Most MPIs do not tell that a rank has died: sends to it succeed, receives wait (runner/rank/ulfm.h for those
 * that do). So each worker rank sends
 * an empty message to rank 0 now and then, and rank 0 to each of them, by a thread of its own, so
 * that a rank that waits for a disk still shows that it lives. Any other message counts, too.
 *
 * The thread and the loop take turns in MPI (archai_mpi holds the lock of runner/rank/comm.h), so
 * MPI_THREAD_SERIALIZED is enough; where MPI has less than that, the loop does the thread's work.
 *
 * Silence is counted in time that this process was awake in: one that was stopped or suspended does
 * not take the others for lost afterwards. There is one pulse in a process, as there is one MPI.
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
/* Send every `every_s`, and at least four times in `lost_after_s`. Before: 5 s and 60 s. */
void archai_pulse_pace(double every_s, double lost_after_s);
/* The loop goes round. From the first call on, a loop that stands still for 10 * lost_after
 * makes its rank fall silent: whatever it waits for will not come. */
void archai_pulse_turn(void);
void archai_pulse_rest(void);         /* there is no loop any more */
void archai_pulse_heard(int rank);    /* a message came from there */
void archai_pulse_ask_mpi(void);      /* an error said that a rank is dead (runner/rank/ulfm.h): which? In the lock */
/* Silent for lost_after, or MPI says so. A rank may come back. Workers only hear rank 0. */
bool archai_pulse_is_lost(int rank);
/* Why it is lost: "no sign of life for 60.1 s", "MPI reports its death". */
void archai_pulse_why(int rank, char *text, size_t size);
int archai_pulse_first_lost(void); /* the lowest such rank; -1: none, or no pulse */
#endif
