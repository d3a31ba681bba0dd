/* tests/support/root.h - rank 0 without the others: what it makes of what they send, and of
 * their silence.
 *
 * What it posts stays in its outboxes, where it is read after every call; the pulse is a
 * stand-in that is told who is lost. Everything else is the real thing, archai-indexer too.
 * Four ranks, all of which evaluate. Fails the test at the first error.
 */
#ifndef ARCHAI_TESTS_ROOT_H
#define ARCHAI_TESTS_ROOT_H
#include "runner/coordinator/coordinator.h"
#include "tmpdir.h"

enum { RANKS = 4, HELD_MAX = 512 };

struct root {
    char output[TMPDIR_PATH_MAX + 8];
    archai_comm comm;
    archai_plan plan;
    archai_rundir dir;
    archai_runlog log;
    archai_coordinator c;
    /* what each rank was sent */
    size_t used[RANKS];           /* bytes of its outbox that were read */
    int64_t ids[RANKS][HELD_MAX]; /* to evaluate, in order */
    int n_ids[RANKS];
    int drains[RANKS], stops[RANKS], stop_code[RANKS];
    archai_message verdict[RANKS], grant[RANKS]; /* the last ones */
};

/* A search of null.ini, all of whose objectives are cheap; `more` (NULL at its end): what
 * differs. */
void root_open(struct root *r, const char *directory, const char *const *more);
/* The next start in the same directory, with --resume. */
void root_resume(struct root *r, const char *directory, const char *const *more);
void root_close(struct root *r);

/* Candidates go out, nothing else: as many as go out in one turn (true: some did), or all that do. */
bool root_dispatch_once(struct root *r);
void root_dispatch(struct root *r);
/* One turn of the loop. */
void root_step(struct root *r);
/* Until results.h5 has all that was committed by now. */
void root_refresh(struct root *r);
/* Until all is over. */
void root_run_out(struct root *r);

/* A message from a rank, which stays the caller's. */
void root_hear(struct root *r, int rank, archai_message *m);
void root_hear_text(struct root *r, int rank, archai_message_type type, int code,
                    const char *text);
void root_hear_returned(struct root *r, int rank, int64_t id);
/* Of the evaluation of a candidate: OFFER or DONE. */
void root_hear_of(struct root *r, int rank, archai_message_type type, int64_t id, int status);
void root_hear_done(struct root *r, int rank, int64_t id);
/* One that took 0.6 s: long enough that no other candidate waits behind it, short enough for a
 * failure that is quick. */
archai_trial root_evaluation(struct root *r, int64_t id, int status);

/* Rank 0 looks who is silent; and finds that a rank is. */
void root_watch(struct root *r);
void root_lose(struct root *r, int rank);
void root_find_again(struct root *r, int rank);

archai_record *root_record(struct root *r, int64_t id);
/* The candidate that a rank was sent last. */
int64_t root_last_of(const struct root *r, int rank);
/* In how many lines run.log says so. */
int root_logged(const struct root *r, const char *words);

/* What rank 0 wrote itself. */
struct root_rows {
    int64_t last_id;
    int n, last_status, last_rank;
    double last_started;
};
struct root_rows root_own_rows(const struct root *r);
#endif
