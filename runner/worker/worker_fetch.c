/* The weights that a candidate begins from: out of a segment into its evaluator's file, a piece at a
 * time. If they cannot be had the candidate begins with new ones: that costs time, never the
 * candidate. Where they are to be measured on the test data, there is nothing to measure then. */
#include "runner/worker/worker_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/search/algorithm.h"
#include "runner/process/clock.h"

enum { STEP_BYTES = 8 << 20 };
/* What another node has written may take a moment to be seen here. */
static const double patience_s = 5;
static const double pause_s = 0.1;

int archai_worker_prepare(archai_worker *w, archai_err *err)
{
    const archai_evaluator_ops *ops = w->evaluator->ops;

    if (w->queue[0].begin_at == 0 || ops->start_fd == NULL)
        return archai_worker_begin(w, err);
    w->began = w->fetch_at = archai_clock_s();
    w->fetch_by = w->fetch_at + patience_s;
    w->state = ARCHAI_WORKER_FETCHING;
    return ARCHAI_OK;
}

/* A promoted model goes on from its own weights, and from no others. What is measured on the test data is the
 * architecture that lies beside them. */
static int check(const archai_worker *w, archai_err *err)
{
    archai_trial *c = &w->queue[0];
    const archai_trial *e = &w->stored.row;
    const bool same = strcmp(e->model.archid, c->model.archid) == 0;

    if (c->is_test && same) {
        free(c->arch);
        c->arch = archai_strdup(e->arch);
        return ARCHAI_OK;
    }
    if (!c->is_test && (strcmp(c->operator_, ARCHAI_OPERATOR_PROMOTION) != 0 ||
                        (same && e->budget < c->budget)))
        return ARCHAI_OK;
    return archai_fail(err, ARCHAI_EFORMAT, "they are those of candidate %lld, %s with budget %g",
                       (long long)e->id, e->model.archid, e->budget);
}

static int copy_some(archai_worker *w, bool *done, archai_err *err)
{
    if (w->stored.n == 0) {
        ARCHAI_TRY(archai_stored_open(&w->stored, w->writer.directory, w->queue[0].begin_at, err));
        ARCHAI_TRY(check(w, err));
    }
    return archai_stored_copy(&w->stored, w->evaluator->ops->start_fd(w->evaluator), STEP_BYTES,
                              done, err);
}

static int do_without(archai_worker *w, const char *why, archai_err *err)
{
    char text[ARCHAI_ERR_TEXT_MAX];
    archai_message note = {.type = ARCHAI_MSG_NOTE, .id = w->queue[0].id, .text = text};

    (void)snprintf(text, sizeof text, "its stored weights cannot be read: %.900s", why);
    if (w->queue[0].is_test) {
        archai_worker_fail(w, text);
        return ARCHAI_OK;
    }
    w->queue[0].begin_at = 0;
    ARCHAI_TRY(archai_worker_post(w, &note, err));
    return archai_worker_begin(w, err);
}

int archai_worker_fetch(archai_worker *w, bool *busy, archai_err *err)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool done = false;

    if (archai_clock_s() < w->fetch_at)
        return ARCHAI_OK;
    *busy = true;
    if (copy_some(w, &done, &why) == ARCHAI_OK && !done)
        return ARCHAI_OK;
    archai_stored_close(&w->stored);
    if (done)
        return archai_worker_begin(w, err);
    w->fetch_at = archai_clock_s() + pause_s;
    return w->fetch_at < w->fetch_by ? ARCHAI_OK : do_without(w, why.text, err);
}
