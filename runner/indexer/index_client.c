#include "runner/indexer/index_client.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "runner/process/clock.h"

enum { PAUSE_FACTOR = 20 };
static const double min_pause_s = 1;

void archai_index_client_init(archai_index_client *c, const archai_message *run)
{
    *c = (archai_index_client)ARCHAI_INDEX_CLIENT_INIT;
    c->run = run;
}

/* Forgets the requests under way, too. */
void archai_index_client_close(archai_index_client *c)
{
    if (c->running)
        archai_peer_close(&c->peer);
    c->running = c->open = false;
    c->unanswered = 0;
    c->asked[0] = '\0';
    free(c->notes);
    c->notes = NULL;
}

static int start(archai_index_client *c, archai_err *err)
{
    char *argv[] = {(char *)"archai-indexer", NULL};
    const archai_child_spec spec = {.argv = argv};

    ARCHAI_TRY(archai_peer_start(&c->peer, &spec, err));
    c->running = true;
    c->unanswered = 1;
    archai_vitals_reset(&c->vitals);
    return archai_peer_send(&c->peer, c->run, err);
}

bool archai_index_client_is_free(const archai_index_client *c, double now, bool hurry)
{
    return c->running && c->asked[0] == '\0' && (hurry || now >= c->next_s);
}

int archai_index_client_refresh(archai_index_client *c, const char *state, int64_t rejected,
                                archai_err *err)
{
    const archai_message refresh = {
        .type = ARCHAI_MSG_REFRESH, .state = (char *)(uintptr_t)state, .rejected = rejected};

    ARCHAI_TRY(archai_peer_send(&c->peer, &refresh, err));
    if (c->unanswered++ == 0)
        archai_vitals_reset(&c->vitals);
    (void)snprintf(c->asked, sizeof c->asked, "%s", state);
    return ARCHAI_OK;
}

static void note_failure(archai_index_client *c, const archai_err *error)
{
    c->error = *error;
    c->failures++;
    c->hung = false;
    c->next_s = archai_clock_s() + min_pause_s;
    c->asked[0] = '\0';
}

static int on_message(archai_index_client *c, const archai_message *m, archai_err *why)
{
    archai_err failure = ARCHAI_ERR_INIT;

    if ((m->type != ARCHAI_MSG_INDEXED && m->type != ARCHAI_MSG_FAILED) || c->unanswered == 0)
        return archai_fail(why, ARCHAI_EFORMAT, "archai-indexer sent a '%s' out of turn",
                           archai_message_name(m->type));
    c->unanswered--;
    archai_vitals_reset(&c->vitals);
    if (m->type == ARCHAI_MSG_FAILED && !c->open)
        return archai_peer_failure(m, why);
    if (m->type == ARCHAI_MSG_FAILED) {
        (void)archai_peer_failure(m, &failure);
        note_failure(c, &failure);
        return ARCHAI_OK;
    }
    if (!c->open) { /* `failures` stays: it may crash at every refresh */
        c->open = true;
        return ARCHAI_OK;
    }
    c->failures = 0;
    free(c->notes);
    c->notes = m->text[0] != '\0' ? archai_strdup(m->text) : NULL;
    c->next_s = archai_clock_s() + fmax(PAUSE_FACTOR * m->seconds, min_pause_s);
    c->refreshes++;
    memcpy(c->published, c->asked, sizeof c->published);
    c->asked[0] = '\0';
    return ARCHAI_OK;
}

static int read_answers(archai_index_client *c, bool *busy, archai_err *why)
{
    for (;;) {
        archai_message m = {0};
        bool got;
        int rc = archai_peer_poll(&c->peer, &m, &got, why);

        ARCHAI_TRY(archai_err_wrap(why, rc, "archai-indexer "));
        if (!got)
            return ARCHAI_OK;
        *busy = true;
        rc = on_message(c, &m, why);
        archai_message_fini(&m);
        ARCHAI_TRY(rc);
    }
}

/* Stopped, or waiting for a mount that is gone: it is killed, and counts as a disk that cannot be written. */
static int check_vitals(archai_index_client *c, archai_err *why)
{
    char how[160];

    if (c->unanswered == 0 || !archai_vitals_hung(&c->vitals, c->peer.child.program))
        return ARCHAI_OK;
    archai_vitals_describe(&c->vitals, how, sizeof how);
    return archai_fail(why, ARCHAI_EIO, "archai-indexer %s and is given up", how);
}

double archai_index_client_idle(archai_index_client *c)
{
    return c->running && c->unanswered > 0 ? archai_vitals_idle(&c->vitals, c->peer.child.program) : 0;
}

void archai_index_client_step(archai_index_client *c, bool *busy)
{
    archai_err why = ARCHAI_ERR_INIT;
    bool hung = false;
    int rc;

    if (c->running)
        rc = read_answers(c, busy, &why);
    else if (archai_clock_s() >= c->next_s)
        rc = start(c, &why);
    else
        return;
    if (rc == ARCHAI_OK && c->running) {
        rc = check_vitals(c, &why);
        hung = rc != ARCHAI_OK;
    }
    if (rc != ARCHAI_OK) {
        archai_index_client_close(c);
        note_failure(c, &why);
        c->hung = hung;
        *busy = true;
    }
}

size_t archai_index_client_wake(const archai_index_client *c, struct pollfd *out, size_t max)
{
    return c->running ? archai_peer_wake(&c->peer, out, max) : 0;
}
