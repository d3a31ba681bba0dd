#include "runner/indexer/earlier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/indexer/archai_indexer.h"
#include "runner/process/limit.h"
#include "runner/process/watch/vitals.h"
#include "runner/rank/signals.h"

static const double look_s = 0.2; /* for signals */

void archai_earlier_close(archai_earlier *e)
{
    archai_peer_close(&e->peer);
    archai_message_fini(&e->head);
    free(e->reading);
    free(e->told);
    free(e->settled);
    *e = (archai_earlier)ARCHAI_EARLIER_INIT;
}

/* A search can continue without results.h5, from its segments, and without a segment, from what results.h5
 * has of it: the message says so when one of them is damaged. */
static int damaged(const archai_earlier *e, const char *what, archai_err *err)
{
    const char *slash = e->reading != NULL ? strrchr(e->reading, '/') : NULL;
    const char *hint = "";

    if (slash != NULL && strncmp(what, e->reading, strlen(e->reading)) == 0)
        hint = strcmp(slash, "/results.h5") == 0
                   ? "; once it is moved away, --resume makes a new one from the segments"
                   : "; once it is moved away, --resume continues with the rows that results.h5 "
                     "has of it, without weights";
    return archai_fail(err, ARCHAI_EFORMAT, "%s%s", what, hint);
}

/* The reader ended before it reported success or failure. */
static int on_end(const archai_earlier *e, const archai_err *why, archai_err *err)
{
    const archai_child *child = &e->peer.child;
    const char *crash = child->started ? archai_limit_crash(child->status) : NULL;
    char how[1024];

    if (crash == NULL || e->reading == NULL)
        return archai_fail(err, why->code, "archai-indexer, which reads earlier rows, %s", why->text);
    (void)snprintf(how, sizeof how, "%s: damaged: HDF5 %s while it read the file", e->reading, crash);
    return damaged(e, how, err);
}

static void note(archai_earlier *e, archai_message *m)
{
    char **what = m->id == ARCHAI_INDEXER_TELLS     ? &e->told
                  : m->id == ARCHAI_INDEXER_SETTLES ? &e->settled
                                                    : &e->reading;

    free(*what);
    *what = m->text;
    m->text = NULL;
}

/* The next message other than a note. */
static int take(archai_earlier *e, archai_message *m, archai_err *err)
{
    archai_vitals vitals;
    char how[160];

    for (archai_vitals_reset(&vitals);;) {
        archai_err why = ARCHAI_ERR_INIT;
        int rc;

        if (archai_signals_count() > 0) /* millions of rows take their time */
            return archai_fail(err, ARCHAI_EINTR,
                               "stopped by %s while earlier rows were read; --resume continues",
                               archai_signals_name());
        rc = archai_peer_wait(&e->peer, m, look_s, &why);
        if (rc == ARCHAI_ETIMEOUT && !archai_vitals_hung(&vitals, e->peer.child.program))
            continue;
        if (rc == ARCHAI_ETIMEOUT) {
            archai_vitals_describe(&vitals, how, sizeof how);
            return archai_fail(err, ARCHAI_EIO, "%s: archai-indexer, which reads it, %s",
                               e->reading != NULL ? e->reading : "earlier rows", how);
        }
        if (rc != ARCHAI_OK)
            return on_end(e, &why, err);
        if (m->type != ARCHAI_MSG_NOTE)
            return ARCHAI_OK;
        note(e, m);
        archai_message_fini(m);
    }
}

/* A message that is neither the head nor a row: the last one, or nonsense. */
static int last_message(const archai_earlier *e, archai_message *m, archai_err *err)
{
    int rc = ARCHAI_OK;

    if (m->type == ARCHAI_MSG_FAILED && m->code == ARCHAI_EFORMAT)
        rc = damaged(e, m->text, err);
    else if (m->type == ARCHAI_MSG_FAILED)
        rc = archai_peer_failure(m, err);
    else if (m->type != ARCHAI_MSG_INDEXED)
        rc = archai_fail(err, ARCHAI_EFORMAT, "archai-indexer sent a '%s' out of turn",
                         archai_message_name(m->type));
    archai_message_fini(m);
    return rc;
}

int archai_earlier_open(archai_earlier *e, const char *directory, archai_err *err)
{
    char *argv[] = {(char *)"archai-indexer", (char *)"--read", (char *)(uintptr_t)directory, NULL};
    const archai_child_spec spec = {.argv = argv};
    archai_message m = {0};
    int rc;

    *e = (archai_earlier)ARCHAI_EARLIER_INIT;
    rc = archai_peer_start(&e->peer, &spec, err);
    if (rc == ARCHAI_OK)
        rc = take(e, &m, err);
    if (rc == ARCHAI_OK && m.type == ARCHAI_MSG_EARLIER) {
        e->head = m;
        return ARCHAI_OK;
    }
    if (rc == ARCHAI_OK)
        rc = last_message(e, &m, err);
    if (rc == ARCHAI_OK)
        rc = archai_fail(err, ARCHAI_EFORMAT, "archai-indexer sent no rows and no reason");
    archai_earlier_close(e);
    return rc;
}

int archai_earlier_next(archai_earlier *e, archai_trial *out, bool *got, archai_err *err)
{
    archai_message m = {0};

    *got = false;
    ARCHAI_TRY(take(e, &m, err));
    if (m.type != ARCHAI_MSG_ROW)
        return last_message(e, &m, err);
    *out = *m.evaluation;
    out->stored = m.stored;
    *m.evaluation = (archai_trial){0};
    archai_message_fini(&m);
    *got = true;
    return ARCHAI_OK;
}
