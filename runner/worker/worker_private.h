/* runner/worker/worker_private.h - what the files of the worker slot share among themselves.
 *
 * worker.c            the step, messages, leaving
 * worker_evaluate.c   the evaluator: started, listened to, given up
 * worker_parts.c      measures that other evaluators take, before and after
 * worker_progress.c   what it reports while it trains
 * worker_fetch.c      the weights that a candidate begins from
 * worker_write.c      the weights that it leaves
 * worker_commit.c     a row in the making: checked, offered, written, reported
 */
#ifndef ARCHAI_RUNNER_WORKER_WORKER_PRIVATE_H
#define ARCHAI_RUNNER_WORKER_WORKER_PRIVATE_H
#include "runner/worker/worker.h"

/* To rank 0. */
int archai_worker_post(archai_worker *w, archai_message *m, archai_err *err);
void archai_worker_next(archai_worker *w);
int archai_worker_give_back(archai_worker *w, archai_err *err);
int archai_worker_retire(archai_worker *w, const char *why, archai_err *err);

void archai_worker_close(archai_worker *w);
int archai_worker_begin(archai_worker *w, archai_err *err);
int archai_worker_start_row(archai_worker *w, archai_err *err); /* once for a candidate */
int archai_worker_prepare(archai_worker *w, archai_err *err); /* fetch, if need be, then begin */
int archai_worker_fetch(archai_worker *w, bool *busy, archai_err *err);
void archai_worker_fetch_end(archai_worker *w); /* closes what it read from; idempotent */
int archai_worker_not_started(archai_worker *w, const char *text, archai_err *err);
int archai_worker_poll(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_check_limits(archai_worker *w, archai_err *err);

/* A candidate begins; reports; is asked to end early; its curves become the row's. */
void archai_worker_begin_progress(archai_worker *w);
int archai_worker_on_progress(archai_worker *w, const archai_evaluator_event *event, archai_err *err);
int archai_worker_on_prune(archai_worker *w, int64_t id, archai_err *err);
void archai_worker_end_progress(archai_worker *w);

int archai_worker_parts_init(archai_worker *w, archai_err *err);
void archai_worker_parts_fini(archai_worker *w);
void archai_worker_parts_close(archai_worker *w);
/* False: nothing is to be measured in that stage. */
bool archai_worker_begin_stage(archai_worker *w, int stage);
/* By an evaluator of its own: what the candidates' evaluator says of it does not count. */
/* Is a failure with this code one after which the evaluator that reported it must be started anew? */
bool archai_worker_is_device_error(const archai_worker *w, int code);
bool archai_worker_is_taken(const archai_worker *w, const char *measure);
int archai_worker_measure(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_note(archai_worker *w, char *text, archai_err *err); /* for run.log */
/* Has a value that was measured violated a constraint? Then nothing more need be. */
bool archai_worker_is_infeasible(const archai_worker *w);

void archai_worker_forget(archai_worker *w); /* the current candidate's checkpoint */
int archai_worker_begin_row(archai_worker *w, archai_err *err);
void archai_worker_finish(archai_worker *w);
void archai_worker_fail(archai_worker *w, const char *text);
int archai_worker_offer(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_begin_write(archai_worker *w, const char *segment, archai_err *err);
int archai_worker_write(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_commit(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_report(archai_worker *w, archai_err *err); /* write what was gathered and say so */
void archai_worker_drop_reports(archai_worker *w);
int archai_worker_on_verdict(archai_worker *w, archai_message *m, archai_err *err);
#endif
