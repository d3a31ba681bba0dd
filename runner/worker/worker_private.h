/* runner/worker/worker_private.h - what the files of the worker slot share among themselves.
 *
 * worker.c            the step, messages, leaving
 * worker_evaluate.c   the evaluator: started, listened to, given up
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
int archai_worker_prepare(archai_worker *w, archai_err *err); /* fetch, if need be, then begin */
int archai_worker_fetch(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_not_started(archai_worker *w, const char *text, archai_err *err);
int archai_worker_poll(archai_worker *w, bool *busy, archai_err *err);
int archai_worker_check_limits(archai_worker *w, archai_err *err);

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
